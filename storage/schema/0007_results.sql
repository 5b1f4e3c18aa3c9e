-- Verdicts that another server is told of. No foreign key: erasing a person takes no success away from whom it is owed.

CREATE TABLE results (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    method TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    judged_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    tried_at INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    settled_at INTEGER
) STRICT;

CREATE INDEX results_owed ON results (due_at, id) WHERE outcome IS NULL;

CREATE INDEX results_account ON results (account, id);

CREATE INDEX results_settled ON results (settled_at) WHERE settled_at IS NOT NULL;
