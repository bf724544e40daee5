//! Linking: a template keeps working, the model answers what it answers by itself (every test of the
//! back end runs linked, too), and what cannot be linked is refused with its reason.

use std::sync::LazyLock;

use beira_inference_wasm::{Options, link, memory_bytes};

use crate::check::{compile, f32s, graph, to_f32s};

/// Where the model's memory begins: behind the template's one page.
pub const BASE: usize = 65536;

const TEMPLATE: &str = r#"(module
  (import "env" "log" (func $log (param i32)))
  (import "beira" "run" (func $run (param i32) (result i32)))
  (import "beira" "load" (func $load (param i32) (result i32)))
  (import "env" "other" (func $other (result i32)))
  (import "beira" "store" (func $store (param i32 i32)))
  (import "beira" "card_start" (func $card_start (result i32)))
  (import "beira" "card_bytes" (func $card_bytes (result i32)))
  (type $step (func (param i32) (result i32)))
  (table 2 2 funcref)
  (elem (i32.const 0) $run $double)
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 8) "template")
  (func $double (param i32) (result i32) (i32.add (local.get 0) (local.get 0)))
  (func (export "go") (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (call $run (local.get 0)))
  (func (export "calls") (result i32) (global.get $calls))
  (func (export "indirect") (param i32 i32) (result i32) (call_indirect (type $step) (local.get 1) (local.get 0)))
  (func (export "peek") (param i32) (result i32) (call $load (local.get 0)))
  (func (export "poke") (param i32 i32) (call $store (local.get 0) (local.get 1)))
  (func (export "card") (param i32) (result i32) (call $load (i32.add (call $card_start) (local.get 0))))
  (func (export "card_bytes") (result i32) (call $card_bytes))
  (func (export "own") (param i32) (result i32) (i32.load8_u offset=8 (local.get 0)))
  (func (export "ask") (result i32) (call $log (i32.const 7)) (call $other)))"#;

/// A template with a model and a card in it, in wasmi. Its host counts in the store what `log` was told.
pub fn instance(model: &[u8], card: &[u8]) -> (wasmi::Store<i32>, wasmi::Instance) {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| wat::parse_str(TEMPLATE).unwrap());
    let linked = link(&BYTES, model, card).unwrap();
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, &linked).unwrap();
    let mut linker = wasmi::Linker::<i32>::new(&engine);
    let log = |mut caller: wasmi::Caller<'_, i32>, n: i32| *caller.data_mut() += n;
    linker.func_wrap("env", "log", log).unwrap();
    linker.func_wrap("env", "other", || 42).unwrap();
    let mut store = wasmi::Store::new(&engine, 0);
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    (store, instance)
}

#[test]
fn template_and_model_each_keep_their_own() {
    let compiled = compile(&graph("%0 = input 0 : f32[2]\n%1 = add %0, %0 : f32[2]\nreturn %1\n"), &Options::default());
    let (mut store, instance) = instance(&compiled.wasm, b"the card");
    let mut call = |name: &str, arguments: &[i32]| -> i32 {
        let function = instance.get_func(&store, name).unwrap();
        let arguments: Vec<_> = arguments.iter().map(|n| wasmi::Val::I32(*n)).collect();
        let mut results = vec![wasmi::Val::I32(0); function.ty(&store).results().len()];
        function.call(&mut store, &arguments, &mut results).unwrap();
        results.first().and_then(wasmi::Val::i32).unwrap_or(0)
    };
    let at = compiled.manifest.inputs[0].offset as i32;
    for (byte, at) in f32s(&[1.5, -4.0]).into_iter().zip(at..) {
        call("poke", &[at, byte.into()]);
    }
    assert_eq!(call("go", &[1]), 0);
    let out = compiled.manifest.outputs[0].offset as i32;
    let answer: Vec<u8> = (out..out + 8).map(|at| call("peek", &[at]) as u8).collect();
    assert_eq!(to_f32s(&answer), [3.0, -8.0]);

    assert_eq!(call("indirect", &[0, 0]), 1); // the model's own code for a wrong number of rows
    assert_eq!(call("indirect", &[1, 21]), 42);
    assert_eq!((call("ask", &[]), call("calls", &[])), (42, 1));
    let card: Vec<u8> = (0..call("card_bytes", &[])).map(|at| call("card", &[at]) as u8).collect();
    assert_eq!(card, b"the card");
    let own: Vec<u8> = (0..8).map(|at| call("own", &[at]) as u8).collect();
    assert_eq!(own, b"template");
    assert_eq!(*store.data(), 7);
}

#[test]
fn what_cannot_be_linked_says_why() {
    let model = compile(&graph("%0 = input 0 : f32[1]\nreturn %0\n"), &Options::default()).wasm;
    let check = |template: &str, model: &[u8], expected: &str| {
        let error = link(&wat::parse_str(template).unwrap(), model, b"").unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    let wat = |text: &str| wat::parse_str(text).unwrap();
    check(
        TEMPLATE,
        &wat(r#"(module (import "a" "b" (func)) (memory 1))"#),
        "model module: it has imports, tables or globals",
    );
    check(TEMPLATE, &wat("(module (memory 1))"), "template: the model exports no `run`");
    let grows = r#"(module (memory 1) (func (export "run") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    check(TEMPLATE, &wat(grows), "template: it asks for the size of its memory");
    check(TEMPLATE, &model[..model.len() / 2], "model module: ");
    check(r#"(module (import "beira" "fly" (func)) (memory 1))"#, &model, "template: it imports `beira.fly`");
    check(r#"(module (import "env" "m" (memory 1)))"#, &model, "template: it has an import that is no function");
    assert_eq!(memory_bytes(&model).unwrap(), 65536);
}
