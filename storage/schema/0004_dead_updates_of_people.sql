-- Whose update it is, where that can be read: erasing a person's data reaches it.
ALTER TABLE dead_updates ADD COLUMN person TEXT;

CREATE INDEX dead_updates_person ON dead_updates (person);
