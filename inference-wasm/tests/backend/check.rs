//! `check`: one graph on every executor.

use std::collections::BTreeMap;

use beira_inference_wasm::backend::build;
use beira_inference_wasm::graph::eval::eval;
use beira_inference_wasm::graph::parse::parse;
use beira_inference_wasm::graph::{Graph, Id, Type};
use beira_inference_wasm::{Compiled, Options, Signature};
use contract::{Datatype, Manifest, TensorSpec};

/// Rows of each input, as bytes.
pub type Regions = Vec<Vec<u8>>;

/// Compiles a row-wise graph.
pub fn compile(graph: &Graph, options: &Options) -> Compiled {
    build(graph.clone(), signature(graph), options).unwrap_or_else(|e| panic!("{e}\n{graph}"))
}

/// A signature that fits the graph.
pub fn signature(graph: &Graph) -> Signature {
    let spec = |(n, id): (usize, &Id)| {
        let node = graph.node(*id);
        let datatype = match node.ty {
            Type::Bool => Datatype::Bool,
            Type::I8 => Datatype::Int8,
            Type::U8 => Datatype::Uint8,
            Type::I16 => Datatype::Int16,
            Type::U16 => Datatype::Uint16,
            Type::I32 => Datatype::Int32,
            Type::U32 => Datatype::Uint32,
            Type::U64 => Datatype::Uint64,
            Type::I64 => Datatype::Int64,
            Type::F32 => Datatype::Fp32,
            Type::F64 => Datatype::Fp64,
        };
        let shape = std::iter::once(-1).chain(node.shape.iter().map(|d| *d as i64)).collect();
        TensorSpec { name: format!("{n}"), datatype, shape, offset: 0, strings: None, columns: None, date: None }
    };
    Signature {
        inputs: graph.inputs.iter().enumerate().map(spec).collect(),
        outputs: graph.outputs.iter().enumerate().map(spec).collect(),
        row_wise: true,
        onnx_sha256: "0".repeat(64),
        opset: BTreeMap::from([(String::new(), 21)]),
    }
}

/// The graph of a text.
pub fn graph(text: &str) -> Graph {
    parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Every executor gives what the evaluator gives, which is returned, for `rows` rows of inputs.
pub fn check(graph: &Graph, rows: usize, inputs: &Regions) -> Regions {
    let expected = evaluate(graph, rows, inputs);
    for simd in [true, false] {
        let compiled = compile(graph, &Options { simd, rows_max: Some(rows as u32), ..Options::default() });
        for (engine, run) in [("wasmi", wasmi as Engine), ("wasmtime", wasmtime), ("linked", linked)] {
            let (code, outputs) = run(&compiled, rows as i32, inputs);
            assert_eq!(code, 0, "{engine}");
            for (n, (got, wanted)) in outputs.iter().zip(&expected).enumerate() {
                let at = got.iter().zip(wanted).position(|(a, b)| a != b);
                assert_eq!(at, None, "output {n} at this byte, {engine}, simd {simd}\n{graph}\n{}", compiled.graph);
            }
            assert_eq!(outputs, expected, "{engine}, simd {simd}\n{graph}\n{}", compiled.graph);
        }
    }
    expected
}

/// The evaluator, row by row, NaN canonical in the outputs.
pub fn evaluate(graph: &Graph, rows: usize, inputs: &Regions) -> Regions {
    let mut outputs = vec![Vec::new(); graph.outputs.len()];
    for row in 0..rows {
        let of = |(id, region): (&Id, &Vec<u8>)| {
            let bytes = graph.node(*id).len() * graph.node(*id).ty.bytes();
            region[row * bytes..(row + 1) * bytes].to_vec()
        };
        let one: Vec<Vec<u8>> = graph.inputs.iter().zip(inputs).map(of).collect();
        let values = eval(graph, &one).unwrap_or_else(|e| panic!("{e}\n{graph}"));
        for (output, (value, id)) in outputs.iter_mut().zip(values.into_iter().zip(&graph.outputs)) {
            output.extend(canonical(graph.node(*id).ty, value));
        }
    }
    outputs
}

fn canonical(ty: Type, mut value: Vec<u8>) -> Vec<u8> {
    match ty {
        Type::F32 => value.chunks_exact_mut(4).for_each(|b| {
            if f32::from_le_bytes(b.try_into().unwrap()).is_nan() {
                b.copy_from_slice(&0x7fc0_0000u32.to_le_bytes());
            }
        }),
        Type::F64 => value.chunks_exact_mut(8).for_each(|b| {
            if f64::from_le_bytes(b.try_into().unwrap()).is_nan() {
                b.copy_from_slice(&0x7ff8_0000_0000_0000u64.to_le_bytes());
            }
        }),
        _ => {}
    }
    value
}

type Engine = fn(&Compiled, i32, &Regions) -> (i32, Regions);

/// Links the module into a template and runs that in wasmi.
fn linked(compiled: &Compiled, rows: i32, inputs: &Regions) -> (i32, Regions) {
    let (mut store, instance) = crate::link::instance(&compiled.wasm, b"");
    let memory = instance.get_memory(&store, "memory").unwrap();
    for (spec, region) in compiled.manifest.inputs.iter().zip(inputs) {
        memory.write(&mut store, crate::link::BASE + spec.offset as usize, region).unwrap();
    }
    let run = instance.get_typed_func::<i32, i32>(&store, "go").unwrap();
    let code = run.call(&mut store, rows).unwrap();
    let own = &memory.data(&store)[crate::link::BASE..];
    (code, if code == 0 { read(own, &compiled.manifest, rows) } else { Vec::new() })
}

fn read(memory: &[u8], manifest: &Manifest, rows: i32) -> Regions {
    let of = |spec: &TensorSpec| {
        let bytes = spec.row_bytes() * rows.max(0) as usize;
        memory[spec.offset as usize..spec.offset as usize + bytes].to_vec()
    };
    manifest.outputs.iter().map(of).collect()
}

/// Runs the module in wasmi.
pub fn wasmi(compiled: &Compiled, rows: i32, inputs: &Regions) -> (i32, Regions) {
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, &compiled.wasm).unwrap();
    let mut store = wasmi::Store::new(&engine, ());
    let instance = wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module).unwrap();
    let memory = instance.get_memory(&store, "memory").unwrap();
    for (spec, region) in compiled.manifest.inputs.iter().zip(inputs) {
        memory.write(&mut store, spec.offset as usize, region).unwrap();
    }
    let run = instance.get_typed_func::<i32, i32>(&store, "run").unwrap();
    let code = run.call(&mut store, rows).unwrap();
    (code, if code == 0 { read(memory.data(&store), &compiled.manifest, rows) } else { Vec::new() })
}

