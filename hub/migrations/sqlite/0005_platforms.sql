-- What other platforms are given.

-- When it was first shared: what doesn't change while its state does.
ALTER TABLE shared ADD COLUMN created_ms BIGINT NOT NULL DEFAULT 0;
UPDATE shared SET created_ms = changed_ms;
CREATE INDEX shared_by_change ON shared (changed_ms);

-- Ids that were handed out, and what they stand for: they are digests.
CREATE TABLE object_id (
    id       TEXT   PRIMARY KEY,
    -- shared or known.
    family   TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    value    TEXT   NOT NULL,
    -- Empty for shared.
    typology TEXT   NOT NULL,
    told_ms  BIGINT NOT NULL
);

-- What came of requests to add objects; kept for a day.
CREATE TABLE taxii_status (
    id     TEXT   PRIMARY KEY,
    caller TEXT   NOT NULL,
    at_ms  BIGINT NOT NULL,
    data   TEXT   NOT NULL
);
CREATE INDEX taxii_status_by_time ON taxii_status (at_ms);
