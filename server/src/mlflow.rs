//! MLflow's REST API: tracking, registry and artifacts, as the Python client of MLflow 3.17.2 speaks it.

pub mod artifacts;
pub mod experiment_search;
pub mod experiments;
pub mod filter;
pub mod inputs;
pub mod log;
pub mod logged_model_search;
pub mod logged_models;
pub mod metrics;
pub mod names;
pub mod order;
pub mod page;
pub mod proxy;
pub mod registered_models;
pub mod registry_search;
pub mod run_load;
pub mod run_search;
pub mod runs;
pub mod server_info;
pub mod sql;
pub mod traces;
pub mod versions;

use axum::http::Method;

use crate::app::App;
use crate::auth::Permission::{Read, Write};
use crate::route::Routes;

/// All routes, each under `/api/2.0` and `/ajax-api/2.0` (or 3.0 where MLflow has it).
pub fn routes(routes: Routes<App>) -> Routes<App> {
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    routes
        .api("/mlflow/experiments/create", &post, Write, experiments::create)
        .api("/mlflow/experiments/get", &get, Read, experiments::get)
        .api("/mlflow/experiments/get-by-name", &get, Read, experiments::get_by_name)
        .api("/mlflow/experiments/search", &post, Read, experiment_search::search)
        .api("/mlflow/experiments/search", &get, Read, experiment_search::search)
        .api("/mlflow/experiments/update", &post, Write, experiments::update)
        .api("/mlflow/experiments/delete", &post, Write, experiments::delete)
        .api("/mlflow/experiments/restore", &post, Write, experiments::restore)
        .api("/mlflow/experiments/set-experiment-tag", &post, Write, experiments::set_tag)
        .api("/mlflow/experiments/delete-experiment-tag", &post, Write, experiments::delete_tag)
        .api("/mlflow/runs/create", &post, Write, runs::create)
        .api("/mlflow/runs/get", &get, Read, runs::get)
        .api("/mlflow/runs/update", &post, Write, runs::update)
        .api("/mlflow/runs/delete", &post, Write, runs::delete)
        .api("/mlflow/runs/restore", &post, Write, runs::restore)
        .api("/mlflow/runs/search", &post, Read, run_search::search)
        .api("/mlflow/runs/log-metric", &post, Write, log::metric)
        .api("/mlflow/runs/log-parameter", &post, Write, log::parameter)
        .api("/mlflow/runs/log-batch", &post, Write, log::batch)
        .api("/mlflow/runs/set-tag", &post, Write, log::set_tag)
        .api("/mlflow/runs/delete-tag", &post, Write, log::delete_tag)
        .api("/mlflow/runs/log-inputs", &post, Write, inputs::log_inputs)
        .api("/mlflow/runs/outputs", &post, Write, inputs::log_outputs)
        .api("/mlflow/runs/log-model", &post, Write, inputs::log_model)
        .api("/mlflow/metrics/get-history", &get, Read, metrics::history)
        .api("/mlflow/metrics/get-history-bulk-interval", &get, Read, metrics::bulk_interval)
        .api("/mlflow/artifacts/list", &get, Read, artifacts::list)
        .api("/mlflow-artifacts/artifacts", &get, Read, proxy::list)
        .api("/mlflow-artifacts/artifacts/{*path}", &get, Read, proxy::download)
        .api("/mlflow-artifacts/artifacts/{*path}", &Method::PUT, Write, proxy::upload)
        .api("/mlflow-artifacts/artifacts/{*path}", &delete, Write, proxy::delete)
        .api("/mlflow-artifacts/mpu/{action}/{*path}", &post, Write, proxy::multipart)
        .api("/mlflow-artifacts/presigned/{*path}", &get, Read, proxy::presigned)
        .api("/mlflow/logged-models", &post, Write, logged_models::create)
        .api("/mlflow/logged-models/search", &post, Read, logged_model_search::search)
        .api("/mlflow/logged-models/{model_id}", &get, Read, logged_models::get)
        .api("/mlflow/logged-models/{model_id}", &patch, Write, logged_models::finalize)
        .api("/mlflow/logged-models/{model_id}", &delete, Write, logged_models::delete)
        .api("/mlflow/logged-models/{model_id}/tags", &patch, Write, logged_models::set_tags)
        .api("/mlflow/logged-models/{model_id}/tags/{key}", &delete, Write, logged_models::delete_tag)
        .api("/mlflow/logged-models/{model_id}/params", &post, Write, logged_models::log_params)
        .api("/mlflow/logged-models/{model_id}/artifacts/directories", &get, Read, artifacts::list_logged_model)
        .api("/mlflow/registered-models/create", &post, Write, registered_models::create)
        .api("/mlflow/registered-models/get", &get, Read, registered_models::get)
        .api("/mlflow/registered-models/update", &patch, Write, registered_models::update)
        .api("/mlflow/registered-models/rename", &post, Write, registered_models::rename)
        .api("/mlflow/registered-models/delete", &delete, Write, registered_models::delete)
        .api("/mlflow/registered-models/search", &get, Read, registry_search::models)
        .api("/mlflow/registered-models/set-tag", &post, Write, registered_models::set_tag)
        .api("/mlflow/registered-models/delete-tag", &delete, Write, registered_models::delete_tag)
        .api("/mlflow/registered-models/alias", &post, Write, registered_models::set_alias)
        .api("/mlflow/registered-models/alias", &get, Read, registered_models::get_alias)
        .api("/mlflow/registered-models/alias", &delete, Write, registered_models::delete_alias)
        .api("/mlflow/registered-models/get-latest-versions", &post, Read, registered_models::latest_versions)
        .api("/mlflow/registered-models/get-latest-versions", &get, Read, registered_models::latest_versions)
        .api("/mlflow/model-versions/create", &post, Write, versions::create)
        .api("/mlflow/model-versions/get", &get, Read, versions::get)
        .api("/mlflow/model-versions/update", &patch, Write, versions::update)
        .api("/mlflow/model-versions/delete", &delete, Write, versions::delete)
        .api("/mlflow/model-versions/search", &get, Read, registry_search::versions)
        .api("/mlflow/model-versions/get-download-uri", &get, Read, versions::download_uri)
        .api("/mlflow/model-versions/set-tag", &post, Write, versions::set_tag)
        .api("/mlflow/model-versions/delete-tag", &delete, Write, versions::delete_tag)
        .api("/mlflow/model-versions/transition-stage", &post, Write, versions::transition_stage)
        .api3("/mlflow/traces", &post, Write, traces::start)
        .api3("/mlflow/traces/get", &get, Read, traces::get)
        .api3("/mlflow/traces/batchGet", &get, Read, traces::batch)
        .api3("/mlflow/traces/batchGetInfos", &post, Read, traces::batch_infos)
        .api3("/mlflow/traces/search", &post, Read, traces::search::search)
        .api3("/mlflow/traces/delete-traces", &post, Write, traces::delete)
        .api("/mlflow/traces/delete-traces", &post, Write, traces::delete)
        .api("/mlflow/traces/link-to-run", &post, Write, traces::link_to_run)
        .api3("/mlflow/traces/{trace_id}", &get, Read, traces::get_info)
        .api3("/mlflow/traces/{trace_id}/tags", &patch, Write, traces::set_tag)
        .api3("/mlflow/traces/{trace_id}/tags", &delete, Write, traces::delete_tag)
        .api("/mlflow/traces/{trace_id}/tags", &patch, Write, traces::set_tag)
        .api("/mlflow/traces/{trace_id}/tags", &delete, Write, traces::delete_tag)
        .at("/v1/traces", &post, Write, traces::ingest::export)
        .api3("/mlflow/server-info", &get, Read, server_info::get)
        .api("/mlflow/artifacts/presigned-upload-url", &post, Write, artifacts::presigned)
        .api("/mlflow/artifacts/presigned-download-url", &post, Read, artifacts::presigned)
        .at("/ajax-api/2.0/mlflow/metrics/get-history-bulk", &get, Read, metrics::bulk)
        .at("/ajax-api/2.0/mlflow/experiments/search-datasets", &post, Read, inputs::search_datasets)
        .at("/ajax-api/2.0/mlflow/upload-artifact", &post, Write, artifacts::upload)
        .at("/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files", &get, Read, artifacts::get_of_logged_model)
        .at("/get-artifact", &get, Read, artifacts::get_of_run)
        .at("/ajax-api/2.0/mlflow/get-artifact", &get, Read, artifacts::get_of_run)
        .at("/model-versions/get-artifact", &get, Read, artifacts::get_of_version)
}
