-- When a person who stopped is reminded; nothing where nobody is. The turn of the reminder takes it.
ALTER TABLE dialogues ADD COLUMN remind_at INTEGER;

CREATE INDEX dialogues_remind ON dialogues (front_end, remind_at) WHERE remind_at IS NOT NULL;
