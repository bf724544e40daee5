-- Accounts: tokens, what each is limited to, and the sessions of people who signed in.
--
-- Only the MAC of a secret is kept. `limited` is said aloud, so that a token whose last experiment is gone does not
-- become one for everything.

CREATE TABLE tokens (
    id      TEXT NOT NULL PRIMARY KEY,
    mac     TEXT NOT NULL,
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL,
    role    TEXT NOT NULL,
    limited INTEGER NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT,
    used    BIGINT,
    parent  TEXT REFERENCES tokens (id) ON DELETE CASCADE
);

CREATE TABLE token_experiments (
    token         TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    experiment_id BIGINT NOT NULL REFERENCES experiments (experiment_id) ON DELETE CASCADE,
    PRIMARY KEY (token, experiment_id)
) WITHOUT ROWID;
CREATE INDEX token_experiments_by_experiment ON token_experiments (experiment_id);

-- By name: a token may be given before the model is there.
CREATE TABLE token_models (
    token TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    name  TEXT NOT NULL,
    PRIMARY KEY (token, name)
) WITHOUT ROWID;
