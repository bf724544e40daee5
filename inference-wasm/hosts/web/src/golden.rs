//! Golden rows: what the module answered where it was sealed must come out here, bit for bit.

use contract::hex;
use contract::manifest::{Golden, Manifest};
use js_sys::{Function, Uint8Array, WebAssembly};
use wasm_bindgen::JsValue;

/// Runs the golden rows in chunks of `rows_max`. They have been checked against the manifest.
pub fn check(manifest: &Manifest, golden: &Golden, memory: &WebAssembly::Memory, run: &Function) -> Result<(), String> {
    let chunk = manifest.rows_max as usize;
    let total = golden.rows as usize;
    for from in (0..total).step_by(chunk) {
        let rows = chunk.min(total - from);
        for (spec, region) in manifest.inputs.iter().zip(&golden.inputs) {
            let bytes = slice(region, from, rows, spec.row_bytes())?;
            view(memory, spec.offset, bytes.len()).copy_from(&bytes);
        }
        let code = run.call1(&JsValue::NULL, &JsValue::from(rows as u32));
        match code.ok().and_then(|code| code.as_f64()) {
            Some(0.0) => (),
            Some(code) => return Err(format!("golden mismatch: the model stopped with code {}", code as i32)),
            None => return Err("golden mismatch: the model trapped".to_owned()),
        }
        for (spec, region) in manifest.outputs.iter().zip(&golden.outputs) {
            let expected = slice(region, from, rows, spec.row_bytes())?;
            let answer = view(memory, spec.offset, expected.len()).to_vec();
            if let Some(byte) = answer.iter().zip(&expected).position(|(a, b)| a != b) {
                return Err(format!(
                    "golden mismatch: output `{}`, row {}: the bits differ from those the module was sealed with; \
                     it is not used",
                    spec.name,
                    from + byte / spec.row_bytes()
                ));
            }
        }
    }
    Ok(())
}

fn slice(region: &str, from: usize, rows: usize, row_bytes: usize) -> Result<Vec<u8>, String> {
    let digits = region.get(2 * from * row_bytes..2 * (from + rows) * row_bytes);
    digits.and_then(hex::decode).ok_or_else(|| "golden: not hex".to_owned())
}

fn view(memory: &WebAssembly::Memory, offset: u32, bytes: usize) -> Uint8Array {
    Uint8Array::new_with_byte_offset_and_length(&memory.buffer(), offset, bytes as u32)
}
