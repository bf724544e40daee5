//! Prediction ids of this process: signed where there is a key, so that a label's id cannot be made up.

use contract::Origin;
use host_native::{Module, outcome};
use monitoring::prediction::{self, Prediction};

use crate::clock::{MINUTE_MS, now_ms};
#[cfg(feature = "store")]
use crate::error::Result;
use crate::observe::trace;
#[cfg(feature = "store")]
use crate::secret::Secret;
#[cfg(feature = "store")]
use crate::store::{self, Store};

/// The keys; the first signs, all are recognised.
#[derive(Clone, Default)]
pub struct Ids {
    keys: Vec<Vec<u8>>,
}

impl Ids {
    /// Without a key ids are not signed, and labels for them count as if a page had sent them.
    pub fn new(keys: Vec<Vec<u8>>) -> Ids {
        Ids { keys }
    }

    /// All keys.
    pub fn keys(&self) -> &[Vec<u8>] {
        &self.keys
    }

    /// One id for each row that `module` answered with `outputs`.
    pub fn make(&self, module: &Module, rows: usize, outputs: &[Vec<u8>]) -> Vec<String> {
        let profile = module.seal().and_then(|seal| seal.profile.as_ref());
        let key = self.keys.first().map(Vec::as_slice);
        let minute = u32::try_from(now_ms() / MINUTE_MS).unwrap_or(u32::MAX);
        let part = prediction::module(module.sha256()).unwrap_or_default();
        outcome::outcomes(module.manifest(), profile, rows, outputs)
            .into_iter()
            .map(|outcome| {
                Prediction { module: part, origin: Origin::Server, minute, nonce: trace::id(), outcome }.id(key)
            })
            .collect()
    }
}

/// Whether a query asks for ids: `ids=1`.
pub fn wanted(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair == "ids=1" || pair == "ids=true"))
}

/// The keys of a server: the operator's, and one of its own that it keeps, so that its ids are always signed.
#[cfg(feature = "store")]
pub async fn of(store: &Store, given: Option<&Secret>) -> Result<Ids> {
    let fresh = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let own: String = store
        .write(move |tx| {
            Box::pin(async move {
                store::query("INSERT INTO settings (key, value) VALUES ('prediction_key', $1) ON CONFLICT DO NOTHING")
                    .bind(fresh)
                    .execute(&mut *tx)
                    .await?;
                store::query_scalar("SELECT value FROM settings WHERE key = 'prediction_key'").fetch_one(tx).await
            })
        })
        .await?;
    let keys = given.map(|key| key.0.clone()).into_iter().chain([own]);
    Ok(Ids::new(keys.map(String::into_bytes).collect()))
}
