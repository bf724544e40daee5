//! Signing in with OpenID Connect: authorization code with PKCE, with any issuer that publishes its configuration.
//!
//! What a sign-in under way needs (state, nonce, verifier) travels in a cookie of the browser that began it, so any
//! replica can end it.

pub mod jwt;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::hex;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::auth::Role;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::url::encoded;
use jwt::{Expected, Wrong};

/// Time for one answer of the issuer, and most bytes of it.
const PATIENCE: Duration = Duration::from_secs(10);
const BYTES: u64 = 1 << 20;
/// How long the issuer's configuration and keys are good; a key that is missing is looked for sooner.
const GOOD: Duration = Duration::from_secs(600);
const SOONER: Duration = Duration::from_secs(10);

/// An issuer, and whom it lets in.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// `https://…`, as its configuration spells it.
    pub issuer: String,
    /// This server's name there.
    pub client_id: String,
    /// For a client that has one.
    pub client_secret: Option<Secret>,
    /// Who gets which role; the greatest counts, and without one nobody comes in.
    pub allow: Vec<Allow>,
}

/// `CLAIM=VALUE:ROLE`: a claim that is this text, or a list with it; `*:ROLE` is everybody the issuer knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    claim: Option<(String, String)>,
    role: Role,
}

impl std::str::FromStr for Allow {
    type Err = String;

    fn from_str(text: &str) -> Result<Allow, String> {
        let wrong = || "like groups=ml-team:logger, or *:viewer".to_owned();
        let (who, role) = text.rsplit_once(':').ok_or_else(wrong)?;
        let role = role.parse()?;
        if who == "*" {
            return Ok(Allow { claim: None, role });
        }
        let (claim, value) =
            who.split_once('=').filter(|(claim, value)| !claim.is_empty() && !value.is_empty()).ok_or_else(wrong)?;
        Ok(Allow { claim: Some((claim.to_owned(), value.to_owned())), role })
    }
}

impl Allow {
    fn role_of(&self, claims: &Map<String, Value>) -> Option<Role> {
        let Some((claim, value)) = &self.claim else { return Some(self.role) };
        let has = match claims.get(claim) {
            Some(Value::String(text)) => text == value,
            Some(Value::Array(list)) => list.iter().any(|item| item == value.as_str()),
            _ => false,
        };
        // An address that the issuer has not seen answered may be anybody's.
        let proven = claim != "email" || claims.get("email_verified") == Some(&Value::Bool(true));
        (has && proven).then_some(self.role)
    }
}

/// A sign-in under way, as its cookie holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
}

impl Attempt {
    /// A new one.
    pub fn begin() -> Result<Attempt> {
        Ok(Attempt { state: random()?, nonce: random()?, verifier: random()? })
    }

    /// For the cookie.
    pub fn cookie(&self) -> String {
        format!("{}.{}.{}", self.state, self.nonce, self.verifier)
    }

    /// From the cookie.
    pub fn of_cookie(text: &str) -> Option<Attempt> {
        let [state, nonce, verifier] = text.split('.').collect::<Vec<_>>()[..] else { return None };
        let long = [state, nonce, verifier].iter().all(|part| part.len() == 64);
        long.then(|| Attempt { state: state.to_owned(), nonce: nonce.to_owned(), verifier: verifier.to_owned() })
    }

    /// Whether the issuer's answer is to this one.
    pub fn is_of(&self, state: &str) -> bool {
        self.state == state
    }
}

fn random() -> Result<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("the system has no random numbers"))?;
    Ok(hex::encode(&bytes))
}

/// Who signed in.
pub struct Person {
    /// For lists: the address, else the issuer's name for them.
    pub name: String,
    /// What they may do; nothing when no rule fits.
    pub role: Option<Role>,
}

/// The issuer's configuration.
#[derive(Clone, Deserialize)]
struct Configuration {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Clone)]
struct Known {
    since: Instant,
    configuration: Configuration,
    keys: Vec<jwt::Key>,
}

/// The way to sign in of a server.
pub struct Way {
    oidc: Oidc,
    /// Where the issuer sends people back to.
    redirect: String,
    known: Mutex<Option<Known>>,
}

impl Way {
    /// Through `oidc`, to a server that browsers reach as `public_url`.
    pub fn new(oidc: Oidc, public_url: &str) -> Way {
        let redirect = format!("{}/signin/callback", public_url.trim_end_matches('/'));
        Way { oidc, redirect, known: Mutex::default() }
    }

