//! One comment on a pull request, updated in place, by GitHub's REST API.
//!
//! The report comes from a job that ran the code of the pull request, so nothing in it is trusted:
//! its JSON is read and written anew, and the number of the pull request is asked from GitHub.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use crate::Error;
use crate::gate::Report;

/// First line of the comment: how the next run finds it.
const MARKER: &str = "<!-- beira-gate -->";
/// GitHub's limit of a comment, in characters.
const LENGTH_MAX: usize = 65_536;
/// Comments of one page of the list, and most pages that are looked through.
const PAGE: usize = 100;
const PAGES_MAX: usize = 50;

/// Where the report is, and what GitHub says of the job.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Folder with `report.json`.
    pub report: PathBuf,
    /// Pull request; found by the event when absent.
    pub number: Option<u64>,
    /// `GITHUB_API_URL`.
    pub api: String,
    /// `GITHUB_REPOSITORY`, `owner/name`.
    pub repository: String,
    /// `GITHUB_TOKEN`, with `pull-requests: write`.
    pub token: String,
    /// `GITHUB_EVENT_PATH`: the event that started the job.
    pub event: Option<PathBuf>,
    /// Whose comment is updated: `github-actions[bot]` is who a workflow's token writes as.
    pub author: String,
}

/// Writes or updates the comment; answers its address, or `None` when the pull request is closed meanwhile.
pub fn comment(args: &Comment) -> Result<Option<String>, Error> {
    let text = body(&args.report.join("report.json"))?;
    let github = GitHub::new(args);
    let number = match args.number {
        Some(number) => Some(number),
        None => github.number(args.event.as_deref())?,
    };
    let Some(number) = number else { return Ok(None) };
    let comments = format!("issues/{number}/comments");
    let (method, path) = match github.find(&comments, &args.author)? {
        Some(id) => ("PATCH", format!("issues/comments/{id}")),
        None => ("POST", comments),
    };
    let answer = github.ask(method, &path, Some(&json!({"body": text})))?;
    Ok(Some(answer["html_url"].as_str().unwrap_or_default().to_owned()))
}

fn body(file: &Path) -> Result<String, Error> {
    let text = std::fs::read_to_string(file).map_err(|source| {
        let help = "; `beira gate … --out DIR` writes it".to_owned();
        Error::File { action: "read", path: file.to_owned(), source, help }
    })?;
    let report: Report =
        serde_json::from_str(&text).map_err(|error| Error::data(file.display().to_string(), error.to_string()))?;
    let text = format!("{MARKER}\n{}", report.markdown());
    Ok(text.chars().take(LENGTH_MAX).collect())
}

struct GitHub<'a> {
    agent: Agent,
    args: &'a Comment,
}

impl<'a> GitHub<'a> {
    fn new(args: &'a Comment) -> GitHub<'a> {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60))).build();
        GitHub { agent: config.new_agent(), args }
    }

    /// The pull request of the event. For `workflow_run` it is asked for by owner and branch, as the
    /// event itself names none when the branch lies in a fork.
    fn number(&self, event: Option<&Path>) -> Result<Option<u64>, Error> {
        let path =
            event.ok_or_else(|| Error::data("GITHUB_EVENT_PATH", "no event names the pull request; add --number"))?;
        let text = std::fs::read_to_string(path).map_err(|source| Error::File {
            action: "read",
            path: path.to_owned(),
            source,
            help: String::new(),
        })?;
        let place = path.display().to_string();
        let event: Value = serde_json::from_str(&text).map_err(|error| Error::data(&place, error.to_string()))?;
        if let Some(number) = event["pull_request"]["number"].as_u64() {
            return Ok(Some(number));
        }
        let run = &event["workflow_run"];
        let field = |value: &Value| value.as_str().map(str::to_owned);
        let (owner, branch, sha) =
            (field(&run["head_repository"]["owner"]["login"]), field(&run["head_branch"]), field(&run["head_sha"]));
        let (Some(owner), Some(branch), Some(sha)) = (owner, branch, sha) else {
            return Err(Error::data(place, "the event names neither a pull request nor a workflow run; add --number"));
        };
        let head = format!("{owner}:{branch}");
        let query = percent_encoding::utf8_percent_encode(&head, percent_encoding::NON_ALPHANUMERIC);
        let open = self.ask("GET", &format!("pulls?state=open&head={query}"), None)?;
        // A push meanwhile has a run, and a report, of its own.
        let same = |pull: &&Value| pull["head"]["sha"] == json!(sha);
        Ok(open.as_array().into_iter().flatten().find(same).and_then(|pull| pull["number"].as_u64()))
    }

    /// The comment that an earlier run wrote.
    fn find(&self, comments: &str, author: &str) -> Result<Option<u64>, Error> {
        for page in 1..=PAGES_MAX {
            let answer = self.ask("GET", &format!("{comments}?per_page={PAGE}&page={page}"), None)?;
            let list = answer.as_array().cloned().unwrap_or_default();
            let ours = |comment: &&Value| {
                comment["user"]["login"] == json!(author)
                    && comment["body"].as_str().is_some_and(|body| body.starts_with(MARKER))
            };
            if let Some(found) = list.iter().find(ours) {
                return Ok(found["id"].as_u64());
            }
            if list.len() < PAGE {
                break;
            }
        }
        Ok(None)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let Comment { api, repository, token, .. } = self.args;
        let refused = |what: String| Error::Refused {
            server: api.clone(),
            request: format!("{method} {}", path.split('?').next().unwrap_or_default()),
            status: 0,
            what,
        };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/repos/{repository}/{path}", api.trim_end_matches('/')))
            .header("Authorization", format!("Bearer {token}"))
            .header("Accept", "application/vnd.github+json")
            .header("X-GitHub-Api-Version", "2022-11-28")
            .header("User-Agent", "beira");
        let wrong = |error: &dyn std::fmt::Display| refused(error.to_string());
        let sent = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body.to_string());
                self.agent.run(request.map_err(|error| wrong(&error))?)
            }
            None => self.agent.run(request.body(()).map_err(|error| wrong(&error))?),
        };
        let mut answer = sent.map_err(|error| wrong(&error))?;
        let text = answer.body_mut().read_to_string().map_err(|error| wrong(&error))?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        match answer.status().as_u16() {
            200..300 => Ok(value),
            403 => Err(refused("403; the token needs `pull-requests: write`".to_owned())),
            status => Err(refused(format!("{status} {}", value["message"].as_str().unwrap_or_default()))),
        }
    }
}
