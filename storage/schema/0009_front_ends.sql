-- Which front end a notice, a dialogue, a message to delete and a running program belong to: it alone writes to its
-- contacts. Until now there was one front end.
ALTER TABLE notices ADD COLUMN front_end TEXT NOT NULL DEFAULT 'telegram';

ALTER TABLE dialogues ADD COLUMN front_end TEXT NOT NULL DEFAULT 'telegram';

ALTER TABLE litter ADD COLUMN front_end TEXT NOT NULL DEFAULT 'telegram';

ALTER TABLE programs ADD COLUMN front_end TEXT NOT NULL DEFAULT 'telegram';

DROP INDEX notices_open;

CREATE INDEX notices_open ON notices (front_end, contact, id) WHERE settled = 0;

DROP INDEX dialogues_owed;

CREATE INDEX dialogues_owed ON dialogues (front_end, changed_at) WHERE shown < revision AND blocked = 0;

DROP INDEX litter_written;

CREATE INDEX litter_written ON litter (front_end, written_at);

-- Whether a success was given by a provider that proves nothing. Of earlier successes nobody knows.
ALTER TABLE notices ADD COLUMN simulated INTEGER NOT NULL DEFAULT 0 CHECK (simulated IN (0, 1));

ALTER TABLE places ADD COLUMN simulated INTEGER NOT NULL DEFAULT 0 CHECK (simulated IN (0, 1));