    /// The issuer's host, for people.
    pub fn host(&self) -> &str {
        let rest = self.oidc.issuer.split_once("://").map_or(self.oidc.issuer.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// Where the browser goes to sign in.
    pub async fn address(&self, attempt: &Attempt) -> Result<String> {
        let endpoint = self.known(GOOD).await?.configuration.authorization_endpoint;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(attempt.verifier.as_bytes()));
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.oidc.client_id),
            ("redirect_uri", &self.redirect),
            ("scope", "openid email profile"),
            ("state", &attempt.state),
            ("nonce", &attempt.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{joint}{query}"))
    }

    /// Exchanges the code for an ID token, and reads who it is of.
    pub async fn person(&self, attempt: &Attempt, code: &str) -> Result<Person> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let endpoint = self.known(GOOD).await?.configuration.token_endpoint;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", attempt.verifier.as_str()),
        ];
        let basic = self.oidc.client_secret.as_ref().map(|Secret(secret)| {
            let both = format!("{}:{}", encoded(&self.oidc.client_id), encoded(secret));
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both))
        });
        if basic.is_none() {
            fields.push(("client_id", &self.oidc.client_id));
        }
        let tokens: Tokens = ask(endpoint, Some((form(&fields), basic))).await?;
        let claims = self.claims(&tokens.id_token, attempt).await?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let name = text("email").or(text("preferred_username")).or(text("sub")).unwrap_or_default().to_owned();
        let role = self.oidc.allow.iter().filter_map(|allow| allow.role_of(&claims)).max();
        Ok(Person { name, role })
    }

    async fn claims(&self, token: &str, attempt: &Attempt) -> Result<Map<String, Value>> {
        let expected = Expected {
            issuer: &self.oidc.issuer,
            client_id: &self.oidc.client_id,
            nonce: &attempt.nonce,
            now: now_ms() / 1000,
        };
        let mut read = jwt::verified(token, &self.known(GOOD).await?.keys, &expected);
        if read == Err(Wrong::Key) {
            read = jwt::verified(token, &self.known(SOONER).await?.keys, &expected);
        }
        read.map_err(|wrong| match wrong {
            Wrong::Key => refused("none of its keys signed the ID token"),
            Wrong::Token(why) => refused(why),
        })
    }

    /// Configuration and keys, no older than `good`.
    async fn known(&self, good: Duration) -> Result<Known> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().as_ref().filter(|known| known.since.elapsed() < good) {
            return Ok(known.clone());
        }
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let address = format!("{}/.well-known/openid-configuration", self.oidc.issuer.trim_end_matches('/'));
        let configuration: Configuration = ask(address, None).await?;
        if configuration.issuer != self.oidc.issuer {
            return Err(refused("its configuration is of another issuer"));
        }
        let set: Set = ask(configuration.jwks_uri.clone(), None).await?;
        // Kinds of keys that are not known here are for others.
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        let known = Known { since: Instant::now(), configuration, keys };
        *lock() = Some(known.clone());
        Ok(known)
    }
}

/// Gets, or posts a form, and reads the JSON.
async fn ask<T: DeserializeOwned + Send + 'static>(url: String, post: Option<(String, Option<String>)>) -> Result<T> {
    let work = move || -> Result<T, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        let mut response = match post {
            None => agent.get(&url).header("accept", "application/json").call(),
            Some((form, basic)) => {
                let mut request = agent.post(&url).header("accept", "application/json");
                if let Some(basic) = basic {
                    request = request.header("authorization", basic);
                }
                request.header("content-type", "application/x-www-form-urlencoded").send(form)
            }
        }
        .map_err(|error| format!("{url} cannot be reached: {error}"))?;
        let status = response.status().as_u16();
        let text =
            response.body_mut().with_config().limit(BYTES).read_to_string().map_err(|error| error.to_string())?;
        if status != 200 {
            return Err(format!("{url} answered {status}"));
        }
        serde_json::from_str(&text).map_err(|error| format!("{url} answered what is not expected: {error}"))
    };
    let answer = tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal(error.to_string()))?;
    answer.map_err(|why| refused(&why))
}

/// For the log; a person is told that it did not work.
fn refused(why: &str) -> Error {
    Error::internal(format!("signing in with the issuer: {why}"))
}

fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_gets_which_role() {
        let rules: Vec<Allow> = ["*:viewer", "groups=ml:logger", "email=ada@example.org:admin", "sub=a=b:deployer"]
            .iter()
            .map(|rule| rule.parse().unwrap())
            .collect();
        let check = |rules: &[Allow], claims: Value, expected: Option<Role>| {
            let claims = claims.as_object().unwrap();
            assert_eq!(rules.iter().filter_map(|rule| rule.role_of(claims)).max(), expected, "{claims:?}");
        };
        check(&rules, json!({}), Some(Role::Viewer));
        check(&rules, json!({"groups": ["x", "ml"]}), Some(Role::Logger));
        check(&rules, json!({"groups": "ml"}), Some(Role::Logger));
        check(&rules, json!({"groups": "ml2"}), Some(Role::Viewer));
        check(&rules, json!({"sub": "a=b"}), Some(Role::Deployer));
        check(&rules, json!({"email": "ada@example.org", "email_verified": true}), Some(Role::Admin));
        check(&rules, json!({"email": "ada@example.org"}), Some(Role::Viewer));
        check(&rules, json!({"email": "ada@example.org", "email_verified": "true"}), Some(Role::Viewer));
        check(&rules[1..], json!({"groups": []}), None);
        for wrong in ["", "viewer", "groups:viewer", "groups=:viewer", "groups=a:root", "=a:viewer"] {
            assert!(wrong.parse::<Allow>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_attempt_travels_in_its_cookie() {
        let attempt = Attempt::begin().unwrap();
        assert_eq!(Attempt::of_cookie(&attempt.cookie()).as_ref(), Some(&attempt));
        assert!(attempt.is_of(&attempt.state.clone()) && !attempt.is_of("") && !attempt.is_of(&attempt.nonce));
        for wrong in ["", "..", "a.b.c", &attempt.cookie()[1..]] {
            assert_eq!(Attempt::of_cookie(wrong), None, "{wrong}");
        }
    }
}
