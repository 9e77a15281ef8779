-- Written for SQLite and PostgreSQL alike, but for the key of `sighting`.
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
    score       INTEGER NOT NULL,
    -- The sighting as JSON, checked when it came in.
    data        TEXT    NOT NULL
);
CREATE INDEX sighting_by_typology ON sighting (typology, id);
CREATE INDEX sighting_by_verdict ON sighting (verdict, id);
CREATE INDEX sighting_by_agent ON sighting (member, agent, id);
CREATE INDEX sighting_by_time ON sighting (time_ms);

CREATE TABLE indicator (
    value    TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    origin   TEXT   NOT NULL,
    sighting TEXT   NOT NULL REFERENCES sighting (id),
    PRIMARY KEY (value, kind, sighting)
);
CREATE INDEX indicator_by_sighting ON indicator (sighting);

CREATE TABLE agent (
    member      TEXT   NOT NULL,
    agent       TEXT   NOT NULL,
    received_ms BIGINT NOT NULL,
    -- The status as JSON, checked when it came in.
    status      TEXT   NOT NULL,
    PRIMARY KEY (member, agent)
);
