-- Production: the module of each version, and what hosts counted with it.

-- `state` is 'waiting', 'ready' or 'failed'; `error` is the compiler's sentence.
-- The bytes lie in the artifact store under their sha256; `manifest` and `profile` are JSON.
CREATE TABLE modules (
    name         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    state        TEXT NOT NULL,
    error        TEXT,
    sha256       TEXT,
    edges_sha256 TEXT,
    bytes        BIGINT,
    onnx_sha256  TEXT,
    compiler     TEXT,
    manifest     TEXT,
    profile      TEXT,
    PRIMARY KEY (name, version),
    FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX modules_by_sha256 ON modules (sha256);
-- A file compiled once is not compiled again by the same compiler.
CREATE INDEX modules_by_onnx ON modules (onnx_sha256, compiler);

-- Merged counters (contract's `Counters` as JSON) of one minute, milliseconds since 1970.
-- Predictions and errors stand beside them so that lists need not read the JSON.
CREATE TABLE windows (
    name        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    minute      BIGINT NOT NULL,
    origin      TEXT NOT NULL,
    host        TEXT NOT NULL,
    predictions BIGINT NOT NULL,
    errors      BIGINT NOT NULL,
    counters    TEXT NOT NULL,
    PRIMARY KEY (name, version, minute, origin, host),
    FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX windows_by_minute ON windows (minute, name, origin, predictions, errors);

-- Idempotency keys of flushes already counted; old ones are swept.
CREATE TABLE flushes (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX flushes_by_age ON flushes (at);
