//! sha256 for pages without `crypto.subtle` (it exists in secure contexts only).

use contract::hex;
use sha2::Digest;
use wasm_bindgen::prelude::wasm_bindgen;

/// A running hash; fed in pieces, so that a large module never has to lie in this crate's memory.
#[wasm_bindgen]
#[derive(Default)]
pub struct Sha256(sha2::Sha256);

#[wasm_bindgen]
impl Sha256 {
    /// Nothing hashed yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Sha256 {
        Sha256::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash in hex.
    pub fn finish(self) -> String {
        hex::encode(&self.0.finalize())
    }
}
