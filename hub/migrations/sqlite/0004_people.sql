-- What people work on: clues, appeals, reports, rules that are being written.

-- An indicator that somebody should decide about; one row each, whoever brings it.
CREATE TABLE clue (
    -- UUIDv7.
    id         TEXT   PRIMARY KEY,
    kind       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    typology   TEXT   NOT NULL,
    -- open, assigned, accepted, rejected or merged.
    state      TEXT   NOT NULL,
    -- 1 while it waits for a decision (open, assigned), 0 afterwards.
    active     BIGINT NOT NULL,
    -- seen, report, import or manual: what brought it first.
    source     TEXT   NOT NULL,
    -- The feed, the institution or the person that it is from.
    origin     TEXT   NOT NULL,
    -- Empty for nobody.
    assignee   TEXT   NOT NULL,
    -- Id of the clue that it was merged into; empty otherwise.
    merged     TEXT   NOT NULL,
    -- What it became: indicator or rule; empty otherwise.
    outcome    TEXT   NOT NULL,
    -- How sure whoever brought it is, 0 to 100.
    confidence BIGINT NOT NULL,
    -- What was known of it when it was last looked at.
    members    BIGINT NOT NULL,
    hits       BIGINT NOT NULL,
    last_ms    BIGINT NOT NULL,
    -- The order of the queue.
    harm       BIGINT NOT NULL,
    opened_ms  BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL,
    UNIQUE (kind, value)
);
CREATE INDEX clue_by_harm ON clue (active, harm, id);
CREATE INDEX clue_by_state ON clue (state, changed_ms);
CREATE INDEX clue_by_merged ON clue (merged);

-- What people say about a clue or an appeal.
CREATE TABLE remark (
    -- UUIDv7: their order.
    id      TEXT   PRIMARY KEY,
    -- Id of the clue or the appeal.
    subject TEXT   NOT NULL,
    author  TEXT   NOT NULL,
    at_ms   BIGINT NOT NULL,
    text    TEXT   NOT NULL
);
CREATE INDEX remark_by_subject ON remark (subject, id);

-- Somebody says that they were blocked by mistake.
CREATE TABLE appeal (
    -- UUIDv7.
    id           TEXT   PRIMARY KEY,
    sighting     TEXT   NOT NULL,
    member       TEXT   NOT NULL,
    agent        TEXT   NOT NULL,
    -- The blocked sender as kind:value; empty where none is known.
    about        TEXT   NOT NULL,
    typology     TEXT   NOT NULL,
    judged_ms    BIGINT NOT NULL,
    -- The sighting as JSON: it may be gone before the appeal is answered.
    data         TEXT   NOT NULL,
    -- sender, recipient or member: who appeals.
    side         TEXT   NOT NULL,
    -- In their words, longer numbers masked.
    statement    TEXT   NOT NULL,
    -- open, upheld or rejected.
    state        TEXT   NOT NULL,
    -- Earlier appeals of the same sender that were found in bad faith: those wait longer, and behind the others.
    standing     BIGINT NOT NULL,
    -- 1 where this one was.
    bad_faith    BIGINT NOT NULL,
    -- What the one who appealed is told.
    answer       TEXT   NOT NULL,
    answered_by  TEXT   NOT NULL,
    opened_ms    BIGINT NOT NULL,
    due_ms       BIGINT NOT NULL,
    -- 0 while it isn't.
    escalated_ms BIGINT NOT NULL,
    closed_ms    BIGINT NOT NULL
);
CREATE INDEX appeal_by_state ON appeal (state, standing, due_ms);
CREATE INDEX appeal_by_sighting ON appeal (sighting);
CREATE INDEX appeal_by_about ON appeal (about, bad_faith);
CREATE INDEX appeal_by_closed ON appeal (closed_ms);

-- Appeals that were upheld speak against the indicators that they are about.
CREATE TABLE dispute (
    kind   TEXT   NOT NULL,
    value  TEXT   NOT NULL,
    appeal TEXT   NOT NULL,
    at_ms  BIGINT NOT NULL,
    PRIMARY KEY (kind, value, appeal)
) WITHOUT ROWID;

-- Sightings by day (since the Unix epoch, UTC), institution, typology and verdict: stays when they go.
CREATE TABLE tally_day (
    day      BIGINT NOT NULL,
    member   TEXT   NOT NULL,
    typology TEXT   NOT NULL,
    verdict  TEXT   NOT NULL,
    hits     BIGINT NOT NULL,
    PRIMARY KEY (day, member, typology, verdict)
) WITHOUT ROWID;
INSERT INTO tally_day (day, member, typology, verdict, hits)
    SELECT time_ms / 86400000, member, typology, verdict, COUNT(*) FROM sighting GROUP BY 1, 2, 3, 4;

-- Rules that are written in the console, beside those in the configuration's folders.
CREATE TABLE rule_draft (
    -- Its file name without the ending.
    name         TEXT   PRIMARY KEY,
    -- The channel it is for; empty for all.
    channel      TEXT   NOT NULL,
    text         TEXT   NOT NULL,
    author       TEXT   NOT NULL,
    -- The clue it comes from; empty otherwise.
    clue         TEXT   NOT NULL,
    changed_ms   BIGINT NOT NULL,
    -- Digest of the text and the rules whose difference was last shown; empty before.
    shown        TEXT   NOT NULL,
    -- What every pack has; empty while it isn't published.
    published    TEXT   NOT NULL,
    published_by TEXT   NOT NULL,
    published_ms BIGINT NOT NULL
);
