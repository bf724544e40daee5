//! `beira token`: who may use a server. Works on its database, whether it is running or not.

use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use server::{Database, ListedToken, NewToken, Role, Tokens};

use crate::process;

/// Arguments of `token`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The server's database: SQLite file, or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, global = true, default_value = "beira.db", env = "BEIRA_DB", hide_env_values = true)]
    db: Database,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a token and print it, this once.
    Create {
        /// ingest (hosts: counters in, modules out), viewer (read, predict), logger (also log and register), deployer
        /// (also aliases and stages), admin (everything).
        #[arg(long, value_parser = ["viewer", "logger", "ingest", "deployer", "admin"])]
        role: String,
        /// Who has it, for `beira token list`.
        #[arg(long, default_value = "")]
        name: String,
        /// Limit it to this experiment, by name or id; can be said again.
        #[arg(long, value_name = "NAME")]
        experiment: Vec<String>,
        /// Limit it to this registered model; can be said again.
        #[arg(long, value_name = "NAME")]
        model: Vec<String>,
        /// Days until it is worth nothing. [default: it stays]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: Option<u32>,
    },
    /// Show all tokens, without their secrets.
    List,
    /// End a token, and every session that began with it.
    Revoke {
        /// As `beira token list` shows it.
        id: String,
    },
}

/// Does one of the three.
pub fn token(arguments: &Arguments) -> anyhow::Result<()> {
    process::run(async {
        let tokens = Tokens::open(&arguments.db).await.map_err(anyhow::Error::msg)?;
        let done = run(&tokens, &arguments.command).await;
        tokens.close().await;
        done
    })?
}

async fn run(tokens: &Tokens, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Create { role, name, experiment, model, days } => {
            let token = tokens.create(NewToken {
                role: role.parse::<Role>().map_err(anyhow::Error::msg)?,
                name: name.clone(),
                experiments: experiment.clone(),
                models: model.clone(),
                expires: days.map(|days| now_ms() + i64::from(days) * DAY_MS),
            });
            println!("{}", token.await.context("no token was made")?);
            eprintln!("This is the only time it is shown. For MLflow and beira: export MLFLOW_TRACKING_TOKEN=…");
        }
        Command::List => {
            for line in lines(&tokens.list().await?, now_ms()) {
                println!("{line}");
            }
        }
        Command::Revoke { id } => {
            if !tokens.revoke(id).await? {
                bail!("there is no token {id}; beira token list shows them");
            }
            eprintln!("Revoked; running servers turn it away within a second.");
        }
    }
    Ok(())
}

const DAY_MS: i64 = 86_400_000;

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A table with a head.
fn lines(tokens: &[ListedToken], now: i64) -> Vec<String> {
    let head = ["ID", "ROLE", "LAST USED", "EXPIRES", "LIMITED TO", "NAME"].map(str::to_owned);
    let rows = tokens.iter().map(|token| {
        let used = token.used.map_or("never".to_owned(), |at| format!("{} ago", span(now - at)));
        let expires = match token.expires {
            None => "never".to_owned(),
            Some(at) if at <= now => "has expired".to_owned(),
            Some(at) => format!("in {}", span(at - now)),
        };
        let limits = if token.grants.is_empty() { "-".to_owned() } else { token.grants.join(", ") };
        [token.id.clone(), token.role.clone(), used, expires, limits, token.name.clone()]
    });
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// The largest unit alone.
fn span(ms: i64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        ..60 => format!("{minutes} min"),
        60..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_what_a_token_is_for() {
        let token = |id: &str, role: &str, grants: &[&str], expires, used| ListedToken {
            id: id.to_owned(),
            name: "ada".to_owned(),
            role: role.to_owned(),
            grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
            created: 0,
            expires,
            used,
        };
        let now = 10 * DAY_MS;
        let tokens = [
            token("0123456789abcdef", "admin", &[], None, None),
            token("1123456789abcdef", "logger", &["experiment 3", "model churn"], Some(now + 5 * DAY_MS), Some(now)),
            token("2123456789abcdef", "viewer", &[], Some(now - 1), Some(now - 7_200_000)),
        ];
        let expected = "\
ID                ROLE    LAST USED  EXPIRES      LIMITED TO                 NAME
0123456789abcdef  admin   never      never        -                          ada
1123456789abcdef  logger  0 min ago  in 5 days    experiment 3, model churn  ada
2123456789abcdef  viewer  2 h ago    has expired  -                          ada";
        assert_eq!(lines(&tokens, now).join("\n"), expected);
    }
}
