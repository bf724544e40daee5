//! Rows as they lie in the module's memory.

use contract::Manifest;

/// Input rows, ready to be copied into a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Number of rows; 0 is fine.
    pub rows: usize,
    /// One region for each input in the manifest's order: `rows` rows, row-major, little-endian;
    /// a string is its i32 id, a bool one byte.
    pub inputs: Vec<Vec<u8>>,
}

impl Batch {
    /// Whether the regions have the sizes that `manifest` asks for; the error is a sentence that names the input.
    pub fn check(&self, manifest: &Manifest) -> Result<(), String> {
        if self.inputs.len() != manifest.inputs.len() {
            let (got, want) = (self.inputs.len(), manifest.inputs.len());
            return Err(format!("{got} inputs where the model takes {want}"));
        }
        for (spec, region) in manifest.inputs.iter().zip(&self.inputs) {
            if self.rows.checked_mul(spec.row_bytes()) != Some(region.len()) {
                let (name, got, rows, width) = (&spec.name, region.len(), self.rows, spec.row_bytes());
                return Err(format!("input `{name}`: {got} bytes, not {rows} rows of {width}"));
            }
        }
        Ok(())
    }
}
