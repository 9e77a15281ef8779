-- Who may say what: institutions, their agents' keys and certificates.
CREATE TABLE member (
    id       TEXT   PRIMARY KEY,
    added_ms BIGINT NOT NULL
);

CREATE TABLE enrolled (
    member      TEXT   NOT NULL,
    agent       TEXT   NOT NULL,
    -- Ed25519, in hexadecimal: what the agent's messages are signed by.
    public_key  TEXT   NOT NULL,
    enrolled_ms BIGINT NOT NULL,
    -- 0 while it isn't revoked.
    revoked_ms  BIGINT NOT NULL,
    PRIMARY KEY (member, agent)
);

-- Tokens that may enrol an agent once, by their SHA-256.
CREATE TABLE invitation (
    hash       TEXT   PRIMARY KEY,
    member     TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    expires_ms BIGINT NOT NULL,
    -- 0 until it is used.
    used_ms    BIGINT NOT NULL
);

CREATE TABLE certificate (
    -- In hexadecimal.
    serial       TEXT   PRIMARY KEY,
    member       TEXT   NOT NULL,
    agent        TEXT   NOT NULL,
    issued_ms    BIGINT NOT NULL,
    not_after_ms BIGINT NOT NULL,
    -- 0 while it isn't revoked.
    revoked_ms   BIGINT NOT NULL
);
CREATE INDEX certificate_by_agent ON certificate (member, agent);

-- Messages that were refused, added up.
CREATE TABLE refusal (
    member   TEXT   NOT NULL,
    agent    TEXT   NOT NULL,
    reason   TEXT   NOT NULL,
    count    BIGINT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    PRIMARY KEY (member, agent, reason)
);

-- People, and programs with a token.
CREATE TABLE person (
    name        TEXT   PRIMARY KEY,
    role        TEXT   NOT NULL,
    -- Empty but for a member's analyst.
    member      TEXT   NOT NULL,
    -- Argon2id in PHC's form.
    password    TEXT   NOT NULL,
    -- Base32; empty without a second factor.
    totp        TEXT   NOT NULL,
    -- The last step of 30 s whose code was taken: none is taken twice.
    totp_step   BIGINT NOT NULL,
    -- SHA-256 of each recovery code that is left, joined by spaces.
    recovery    TEXT   NOT NULL,
    added_ms    BIGINT NOT NULL,
    -- 0 while it isn't.
    disabled_ms BIGINT NOT NULL,
    failures    BIGINT NOT NULL,
    locked_ms   BIGINT NOT NULL
);

-- By the SHA-256 of what the browser holds.
CREATE TABLE session (
    hash       TEXT   PRIMARY KEY,
    person     TEXT   NOT NULL,
    started_ms BIGINT NOT NULL,
    seen_ms    BIGINT NOT NULL
);
CREATE INDEX session_by_person ON session (person);

CREATE TABLE access_token (
    hash       TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    role       TEXT   NOT NULL,
    member     TEXT   NOT NULL,
    added_ms   BIGINT NOT NULL
);

-- What was done, by whom: each row's hash covers the one before it.
CREATE TABLE audit (
    seq     BIGINT PRIMARY KEY,
    at_ms   BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    hash    TEXT   NOT NULL
);
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to';
END
$$;
CREATE TRIGGER audit_not_changed BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
