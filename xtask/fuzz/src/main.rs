//! Fuzzing of the compiler: models of a corpus, altered at random, for as long as one likes.
//!
//! Every case follows from its number, so a finding is repeated with `--first N --cases 1`. Two targets:
//! `loader` alters bytes and structure, and wants an error or a module, never a panic and never "a mistake of the
//! compiler"; `answers` alters numbers, sizes and operators gently, and wants what compiles to answer what tract answers,
//! with SIMD and without to the bit.

mod alter;
mod judge;
mod random;
mod watch;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use prost::Message;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto, type_proto};

use judge::Verdict;
use random::Random;

#[derive(Parser)]
struct Arguments {
    /// What is looked for.
    target: Target,
    /// Folders of ONNX files to begin with.
    #[arg(required = true)]
    corpus: Vec<PathBuf>,
    /// When to end.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many cases at most.
    #[arg(long, default_value_t = u64::MAX)]
    cases: u64,
    /// Number of the first case.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Where findings are written.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    Loader,
    Answers,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)?;
    let corpus = corpus(&arguments.corpus)?;
    let operators = alter::operators(&corpus);
    let start = Instant::now();
    let (mut compiled, mut refused, mut findings, mut case) = (0u64, 0u64, 0u64, arguments.first);
    let mut said = Instant::now();
    while start.elapsed() < Duration::from_secs(arguments.seconds) && case - arguments.first < arguments.cases {
        let mut random = Random::new(case);
        let mut model = corpus[random.below(corpus.len())].clone();
        let bytes = match arguments.target {
            Target::Loader => alter::wildly(&mut model, &operators, &mut random),
            Target::Answers => alter::gently(&mut model, &operators, &mut random),
        };
        let file = arguments.out.join(format!("{case}.onnx"));
        std::fs::write(arguments.out.join("current.onnx"), &bytes)?; // what ends the process is found there
        watch::begin(&file, &bytes);
        let verdict = judge::judge(&bytes, arguments.target == Target::Answers);
        watch::end();
        match verdict {
            Verdict::Compiled => compiled += 1,
            Verdict::Refused => refused += 1,
            Verdict::Finding(what) => {
                findings += 1;
                std::fs::write(&file, &bytes)?;
                println!("FINDING {}: {what}", file.display());
            }
        }
        case += 1;
        if said.elapsed() > Duration::from_secs(30) {
            said = Instant::now();
            println!(
                "  {:>5} s: {compiled} compiled, {refused} refused, {findings} findings",
                start.elapsed().as_secs()
            );
        }
    }
    println!(
        "{} cases from {} models: {compiled} compiled, {refused} refused, {findings} findings",
        case - arguments.first,
        corpus.len()
    );
    ensure!(findings == 0, "{findings} findings, in {}", arguments.out.display());
    Ok(())
}

/// Every ONNX file of the folders, in the order of their names.
fn corpus(folders: &[PathBuf]) -> anyhow::Result<Vec<ModelProto>> {
    let mut files = Vec::new();
    folders.iter().try_for_each(|folder| collect(folder, &mut files))?;
    files.sort();
    let models: Vec<ModelProto> = files
        .iter()
        .filter_map(|file| ModelProto::decode(&*std::fs::read(file).ok()?).ok())
        .filter(|model| model.graph.as_ref().is_some_and(|graph| !graph.node.is_empty() && light(graph)))
        .collect();
    ensure!(!models.is_empty(), "there are no ONNX files to begin with");
    Ok(models)
}

/// Most elements of an input, before alterations.
const ELEMENTS: i64 = 1 << 13;

fn light(graph: &GraphProto) -> bool {
    let elements = |input: &ValueInfoProto| {
        let Some(type_proto::Value::TensorType(ty)) = input.r#type.as_ref().and_then(|ty| ty.value.as_ref()) else {
            return 0;
        };
        let sizes = ty.shape.iter().flat_map(|shape| &shape.dim).map(|dim| match dim.value {
            Some(dimension::Value::DimValue(n)) => n.max(1),
            _ => 1,
        });
        sizes.fold(1, i64::saturating_mul)
    };
    graph.input.iter().all(|input| elements(input) <= ELEMENTS)
}

/// Longest file of a corpus: what takes seconds to compile would be compiled a few times only.
const LONGEST: u64 = 400 << 10;

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "onnx") && entry.metadata()?.len() < LONGEST {
            files.push(path);
        }
    }
    Ok(())
}
