//! `beira compile`: an ONNX file in, a sealed module out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use host_native::Module;
use inference_wasm::{Compiled, Options};

use crate::report;

/// Arguments of `compile`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The ONNX file.
    model: PathBuf,
    /// Where the module goes. [default: beside the model, as .wasm]
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Names for the columns of an input of shape [N, k]: INPUT=a,b,c.
    #[arg(long, value_name = "INPUT=a,b,…", value_parser = columns)]
    columns: Vec<(String, Vec<String>)>,
    /// Sizes that the file leaves free: INPUT=1,3,224,224; `n` first leaves the number of rows free.
    #[arg(long, value_name = "INPUT=d,d,…", value_parser = shape)]
    shape: Vec<(String, Vec<Option<usize>>)>,
    /// Fix the first dimension of every input that leaves it free.
    #[arg(long)]
    batch: Option<usize>,
    /// Most rows of one call; the default keeps memory small.
    #[arg(long)]
    rows_max: Option<u32>,
    /// No SIMD instructions; the answers have the same bits.
    #[arg(long)]
    scalar: bool,
    /// Let engines fuse products and sums: faster, but the last bits may differ from engine to engine, and some engines
    /// lack the instructions (Node 20 has them behind a flag).
    #[arg(long, conflicts_with = "scalar")]
    relaxed_simd: bool,
    /// Also print what each operator costs, timed on this machine, and which targets the module fits.
    #[arg(long)]
    report: bool,
}

/// Rows that prove a module which came without data.
const GOLDEN_ROWS: usize = 3;

/// How long a report measures.
const TIMING: Duration = Duration::from_millis(500);

/// Compiles, seals, writes.
pub fn compile(arguments: &Arguments) -> anyhow::Result<()> {
    let start = Instant::now();
    let onnx = std::fs::read(&arguments.model).with_context(|| format!("cannot read {}", arguments.model.display()))?;
    let options = Options {
        columns: arguments.columns.iter().cloned().collect::<BTreeMap<_, _>>(),
        shapes: arguments.shape.iter().cloned().collect(),
        batch: arguments.batch,
        rows_max: arguments.rows_max,
        simd: !arguments.scalar,
        relaxed: arguments.relaxed_simd,
        apart: false,
    };
    let (compiled, sealed) = sealed(&onnx, &options).with_context(|| arguments.model.display().to_string())?;
    let output = arguments.output.clone().unwrap_or_else(|| arguments.model.with_extension("wasm"));
    std::fs::write(&output, &sealed).with_context(|| format!("cannot write {}", output.display()))?;
    eprintln!(
        "{}: {} bytes from {} of ONNX, {} flop a row, {:.0} ms",
        output.display(),
        sealed.len(),
        onnx.len(),
        compiled.manifest.cost.flops_per_row,
        start.elapsed().as_secs_f64() * 1e3
    );
    if compiled.manifest.relaxed {
        eprintln!("{}", report::RELAXED);
    }
    if arguments.report {
        let module = Module::load(&sealed)?;
        let apart = inference_wasm::compile(&onnx, &Options { apart: true, ..options })?;
        let row = host_native::seal::pseudo_rows(module.manifest(), 1);
        let times = host_native::profile::step_times(&apart.wasm, &row, apart.steps.len(), TIMING)?;
        print!("{}\n{}", report::steps(&apart.steps, &times), report::targets(&sealed, &module)?);
    }
    Ok(())
}

/// Compiles, and runs the module once to seal it with golden rows.
pub fn sealed(onnx: &[u8], options: &Options) -> anyhow::Result<(Compiled, Vec<u8>)> {
    let compiled = inference_wasm::compile(onnx, options)?;
    let rows = GOLDEN_ROWS.min(compiled.manifest.rows_max as usize);
    let golden = host_native::seal::pseudo_rows(&compiled.manifest, rows);
    let sealed = host_native::seal::seal(&compiled.wasm, &golden, None)?;
    Ok((compiled, sealed))
}

fn columns(text: &str) -> anyhow::Result<(String, Vec<String>)> {
    let Some((input, names)) = text.split_once('=') else { bail!("expected INPUT=a,b,c") };
    Ok((input.to_owned(), names.split(',').map(str::to_owned).collect()))
}

fn shape(text: &str) -> anyhow::Result<(String, Vec<Option<usize>>)> {
    let Some((input, sizes)) = text.split_once('=') else { bail!("expected INPUT=1,3,224,224") };
    let size = |(axis, word): (usize, &str)| match word.trim().parse() {
        Ok(0) => bail!("a size is 0"),
        Ok(n) => Ok(Some(n)),
        Err(_) if axis == 0 => Ok(None),
        Err(_) => bail!("{word:?} is no size"),
    };
    let sizes =
        if sizes.is_empty() { Vec::new() } else { sizes.split(',').enumerate().map(size).collect::<Result<_, _>>()? };
    Ok((input.to_owned(), sizes))
}
