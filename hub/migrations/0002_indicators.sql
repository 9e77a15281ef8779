-- Sightings added up on arrival: storage grows with indicators, not with hits. Only sightings with evidence of their own
-- count here: one that was stopped for a shared indicator alone says nothing new about it.
CREATE TABLE observed (
    kind     TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    typology TEXT    NOT NULL,
    member   TEXT    NOT NULL,
    -- Days since the Unix epoch, UTC.
    day      BIGINT  NOT NULL,
    hits     BIGINT  NOT NULL,
    -- By the hub's clock, milliseconds since the Unix epoch: an agent's may be wrong.
    first_ms BIGINT  NOT NULL,
    last_ms  BIGINT  NOT NULL,
    PRIMARY KEY (kind, value, typology, member, day)
);
CREATE INDEX observed_by_last ON observed (last_ms);

-- What is enforced at every member, and what was taken back.
CREATE TABLE shared (
    kind       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    typology   TEXT   NOT NULL,
    -- enforced, expired or retracted.
    state      TEXT   NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (kind, value)
);

CREATE TABLE retracted_rule (
    id         TEXT   PRIMARY KEY,
    changed_ms BIGINT NOT NULL
);

-- The last serial and the last sequence that were given out; they only rise.
CREATE TABLE given_out (
    name   TEXT   PRIMARY KEY,
    number BIGINT NOT NULL
);
