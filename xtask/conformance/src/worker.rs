//! Runs cases: the child process, which may die of one.

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{bail, ensure};
use inference_wasm::{Error, Options};
use prost::Message;
use serde::{Deserialize, Serialize};
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::{ModelProto, TensorProto, type_proto};

use crate::case::{Case, Files};
use crate::{bake, compare, tensor};

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Every output of every data set is as expected.
    Pass {
        /// Inputs that became constants.
        baked: usize,
        /// Largest distance of two floats in units of the last place.
        ulps: u64,
    },
    /// The compiler says that it does not have something.
    Unsupported(String),
    /// Anything else.
    Fail(String),
}

/// Reads cases as lines of JSON and answers each with a verdict, until there are no more.
pub fn serve() -> anyhow::Result<()> {
    std::panic::set_hook(Box::new(|_| {})); // the reason is in the verdict
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line?)?;
        let verdict = catch_unwind(AssertUnwindSafe(|| verdict(&case)));
        let verdict = verdict.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("");
            Verdict::Fail(format!("a panic: {text}"))
        });
        writeln!(out, "{}", serde_json::to_string(&verdict)?)?;
        out.flush()?;
    }
    Ok(())
}

/// First as the file is; where that does not compile, with the inputs that fix shapes as constants.
fn verdict(case: &Case) -> Verdict {
    let Files { model, sets } = match case.read() {
        Ok(files) => files,
        Err(error) => return Verdict::Fail(format!("unreadable: {error:#}")),
    };
    let Some((first, _)) = sets.first() else { return Verdict::Fail("it has no data".into()) };
    let plain = attempt(&model, &[], &sets);
    if matches!(plain, Ok(_) | Err(Stop::Wrong(_))) {
        return settle(plain, 0);
    }
    let mut baked = model.clone();
    let Some(graph) = &mut baked.graph else { return settle(plain, 0) };
    let positions = bake::bake(graph, first);
    if positions.is_empty() || sets.len() > 1 {
        return settle(plain, 0);
    }
    settle(attempt(&baked, &positions, &sets), positions.len())
}

fn settle(result: Result<u64, Stop>, baked: usize) -> Verdict {
    match result {
        Ok(ulps) => Verdict::Pass { baked, ulps },
        Err(Stop::Compile(error @ (Error::Unsupported { .. } | Error::TooLarge { .. }))) => {
            Verdict::Unsupported(one_line(&error.to_string()))
        }
        Err(Stop::Compile(error)) => Verdict::Fail(one_line(&error.to_string())),
        Err(Stop::Wrong(error)) => Verdict::Fail(one_line(&format!("{error:#}"))),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

enum Stop {
    /// It did not compile.
    Compile(Error),
    /// It did, and the answer is another.
    Wrong(anyhow::Error),
}

/// Compiles and runs every data set, leaving out the inputs `baked`.
fn attempt(
    model: &ModelProto,
    baked: &[usize],
    sets: &[(Vec<Option<TensorProto>>, Vec<Option<TensorProto>>)],
) -> Result<u64, Stop> {
    let options = Options { shapes: free_shapes(model, baked, &sets[0].0), ..Options::default() };
    let compiled = inference_wasm::compile(&model.encode_to_vec(), &options).map_err(Stop::Compile)?;
    let run = || -> anyhow::Result<u64> {
        let module = host_native::Module::load(&compiled.wasm)?;
        let mut most = 0;
        for (inputs, outputs) in sets {
            most = most.max(set(&module, baked, inputs, outputs)?);
        }
        Ok(most)
    };
    run().map_err(Stop::Wrong)
}

fn set(
    module: &host_native::Module,
    baked: &[usize],
    inputs: &[Option<TensorProto>],
    outputs: &[Option<TensorProto>],
) -> anyhow::Result<u64> {
    let specs = &module.manifest().inputs;
    let given: Vec<&Option<TensorProto>> =
        inputs.iter().enumerate().filter(|(i, _)| !baked.contains(i)).map(|(_, t)| t).collect();
    ensure!(given.len() == specs.len(), "{} tensors for {} inputs", given.len(), specs.len());
    let (mut rows, mut regions) = (1, Vec::new());
    for (spec, tensor) in specs.iter().zip(given) {
        let Some(tensor) = tensor else { bail!("input {:?} is no tensor", spec.name) };
        if spec.shape.first() == Some(&-1) {
            rows = tensor.dims.first().copied().unwrap_or(1) as usize;
        }
        regions.push(tensor::region(tensor, spec)?);
    }
    let answers = module.run(&host_native::Batch { rows, inputs: regions })?;
    let mut most = 0;
    for ((spec, answer), expected) in module.manifest().outputs.iter().zip(&answers).zip(outputs) {
        let Some(expected) = expected else { bail!("output {:?} is no tensor", spec.name) };
        let shape: Vec<i64> = spec.shape.iter().map(|d| if *d < 0 { rows as i64 } else { *d }).collect();
        ensure!(shape == expected.dims, "output {:?} has shape {shape:?}, expected {:?}", spec.name, expected.dims);
        most = most.max(compare::compare(spec, answer, &tensor::region(expected, spec)?)?);
    }
    ensure!(answers.len() >= outputs.len(), "{} outputs, expected {}", answers.len(), outputs.len());
    Ok(most)
}

/// Shapes of the data for inputs that leave more free than their first axis.
fn free_shapes(
    model: &ModelProto,
    baked: &[usize],
    data: &[Option<TensorProto>],
) -> std::collections::BTreeMap<String, Vec<Option<usize>>> {
    let mut shapes = std::collections::BTreeMap::new();
    let data = data.iter().enumerate().filter(|(i, _)| !baked.contains(i)).map(|(_, t)| t);
    for (input, tensor) in model.graph.iter().flat_map(|g| &g.input).zip(data) {
        let Some(type_proto::Value::TensorType(ty)) = input.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
            continue;
        };
        let free = ty
            .shape
            .as_ref()
            .is_none_or(|s| s.dim.iter().skip(1).any(|d| !matches!(d.value, Some(Dim::DimValue(v)) if v > 0)));
        let empty = tensor.as_ref().is_some_and(|tensor| tensor.dims.contains(&0));
        if let (true, Some(tensor)) = (free || empty, tensor) {
            shapes.insert(input.name.clone(), tensor.dims.iter().map(|d| Some(*d as usize)).collect());
        }
    }
    shapes
}
