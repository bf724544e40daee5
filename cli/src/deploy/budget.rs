//! What a prediction will cost before it runs: bytes exactly, time by figures that were measured.

use anyhow::bail;
use host_native::sections;

/// Microseconds of CPU: for a request, and on top for each of its rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Without the rows: headers, JSON, the answer.
    pub request_us: f64,
    /// For each row.
    pub row_us: f64,
}

// Measured by `node inference-wasm/benches/plugin.mjs`: CPU time of the linked plugin in V8, its callbacks
// called as a proxy calls them, on one core of a 2-core AMD EPYC virtual machine; 30 features. A request of
// one row took 55 µs and each further row 22 µs, whether by logistic regression, 100 or 200 trees;
// 180,000 operations of a perceptron added 14 µs. Rounded up; Google's core of about 4 GHz is faster.
const REQUEST_US: f64 = 80.0;
const FEATURE_US: f64 = 1.0;
/// A comparison of a tree: it waits for memory and for the branch before it.
const TREE_FLOP_US: f64 = 0.004;
const FLOP_US: f64 = 0.000_2;

impl Estimate {
    /// Of a sealed module.
    pub fn of(wasm: &[u8]) -> anyhow::Result<Estimate> {
        let found = sections::read(wasm)?;
        let features: usize = found.manifest.inputs.iter().map(|spec| spec.row_elements()).sum();
        let trees = found.graph.is_none_or(|graph| graph.contains("trees"));
        let flop = if trees { TREE_FLOP_US } else { FLOP_US };
        let row_us = features as f64 * FEATURE_US + found.manifest.cost.flops_per_row as f64 * flop;
        Ok(Estimate { request_us: REQUEST_US, row_us })
    }

    /// Of a request with so many rows.
    pub fn request_us(&self, rows: usize) -> f64 {
        self.request_us + rows as f64 * self.row_us
    }

    /// Most rows of a request that takes at most `us`.
    pub fn rows_within(&self, us: f64) -> usize {
        ((us - self.request_us) / self.row_us.max(1e-3)).max(0.0) as usize
    }
}

/// Refuses more bytes than `target` takes.
pub fn bytes(target: &str, what: &str, value: u64, most: u64) -> anyhow::Result<()> {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    if value > most {
        bail!("too large for {target}: {what} is {:.1} MiB, at most {:.1} MiB are taken", mib(value), mib(most));
    }
    Ok(())
}

/// Refuses a row that takes longer than `target` allows.
pub fn time(target: &str, us: f64, most_us: f64) -> anyhow::Result<()> {
    if us > most_us {
        let (ms, most) = (us / 1e3, most_us / 1e3);
        bail!("too slow for {target}: about {ms:.2} ms of CPU for one row, at most {most:.2} ms are allowed");
    }
    Ok(())
}
