//! The tokens in the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::token::Token;
use crate::auth::Role;
use crate::auth::caller::{Grants, Holder};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::store::{self, Connection, Database, Store};

/// What is known of a token that is not revoked.
#[derive(Clone)]
pub struct Found {
    /// Of its secret.
    pub mac: String,
    /// From then on it is worth nothing.
    pub expires: Option<i64>,
    /// When it was asked with, about a minute exact.
    pub used: Option<i64>,
    /// Whose it is.
    pub holder: Arc<Holder>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for.
    pub role: Role,
    /// Who has it, for lists.
    pub name: String,
    /// Experiments that it is limited to, by name or id.
    pub experiments: Vec<String>,
    /// Registered models that it is limited to.
    pub models: Vec<String>,
    /// From then on it is worth nothing, in milliseconds since 1970.
    pub expires: Option<i64>,
}

/// A token as lists show it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Who has it.
    pub name: String,
    /// What it is for.
    pub role: String,
    /// What it is limited to: `experiment 3`, `model churn`; nothing for one that is not.
    pub grants: Vec<String>,
    /// Milliseconds since 1970.
    pub created: i64,
    /// The same.
    pub expires: Option<i64>,
    /// The same; about a minute exact.
    pub used: Option<i64>,
}

/// The tokens of a database, for the command line.
pub struct Tokens(Store);

impl Tokens {
    /// Opens the database of a server, which may be running.
    pub async fn open(database: &Database) -> Result<Tokens, String> {
        let store = Store::open(database).await;
        store.map(Tokens).map_err(|error| format!("cannot open the database {database}: {error}"))
    }

    /// Makes a token and answers all of it; nobody sees it again.
    pub async fn create(&self, new: NewToken) -> Result<String> {
        create(&self.0, "token", None, new).await
    }

    /// Those that are not revoked, the newest first.
    pub async fn list(&self) -> Result<Vec<Listed>> {
        type Row = (String, String, String, i64, Option<i64>, Option<i64>);
        let rows: Vec<Row> = store::query_as(
            "SELECT id, name, role, created, expires, used FROM tokens
             WHERE kind = 'token' AND revoked IS NULL ORDER BY created DESC, id",
        )
        .fetch_all(self.0.read())
        .await?;
        let mut tokens = Vec::new();
        for (id, name, role, created, expires, used) in rows {
            let grants = grants(&self.0, &id).await?;
            let experiments = grants.experiments.iter().map(|id| format!("experiment {id}"));
            let grants = experiments.chain(grants.models.iter().map(|name| format!("model {name}"))).collect();
            tokens.push(Listed { id, name, role, grants, created, expires, used });
        }
        Ok(tokens)
    }

    /// Ends a token, and every session that began with it. False when there is none.
    pub async fn revoke(&self, id: &str) -> Result<bool> {
        revoke(&self.0, id).await
    }

    /// Closes the database.
    pub async fn close(self) {
        self.0.close().await;
    }
}

/// Ends a token, and every session that began with it. False when there is none.
pub async fn revoke(store: &Store, id: &str) -> Result<bool> {
    let id = id.to_owned();
    store
        .write(move |tx| {
            Box::pin(async move {
                let query = "UPDATE tokens SET revoked = $1 WHERE (id = $2 OR parent = $2) AND revoked IS NULL";
                Ok(store::query(query).bind(now_ms()).bind(id).execute(tx).await? > 0)
            })
        })
        .await
}

/// A session of somebody who signed in, with the limits and the end of `parent`. Those that are over are forgotten.
pub async fn create_session(store: &Store, parent: Option<&str>, new: NewToken) -> Result<String> {
    let before = now_ms();
    store
        .write(move |tx| {
            Box::pin(async move {
                let query = "DELETE FROM tokens WHERE kind = 'session' AND expires < $1";
                store::query(query).bind(before).execute(tx).await
            })
        })
        .await?;
    let root = match parent {
        // A session that begins with a session is one of what that began with.
        Some(id) => {
            let query = "SELECT coalesce(parent, id) FROM tokens WHERE id = $1";
            store::query_scalar(query).bind(id).fetch_optional(store.read()).await?
        }
        None => None,
    };
    create(store, "session", root, new).await
}

