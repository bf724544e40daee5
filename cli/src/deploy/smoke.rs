//! The smoke test of a deployment: it is ready, and answers the model's golden rows to the bit.

use std::time::Duration;

use anyhow::{Context, bail};
use contract::oip::InferResponse;
use host_native::{Module, oip};
use ureq::http::header;

/// A deployment under test.
pub struct Smoke<'a> {
    /// Its address, without a slash at the end.
    pub url: &'a str,
    /// Identity token, where the platform asks for one.
    pub token: Option<&'a str>,
}

/// How often an address that does not answer yet is asked, and how long between two tries.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

impl Smoke<'_> {
    /// `GET /v2/health/ready`, asked again while the platform still starts.
    pub fn ready(&self) -> anyhow::Result<()> {
        let mut last = anyhow::anyhow!("it was not asked");
        for attempt in 0..TRIES {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            match self.call("/v2/health/ready", None) {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last.context(format!("{} does not become ready", self.url)))
    }

    /// Sends the golden rows of `module` to `name` and compares every element.
    pub fn golden(&self, name: &str, module: &Module) -> anyhow::Result<()> {
        let (request, expected) = oip::golden(module).context("the module has no golden rows; compile it again")?;
        let path = format!("/v2/models/{}/infer", server::encoded(name));
        let answer = self.call(&path, Some(&serde_json::to_string(&request)?))?;
        let answer: InferResponse =
            serde_json::from_str(&answer).with_context(|| format!("{}{path} answered no tensors", self.url))?;
        for expected in &expected {
            let Some(found) = answer.outputs.iter().find(|found| found.name == expected.name) else {
                bail!("smoke test: {} answers no output `{}`", self.url, expected.name);
            };
            if found.data != expected.data || found.shape != expected.shape {
                bail!("smoke test: {} answers the golden rows with other bits in output `{}`", self.url, expected.name);
            }
        }
        Ok(())
    }

    fn call(&self, path: &str, body: Option<&str>) -> anyhow::Result<String> {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        let agent = config.new_agent();
        let bearer = self.token.map(|token| format!("Bearer {token}"));
        let answer = match body {
            None => {
                let mut request = agent.get(&url);
                if let Some(bearer) = &bearer {
                    request = request.header(header::AUTHORIZATION, bearer);
                }
                request.call()
            }
            Some(body) => {
                let mut request =
                    agent.post(&url).header(header::CONTENT_TYPE, "application/json").header("x-beira-probe", "smoke");
                if let Some(bearer) = &bearer {
                    request = request.header(header::AUTHORIZATION, bearer);
                }
                request.send(body)
            }
        };
        let mut response = answer.with_context(|| format!("smoke test: {url} cannot be reached"))?;
        let text = response.body_mut().read_to_string().unwrap_or_default();
        if !response.status().is_success() {
            bail!("smoke test: {url} answered {}", response.status());
        }
        Ok(text)
    }
}
