//! From the bytes of an ONNX file to the compiler's graph and the model's signature.
//!
//! tract parses the file, infers shapes and spells it in its core operators; what follows tract
//! translates those. tract's `declutter` is left out: it reorders floating-point sums and moves
//! axes, and our own passes do better on the small graph. Constants are propagated.

use std::collections::BTreeMap;

use contract::Date;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tract_onnx::pb::{ModelProto, StringStringEntryProto};
use tract_onnx::prelude::TypedModel;

use crate::graph::Graph;
use crate::{Error, Options, Signature, support};

pub(crate) mod attributes;
mod branches;
mod destring;
mod guarded;
mod half;
mod import;
mod inputs;
mod loops;
mod maps;
mod ml;
mod outputs;
pub(crate) mod rename;
mod sequences;
mod typed;
mod vocabulary;
mod zip_map;

pub(crate) use typed::guard;

/// A model after the front.
pub(crate) struct Front {
    /// The function of one row, or of the whole input.
    pub graph: Graph,
    /// Inputs, outputs, and whether the function is one of a row.
    pub signature: Signature,
    /// The same model as tract has it, rows as a symbol where they are free, for [`crate::Reference`].
    pub model: TypedModel,
    /// Position of the rows axis in each of tract's outputs.
    pub rows: Vec<Option<usize>>,
}

impl Front {
    /// Checks, rewrites and translates a file.
    pub fn load(onnx: &[u8], options: &Options) -> Result<Front, Error> {
        let mut model = support::parse(onnx)?;
        support::check(&model)?;
        let opset = support::opset(&model);
        let named: Vec<(String, Vec<String>)> = metadata(&model, "beira.columns.")?;
        let dates: Vec<(String, Date)> = metadata(&model, "beira.date.")?;
        let graph = model.graph.as_mut().ok_or_else(|| Error::bug("a graph has gone"))?;

        sequences::spread(graph)?;
        let mut columns = zip_map::remove(graph)?;
        named.into_iter().for_each(|(output, names)| {
            columns.entry(output).or_insert(names);
        });
        let keys = maps::flatten(graph, onnx)?;
        let strings = destring::destring(graph)?;
        let halves = half::widen(graph)?;
        for node in &graph.node {
            ml::check(node)?;
        }
        let inputs = inputs::read(graph, options)?;
        let names: Vec<String> = graph.output.iter().map(|o| o.name.clone()).collect();
        typed::prepare(graph);
        spell_control(&mut model, &inputs)?;

        let (typed, imported) = translate(&model, &inputs, &halves)?;
        let outputs = outputs::describe(&names, &imported, &strings, &columns)?;
        let row_wise = typed.rows.is_some();
        let mut signature = Signature {
            inputs: inputs.iter().map(|i| i.spec(row_wise, &strings)).collect(),
            outputs,
            row_wise,
            onnx_sha256: contract::hex::encode(&Sha256::digest(onnx)),
            opset,
        };
        inputs::name_columns(&mut signature.inputs, &keys)?;
        inputs::name_columns(&mut signature.inputs, &options.columns)?;
        inputs::date(&mut signature.inputs, dates)?;
        Ok(Front {
            graph: imported.graph,
            signature,
            model: typed.model,
            rows: imported.outputs.iter().map(|o| o.rows).collect(),
        })
    }
}

/// Rounds in which branches in loops in branches are spelled.
const ROUNDS: usize = 64;

/// Takes out loops and branches that follow from constants and shapes.
fn spell_control(model: &mut ModelProto, inputs: &[inputs::Input]) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        if !loops::unroll(model, inputs)? && !branches::decide(model, inputs)? {
            break;
        }
    }
    Ok(())
}

/// Row by row where that can be proved, else as one input of fixed shape.
fn translate(
    model: &tract_onnx::pb::ModelProto,
    inputs: &[inputs::Input],
    halves: &[bool],
) -> Result<(typed::Typed, import::Imported), Error> {
    let of_inputs: Vec<bool> = inputs.iter().map(|input| input.half).collect();
    if !inputs.is_empty()
        && inputs.iter().all(|i| i.has_rows())
        // What computes with the number of rows may fail to load; it may still do so for one row.
        && let Ok(typed) = typed::load(model, inputs, true)
    {
        match import::import(&typed, &of_inputs, halves) {
            Ok(imported) => return Ok((typed, imported)),
            Err(import::Stop::Mixes) => {}
            Err(import::Stop::Wrong(error)) => return Err(error),
        }
    }
    let typed = typed::load(model, inputs, false)?;
    match import::import(&typed, &of_inputs, halves) {
        Ok(imported) => Ok((typed, imported)),
        Err(import::Stop::Mixes) => Err(Error::bug("rows were mixed where there are none")),
        Err(import::Stop::Wrong(error)) => Err(error),
    }
}

/// Strings by id, by name of an input or output.
type Strings = BTreeMap<String, Vec<String>>;

/// What the file's metadata says under `PREFIX` + name of an input or output, as JSON: `beira.columns.OUTPUT`, a list of
/// names for exporters that answer a plain tensor where ZipMap would answer maps; `beira.date.INPUT`, a [`Date`].
fn metadata<T: DeserializeOwned>(model: &ModelProto, prefix: &str) -> Result<Vec<(String, T)>, Error> {
    let named = model.metadata_props.iter().filter_map(|p| Some((p.key.strip_prefix(prefix)?, p)));
    let read = |(name, property): (&str, &StringStringEntryProto)| match serde_json::from_str(&property.value) {
        Ok(value) => Ok((name.to_owned(), value)),
        Err(error) => Err(Error::invalid(format!("metadata {:?}", property.key), error.to_string())),
    };
    named.map(read).collect()
}
