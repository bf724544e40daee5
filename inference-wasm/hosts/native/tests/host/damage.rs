//! Modules that must be refused before the first prediction, each with its reason.

use contract::Manifest;
use contract::manifest::{IDENTITY, MANIFEST, SEAL};
use host_native::{Module, seal, sections};

use crate::example::{example, manifest, profile, sealed, unsealed};

fn refused(bytes: &[u8]) -> String {
    Module::load(bytes).expect_err("the module should be refused").to_string()
}

fn changed(change: impl Fn(&mut Manifest)) -> Vec<u8> {
    let mut manifest = manifest();
    change(&mut manifest);
    unsealed(
        r#"(module (memory (export "memory") 1) (func (export "run") (param i32) (result i32) i32.const 0))"#,
        &manifest,
    )
}

#[test]
fn every_cut_and_every_flipped_bit_is_found() {
    let whole = sealed();
    assert!(Module::load(&whole).is_ok());
    for end in (0..whole.len()).step_by(23) {
        refused(&whole[..end]);
    }
    for at in (0..whole.len()).step_by(17) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        assert!(Module::load(&flipped).is_err(), "bit flip at {at} of {}", whole.len());
    }
}

#[test]
fn reasons() {
    let check = |bytes: &[u8], expected: &str| {
        let error = refused(bytes);
        assert!(error.contains(expected), "`{error}` does not say `{expected}`");
    };
    check(b"", "does not begin like a WebAssembly module");
    check(b"<!doctype html>", "does not begin like a WebAssembly module");
    check(&wat::parse_str("(module)").unwrap(), "no section `beira.manifest`");
    let memory = r#"(memory (export "memory") 1)"#;
    check(&unsealed("(module)", &manifest()), "exports no memory");
    check(&unsealed(&format!("(module {memory})"), &manifest()), "exports no function `run");
    check(&unsealed(r#"(module (import "env" "now" (func)))"#, &manifest()), "imports `env.now`");
    check(&unsealed(r#"(module (memory (export "memory") 60000))"#, &manifest()), "memory");
    check(&changed(|m| m.version = 9), "manifest version 9");
    check(&changed(|m| m.inputs[0].offset = 65536), "inputs `size`: region ends outside");
    let mut twice = example();
    sections::append(&mut twice, MANIFEST, b"{}");
    check(&twice, "two sections `beira.manifest`");
    let mut broken = example();
    sections::append(&mut broken, SEAL, b"{\"golden\":");
    check(&broken, "section `beira.seal`: EOF");
}

#[test]
fn golden_rows_must_come_out() {
    let golden = seal::pseudo_rows(&manifest(), 3);
    let sealed = seal::seal(&example(), &golden, None).unwrap();
    let mut found = sections::read(&sealed).unwrap().seal.unwrap();
    let digit = found.golden.outputs[1].len() - 3; // last row
    let other = if found.golden.outputs[1].as_bytes()[digit] == b'0' { "1" } else { "0" };
    found.golden.outputs[1].replace_range(digit..=digit, other);
    let mut wrong = example();
    sections::append(&mut wrong, SEAL, &serde_json::to_vec(&found).unwrap());
    assert!(refused(&wrong).contains("has a seal but no section `beira.identity`"));
    let identity = sections::sha256(&wrong);
    sections::append(&mut wrong, IDENTITY, identity.as_bytes());
    assert!(refused(&wrong).starts_with("golden mismatch: output `probabilities`, row 2"), "{}", refused(&wrong));
}

/// Long inputs repeat, and the seal keeps them once.
#[test]
fn golden_rows_repeat() {
    let golden = seal::pseudo_rows(&manifest(), 2500);
    let seal = sections::read(&seal::seal(&example(), &golden, None).unwrap()).unwrap().seal.unwrap();
    assert_eq!(seal.golden.inputs(&manifest()), Some(golden.inputs));
    assert_eq!(seal.golden.inputs[0].len(), 2 * 4 * 1021);
}

#[test]
fn a_seal_fits_its_module() {
    let golden = seal::pseudo_rows(&manifest(), 3);
    let check = |change: fn(&mut contract::Profile), expected: &str| {
        let mut profile = profile();
        change(&mut profile);
        let error = seal::seal(&example(), &golden, Some(profile)).unwrap_err().to_string();
        assert!(error.contains(expected), "`{error}` does not say `{expected}`");
    };
    check(|p| p.features[0].name.push('x'), "`size` is not where the manifest has it");
    check(|p| p.features[2].counts.clear(), "`visits`: 0 counts for 2 bins");
    check(|p| p.edges_sha256.clear(), "edges_sha256");
}

#[test]
fn identity_is_that_of_the_bytes_before_it() {
    let whole = sealed();
    let module = Module::load(&whole).unwrap();
    assert_eq!(module.sha256(), sections::sha256(&whole));
    assert!(whole.ends_with(module.sha256().as_bytes()));
    assert_ne!(module.sha256(), sections::sha256(&example()));
    assert!(seal::seal(&whole, &seal::pseudo_rows(&manifest(), 1), None).unwrap_err().to_string().contains("already"));
}