/// Runs the module in wasmtime.
pub fn wasmtime(compiled: &Compiled, rows: i32, inputs: &Regions) -> (i32, Regions) {
    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::new(&engine, &compiled.wasm).unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    for (spec, region) in compiled.manifest.inputs.iter().zip(inputs) {
        memory.write(&mut store, spec.offset as usize, region).unwrap();
    }
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let code = run.call(&mut store, rows).unwrap();
    (code, if code == 0 { read(memory.data(&store), &compiled.manifest, rows) } else { Vec::new() })
}

/// Little-endian bytes of numbers.
pub fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Numbers of little-endian bytes.
pub fn to_f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

/// Likewise.
pub fn to_i64s(bytes: &[u8]) -> Vec<i64> {
    bytes.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect()
}

/// Numbers that are equal each time: ordinary ones, and now and then an edge.
pub fn values(ty: Type, count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        // xorshift64*, Vigna 2016
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    };
    const EDGES: [f64; 14] =
        [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-40, -3e38, 88.8, -104.0, 1e300];
    let mut bytes = Vec::new();
    for i in 0..count {
        let (r, kind) = (next(), if i < count / 2 { next() % 8 } else { 1 + next() % 7 });
        let x = match kind {
            0 => EDGES[(r % EDGES.len() as u64) as usize],
            1 => (r % 7) as f64 - 3.0,
            _ => (r as f64 / (1u64 << 48) as f64 - 0.5) * 16.0,
        };
        match ty {
            Type::Bool => bytes.push((r & 1) as u8),
            Type::I8 | Type::U8 => bytes.push(if kind == 0 { r as u8 } else { x as i8 as u8 }),
            Type::I16 | Type::U16 => bytes.extend((if kind == 0 { r as u16 } else { x as i16 as u16 }).to_le_bytes()),
            Type::U32 => bytes.extend((if kind == 0 { r as u32 } else { x as i32 as u32 }).to_le_bytes()),
            Type::U64 => bytes.extend((if kind == 0 { r << 16 } else { x.abs() as u64 }).to_le_bytes()),
            Type::I32 => bytes.extend((if kind == 0 { r as i32 } else { x as i32 }).to_le_bytes()),
            Type::I64 => bytes.extend((if kind == 0 { r as i64 - (1 << 47) } else { x as i64 }).to_le_bytes()),
            Type::F32 => bytes.extend((x as f32).to_le_bytes()),
            Type::F64 => bytes.extend(x.to_le_bytes()),
        }
    }
    bytes
}

/// Checks a text's graph on 3 rows of such numbers.
pub fn check_text(text: &str) -> Regions {
    let graph = graph(text);
    let inputs = |(n, id): (usize, &Id)| values(graph.node(*id).ty, graph.node(*id).len() * 3, n as u64 + 77);
    let inputs: Regions = graph.inputs.iter().enumerate().map(inputs).collect();
    check(&graph, 3, &inputs)
}
