//! `beira gate`: is the candidate better than the champion, and as safe?

use std::path::PathBuf;
use std::process::ExitCode;

use training::gate::Verdict;

/// What `--help` says at its end.
const EXIT_CODES: &str = "\
Exit codes:
  0   PROMOTE: better, and every guard holds
  10  HOLD: neither better nor worse is shown, or something could not be measured
  20  REJECT: worse, or broken
  1   there is no verdict: the question was wrong, or somebody did not answer
  2   the arguments are wrong
Verdicts lie apart from 1 and 2, so that a script never takes a mistake for one.

Inside of GitHub Actions the report is also appended to the job's summary, and the step has the
outputs `verdict` and `reason`.";

/// Arguments of `gate`.
#[derive(clap::Args)]
#[command(after_help = EXIT_CODES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// models:/NAME/VERSION, models:/NAME/latest, models:/NAME@ALIAS, FILE.wasm, FILE.onnx, or FILE.yaml: a pipeline that is fitted here.
    #[arg(long, required = true)]
    candidate: Option<String>,
    /// The same, or `none` for a first deployment. [default: the alias champion of the candidate's model]
    #[arg(long)]
    champion: Option<String>,
    /// Held-out rows with labels: a CSV or Parquet file, or those that the candidate's run held out.
    #[arg(long, default_value = "run:heldout")]
    data: String,
    /// Column of the labels in that file. [default: the target of the candidate's run]
    #[arg(long)]
    target: Option<String>,
    /// What is demanded. [default: what an empty file means]
    #[arg(long, value_name = "gate.yaml")]
    policy: Option<PathBuf>,
    /// Where runs and models are kept.
    #[arg(long, env = "MLFLOW_TRACKING_URI", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// Folder for report.md and report.json.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Folder of the npm package (dist/npm): Node is then compared beside wasmtime and the reference.
    #[arg(long, value_name = "DIR")]
    web_package: Option<PathBuf>,
    /// On PROMOTE: the alias champion moves to the candidate, the old champion gets the alias previous.
    #[arg(long)]
    promote: bool,
    /// Verdicts that end with 0 as PROMOTE does, for jobs that go on.
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = ["hold", "reject"])]
    accept: Vec<String>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Write the report as one comment on the pull request, or update the one that is there.
    Comment(CommentArguments),
}

/// Arguments of `gate comment`; inside of GitHub Actions the report is enough.
#[derive(clap::Args)]
struct CommentArguments {
    /// Folder with report.json, which `beira gate --out` wrote.
    #[arg(long)]
    report: PathBuf,
    /// Pull request. [default: the one of the event that started the job]
    #[arg(long)]
    number: Option<u64>,
    /// Address of GitHub's REST API.
    #[arg(long, env = "GITHUB_API_URL", default_value = "https://api.github.com")]
    api: String,
    /// `owner/name`.
    #[arg(long, env = "GITHUB_REPOSITORY")]
    repository: String,
    /// A token that may write comments of pull requests.
    #[arg(long, env = "GITHUB_TOKEN", hide_env_values = true)]
    token: String,
    /// The event that started the job.
    #[arg(long, env = "GITHUB_EVENT_PATH")]
    event: Option<PathBuf>,
    /// Whose comment is updated.
    #[arg(long, default_value = "github-actions[bot]")]
    author: String,
}

/// Compares and says what came of it; the exit code is the verdict.
pub fn gate(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Some(Command::Comment(arguments)) = &arguments.command {
        return comment(arguments).map(|()| ExitCode::SUCCESS);
    }
    let judged = training::judge(&training::GateArgs {
        candidate: arguments.candidate.clone().unwrap_or_default(),
        champion: arguments.champion.clone(),
        data: arguments.data.clone(),
        target: arguments.target.clone(),
        policy: arguments.policy.clone(),
        server: arguments.server.clone(),
        web_package: arguments.web_package.clone(),
        promote: arguments.promote,
    })?;
    println!("{}", judged.report.markdown());
    if let Some(folder) = &arguments.out {
        judged.write(folder)?;
    }
    judged.tell_actions()?;
    match &judged.run_id {
        Some(run) => eprintln!("the verdict is logged to run {run}"),
        None => eprintln!("the verdict is logged nowhere: the candidate has no run"),
    }
    if let Some(version) = &judged.promoted {
        eprintln!("version {version} is the champion now; `beira rollback` makes the old one champion again");
    }
    let accepted = |verdict: &str| arguments.accept.iter().any(|accepted| accepted == verdict);
    Ok(match judged.report.verdict {
        Verdict::Promote => ExitCode::SUCCESS,
        Verdict::Hold if accepted("hold") => ExitCode::SUCCESS,
        Verdict::Hold => ExitCode::from(10),
        Verdict::Reject if accepted("reject") => ExitCode::SUCCESS,
        Verdict::Reject => ExitCode::from(20),
    })
}

fn comment(arguments: &CommentArguments) -> anyhow::Result<()> {
    let written = training::comment(&training::Comment {
        report: arguments.report.clone(),
        number: arguments.number,
        api: arguments.api.clone(),
        repository: arguments.repository.clone(),
        token: arguments.token.clone(),
        event: arguments.event.clone(),
        author: arguments.author.clone(),
    })?;
    match written {
        Some(address) => println!("{address}"),
        None => println!("no open pull request has this commit as its head; nothing is written"),
    }
    Ok(())
}