/// How many tokens there are.
pub async fn count(store: &Store) -> Result<i64> {
    let query = "SELECT count(*) FROM tokens WHERE kind = 'token' AND revoked IS NULL";
    store::query_scalar(query).fetch_one(store.read()).await
}

/// Writes a token down, and answers all of it. A `parent`'s end is its end.
async fn create(store: &Store, kind: &'static str, parent: Option<String>, new: NewToken) -> Result<String> {
    let token = Token::mint()?;
    let (id, mac) = (token.id.clone(), token.mac());
    store
        .write(move |tx| {
            Box::pin(async move {
                let limited = !(new.experiments.is_empty() && new.models.is_empty());
                store::query(
                    "INSERT INTO tokens (id, mac, kind, name, role, limited, created, expires, parent)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                )
                .bind(&id)
                .bind(mac)
                .bind(kind)
                .bind(&new.name)
                .bind(new.role.name())
                .bind(i64::from(limited))
                .bind(now_ms())
                .bind(new.expires)
                .bind(parent)
                .execute(&mut *tx)
                .await?;
                for experiment in new.experiments {
                    let experiment = experiment_of(tx, &experiment).await?;
                    let query = "INSERT INTO token_experiments VALUES ($1, $2) ON CONFLICT DO NOTHING";
                    store::query(query).bind(&id).bind(experiment).execute(&mut *tx).await?;
                }
                for model in new.models {
                    let query = "INSERT INTO token_models VALUES ($1, $2) ON CONFLICT DO NOTHING";
                    store::query(query).bind(&id).bind(model).execute(&mut *tx).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(token.to_string())
}

/// The experiment of this name, else of this id.
async fn experiment_of(tx: &mut Connection, text: &str) -> Result<i64> {
    let query = "SELECT experiment_id FROM experiments WHERE name = $1 OR experiment_id = $2
                 ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1";
    let found = store::query_scalar(query).bind(text).bind(text.parse().unwrap_or(-1i64)).fetch_optional(tx).await?;
    found.ok_or_else(|| Error::missing(format!("There is no experiment {text}; create it first.")))
}

/// The token, unless it or what it came from was revoked.
pub async fn find(store: &Store, id: &str) -> Result<Option<Found>> {
    type Row = (String, String, String, i64, Option<i64>, Option<i64>, Option<String>);
    let row: Option<Row> = store::query_as(
        "SELECT t.mac, t.name, t.role, coalesce(p.limited, t.limited),
             CASE WHEN p.expires < t.expires THEN p.expires ELSE t.expires END, t.used, t.parent
         FROM tokens t LEFT JOIN tokens p ON p.id = t.parent
         WHERE t.id = $1 AND t.revoked IS NULL AND p.revoked IS NULL",
    )
    .bind(id)
    .fetch_optional(store.read())
    .await?;
    let Some((mac, name, role, limited, expires, used, parent)) = row else { return Ok(None) };
    let role = role.parse().map_err(Error::internal)?;
    let grants = if limited == 0 { None } else { Some(grants(store, parent.as_deref().unwrap_or(id)).await?) };
    Ok(Some(Found { mac, expires, used, holder: Arc::new(Holder { id: id.to_owned(), name, role, grants }) }))
}

async fn grants(store: &Store, id: &str) -> Result<Grants> {
    let experiments = store::query_scalar("SELECT experiment_id FROM token_experiments WHERE token = $1")
        .bind(id)
        .fetch_all(store.read())
        .await?;
    let models = store::query_scalar("SELECT name FROM token_models WHERE token = $1");
    let models: Vec<String> = models.bind(id).fetch_all(store.read()).await?;
    Ok(Grants { experiments: BTreeSet::from_iter(experiments), models: BTreeSet::from_iter(models) })
}

/// Writes down, at most once a minute, that the token was asked with. Nobody waits for it.
pub fn note_use(store: &Store, id: &str, before: Option<i64>) {
    let now = now_ms();
    if before.is_some_and(|before| now - before < 60_000) {
        return;
    }
    let (store, id) = (store.clone(), id.to_owned());
    tokio::spawn(async move {
        let noted = store
            .write(move |tx| {
                Box::pin(async move {
                    store::query("UPDATE tokens SET used = $1 WHERE id = $2").bind(now).bind(id).execute(tx).await
                })
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, "when a token was used is not written down");
        }
    });
}
