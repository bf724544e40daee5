-- Logged models: MLflow 3's entity for the files of one model, before anybody registers it.

CREATE TABLE logged_models (
    model_id          TEXT NOT NULL PRIMARY KEY,
    experiment_id     BIGINT NOT NULL REFERENCES experiments (experiment_id),
    name              TEXT NOT NULL,
    artifact_location TEXT NOT NULL,
    creation_time     BIGINT NOT NULL,
    last_updated_time BIGINT NOT NULL,
    status            TEXT NOT NULL,
    status_message    TEXT,
    model_type        TEXT,
    source_run_id     TEXT,
    lifecycle_stage   TEXT NOT NULL
);
CREATE INDEX logged_models_newest ON logged_models (experiment_id, lifecycle_stage, creation_time DESC);

CREATE TABLE logged_model_params (
    model_id TEXT NOT NULL,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (model_id, key)
) WITHOUT ROWID;

CREATE TABLE logged_model_tags (
    model_id TEXT NOT NULL,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (model_id, key)
) WITHOUT ROWID;

-- Last value of a metric that a run logged for a model, by data set ('' without one).
CREATE TABLE logged_model_metrics (
    model_id       TEXT NOT NULL,
    key            TEXT NOT NULL,
    run_id         TEXT NOT NULL,
    dataset_name   TEXT NOT NULL,
    dataset_digest TEXT NOT NULL,
    value          DOUBLE PRECISION NOT NULL,
    is_nan         INTEGER NOT NULL,
    timestamp      BIGINT NOT NULL,
    step           BIGINT NOT NULL,
    PRIMARY KEY (model_id, key, run_id, dataset_name, dataset_digest)
) WITHOUT ROWID;
