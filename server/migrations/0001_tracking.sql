-- Tracking: experiments, runs and what a run logs.
--
-- Times are milliseconds since 1970 (UTC), booleans are 0 and 1, so that every column has the same
-- type in SQLite and in PostgreSQL. Ids of runs and metric names are small integers inside; the
-- outside sees `run_uuid` and the name. Why this layout: BENCH.md.

CREATE TABLE experiments (
    experiment_id     INTEGER PRIMARY KEY,
    name              TEXT NOT NULL UNIQUE,
    artifact_location TEXT NOT NULL,
    lifecycle_stage   TEXT NOT NULL,
    creation_time     BIGINT NOT NULL,
    last_update_time  BIGINT NOT NULL
);

CREATE TABLE experiment_tags (
    experiment_id BIGINT NOT NULL REFERENCES experiments (experiment_id),
    key           TEXT NOT NULL,
    value         TEXT NOT NULL,
    PRIMARY KEY (experiment_id, key)
) WITHOUT ROWID;

CREATE TABLE runs (
    id              INTEGER PRIMARY KEY,
    run_uuid        TEXT NOT NULL UNIQUE,
    experiment_id   BIGINT NOT NULL REFERENCES experiments (experiment_id),
    name            TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    status          TEXT NOT NULL,
    start_time      BIGINT NOT NULL,
    end_time        BIGINT,
    deleted_time    BIGINT,
    artifact_uri    TEXT NOT NULL,
    lifecycle_stage TEXT NOT NULL
);
CREATE INDEX runs_newest ON runs (experiment_id, lifecycle_stage, start_time DESC, run_uuid);

CREATE TABLE metric_keys (
    id  INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE
);

-- Every point. The primary key is the order of a history, so reading one is a single range, and a
-- point sent twice is the same row.
CREATE TABLE metrics (
    run       BIGINT NOT NULL,
    key       BIGINT NOT NULL,
    timestamp BIGINT NOT NULL,
    step      BIGINT NOT NULL,
    value     DOUBLE PRECISION NOT NULL,
    is_nan    INTEGER NOT NULL,
    PRIMARY KEY (run, key, timestamp, step, value, is_nan)
) WITHOUT ROWID;

-- The point of greatest (step, timestamp, value): what lists and searches look at.
CREATE TABLE latest_metrics (
    run       BIGINT NOT NULL,
    key       BIGINT NOT NULL,
    value     DOUBLE PRECISION NOT NULL,
    is_nan    INTEGER NOT NULL,
    step      BIGINT NOT NULL,
    timestamp BIGINT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX latest_metrics_by_value ON latest_metrics (key, is_nan, value);

CREATE TABLE params (
    run   BIGINT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;

CREATE TABLE tags (
    run   BIGINT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;

-- Data sets that runs read.
CREATE TABLE datasets (
    id            INTEGER PRIMARY KEY,
    experiment_id BIGINT NOT NULL,
    name          TEXT NOT NULL,
    digest        TEXT NOT NULL,
    source_type   TEXT NOT NULL,
    source        TEXT NOT NULL,
    schema        TEXT,
    profile       TEXT,
    UNIQUE (experiment_id, name, digest)
);

CREATE TABLE run_datasets (
    run     BIGINT NOT NULL,
    dataset BIGINT NOT NULL,
    PRIMARY KEY (run, dataset)
) WITHOUT ROWID;

CREATE TABLE run_dataset_tags (
    run     BIGINT NOT NULL,
    dataset BIGINT NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (run, dataset, key)
) WITHOUT ROWID;

-- Logged models that runs read (`direction` = 'input') or made ('output', with the step).
CREATE TABLE run_models (
    run       BIGINT NOT NULL,
    direction TEXT NOT NULL,
    model_id  TEXT NOT NULL,
    step      BIGINT NOT NULL,
    PRIMARY KEY (run, direction, model_id)
) WITHOUT ROWID;
