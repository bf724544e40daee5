//! A new revision: started without traffic, tested, given traffic step by step, taken back when a test fails.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use host_native::Module;

use super::Deployment;
use super::files::{self, Share};
use super::gcloud::Gcloud;
use crate::deploy::smoke::Smoke;

/// The tag by which a revision without traffic is reached.
const TAG: &str = "candidate";

/// One rollout.
pub struct Rollout<'a> {
    /// Google's tool.
    pub gcloud: Gcloud,
    /// What is deployed.
    pub deployment: &'a Deployment,
    /// The model, for its golden rows.
    pub module: &'a Module,
    /// The folder with all files.
    pub folder: &'a Path,
    /// Percent of traffic, ascending, 100 last.
    pub steps: &'a [u8],
    /// Time between a step and its test.
    pub wait: Duration,
}

impl Rollout<'_> {
    /// Does it. On an error production is as it was, and the error says so.
    pub fn run(&self) -> anyhow::Result<()> {
        let Deployment { service, image, revision, .. } = self.deployment;
        let repository = image.split('/').nth(2).unwrap_or_default();
        self.gcloud.repository(repository)?;
        say(&format!("building {image}"));
        self.gcloud.build(self.folder, image).context("the image was not built; production is untouched")?;

        let before = self.gcloud.service(service)?;
        let old: Vec<Share> =
            before.iter().flat_map(|service| &service.shares).filter(|s| s.percent > 0).cloned().collect();
        if old.is_empty() {
            return self.first();
        }
        let mut shares: Vec<Share> = old.iter().map(|share| Share { tag: None, ..share.clone() }).collect();
        shares.push(Share { revision: revision.clone(), percent: 0, tag: Some(TAG.to_owned()) });
        say(&format!("starting {revision} without traffic, under the tag {TAG}"));
        self.replace(&shares).context("the revision did not start; production is untouched")?;
        self.test().context("the smoke test failed before any traffic; production is untouched")?;

        for percent in self.steps {
            say(&format!("{percent} % of the traffic to {revision}"));
            let shifted = self.gcloud.traffic(service, &divided(revision, u64::from(*percent), &old)).and_then(|()| {
                std::thread::sleep(self.wait);
                self.test()
            });
            if let Err(error) = shifted {
                let back: Vec<(String, u64)> = old.iter().map(|s| (s.revision.clone(), s.percent)).collect();
                say(&format!("it failed at {percent} %: rolling back"));
                self.gcloud.traffic(service, &back).with_context(|| {
                    format!("NOT rolled back after a failure at {percent} % ({error:#}); do it by hand: README.md has the command")
                })?;
                return Err(error
                    .context(format!("failed at {percent} % of the traffic; rolled back, all of it is where it was")));
            }
        }
        say(&format!("{revision} is in production"));
        Ok(())
    }

    /// There is no production yet: all traffic goes to the new revision, which nobody asks until it is tested.
    fn first(&self) -> anyhow::Result<()> {
        let Deployment { service, revision, .. } = self.deployment;
        say(&format!("first deployment of {service}"));
        self.replace(&[Share { revision: revision.clone(), percent: 100, tag: Some(TAG.to_owned()) }])?;
        self.test().with_context(|| {
            format!("the first deployment of {service} failed its smoke test; nothing was in production before it")
        })?;
        say(&format!("{revision} is in production"));
        Ok(())
    }

    fn replace(&self, shares: &[Share]) -> anyhow::Result<()> {
        let file = self.folder.join("service.yaml");
        std::fs::write(&file, files::service(self.deployment, shares))
            .with_context(|| format!("cannot write {}", file.display()))?;
        self.gcloud.replace(&file)
    }

    /// The tagged revision is ready and answers the golden rows; the service as a whole is ready.
    fn test(&self) -> anyhow::Result<()> {
        let name = &self.deployment.service;
        let service = self.gcloud.service(name)?.with_context(|| format!("the service {name} is not there"))?;
        let token = self.gcloud.token();
        let smoke = Smoke { url: service.tag_url(TAG)?, token: token.as_deref() };
        smoke.ready()?;
        smoke.golden(&self.deployment.model, self.module)?;
        Smoke { url: &service.url, token: token.as_deref() }.ready()
    }
}

/// `percent` to the new revision, the rest to the old ones in their old proportion.
fn divided(new: &str, percent: u64, old: &[Share]) -> Vec<(String, u64)> {
    let (rest, sum) = (100 - percent, old.iter().map(|share| share.percent).sum::<u64>().max(1));
    let mut shares: Vec<(String, u64)> =
        old.iter().map(|share| (share.revision.clone(), share.percent * rest / sum)).collect();
    let given: u64 = shares.iter().map(|(_, percent)| percent).sum();
    if let Some(first) = shares.first_mut() {
        first.1 += rest - given; // what rounding left
    }
    shares.retain(|(_, percent)| *percent > 0);
    shares.insert(0, (new.to_owned(), percent));
    shares
}

fn say(what: &str) {
    eprintln!("▸ {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_always_sums_to_100() {
        let old = |shares: &[(&str, u64)]| -> Vec<Share> {
            shares
                .iter()
                .map(|(name, percent)| Share { revision: (*name).to_owned(), percent: *percent, tag: None })
                .collect()
        };
        let check = |percent, shares: &[(&str, u64)], expected: &[(&str, u64)]| {
            let expected: Vec<(String, u64)> = expected.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
            assert_eq!(divided("new", percent, &old(shares)), expected);
        };
        check(10, &[("a", 100)], &[("new", 10), ("a", 90)]);
        check(50, &[("a", 67), ("b", 33)], &[("new", 50), ("a", 34), ("b", 16)]);
        check(100, &[("a", 60), ("b", 40)], &[("new", 100)]);
    }
}
