-- Times are whole microseconds since 1970 in UTC: exact, ordered, the same in every database.
-- A BLOB named *_index is a keyed index; every other BLOB is sealed for its table, row and column.

CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    contact TEXT NOT NULL,
    method TEXT NOT NULL,
    status TEXT NOT NULL,
    match_code TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    token_index BLOB NOT NULL UNIQUE,
    secrets BLOB NOT NULL,
    reason TEXT,
    fading INTEGER NOT NULL CHECK (fading IN (0, 1))
) STRICT;

-- One live attempt per account.
CREATE UNIQUE INDEX attempts_live ON attempts (account)
    WHERE status IN ('reserved', 'waiting', 'opened', 'confirming');

CREATE INDEX attempts_due ON attempts (expires_at)
    WHERE status IN ('reserved', 'waiting', 'opened', 'confirming');

CREATE INDEX attempts_account ON attempts (account);

CREATE INDEX attempts_contact ON attempts (contact, created_at);

-- Three accounts per ID number, one place per account. No foreign key: a place outlives its attempt.
CREATE TABLE places (
    identity_index BLOB NOT NULL,
    slot INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 3),
    account TEXT NOT NULL UNIQUE,
    attempt TEXT NOT NULL,
    method TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (identity_index, slot)
) STRICT;

-- AUTOINCREMENT: an id is never used again, so settling an old notice late cannot settle a new one.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contact TEXT NOT NULL,
    news TEXT NOT NULL,
    attempt TEXT NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    account TEXT NOT NULL,
    method TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    expires_at INTEGER NOT NULL,
    posted_at INTEGER NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0,
    settled INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1))
) STRICT;

CREATE INDEX notices_open ON notices (contact, id) WHERE settled = 0;

CREATE INDEX notices_settled ON notices (posted_at) WHERE settled = 1;

CREATE INDEX notices_attempt ON notices (attempt);

CREATE TABLE dialogues (
    person TEXT PRIMARY KEY,
    text BLOB NOT NULL,
    language TEXT,
    revision INTEGER NOT NULL,
    shown INTEGER NOT NULL DEFAULT 0,
    panel BLOB,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX dialogues_owed ON dialogues (changed_at) WHERE shown < revision;

CREATE TABLE consents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    language TEXT NOT NULL,
    agreed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX consents_person ON consents (person, id);

CREATE TABLE litter (
    person TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    PRIMARY KEY (person, message_id)
) STRICT;

CREATE INDEX litter_written ON litter (written_at);

CREATE TABLE seen_events (
    event_id TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE INDEX seen_events_seen ON seen_events (seen_at);

CREATE TABLE dead_updates (
    event_id TEXT PRIMARY KEY,
    raw BLOB NOT NULL,
    buried_at INTEGER NOT NULL
) STRICT;

CREATE INDEX dead_updates_buried ON dead_updates (buried_at);

-- What shows whether the keys at hand belong to this database.
CREATE TABLE key_checks (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
