//! From graph and signature to the module: passes, plan, code, manifest, and a last look by a validator.

use contract::manifest::{Cost, GRAPH, MANIFEST, Manifest, VERSION};
use contract::{Datatype, TensorSpec};
use wasm_encoder::Encode;

use crate::api::{Compiled, Options, Signature, Step};
use crate::emit::Code;
use crate::emit::module::{Parts, trimmed};
use crate::graph::text::op_name;
use crate::graph::{Graph, Id, Node, Type};
use crate::lower::{self, Lower};
use crate::{Error, passes, plan};

/// Instructions of one function: small enough for an engine to compile well, and with few rows for
/// one function to hold a small model.
const FUNCTION: usize = 16 << 10;

/// Compiles `graph`, whose inputs and outputs are those of `signature`.
pub fn build(graph: Graph, signature: Signature, options: &Options) -> Result<Compiled, Error> {
    fits(&graph, &signature)?;
    let graph = passes::run(&graph)?;
    let forests = lower::forests(&graph, options.simd)?;
    let needs = |bands: &[_], id| plan::Needs {
        temporary: lower::temporary(&graph, &forests, bands, id),
        kept: forests.get(&id).map_or(0, lower::Forest::kept_bytes),
    };
    let plan = plan::plan(&graph, signature.row_wise, options.rows_max, lower::bands(&graph), needs)?;

    let mut lower = Lower::new(&graph, &plan, &forests, options.simd);
    let (mut functions, mut code, mut steps) = (Vec::new(), Code::default(), Vec::new());
    let (mut flops, mut fused) = (0, 0);
    let mut finish = |code: Code| -> Result<_, Error> {
        if !options.relaxed {
            return Ok(code.finish());
        }
        let (code, count) = code.relaxed()?;
        fused += count;
        Ok(code.finish())
    };
    for (i, node) in graph.nodes.iter().enumerate() {
        let (id, code_before, data_before) = (Id(i as u32), code.len(), lower.data.len());
        lower.node(&mut code, id)?;
        if code.len() == code_before {
            continue;
        }
        let ids = plan::banded(&plan.bands, id).into_iter().chain([id]);
        let step = Step {
            operator: op_name(&node.op),
            node: node.name.clone(),
            shape: node.shape.clone(),
            flops: ids.map(|id| lower::flops(&graph, &forests, id)).sum(),
            data_bytes: (lower.data.len() - data_before) as u64,
            code_bytes: (code.len() - code_before) as u64,
        };
        flops += step.flops;
        steps.push(step);
        if options.apart || code.len() > FUNCTION {
            functions.push(finish(std::mem::take(&mut code))?);
        }
    }
    if code.len() > 0 {
        functions.push(finish(code)?);
    }
    let (rows_max, data_offset) = (plan.rows_max, plan.end);
    let parts = Parts { functions, rows_max, data: lower.data, data_offset, apart: options.apart };
    plan::within(parts.memory_bytes())?;

    let manifest = Manifest { relaxed: fused > 0, ..manifest(&graph, signature, &plan, &parts, flops) };
    let json = serde_json::to_vec(&manifest).map_err(|e| Error::bug(format!("the manifest: {e}")))?;
    let text = graph.to_string();
    let wasm = parts.module(&[(MANIFEST, &json), (GRAPH, text.as_bytes())]);
    let allowed = if fused > 0 { features() | wasmparser::WasmFeatures::RELAXED_SIMD } else { features() };
    wasmparser::Validator::new_with_features(allowed)
        .validate_all(&wasm)
        .map_err(|e| Error::bug(format!("the module is not valid: {e}")))?;
    Ok(Compiled { wasm, manifest, graph: text, steps })
}

/// What a module may use of WebAssembly: what every engine of the last years has.
pub(crate) fn features() -> wasmparser::WasmFeatures {
    use wasmparser::WasmFeatures as F;
    F::WASM1 | F::SATURATING_FLOAT_TO_INT | F::SIGN_EXTENSION | F::SIMD
}

/// The front's two descriptions of the outside agree.
fn fits(graph: &Graph, signature: &Signature) -> Result<(), Error> {
    let mut pairs = signature.inputs.iter().zip(&graph.inputs).chain(signature.outputs.iter().zip(&graph.outputs));
    let counts = signature.inputs.len() == graph.inputs.len() && signature.outputs.len() == graph.outputs.len();
    let wrong = |(spec, id): &(&TensorSpec, &Id)| {
        graph.nodes.get(id.index()).is_none_or(|node| node.len() != spec.row_elements() || !same(node, spec))
    };
    match pairs.find(wrong) {
        Some((spec, _)) => Err(Error::bug(format!("{:?} differs between graph and signature", spec.name))),
        None if !counts => Err(Error::bug("graph and signature differ in length")),
        None => Ok(()),
    }
}

fn same(node: &Node, spec: &TensorSpec) -> bool {
    let expected = match spec.datatype {
        Datatype::Bool => Type::Bool,
        Datatype::Int8 => Type::I8,
        Datatype::Uint8 => Type::U8,
        Datatype::Int16 => Type::I16,
        Datatype::Uint16 | Datatype::Fp16 => Type::U16,
        Datatype::Int32 | Datatype::Bytes => Type::I32,
        Datatype::Uint32 => Type::U32,
        Datatype::Int64 => Type::I64,
        Datatype::Uint64 => Type::U64,
        Datatype::Fp32 => Type::F32,
        Datatype::Fp64 => Type::F64,
    };
    node.ty == expected
}

fn manifest(graph: &Graph, signature: Signature, plan: &plan::Plan, parts: &Parts, flops: u64) -> Manifest {
    let placed = |specs: Vec<TensorSpec>, offsets: &[u32]| -> Vec<TensorSpec> {
        specs.into_iter().zip(offsets).map(|(spec, offset)| TensorSpec { offset: *offset, ..spec }).collect()
    };
    debug_assert_eq!(graph.inputs.len(), plan.inputs.len());
    let mut code = Vec::new();
    parts.code().encode(&mut code);
    Manifest {
        version: VERSION,
        compiler: format!("beira {}", env!("CARGO_PKG_VERSION")),
        onnx_sha256: signature.onnx_sha256,
        opset: signature.opset,
        rows_max: plan.rows_max,
        inputs: placed(signature.inputs, &plan.inputs),
        outputs: placed(signature.outputs, &plan.outputs),
        cost: Cost {
            flops_per_row: flops,
            memory_bytes: parts.memory_bytes(),
            code_bytes: code.len() as u64,
            data_bytes: trimmed(&parts.data).len() as u64,
        },
        relaxed: false,
    }
}
