//! One file over HTTP into `NAME.part`: followed through redirects, taken up where it broke off.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::http::{Response, StatusCode, Uri, header};

use crate::Error;

/// Most bytes of one file.
const BYTES_MAX: u64 = 8 << 30;
/// Most redirects.
const HOPS: usize = 5;
/// Tries of one run; the next run goes on where this one ended.
const TRIES: u32 = 4;

/// What to fetch.
pub(super) struct Download<'a> {
    /// Name in errors; an address may carry secrets in its query.
    pub name: &'a str,
    /// Address.
    pub url: String,
    /// `Authorization`; sent to the address's own host alone.
    pub authorization: Option<String>,
    /// What a refusal means and what would help, by status.
    pub refused: fn(u16) -> Option<&'static str>,
}

/// Why a try ended.
enum Stop {
    /// Another try may help.
    Broken(String),
    /// None will.
    Final(Error),
}

impl Download<'_> {
    /// Fetches into `part`, which may hold the beginning already.
    pub fn run(&self, part: &Path) -> Result<(), Error> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .user_agent(concat!("beira/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = config.new_agent();
        for attempt in 1.. {
            match self.attempt(&agent, part) {
                Ok(()) => break,
                Err(Stop::Final(error)) => return Err(error),
                Err(Stop::Broken(what)) if attempt == TRIES => {
                    let kept = fs::metadata(part).map_or(0, |file| file.len());
                    let kept = match kept {
                        0 => "try again later".to_owned(),
                        kept => format!("{kept} bytes are kept, the next run goes on from there"),
                    };
                    return Err(self.wrong(format!("{what}, {TRIES} times in a row; {kept}")));
                }
                Err(Stop::Broken(_)) => std::thread::sleep(Duration::from_millis(200 << attempt)),
            }
        }
        fs::remove_file(tag(part)).ok();
        Ok(())
    }

    fn wrong(&self, what: impl Into<String>) -> Error {
        Error::data(self.name, what)
    }

    fn attempt(&self, agent: &Agent, part: &Path) -> Result<(), Stop> {
        let wrong =
            |source| Stop::Final(Error::File { action: "write", path: part.to_owned(), source, help: String::new() });
        let have = fs::metadata(part).map_or(0, |file| file.len());
        // Without the tag of the file that the part was cut from, the rest may be another file's.
        let kept = fs::read_to_string(tag(part)).ok().filter(|_| have > 0);
        let response = self.open(agent, kept.as_deref().map(|kept| (have, kept)))?;
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let (mut file, mut at) = match (response.status(), &kept) {
            (StatusCode::OK, _) => {
                let strong = text(header::ETAG).filter(|tag| !tag.starts_with("W/"));
                fs::remove_file(tag(part)).ok();
                let file = File::create(part).map_err(wrong)?;
                if let Some(kept) = strong.or_else(|| text(header::LAST_MODIFIED)) {
                    fs::write(tag(part), kept).map_err(wrong)?;
                }
                (file, 0)
            }
            (StatusCode::PARTIAL_CONTENT, Some(_))
                if text(header::CONTENT_RANGE).is_some_and(|range| range.starts_with(&format!("bytes {have}-"))) =>
            {
                (OpenOptions::new().append(true).open(part).map_err(wrong)?, have)
            }
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _) => {
                fs::remove_file(part).map_err(wrong)?;
                return Err(Stop::Broken("the server answers another range than was asked for".to_owned()));
            }
            (status, _) => return Err(self.status(status.as_u16())),
        };
        let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let total = length.map(|length| at + length);
        let large = || {
            fs::remove_file(part).ok();
            Stop::Final(self.wrong(format!("the file is larger than {} GiB", BYTES_MAX >> 30)))
        };
        if total.is_some_and(|total| total > BYTES_MAX) {
            return Err(large());
        }
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    file.write_all(&buffer[..count]).map_err(wrong)?;
                    at += count as u64;
                    if at > BYTES_MAX {
                        return Err(large());
                    }
                }
                Err(error) => return Err(Stop::Broken(format!("the transfer broke off ({})", error.kind()))),
            }
        }
        match total {
            Some(total) if total != at => Err(Stop::Broken("the transfer broke off".to_owned())),
            _ => Ok(()),
        }
    }

    /// The answer after redirects, asked for from a byte on where a part is there.
    fn open(&self, agent: &Agent, part: Option<(u64, &str)>) -> Result<Response<ureq::Body>, Stop> {
        let (mut url, mut authorization) = (self.url.clone(), self.authorization.clone());
        for _ in 0..=HOPS {
            let mut request = agent.get(&url);
            if let Some(value) = &authorization {
                request = request.header("Authorization", value);
            }
            if let Some((have, tag)) = part {
                request = request.header("Range", format!("bytes={have}-")).header("If-Range", tag);
            }
            let response = request.call().map_err(|error| {
                let what = match &error {
                    ureq::Error::Io(error) => error.kind().to_string(),
                    error => error.to_string(),
                };
                Stop::Broken(format!("no answer ({what})"))
            })?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let next = location.and_then(|location| join(&url, location));
            let next = next.ok_or_else(|| Stop::Final(self.wrong("it redirects to an address that cannot be read")))?;
            if url.starts_with("https:") && !next.starts_with("https:") {
                return Err(Stop::Final(self.wrong("it redirects from https to an address that is not")));
            }
            if origin(&next) != origin(&url) {
                authorization = None;
            }
            url = next;
        }
        Err(Stop::Final(self.wrong(format!("more than {HOPS} redirects"))))
    }

    fn status(&self, status: u16) -> Stop {
        match (self.refused)(status) {
            Some(what) => Stop::Final(self.wrong(format!("{what} ({status})"))),
            None if status == 429 || status >= 500 => Stop::Broken(format!("the server is not well ({status})")),
            None => Stop::Final(self.wrong(format!("the server refuses it ({status})"))),
        }
    }
}

/// The validator of the file that a part was cut from.
fn tag(part: &Path) -> PathBuf {
    part.with_added_extension("tag")
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<(String, String)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_owned();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some((scheme, format!("{}:{port}", uri.host()?)))
}

/// Where a `Location` leads: an address, or a path on the same host.
fn join(from: &str, location: &str) -> Option<String> {
    if location.starts_with("http://") || location.starts_with("https://") {
        return Some(location.to_owned());
    }
    let uri: Uri = from.parse().ok()?;
    let authority = uri.authority()?;
    (location.starts_with('/') && !location.starts_with("//"))
        .then(|| format!("{}://{authority}{location}", uri.scheme_str().unwrap_or("https")))
}
