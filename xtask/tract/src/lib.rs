//! A peer of the measurements: tract as WebAssembly, as one would ship it to a page to run ONNX files there.

use tract_onnx::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// A model and its inputs.
#[wasm_bindgen]
#[derive(Default)]
pub struct Peer {
    inputs: Vec<TValue>,
    model: Option<Arc<TypedRunnableModel>>,
    outputs: Vec<TValue>,
}

#[wasm_bindgen]
impl Peer {
    /// Nothing loaded.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Peer {
        Peer::default()
    }

    /// Gives the next input's numbers, row-major.
    pub fn f32(&mut self, shape: &[usize], numbers: &[f32]) -> Result<(), String> {
        self.input(shape, numbers)
    }

    /// The same of 32-bit integers.
    pub fn i32(&mut self, shape: &[usize], numbers: &[i32]) -> Result<(), String> {
        self.input(shape, numbers)
    }

    /// The same of 64-bit integers.
    pub fn i64(&mut self, shape: &[usize], numbers: &[i64]) -> Result<(), String> {
        self.input(shape, numbers)
    }

    /// Loads and optimizes an ONNX file for the shapes of the inputs given before.
    pub fn load(&mut self, onnx: &[u8]) -> Result<(), String> {
        let mut model = tract_onnx::onnx().model_for_read(&mut &onnx[..]).map_err(text)?;
        for (n, input) in self.inputs.iter().enumerate() {
            model.set_input_fact(n, InferenceFact::dt_shape(input.datum_type(), input.shape())).map_err(text)?;
        }
        self.model = Some(model.into_optimized().and_then(|model| model.into_runnable()).map_err(text)?);
        Ok(())
    }

    /// Runs the model.
    pub fn run(&mut self) -> Result<(), String> {
        let model = self.model.as_ref().ok_or("no model is loaded")?;
        self.outputs = model.run(self.inputs.iter().cloned().collect()).map_err(text)?.into_vec();
        Ok(())
    }

    /// The numbers of an output of the last run.
    pub fn output(&self, n: usize) -> Result<Vec<f32>, String> {
        let output = self.outputs.get(n).ok_or("there is no such output")?;
        let numbers = output.cast_to::<f32>().map_err(text)?;
        Ok(numbers.to_plain_array_view::<f32>().map_err(text)?.iter().copied().collect())
    }
}

impl Peer {
    fn input<T: Datum + Copy>(&mut self, shape: &[usize], numbers: &[T]) -> Result<(), String> {
        self.inputs.push(Tensor::from_shape(shape, numbers).map_err(text)?.into());
        Ok(())
    }
}

/// The whole chain of reasons.
fn text(error: TractError) -> String {
    format!("{error:#}")
}
