//! What a compiled model is made of, and where it fits: for `beira compile --report` and `beira inspect`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use host_native::Module;
use inference_wasm::Step;

use crate::deploy;

/// What is said of a module whose sums are fused.
pub const RELAXED: &str =
    "relaxed: sums are rounded as each engine likes; the answers are close, but not the same bits everywhere";

/// A line for each operator, in the order in which they run: cost, size, and its share of a row's time.
pub fn steps(steps: &[Step], times: &[Duration]) -> String {
    let whole: Duration = times.iter().sum();
    let mut text = format!(
        "{:<12} {:<32} {:<16} {:>12} {:>10} {:>8} {:>10} {:>6}\n",
        "operator", "ONNX node", "result", "flop a row", "weights B", "code B", "µs", "share"
    );
    for (step, time) in steps.iter().zip(times) {
        let share = 100.0 * time.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
        let line = writeln!(
            text,
            "{:<12} {:<32} {:<16} {:>12} {:>10} {:>8} {:>10.1} {share:>5.1}%",
            step.operator,
            cut(&step.node, 32),
            cut(&format!("{:?}", step.shape), 16),
            step.flops,
            step.data_bytes,
            step.code_bytes,
            time.as_secs_f64() * 1e6,
        );
        line.expect("text is written to memory");
    }
    let flops: u64 = steps.iter().map(|step| step.flops).sum();
    let line = writeln!(
        text,
        "{:<62} {flops:>12} {:>10} {:>8} {:>10.1}",
        "together",
        steps.iter().map(|step| step.data_bytes).sum::<u64>(),
        steps.iter().map(|step| step.code_bytes).sum::<u64>(),
        whole.as_secs_f64() * 1e6,
    );
    line.expect("text is written to memory");
    text
}

/// For each target whether the sealed module fits, with the figures that decide.
pub fn targets(wasm: &[u8], module: &Module) -> anyhow::Result<String> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(wasm)?;
    let browser = format!(
        "{} bytes, {} gzipped; {:.1} MiB of memory",
        wasm.len(),
        gzip.finish()?.len(),
        module.manifest().cost.memory_bytes as f64 / f64::from(1 << 20)
    );
    let mut text = format!("{:<16} fits  {browser}\n", "browser");
    if module.manifest().relaxed {
        text = format!("{RELAXED}\n{:<16} some  {browser}; with relaxed SIMD\n", "browser");
    }
    for (target, verdict) in deploy::verdicts(wasm, module) {
        let (word, why) = match verdict {
            _ if module.manifest().relaxed => ("no", "a deployment has to prove its bits".to_owned()),
            Ok(figures) => ("fits", figures),
            Err(refusal) => ("no", format!("{refusal:#}")),
        };
        text += &format!("{target:<16} {word:<5} {why}\n");
    }
    Ok(text)
}

/// The first characters of a long text, and a sign that there are more.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
