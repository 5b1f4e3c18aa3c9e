-- What support needs. A link's token is not kept: it is its id with a signature.
CREATE TABLE links (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    campaign TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    method TEXT,
    language TEXT,
    person TEXT,
    opened_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE INDEX links_made ON links (made_at);

CREATE INDEX links_account ON links (account);

CREATE INDEX links_campaign ON links (campaign, made_at);

CREATE INDEX links_person ON links (person, account);

CREATE INDEX attempts_created ON attempts (created_at);

-- Who used the desk, for what.
CREATE TABLE uses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    used_at INTEGER NOT NULL
) STRICT;

CREATE INDEX uses_at ON uses (used_at);

-- How many came how far. A method of '' is all ways together, a reason of '' a step that was reached, and a step of ''
-- an attempt that failed. The day stands last in the keys: summing up any days then needs no sorting.
CREATE TABLE funnel (
    day TEXT NOT NULL,
    campaign TEXT NOT NULL,
    language TEXT NOT NULL,
    method TEXT NOT NULL,
    step TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (campaign, language, step, method, reason, day)
) STRICT, WITHOUT ROWID;

-- How many took how long; `took` is a bucket.
CREATE TABLE funnel_times (
    day TEXT NOT NULL,
    campaign TEXT NOT NULL,
    language TEXT NOT NULL,
    method TEXT NOT NULL,
    step TEXT NOT NULL,
    took INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (campaign, language, step, method, took, day)
) STRICT, WITHOUT ROWID;

-- How often a topic answered a question in people's own words; a topic of '' is that none did.
CREATE TABLE questions (
    day TEXT NOT NULL,
    topic TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, topic)
) STRICT;

-- The questions that none answered. They belong to nobody.
CREATE TABLE missed (
    id TEXT PRIMARY KEY,
    text BLOB NOT NULL,
    asked_at INTEGER NOT NULL
) STRICT;

CREATE INDEX missed_at ON missed (asked_at);
