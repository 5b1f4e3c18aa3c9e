-- Without a row id: an update's id is stored twice instead of three times, in the largest table of many short rows.
CREATE TABLE seen_updates (
    event_id TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO seen_updates (event_id, seen_at) SELECT event_id, seen_at FROM seen_events;

DROP TABLE seen_events;

ALTER TABLE seen_updates RENAME TO seen_events;

CREATE INDEX seen_events_seen ON seen_events (seen_at);
