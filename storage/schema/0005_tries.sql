-- What was tried within a day, for the limits alone. It names nobody: account, contact and number are keyed indexes,
-- so it may outlive an erasure, which would otherwise set every limit back.

CREATE TABLE tries (
    attempt TEXT PRIMARY KEY,
    account_index BLOB NOT NULL,
    contact_index BLOB NOT NULL,
    number_index BLOB NOT NULL,
    asked INTEGER NOT NULL CHECK (asked IN (0, 1)),
    tried_at INTEGER NOT NULL
) STRICT;

CREATE INDEX tries_account ON tries (account_index);

CREATE INDEX tries_contact ON tries (contact_index);

CREATE INDEX tries_number ON tries (number_index, tried_at) WHERE asked = 1;

CREATE INDEX tries_at ON tries (tried_at);

-- The budget of all people together is read from this one alone.
CREATE INDEX tries_asked ON tries (tried_at) WHERE asked = 1;
