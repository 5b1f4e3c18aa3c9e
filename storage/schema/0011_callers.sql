-- What programs asked of the HTTP API. The name and number that came with it are in the attempt, sealed, and nowhere
-- else: the keyed index of all fields tells whether a repeated request is the same one. No foreign key: a request is
-- written before its attempt.
CREATE TABLE caller_requests (
    request_index BLOB PRIMARY KEY,
    fields_index BLOB NOT NULL,
    attempt TEXT NOT NULL UNIQUE,
    front_end TEXT NOT NULL,
    account TEXT NOT NULL,
    language TEXT,
    requested_at INTEGER NOT NULL
) STRICT;

CREATE INDEX caller_requests_made ON caller_requests (front_end, requested_at, attempt);

CREATE INDEX caller_requests_account ON caller_requests (account, front_end, requested_at);

CREATE INDEX caller_requests_at ON caller_requests (requested_at);

-- Of which front end's person a result tells. Beside verdicts there is news of attempts that programs made: its key is
-- the attempt with the status, and its outcome 'pending' keeps it from a program of an earlier release on this
-- database, which would tell it as a failure.
ALTER TABLE results ADD COLUMN front_end TEXT NOT NULL DEFAULT 'telegram';

DROP INDEX results_owed;

CREATE INDEX results_owed ON results (due_at, id) WHERE outcome IS NULL OR outcome = 'pending';
