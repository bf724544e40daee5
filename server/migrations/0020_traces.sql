-- Traces: what one request did, as a tree of spans.

-- `finalized` is 1 once a client said how it ended; until then times and state follow the spans.
CREATE TABLE traces (
    trace_id           TEXT NOT NULL PRIMARY KEY,
    experiment_id      BIGINT NOT NULL REFERENCES experiments (experiment_id),
    request_time       BIGINT NOT NULL,
    execution_duration BIGINT,
    state              TEXT NOT NULL,
    client_request_id  TEXT,
    request_preview    TEXT,
    response_preview   TEXT,
    finalized          INTEGER NOT NULL
);
CREATE INDEX traces_newest ON traces (experiment_id, request_time DESC, trace_id);

CREATE TABLE trace_tags (
    trace_id TEXT NOT NULL,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (trace_id, key)
) WITHOUT ROWID;

CREATE TABLE trace_metadata (
    trace_id TEXT NOT NULL,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (trace_id, key)
) WITHOUT ROWID;

-- Runs that traces were linked to later; the run in which one began is in its metadata.
CREATE TABLE trace_runs (
    trace_id TEXT NOT NULL,
    run_uuid TEXT NOT NULL,
    PRIMARY KEY (trace_id, run_uuid)
) WITHOUT ROWID;
CREATE INDEX trace_runs_of ON trace_runs (run_uuid);

-- `content` is OTLP's span in protobuf's JSON, as it is given back; the other columns are read from it.
-- `root` is 1 for a span without a parent; `start_ns` is nanoseconds since 1970.
CREATE TABLE spans (
    trace_id TEXT NOT NULL,
    span_id  TEXT NOT NULL,
    root     INTEGER NOT NULL,
    name     TEXT NOT NULL,
    type     TEXT NOT NULL,
    status   TEXT NOT NULL,
    start_ns BIGINT NOT NULL,
    content  TEXT NOT NULL,
    PRIMARY KEY (trace_id, span_id)
);
