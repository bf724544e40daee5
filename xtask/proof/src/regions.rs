//! What an executor answered, and the one line that tells whether two answered alike.

use sha2::{Digest, Sha256};

/// Raw bits: one region for each output.
pub type Regions = Vec<Vec<u8>>;

/// sha256 over the regions, one after the other.
pub fn digest(regions: &Regions) -> String {
    let mut hash = Sha256::new();
    regions.iter().for_each(|region| hash.update(region));
    contract::hex::encode(&hash.finalize())
}
