-- The newest cumulative counters of each instance whose only way out is a log: what a later one
-- counts beyond them is new. Old instances are swept.
CREATE TABLE snapshots (
    instance      TEXT NOT NULL,
    module_sha256 TEXT NOT NULL,
    sequence      BIGINT NOT NULL,
    counters      TEXT NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (instance, module_sha256)
) WITHOUT ROWID;
CREATE INDEX snapshots_by_age ON snapshots (at);
