//! The webhook: signed, timestamped, sent again until it is taken.
//!
//! The headers are those of the Standard Webhooks specification (`webhook-id`, `webhook-timestamp`,
//! `webhook-signature: v1,BASE64` with HMAC-SHA256 over `id.timestamp.body`), so receivers have a library for them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use monitoring::hmac::hmac_sha256;

use crate::app::App;
use crate::clock::now_ms;
use crate::error::Result;
use crate::observe::{http, trace};
use crate::store::{self, Connection};

/// Waits between attempts double from a second to an hour.
const WAIT_MS_MAX: i64 = 3_600_000;
/// How long the receiver may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts before a notice is given up: about a day.
const ATTEMPTS: i64 = 36;

/// Who is told, and the secret that proves who tells.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    url: String,
    secret: Vec<u8>,
}

impl Webhook {
    /// `secret` is `whsec_` and base64, as generators of such secrets write it, or any text.
    pub fn new(url: &str, secret: &str) -> Result<Webhook, String> {
        let named =
            url.split_once("://").is_some_and(|(scheme, rest)| ["http", "https"].contains(&scheme) && !rest.is_empty());
        if !named {
            return Err("the webhook's address must begin with http:// or https://".to_owned());
        }
        if secret.is_empty() {
            return Err("the webhook's secret is empty".to_owned());
        }
        let secret = match secret.strip_prefix("whsec_") {
            Some(text) => {
                STANDARD.decode(text).map_err(|_| "the webhook's secret is not base64 after whsec_".to_owned())?
            }
            None => secret.as_bytes().to_vec(),
        };
        Ok(Webhook { url: url.to_owned(), secret })
    }

    /// The headers of one attempt at `seconds` since 1970.
    fn headers(&self, id: &str, seconds: i64, body: &str) -> Vec<(String, String)> {
        let mac = hmac_sha256(&self.secret, &[format!("{id}.{seconds}.{body}").as_bytes()]);
        let signature = format!("v1,{}", STANDARD.encode(mac));
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id.to_owned()),
            ("idempotency-key", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signature),
            ("traceparent", String::from_utf8_lossy(&trace::Context::begin(None).header()).into_owned()),
        ];
        headers.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook") // the address may hold a token, the secret is one
    }
}

/// Sends what is due, for as long as the process lives.
pub async fn deliver(app: App, webhook: Webhook) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = send_due(&app, &webhook).await {
            tracing::error!(%error, "notices wait for the store");
        }
    }
}

/// Sends what is due. A notice is taken before it is sent, so that of several replicas one sends it.
async fn send_due(app: &App, webhook: &Webhook) -> Result<()> {
    // A notice waits for those of the same version that came before it: no receiver should hear the end first.
    let due: Vec<(String, String, i64, i64)> = store::query_as(
        "SELECT id, body, attempts, next_at FROM notices n WHERE next_at <= $1 AND NOT EXISTS
             (SELECT 1 FROM notices o WHERE o.name = n.name AND o.version = n.version AND o.at < n.at)
         ORDER BY at LIMIT 20",
    )
    .bind(now_ms())
    .fetch_all(app.store.read())
    .await?;
    for (id, body, attempts, next_at) in due {
        let attempts = attempts + 1;
        let wait = (500 << attempts.min(20)).min(WAIT_MS_MAX);
        let next = now_ms() + wait.max(i64::try_from(2 * TIMEOUT.as_millis()).unwrap_or(i64::MAX));
        let taken = {
            let id = id.clone();
            app.store.write(move |tx| Box::pin(async move { take(tx, &id, (next_at, next), attempts).await }))
        };
        if !taken.await? {
            continue; // another replica was quicker
        }
        let headers = webhook.headers(&id, now_ms() / 1000, &body);
        let failed = match http::post(&webhook.url, headers, body.into_bytes(), TIMEOUT).await {
            Ok(200..300) => None,
            Ok(status) => Some(format!("it answered {status}")),
            Err(what) => Some(what),
        };
        let over = failed.is_none() || attempts >= ATTEMPTS;
        if let Some(why) = failed {
            let wait = if over { "given up" } else { "to be sent again" };
            tracing::warn!(notice = id, attempts, why, "the webhook did not take a notice; {wait}");
        }
        let again = now_ms() + wait;
        app.store
            .write(move |tx| {
                Box::pin(async move {
                    let query = if over {
                        store::query("DELETE FROM notices WHERE id = $1").bind(&id)
                    } else {
                        store::query("UPDATE notices SET next_at = $2 WHERE id = $1").bind(&id).bind(again)
                    };
                    query.execute(tx).await?;
                    Ok(())
                })
            })
            .await?;
    }
    Ok(())
}

/// Puts the next attempt off, unless somebody else has; should this process end, it is sent again then.
async fn take(tx: &mut Connection, id: &str, (before, next): (i64, i64), attempts: i64) -> Result<bool> {
    let taken = store::query("UPDATE notices SET attempts = $2, next_at = $3 WHERE id = $1 AND next_at = $4")
        .bind(id)
        .bind(attempts)
        .bind(next)
        .bind(before)
        .execute(tx)
        .await?;
    Ok(taken == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_as_the_specification_says() {
        // The example of the Standard Webhooks specification's reference libraries.
        let webhook = Webhook::new("https://example.org/hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let headers = webhook.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        let signature = &headers.iter().find(|(name, _)| name == "webhook-signature").unwrap().1;
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_webhook() {
        for (url, secret) in
            [("example.org", "x"), ("ftp://example.org", "x"), ("https://x.org", ""), ("http://x.org", "whsec_?")]
        {
            assert!(Webhook::new(url, secret).is_err(), "{url} {secret}");
        }
        assert_eq!(format!("{:?}", Webhook::new("https://x.org/token", "secret")), "Ok(Webhook)");
    }
}
