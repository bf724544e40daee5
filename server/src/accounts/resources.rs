//! What a request is about, for tokens that are limited: looked up, and compared with what was granted.
//!
//! The guard reads a request with the same functions as its handler, and leaves it what it read. Where something is
//! named twice (a run's experiment and the model beside it), all of it must be granted.

use axum::extract::Request;
use axum::http::Uri;

use super::credentials;
use crate::artifacts::location;
use crate::auth::Permission;
use crate::auth::caller::{Grants, not_granted};
use crate::auth::demand::Resource;
use crate::config::Config;
use crate::error::Result;
use crate::fields::Fields;
use crate::mlflow::{names, runs};
use crate::store::{self, Store};
use crate::{modules, url};

const TRACE: &str = "SELECT experiment_id FROM traces WHERE trace_id = $1";

/// A look at one request.
pub struct Look<'a> {
    /// Tables.
    pub store: &'a Store,
    /// Limits and roots.
    pub config: &'a Config,
    /// What the token is limited to.
    pub grants: &'a Grants,
    /// What the route demands.
    pub permission: Permission,
}

impl Look<'_> {
    /// The request, when everything that it names is granted. `route` is the declared path.
    pub async fn at(&self, resource: Resource, route: &str, request: Request) -> Result<Request> {
        let uri = request.uri().clone();
        match resource {
            Resource::Nothing => return Ok(request),
            Resource::Everything => return Err(not_granted()),
            Resource::LoggedModel => {
                self.logged_model(&parameter(&uri, route, "{model_id}")).await?;
                return Ok(request);
            }
            Resource::TraceInPath => {
                self.trace(&parameter(&uri, route, "{trace_id}")).await?;
                return Ok(request);
            }
            Resource::ModelInPath => {
                self.model(&parameter(&uri, route, "{name}"))?;
                return Ok(request);
            }
            Resource::Artifact => {
                self.artifact(&parameter(&uri, route, "{*path}")).await?;
                return Ok(request);
            }
            Resource::RunInQuery(field) => {
                let fields = Fields::from_query(uri.query().unwrap_or_default());
                self.run(&fields.string(field)?).await?;
                return Ok(request);
            }
            Resource::Counters => return self.counters(request).await,
            _ => {}
        }
        let (fields, mut request) = Fields::read(request, self.config.json_bytes_max).await?;
        self.fields(resource, &fields).await?;
        request.extensions_mut().insert(fields);
        Ok(request)
    }

    async fn fields(&self, resource: Resource, fields: &Fields) -> Result<()> {
        match resource {
            Resource::Experiment(field) => {
                let id = fields.opt_string(field)?.filter(|id| !id.is_empty()).unwrap_or_else(|| "0".to_owned());
                self.experiment(names::experiment_id(&id)?)
            }
            Resource::Experiments(field) => {
                let ids = some(fields, field)?;
                ids.iter().try_for_each(|id| self.experiment(names::experiment_id(id)?))
            }
            Resource::ExperimentNamed(field) => {
                let query = "SELECT experiment_id FROM experiments WHERE name = $1";
                let id = self.id(query, &fields.string(field)?).await?;
                self.experiment(id)
            }
            Resource::Run => {
                self.run(&runs::id_of(fields)?).await?;
                let mut models: Vec<String> = fields.opt_string("model_id")?.into_iter().collect();
                for list in ["metrics", "models"] {
                    for item in fields.objects(list)? {
                        models.extend(item.opt_string("model_id")?);
                    }
                }
                for model in models.iter().filter(|model| !model.is_empty()) {
                    self.logged_model(model).await?;
                }
                for trace in fields.strings("trace_ids")? {
                    self.trace_if_there(&trace).await?;
                }
                Ok(())
            }
            Resource::Runs(field) => {
                for id in some(fields, field)? {
                    self.run(&id).await?;
                }
                Ok(())
            }
            Resource::NewLoggedModel => {
                self.experiment(names::experiment_id(&fields.string("experiment_id")?)?)?;
                self.optional_run(fields, "source_run_id").await
            }
            Resource::RunOrLoggedModel => {
                let model = fields.opt_string("model_id")?;
                if fields.opt_string("run_id")?.is_none() && model.is_none() {
                    return Err(not_granted());
                }
                self.optional_run(fields, "run_id").await?;
                match model {
                    Some(model) => self.logged_model(&model).await,
                    None => Ok(()),
                }
            }
            Resource::NewTrace => {
                let info = fields.object("trace")?.object("trace_info")?;
                self.at_location(&info.object("trace_location")?)?;
                self.trace_if_there(&info.string("trace_id")?).await
            }
            Resource::Trace(field) => self.trace(&fields.string(field)?).await,
            Resource::Traces(field) => {
                for id in some(fields, field)? {
                    self.trace(&id).await?;
                }
                Ok(())
            }
            Resource::Locations => {
                let locations = fields.objects("locations")?;
                if locations.is_empty() {
                    return Err(fields.required("locations"));
                }
                locations.iter().try_for_each(|location| self.at_location(location))
            }
            Resource::Model(list) => list.iter().try_for_each(|field| self.model(&fields.string(field)?)),
            Resource::NewVersion => {
                self.model(&fields.string("name")?)?;
                self.optional_run(fields, "run_id").await?;
                if let Some(model) = fields.opt_string("model_id")?.filter(|id| !id.is_empty()) {
                    self.logged_model(&model).await?;
                }
                self.source(&fields.string("source")?).await
            }
            Resource::ArtifactFolder => self.artifact(&fields.opt_string("path")?.unwrap_or_default()).await,
            Resource::Nothing
            | Resource::Everything
            | Resource::LoggedModel
            | Resource::ModelInPath
            | Resource::TraceInPath
            | Resource::Artifact
            | Resource::RunInQuery(_)
            | Resource::Counters => Err(not_granted()), // not in fields
        }
    }

    fn experiment(&self, id: i64) -> Result<()> {
        if self.grants.experiments.contains(&id) { Ok(()) } else { Err(not_granted()) }
    }

    fn model(&self, name: &str) -> Result<()> {
        if self.grants.models.contains(name) { Ok(()) } else { Err(not_granted()) }
    }

    async fn run(&self, id: &str) -> Result<()> {
        let experiment = self.id("SELECT experiment_id FROM runs WHERE run_uuid = $1", id).await?;
        self.experiment(experiment)
    }

    async fn optional_run(&self, fields: &Fields, field: &str) -> Result<()> {
        match fields.opt_string(field)?.filter(|id| !id.is_empty()) {
            Some(id) => self.run(&id).await,
            None => Ok(()),
        }
    }

    fn at_location(&self, location: &Fields) -> Result<()> {
        let id = location.object("mlflow_experiment")?.string("experiment_id")?;
        self.experiment(names::experiment_id(&id)?)
    }

    async fn trace(&self, id: &str) -> Result<()> {
        let experiment = self.id(TRACE, id).await?;
        self.experiment(experiment)
    }

    /// A client chooses a trace's id before the trace is there.
    async fn trace_if_there(&self, id: &str) -> Result<()> {
        let found = store::query_scalar(TRACE).bind(id).fetch_optional(self.store.read()).await?;
        found.map_or(Ok(()), |experiment| self.experiment(experiment))
    }

    /// By its experiment; or, to read it, as a version of a granted model.
    async fn logged_model(&self, id: &str) -> Result<()> {
        let experiment = self.id("SELECT experiment_id FROM logged_models WHERE model_id = $1", id).await?;
        if self.grants.experiments.contains(&experiment) {
            return Ok(());
        }
        let versions: Vec<String> =
            store::query_scalar("SELECT name FROM model_versions WHERE model_id = $1 AND deleted = 0")
                .bind(id)
                .fetch_all(self.store.read())
                .await?;
        let readable = self.permission == Permission::Read && versions.iter().any(|name| self.model(name).is_ok());
        if readable { Ok(()) } else { Err(not_granted()) }
    }

    /// A path behind the artifact proxy.
    async fn artifact(&self, path: &str) -> Result<()> {
        self.location(&format!("mlflow-artifacts:/{}", url::decoded(location::clean(path)?.as_ref()))).await
    }

    /// The source of a version.
    async fn source(&self, source: &str) -> Result<()> {
        if let Some(rest) = source.strip_prefix("models:/") {
            return match rest.split_once('/') {
                Some((name, _)) => self.model(name),
                None => self.logged_model(rest).await,
            };
        }
        if let Some(rest) = source.strip_prefix("runs:/") {
            return self.run(rest.split_once('/').map_or(rest, |(id, _)| id)).await;
        }
        location::check_client_location(source, self.config)?;
        self.location(source).await
    }

    /// An artifact URI: of the experiment whose root is the longest that it begins with; or, to read it, below the files
    /// of a granted model's version.
    async fn location(&self, uri: &str) -> Result<()> {
        let uri = normal(uri);
        let below = |root: &str| {
            let root = normal(root);
            uri.strip_prefix(&root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')).then_some(root.len())
        };
        let roots: Vec<(i64, String)> = store::query_as("SELECT experiment_id, artifact_location FROM experiments")
            .fetch_all(self.store.read())
            .await?;
        let nearest = roots.iter().filter_map(|(id, root)| Some((below(root)?, id))).max();
        if nearest.is_some_and(|(_, id)| self.grants.experiments.contains(id)) {
            return Ok(());
        }
        if self.permission == Permission::Read {
            for model in &self.grants.models {
                let query = "SELECT storage_location FROM model_versions WHERE name = $1 AND deleted = 0";
                let files: Vec<String> = store::query_scalar(query).bind(model).fetch_all(self.store.read()).await?;
                if files.iter().any(|root| below(root).is_some()) {
                    return Ok(());
                }
            }
        }
        Err(not_granted())
    }

    /// Counters of a module whose model is granted.
    async fn counters(&self, request: Request) -> Result<Request> {
        let (flush, request) = credentials::of_body(request).await?;
        let record = match flush.module_sha256 {
            Some(sha256) => modules::by_sha256(self.store.read(), &sha256).await?,
            None => None,
        };
        match record {
            Some(record) => self.model(&record.name).map(|()| request),
            None => Err(not_granted()),
        }
    }

    async fn id(&self, query: &'static str, key: &str) -> Result<i64> {
        let found = store::query_scalar(query).bind(key).fetch_optional(self.store.read()).await?;
        found.ok_or_else(not_granted)
    }
}

