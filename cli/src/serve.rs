//! `beira serve`: the whole product in one process.

use std::time::Duration;

use anyhow::Context;

use crate::process;

/// Arguments of `serve`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address to listen on. Anything but loopback asks for tokens (`beira token create`), unless `--auth none`.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on.
    #[arg(long, default_value_t = 8080, env = "PORT")]
    port: u16,
    /// SQLite file, or postgres://USER:PASSWORD@HOST/DATABASE. A password is better kept in PGPASSWORD or ~/.pgpass.
    #[arg(long, default_value = "beira.db", env = "BEIRA_DB", hide_env_values = true)]
    db: server::Database,
    /// Where artifacts are kept: a folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX. Keys come from the environment (AWS_…, GOOGLE_…).
    #[arg(long, default_value = "artifacts", env = "BEIRA_ARTIFACTS", value_name = "DIR|URL")]
    artifacts: server::ArtifactRoot,
    /// Artifact URI that new experiments are given. [default: mlflow-artifacts:/]
    #[arg(long, value_name = "URI")]
    default_artifact_root: Option<String>,
    /// `tokens`: who has none may do nothing. `none`: whoever reaches the address may do everything.
    /// [default: none on loopback, tokens elsewhere]
    #[arg(long, value_parser = ["none", "tokens"])]
    auth: Option<String>,
    /// Modules may be fetched without a token, for pages that anybody may open.
    #[arg(long)]
    public_modules: bool,
    /// Requests that one token may send in a second, to each replica.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    rate_limit: u32,
    /// Most bytes of one artifact that comes through this server, whole or in parts.
    #[arg(long, value_name = "BYTES", default_value_t = 100 << 30, value_parser = clap::value_parser!(u64).range(1..))]
    artifact_bytes_max: u64,
    /// Host names by which browsers reach this server, besides addresses and localhost.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allowed_hosts: Vec<String>,
    #[command(flatten)]
    sign_in: SignIn,
    #[command(flatten)]
    watch: Watch,
}

/// How people sign in to the dashboard, besides with a token.
#[derive(clap::Args)]
#[command(next_help_heading = "Signing in")]
struct SignIn {
    /// Address by which browsers reach this server; with https its cookies are sent over nothing else.
    #[arg(long, value_name = "URL", env = "BEIRA_PUBLIC_URL")]
    public_url: Option<String>,
    /// OpenID Connect issuer; the client's redirect URI there is URL/signin/callback.
    #[arg(long, value_name = "URL", env = "BEIRA_OIDC_ISSUER", requires_all = ["public_url", "oidc_client_id", "oidc_allow"])]
    oidc_issuer: Option<String>,
    /// This server's client id at the issuer.
    #[arg(long, value_name = "ID", env = "BEIRA_OIDC_CLIENT_ID")]
    oidc_client_id: Option<String>,
    /// The client's secret, if it has one.
    #[arg(long, value_name = "SECRET", env = "BEIRA_OIDC_CLIENT_SECRET", hide_env_values = true)]
    oidc_client_secret: Option<String>,
    /// CLAIM=VALUE:ROLE, such as groups=ml-team:logger, or *:viewer for everybody whom the issuer knows; can be said again.
    #[arg(long, value_name = "RULE")]
    oidc_allow: Vec<server::Allow>,
}

impl SignIn {
    fn oidc(&self) -> Option<server::Oidc> {
        Some(server::Oidc {
            issuer: self.oidc_issuer.clone()?,
            client_id: self.oidc_client_id.clone()?,
            client_secret: self.oidc_client_secret.clone().map(server::Secret),
            allow: self.oidc_allow.clone(),
        })
    }
}

/// How models in production are watched.
#[derive(clap::Args)]
#[command(next_help_heading = "Watching")]
struct Watch {
    /// Seconds between two looks at the models in production.
    #[arg(long, value_name = "SECONDS", default_value_t = 15.0, value_parser = seconds)]
    watch_every: f64,
    /// Width of the windows that are compared with the training data.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    watch_window: u32,
    /// An alarm needs a change in K of the last N windows that have enough rows.
    #[arg(long, value_name = "K/N", default_value = "2/3", value_parser = sustained)]
    watch_sustained: server::Sustained,
    /// How far accuracy or AUC may fall below that of the held-out rows (and by which share an error may grow).
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    watch_margin: f64,
    /// Address that is told when an alarm fires, is confirmed by labels, or is over.
    #[arg(long, value_name = "URL", requires = "alert_secret_env")]
    alert_webhook: Option<String>,
    /// Environment variable with the secret that signs what the webhook gets.
    #[arg(long, value_name = "NAME", requires = "alert_webhook")]
    alert_secret_env: Option<String>,
    /// Key that hosts sign prediction ids with; workers and servers that share it can check each other's.
    #[arg(long, value_name = "KEY", env = "BEIRA_PREDICTION_KEY", hide_env_values = true)]
    prediction_key: Option<String>,
}

impl Watch {
    fn config(&self) -> anyhow::Result<server::Watch> {
        let webhook = match (&self.alert_webhook, &self.alert_secret_env) {
            (Some(url), Some(name)) => {
                let secret = std::env::var(name)
                    .with_context(|| format!("--alert-secret-env {name}: there is no such environment variable"))?;
                Some(server::Webhook::new(url, &secret).map_err(|what| anyhow::anyhow!("--alert-webhook: {what}"))?)
            }
            _ => None,
        };
        Ok(server::Watch {
            every: Duration::from_secs_f64(self.watch_every),
            window: Duration::from_secs(u64::from(self.watch_window) * 60),
            sustained: self.watch_sustained,
            margin: self.watch_margin,
            webhook,
        })
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|seconds| (0.1..=86_400.0).contains(seconds)).ok_or("between 0.1 and 86400".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..1.0).contains(share)).ok_or("at least 0 and below 1".to_owned())
}

fn sustained(text: &str) -> Result<server::Sustained, String> {
    let read = || {
        let (k, n) = text.split_once('/')?;
        let (k, n) = (k.trim().parse().ok()?, n.trim().parse().ok()?);
        (1 <= k && k <= n && n <= 100).then_some(server::Sustained { k, n })
    };
    read().ok_or("like 2/3: K at least 1, at most N, and N at most 100".to_owned())
}

/// Serves until SIGINT or SIGTERM.
pub fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    process::logs("warn,beira_server=info");
    let config = server::Config {
        host: arguments.host.clone(),
        port: arguments.port,
        db: arguments.db.clone(),
        artifacts: arguments.artifacts.clone(),
        default_artifact_root: arguments.default_artifact_root.clone(),
        auth: arguments
            .auth
            .as_deref()
            .map(|auth| if auth == "none" { server::Auth::None } else { server::Auth::Tokens }),
        public_modules: arguments.public_modules,
        public_url: arguments.sign_in.public_url.clone(),
        oidc: arguments.sign_in.oidc(),
        rate_limit: arguments.rate_limit,
        allowed_hosts: arguments.allowed_hosts.clone(),
        artifact_bytes_max: arguments.artifact_bytes_max,
        prediction_key: arguments.watch.prediction_key.clone().map(server::Secret),
        watch: arguments.watch.config()?,
        otlp: process::otlp()?,
        ..server::Config::default()
    };
    let serving = server::serve(config, process::stopped());
    Ok(match arguments.db {
        server::Database::File(_) => process::run_on_half(serving),
        server::Database::Postgres(_) => process::run(serving),
    }??)
}
