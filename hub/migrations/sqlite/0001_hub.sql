CREATE TABLE sighting (
    -- The order of arrival: what live streams follow.
    arrival     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- UUIDv7 as text: its order is the order of the agents' clocks.
    id          TEXT    NOT NULL UNIQUE,
    member      TEXT    NOT NULL,
    agent       TEXT    NOT NULL,
    time_ms     BIGINT  NOT NULL,
    received_ms BIGINT  NOT NULL,
    verdict     TEXT    NOT NULL,
    typology    TEXT    NOT NULL,
    score       BIGINT  NOT NULL,
    -- The sighting as JSON, checked when it came in.
    data        TEXT    NOT NULL
);
CREATE INDEX sighting_by_typology ON sighting (typology, id);
CREATE INDEX sighting_by_verdict ON sighting (verdict, id);
CREATE INDEX sighting_by_agent ON sighting (member, agent, id);
CREATE INDEX sighting_by_time ON sighting (time_ms);

-- Which sightings name a value; goes with them.
CREATE TABLE mention (
    value    TEXT NOT NULL,
    sighting TEXT NOT NULL,
    PRIMARY KEY (value, sighting)
) WITHOUT ROWID;

-- Sightings by typology and hour (since the Unix epoch, UTC) of their verdict: stays when they go.
CREATE TABLE tally (
    typology TEXT   NOT NULL,
    hour     BIGINT NOT NULL,
    hits     BIGINT NOT NULL,
    PRIMARY KEY (hour, typology)
) WITHOUT ROWID;

-- Sightings added up on arrival: storage grows with indicators, not with hits. Only sightings with evidence of their own
-- count here and in known: one that was stopped for a shared indicator alone says nothing new about it.
CREATE TABLE observed (
    kind     TEXT   NOT NULL,
    value    TEXT   NOT NULL,
    typology TEXT   NOT NULL,
    member   TEXT   NOT NULL,
    -- Days since the Unix epoch, UTC.
    day      BIGINT NOT NULL,
    hits     BIGINT NOT NULL,
    -- By the hub's clock, milliseconds since the Unix epoch: an agent's may be wrong.
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    PRIMARY KEY (kind, value, typology, member, day)
) WITHOUT ROWID;

-- The same over all members and days.
CREATE TABLE known (
    kind     TEXT   NOT NULL,
    value    TEXT   NOT NULL,
    typology TEXT   NOT NULL,
    -- Different ones within the lifetime before last_ms.
    members  BIGINT NOT NULL,
    hits     BIGINT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    PRIMARY KEY (kind, value, typology)
) WITHOUT ROWID;
CREATE INDEX known_by_last ON known (last_ms);
CREATE INDEX known_by_members ON known (members, last_ms);

-- What is enforced at every member, and what was taken back.
CREATE TABLE shared (
    kind       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    typology   TEXT   NOT NULL,
    -- enforced, expired or retracted.
    state      TEXT   NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (kind, value)
) WITHOUT ROWID;
CREATE INDEX shared_by_state ON shared (state, changed_ms);

CREATE TABLE retracted_rule (
    id         TEXT   PRIMARY KEY,
    changed_ms BIGINT NOT NULL
);

-- The last serial and the last sequence that were given out; they only rise.
CREATE TABLE given_out (
    name   TEXT   PRIMARY KEY,
    number BIGINT NOT NULL
);

CREATE TABLE agent (
    member      TEXT   NOT NULL,
    agent       TEXT   NOT NULL,
    received_ms BIGINT NOT NULL,
    -- The status as JSON, checked when it came in.
    status      TEXT   NOT NULL,
    PRIMARY KEY (member, agent)
);
