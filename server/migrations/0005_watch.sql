-- Watching: late labels, alarms, and notices on their way out.

-- Labels as counts, by what the prediction's id says: `day` is the day of the prediction (UTC, milliseconds since
-- 1970), `bin`, `class` and `label` are positions, -1 for none. Numbers have sums of errors instead of a label.
CREATE TABLE labels (
    name     TEXT NOT NULL,
    version  BIGINT NOT NULL,
    day      BIGINT NOT NULL,
    origin   TEXT NOT NULL,
    bin      BIGINT NOT NULL,
    class    BIGINT NOT NULL,
    label    BIGINT NOT NULL,
    count    BIGINT NOT NULL,
    absolute DOUBLE PRECISION NOT NULL,
    squared  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (name, version, day, origin, bin, class, label),
    FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;

-- Nonces of predictions that have a label, so that each counts once. They go when ids of their age are refused.
CREATE TABLE labelled (
    module TEXT NOT NULL,
    nonce  BIGINT NOT NULL,
    minute BIGINT NOT NULL,
    PRIMARY KEY (module, nonce)
) WITHOUT ROWID;
CREATE INDEX labelled_by_age ON labelled (minute);

-- The last evaluation of each watched version (contract's `Alarm` as JSON). `notified` is 1 while the last notice
-- says that it fires; `logged` is the start of the last window whose figures went to the run.
CREATE TABLE alarms (
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    evaluation TEXT NOT NULL,
    notified   INTEGER NOT NULL,
    logged     BIGINT NOT NULL,
    PRIMARY KEY (name, version),
    FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;

-- Notices that the webhook has not taken yet; those of one version leave in the order of `at`.
CREATE TABLE notices (
    id       TEXT NOT NULL PRIMARY KEY,
    name     TEXT NOT NULL,
    version  BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    body     TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at  BIGINT NOT NULL
) WITHOUT ROWID;

-- What the server made up once for itself, such as the key of prediction ids.
CREATE TABLE settings (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
