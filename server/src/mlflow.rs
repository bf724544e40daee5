//! MLflow's REST API: tracking, registry and artifacts, as the Python client of MLflow 3.17.2 speaks it.

pub mod artifacts;
pub mod batch;
pub mod experiment_search;
pub mod experiments;
pub mod filter;
pub mod history;
pub mod inputs;
pub mod keyset;
pub mod log;
pub mod logged_model_search;
pub mod logged_models;
pub mod metrics;
pub mod multipart;
pub mod names;
pub mod order;
pub mod page;
pub mod proxy;
pub mod registered_models;
pub mod registry_search;
pub mod run_load;
pub mod run_search;
pub mod runs;
mod sample;
pub mod server_info;
pub mod sql;
pub mod traces;
pub mod versions;

use axum::http::Method;

use crate::app::App;
use crate::auth::Permission::{Admin, Deploy, Public, Read, Write};
use crate::auth::demand::Resource::{
    Artifact, ArtifactFolder, Everything, Experiment, ExperimentNamed, Experiments, Locations, LoggedModel, Model,
    NewLoggedModel, NewTrace, NewVersion, Nothing, Run, RunInQuery, RunOrLoggedModel, Runs, Trace, TraceInPath, Traces,
};
use crate::route::Routes;

/// All routes, each under `/api/2.0` and `/ajax-api/2.0` (or 3.0 where MLflow has it).
pub fn routes(routes: Routes<App>) -> Routes<App> {
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    routes
        .api("/mlflow/experiments/create", &post, Write.of(Everything), experiments::create)
        .api("/mlflow/experiments/get", &get, Read.of(Experiment("experiment_id")), experiments::get)
        .api(
            "/mlflow/experiments/get-by-name",
            &get,
            Read.of(ExperimentNamed("experiment_name")),
            experiments::get_by_name,
        )
        .api("/mlflow/experiments/search", &post, Read.listed(), experiment_search::search)
        .api("/mlflow/experiments/search", &get, Read.listed(), experiment_search::search)
        .api("/mlflow/experiments/update", &post, Write.of(Experiment("experiment_id")), experiments::update)
        .api("/mlflow/experiments/delete", &post, Admin.of(Experiment("experiment_id")), experiments::delete)
        .api("/mlflow/experiments/restore", &post, Admin.of(Experiment("experiment_id")), experiments::restore)
        .api(
            "/mlflow/experiments/set-experiment-tag",
            &post,
            Write.of(Experiment("experiment_id")),
            experiments::set_tag,
        )
        .api(
            "/mlflow/experiments/delete-experiment-tag",
            &post,
            Write.of(Experiment("experiment_id")),
            experiments::delete_tag,
        )
        .api("/mlflow/runs/create", &post, Write.of(Experiment("experiment_id")), runs::create)
        .api("/mlflow/runs/get", &get, Read.of(Run), runs::get)
        .api("/mlflow/runs/update", &post, Write.of(Run), runs::update)
        .api("/mlflow/runs/delete", &post, Write.of(Run), runs::delete)
        .api("/mlflow/runs/restore", &post, Write.of(Run), runs::restore)
        .api("/mlflow/runs/search", &post, Read.of(Experiments("experiment_ids")), run_search::search)
        .api("/mlflow/runs/log-metric", &post, Write.of(Run), log::metric)
        .api("/mlflow/runs/log-parameter", &post, Write.of(Run), log::parameter)
        .api("/mlflow/runs/log-batch", &post, Write.of(Run), batch::batch)
        .api("/mlflow/runs/set-tag", &post, Write.of(Run), log::set_tag)
        .api("/mlflow/runs/delete-tag", &post, Write.of(Run), log::delete_tag)
        .api("/mlflow/runs/log-inputs", &post, Write.of(Run), inputs::log_inputs)
        .api("/mlflow/runs/outputs", &post, Write.of(Run), inputs::log_outputs)
        .api("/mlflow/runs/log-model", &post, Write.of(Run), inputs::log_model)
        .api("/mlflow/metrics/get-history", &get, Read.of(Run), history::history)
        .api("/mlflow/metrics/get-history-bulk-interval", &get, Read.of(Runs("run_ids")), metrics::bulk_interval)
        .api("/mlflow/artifacts/list", &get, Read.of(Run), artifacts::list)
        .api("/mlflow-artifacts/artifacts", &get, Read.of(ArtifactFolder), proxy::list)
        .api("/mlflow-artifacts/artifacts/{*path}", &get, Read.of(Artifact), proxy::download)
        .api("/mlflow-artifacts/artifacts/{*path}", &Method::PUT, Write.of(Artifact), proxy::upload)
        .api("/mlflow-artifacts/artifacts/{*path}", &delete, Write.of(Artifact), proxy::delete)
        .api("/mlflow-artifacts/mpu/create", &post, Write.of(Everything), multipart::create)
        .api("/mlflow-artifacts/mpu/create/{*path}", &post, Write.of(Artifact), multipart::create)
        .api("/mlflow-artifacts/mpu/complete", &post, Write.of(Everything), multipart::complete)
        .api("/mlflow-artifacts/mpu/complete/{*path}", &post, Write.of(Artifact), multipart::complete)
        .api("/mlflow-artifacts/mpu/abort", &post, Write.of(Everything), multipart::abort)
        .api("/mlflow-artifacts/mpu/abort/{*path}", &post, Write.of(Artifact), multipart::abort)
        .api("/mlflow-artifacts/mpu/parts/{upload_id}/{number}", &Method::PUT, Public.of(Nothing), multipart::part)
        .api("/mlflow-artifacts/presigned/{*path}", &get, Read.of(Artifact), proxy::presigned)
        .api("/mlflow/logged-models", &post, Write.of(NewLoggedModel), logged_models::create)
        .api("/mlflow/logged-models/search", &post, Read.of(Experiments("experiment_ids")), logged_model_search::search)
        .api("/mlflow/logged-models/{model_id}", &get, Read.of(LoggedModel), logged_models::get)
        .api("/mlflow/logged-models/{model_id}", &patch, Write.of(LoggedModel), logged_models::finalize)
        .api("/mlflow/logged-models/{model_id}", &delete, Write.of(LoggedModel), logged_models::delete)
        .api("/mlflow/logged-models/{model_id}/tags", &patch, Write.of(LoggedModel), logged_models::set_tags)
        .api("/mlflow/logged-models/{model_id}/tags/{key}", &delete, Write.of(LoggedModel), logged_models::delete_tag)
        .api("/mlflow/logged-models/{model_id}/params", &post, Write.of(LoggedModel), logged_models::log_params)
        .api(
            "/mlflow/logged-models/{model_id}/artifacts/directories",
            &get,
            Read.of(LoggedModel),
            artifacts::list_logged_model,
        )
        .api("/mlflow/registered-models/create", &post, Write.of(Model(&["name"])), registered_models::create)
        .api("/mlflow/registered-models/get", &get, Read.of(Model(&["name"])), registered_models::get)
        .api("/mlflow/registered-models/update", &patch, Write.of(Model(&["name"])), registered_models::update)
        .api(
            "/mlflow/registered-models/rename",
            &post,
            Admin.of(Model(&["name", "new_name"])),
            registered_models::rename,
        )
        .api("/mlflow/registered-models/delete", &delete, Admin.of(Model(&["name"])), registered_models::delete)
        .api("/mlflow/registered-models/search", &get, Read.listed(), registry_search::models)
        .api("/mlflow/registered-models/set-tag", &post, Write.of(Model(&["name"])), registered_models::set_tag)
        .api("/mlflow/registered-models/delete-tag", &delete, Write.of(Model(&["name"])), registered_models::delete_tag)
        .api("/mlflow/registered-models/alias", &post, Deploy.of(Model(&["name"])), registered_models::set_alias)
        .api("/mlflow/registered-models/alias", &get, Read.of(Model(&["name"])), registered_models::get_alias)
        .api("/mlflow/registered-models/alias", &delete, Deploy.of(Model(&["name"])), registered_models::delete_alias)
        .api(
            "/mlflow/registered-models/get-latest-versions",
            &post,
            Read.of(Model(&["name"])),
            registered_models::latest_versions,
        )
        .api(
            "/mlflow/registered-models/get-latest-versions",
            &get,
            Read.of(Model(&["name"])),
            registered_models::latest_versions,
        )
        .api("/mlflow/model-versions/create", &post, Write.of(NewVersion), versions::create)
        .api("/mlflow/model-versions/get", &get, Read.of(Model(&["name"])), versions::get)
        .api("/mlflow/model-versions/update", &patch, Write.of(Model(&["name"])), versions::update)
        .api("/mlflow/model-versions/delete", &delete, Deploy.of(Model(&["name"])), versions::delete)
        .api("/mlflow/model-versions/search", &get, Read.listed(), registry_search::versions)
        .api("/mlflow/model-versions/get-download-uri", &get, Read.of(Model(&["name"])), versions::download_uri)
        .api("/mlflow/model-versions/set-tag", &post, Write.of(Model(&["name"])), versions::set_tag)
        .api("/mlflow/model-versions/delete-tag", &delete, Write.of(Model(&["name"])), versions::delete_tag)
        .api("/mlflow/model-versions/transition-stage", &post, Deploy.of(Model(&["name"])), versions::transition_stage)
        .api3("/mlflow/traces", &post, Write.of(NewTrace), traces::start)
        .api3("/mlflow/traces/get", &get, Read.of(Trace("trace_id")), traces::read::get)
        .api3("/mlflow/traces/batchGet", &get, Read.of(Traces("trace_ids")), traces::read::batch)
        .api3("/mlflow/traces/batchGetInfos", &post, Read.of(Traces("trace_ids")), traces::read::batch_infos)
        .api3("/mlflow/traces/search", &post, Read.of(Locations), traces::search::search)
        .api3("/mlflow/traces/delete-traces", &post, Write.of(Experiment("experiment_id")), traces::delete)
        .api("/mlflow/traces/delete-traces", &post, Write.of(Experiment("experiment_id")), traces::delete)
        .api("/mlflow/traces/link-to-run", &post, Write.of(Run), traces::link_to_run)
        .api3("/mlflow/traces/{trace_id}", &get, Read.of(TraceInPath), traces::get_info)
        .api3("/mlflow/traces/{trace_id}/tags", &patch, Write.of(TraceInPath), traces::set_tag)
        .api3("/mlflow/traces/{trace_id}/tags", &delete, Write.of(TraceInPath), traces::delete_tag)
        .api("/mlflow/traces/{trace_id}/tags", &patch, Write.of(TraceInPath), traces::set_tag)
        .api("/mlflow/traces/{trace_id}/tags", &delete, Write.of(TraceInPath), traces::delete_tag)
        .at("/v1/traces", &post, Write.listed(), traces::ingest::export)
        .api3("/mlflow/server-info", &get, Read.of(Nothing), server_info::get)
        .api("/mlflow/artifacts/presigned-upload-url", &post, Write.of(RunOrLoggedModel), artifacts::presigned_upload)
        .api(
            "/mlflow/artifacts/presigned-download-url",
            &post,
            Read.of(RunOrLoggedModel),
            artifacts::presigned_download,
        )
        .at("/ajax-api/2.0/mlflow/metrics/get-history-bulk", &get, Read.of(Runs("run_id")), metrics::bulk)
        .at(
            "/ajax-api/2.0/mlflow/experiments/search-datasets",
            &post,
            Read.of(Experiments("experiment_ids")),
            inputs::search_datasets,
        )
        .at("/ajax-api/2.0/mlflow/upload-artifact", &post, Write.of(RunInQuery("run_uuid")), artifacts::upload)
        .at(
            "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
            &get,
            Read.of(LoggedModel),
            artifacts::get_of_logged_model,
        )
        .at("/get-artifact", &get, Read.of(Run), artifacts::get_of_run)
        .at("/ajax-api/2.0/mlflow/get-artifact", &get, Read.of(Run), artifacts::get_of_run)
        .at("/model-versions/get-artifact", &get, Read.of(Model(&["name"])), artifacts::get_of_version)
}