/// One spelling of an artifact URI: without host for the proxy, without a slash too many.
fn normal(uri: &str) -> String {
    let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri));
    let rest = if scheme == "mlflow-artifacts" { location::after_authority(rest) } else { rest };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    format!("{scheme}:/{}", parts.join("/")).trim_end_matches('/').to_owned()
}

/// The ids of a list that must not be empty.
fn some(fields: &Fields, field: &'static str) -> Result<Vec<String>> {
    let ids = fields.strings(field)?;
    if ids.is_empty() { Err(fields.required(field)) } else { Ok(ids) }
}

/// A parameter of the declared path, decoded once; `{*path}` is all the rest.
fn parameter(uri: &Uri, route: &str, name: &str) -> String {
    let at = route.split('/').position(|part| part == name).unwrap_or_default();
    let mut parts = uri.path().splitn(at + 2, '/').skip(at);
    let found = parts.next().unwrap_or_default();
    if !name.starts_with("{*") {
        return url::decoded(found);
    }
    let rest: Vec<&str> = std::iter::once(found).chain(parts).collect();
    url::decoded(&rest.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_where_the_route_has_them() {
        let check = |path: &str, route: &str, name: &str, expected: &str| {
            assert_eq!(parameter(&path.parse().unwrap(), route, name), expected, "{path}");
        };
        check("/predict/churn", "/predict/{name}", "{name}", "churn");
        check("/modules/a%20b/@champion", "/modules/{name}/{reference}", "{name}", "a b");
        check("/v2/models/a/versions/3/infer", "/v2/models/{name}/versions/{version}/infer", "{name}", "a");
        check("/x/artifacts/7/run/a%2Fb", "/x/artifacts/{*path}", "{*path}", "7/run/a/b");
        check("/x/mpu/create/7/f", "/x/mpu/{action}/{*path}", "{*path}", "7/f");
    }

    #[test]
    fn one_spelling_of_a_location() {
        for (uri, expected) in [
            ("mlflow-artifacts:/7", "mlflow-artifacts:/7"),
            ("mlflow-artifacts://host/7/", "mlflow-artifacts:/7"),
            ("mlflow-artifacts:/", "mlflow-artifacts:"),
            ("s3://bucket//a", "s3:/bucket/a"),
            ("file:///srv/ml/7", "file:/srv/ml/7"),
        ] {
            assert_eq!(normal(uri), expected, "{uri}");
        }
    }
}
