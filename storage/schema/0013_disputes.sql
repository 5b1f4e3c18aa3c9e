-- What people say is wrong. A dispute names an attempt, or the question about the quota, by an id that leads to nobody:
-- the person is known only while their attempt is kept.
CREATE TABLE disputes (
    attempt TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    method TEXT,
    disputed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX disputes_at ON disputes (disputed_at);
