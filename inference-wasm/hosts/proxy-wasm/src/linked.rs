//! The border to what the linker puts in: functions that do not exist until a model is linked, and
//! the one of WASI that gives random bytes.

#![expect(
    unsafe_code,
    reason = "declarations of functions outside of Rust, and the one call that writes through a pointer"
)]

use contract::hex;
use contract::plugin::Card;

use crate::Engine;

#[link(wasm_import_module = "beira")]
unsafe extern "C" {
    /// The model's `run`.
    safe fn run(rows: u32) -> i32;
    /// One byte of the model's memory.
    safe fn load(at: u32) -> u32;
    /// Writes one byte of it.
    safe fn store(at: u32, byte: u32);
    /// Length of the card, which begins where the model's memory ends.
    safe fn card_bytes() -> u32;
    /// Where that is.
    safe fn card_start() -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, length: usize) -> i32;
}

/// The linked model.
pub struct Linked;

impl Engine for Linked {
    fn run(&self, rows: u32) -> i32 {
        run(rows)
    }

    fn load(&self, at: u32, bytes: &mut [u8]) {
        bytes.iter_mut().zip(at..).for_each(|(byte, at)| *byte = load(at) as u8);
    }

    fn store(&self, at: u32, bytes: &[u8]) {
        bytes.iter().zip(at..).for_each(|(byte, at)| store(at, u32::from(*byte)));
    }
}

/// The card that was linked in.
pub fn card() -> Result<Card, String> {
    let mut bytes = vec![0; card_bytes() as usize];
    Linked.load(card_start(), &mut bytes);
    serde_json::from_slice(&bytes).map_err(|error| format!("the model's card: {error}"))
}

/// 32 hex digits that no other instance has.
pub fn instance() -> Result<String, String> {
    let mut bytes = [0; 16];
    // SAFETY: random_get of WASI preview 1 writes exactly `length` bytes from `buffer` on.
    match unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) } {
        0 => Ok(hex::encode(&bytes)),
        code => Err(format!("the proxy gives no random bytes (code {code})")),
    }
}
