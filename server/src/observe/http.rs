//! One way out: POST with a time limit, off the async threads.

use std::time::Duration;

/// Posts `body` and answers the status. The error is a sentence that does not repeat the address, which may hold a token.
pub async fn post(url: &str, headers: Vec<(String, String)>, body: Vec<u8>, limit: Duration) -> Result<u16, String> {
    let url = url.to_owned();
    let ask = move || {
        let mut request = agent(limit).post(&url);
        for (name, value) in headers {
            request = request.header(&name, value);
        }
        request.send(&body[..]).map(|response| response.status().as_u16())
    };
    blocking(ask).await
}

/// Gets a small text.
pub async fn get(url: &str, headers: Vec<(String, String)>, limit: Duration) -> Result<String, String> {
    let url = url.to_owned();
    let ask = move || {
        let mut request = agent(limit).get(&url);
        for (name, value) in headers {
            request = request.header(&name, value);
        }
        let mut response = request.call()?;
        match response.status().as_u16() {
            200 => response.body_mut().with_config().limit(1 << 20).read_to_string(),
            status => Err(ureq::Error::StatusCode(status)),
        }
    };
    blocking(ask).await
}

async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, ureq::Error> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(ask).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(said(&error)),
        Err(error) => Err(error.to_string()),
    }
}

fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(status) => format!("it answered {status}"),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::BadUri(_) => "its address cannot be read".to_owned(),
        ureq::Error::Io(error) => format!("it cannot be reached: {error}"),
        other => format!("it cannot be reached: {other}"),
    }
}

fn agent(limit: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into()
}
