-- The last packs of each channel, so that an earlier one can be published again.
CREATE TABLE pack (
    channel    TEXT COLLATE "C" NOT NULL,
    serial     BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    -- Digest of what it has beside the shared lists: the rules.
    base       TEXT COLLATE "C" NOT NULL,
    -- offered, or withdrawn by a rollback.
    state      TEXT COLLATE "C" NOT NULL,
    -- So many of 10,000 agents take it.
    share      BIGINT NOT NULL,
    bytes      BYTEA NOT NULL,
    PRIMARY KEY (channel, serial)
);
