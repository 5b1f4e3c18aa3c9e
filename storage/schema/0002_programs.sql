-- Where several programs write to people, one at a time holds a person; whether it lives shows in its beats, so no clock
-- of another machine has to be trusted. Somebody who blocked the bot is owed nothing until they return.

CREATE TABLE programs (
    name TEXT PRIMARY KEY,
    program TEXT NOT NULL,
    beats INTEGER NOT NULL
) STRICT;

ALTER TABLE dialogues ADD COLUMN holder TEXT;

ALTER TABLE dialogues ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1));

DROP INDEX dialogues_owed;

CREATE INDEX dialogues_owed ON dialogues (changed_at) WHERE shown < revision AND blocked = 0;
