//! The linked model: its card, its golden rows, its answers.

use contract::plugin::Card;
use contract::{Manifest, check};
use host_rows::Batch;

/// The model's code and memory. Addresses are those of the module by itself.
pub trait Engine {
    /// The module's `run`.
    fn run(&self, rows: u32) -> i32;
    /// Reads memory from `at` on.
    fn load(&self, at: u32, bytes: &mut [u8]);
    /// Writes memory from `at` on.
    fn store(&self, at: u32, bytes: &[u8]);
}

/// A model that has proved itself.
pub struct Model<E> {
    card: Card,
    engine: E,
}

impl<E: Engine> Model<E> {
    /// Checks the card and runs the golden rows. The error is a sentence.
    pub fn open(card: Card, engine: E) -> Result<Model<E>, String> {
        check::manifest(&card.manifest, card.manifest.cost.memory_bytes)?;
        check::seal(&card.manifest, &card.seal)?;
        let model = Model { card, engine };
        model.golden()?;
        Ok(model)
    }

    /// What was linked in.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Signature and offsets.
    pub fn manifest(&self) -> &Manifest {
        &self.card.manifest
    }

    /// Predicts in chunks of `rows_max`: one region for each output. The error is `run`'s code.
    pub fn run(&self, batch: &Batch) -> Result<Vec<Vec<u8>>, i32> {
        let manifest = self.manifest();
        let mut outputs: Vec<Vec<u8>> = manifest.outputs.iter().map(|_| Vec::new()).collect();
        let chunk = manifest.rows_max as usize;
        for from in (0..batch.rows).step_by(chunk) {
            let rows = chunk.min(batch.rows - from);
            for (spec, region) in manifest.inputs.iter().zip(&batch.inputs) {
                let width = spec.row_bytes();
                self.engine.store(spec.offset, region.get(from * width..(from + rows) * width).unwrap_or_default());
            }
            match self.engine.run(rows as u32) {
                0 => (),
                code => return Err(code),
            }
            for (spec, region) in manifest.outputs.iter().zip(&mut outputs) {
                let start = region.len();
                region.resize(start + rows * spec.row_bytes(), 0);
                self.engine.load(spec.offset, &mut region[start..]);
            }
        }
        Ok(outputs)
    }

    fn golden(&self) -> Result<(), String> {
        let golden = &self.card.seal.golden;
        let inputs = golden.inputs(self.manifest()).ok_or("golden: not hex")?;
        let wanted = golden.outputs().ok_or("golden: not hex")?;
        let answers = self
            .run(&Batch { rows: golden.rows as usize, inputs })
            .map_err(|code| format!("golden mismatch: the model stopped with code {code}"))?;
        for ((spec, answer), expected) in self.manifest().outputs.iter().zip(&answers).zip(&wanted) {
            if host_rows::golden::differs(self.manifest(), spec, answer, expected).is_some() {
                let name = &spec.name;
                return Err(format!("golden mismatch: output `{name}` has other bits than the module was sealed with"));
            }
        }
        Ok(())
    }
}
