//! The program `gcloud`, found on PATH.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

use super::files::Share;

/// Google's tool for one project and region.
pub struct Gcloud {
    project: String,
    region: String,
}

/// A service as Cloud Run describes it.
pub struct Service {
    /// `https://…`.
    pub url: String,
    /// Who gets which part of the traffic, and which tags there are.
    pub shares: Vec<Share>,
    /// Addresses of tags.
    urls: Vec<(String, String)>,
}

impl Service {
    /// The address of a tag.
    pub fn tag_url(&self, tag: &str) -> anyhow::Result<&str> {
        let found = self.urls.iter().find(|(other, _)| other == tag);
        found.map(|(_, url)| url.as_str()).with_context(|| format!("the service has no address for the tag {tag}"))
    }
}

impl Gcloud {
    /// Asks the tool whether it is there.
    pub fn find(project: &str, region: &str) -> anyhow::Result<Gcloud> {
        let there = Command::new("gcloud").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            bail!(
                "--run needs the program gcloud on PATH (cloud.google.com/sdk); without --run only files are written"
            );
        }
        Ok(Gcloud { project: project.to_owned(), region: region.to_owned() })
    }

    /// Whether the Artifact Registry repository is there; the error is the command that makes it.
    pub fn repository(&self, name: &str) -> anyhow::Result<()> {
        let region = &self.region;
        let found = self.ask(&["artifacts", "repositories", "describe", name, "--location", region]);
        found.map(drop).with_context(|| {
            format!(
                "the repository {name} is not there or not allowed; make it: gcloud artifacts repositories create {name} \
                 --repository-format docker --location {region} --project {}",
                self.project
            )
        })
    }

    /// Builds the image of a folder in the cloud.
    pub fn build(&self, folder: &Path, image: &str) -> anyhow::Result<()> {
        let mut command = command(&["builds", "submit"]);
        command.arg(folder).args(["--tag", image]);
        self.run(command)
    }

    /// The service, or `None` when it is not there.
    pub fn service(&self, name: &str) -> anyhow::Result<Option<Service>> {
        let list = self.ask(&[
            "run",
            "services",
            "list",
            "--region",
            &self.region,
            "--filter",
            &format!("metadata.name={name}"),
            "--format",
            "json",
        ])?;
        let list: Value = serde_json::from_str(&list).context("gcloud run services list: its answer is not JSON")?;
        let Some(found) = list.as_array().and_then(|list| list.iter().find(|one| one["metadata"]["name"] == name))
        else {
            return Ok(None);
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let traffic = found["status"]["traffic"].as_array().cloned().unwrap_or_default();
        let share = |target: &Value| {
            let (revision, tag) = (text(&target["revisionName"])?, text(&target["tag"]));
            Some(Share { revision, percent: target["percent"].as_u64().unwrap_or(0), tag })
        };
        Ok(Some(Service {
            url: text(&found["status"]["url"]).context("the service has no address yet")?,
            shares: traffic.iter().filter_map(share).collect(),
            urls: traffic.iter().filter_map(|t| Some((text(&t["tag"])?, text(&t["url"])?))).collect(),
        }))
    }

    /// Makes the service what a file says.
    pub fn replace(&self, file: &Path) -> anyhow::Result<()> {
        let mut command = command(&["run", "services", "replace"]);
        command.arg(file).args(["--region", &self.region]);
        self.run(command)
    }

    /// Divides the traffic: `a=10,b=90`.
    pub fn traffic(&self, service: &str, shares: &[(String, u64)]) -> anyhow::Result<()> {
        let shares: Vec<String> = shares.iter().map(|(revision, percent)| format!("{revision}={percent}")).collect();
        let mut command = command(&["run", "services", "update-traffic", service]);
        command.args(["--to-revisions", &shares.join(","), "--region", &self.region]);
        self.run(command)
    }

    /// A token that says who we are; `None` where gcloud has none (then the service must be public).
    pub fn token(&self) -> Option<String> {
        let token = self.ask(&["auth", "print-identity-token"]).ok()?;
        Some(token.trim().to_owned()).filter(|token| !token.is_empty())
    }

    /// Runs a command, its words on ours.
    fn run(&self, mut command: Command) -> anyhow::Result<()> {
        let words: Vec<_> = command.get_args().take(3).map(|word| word.to_string_lossy().into_owned()).collect();
        command.args(["--project", &self.project, "--quiet"]).stdin(Stdio::null());
        let status = command.status().context("cannot start gcloud")?;
        if !status.success() {
            bail!("gcloud {} … ended with {status}", words.join(" "));
        }
        Ok(())
    }

    fn ask(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let project = ["--project", &self.project, "--quiet"];
        let output = command(arguments).args(project).stdin(Stdio::null()).output().context("cannot start gcloud")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("gcloud {}: {}", arguments.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("gcloud");
    command.args(arguments);
    command
}
