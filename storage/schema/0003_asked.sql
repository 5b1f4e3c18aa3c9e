-- When a provider was last asked about an attempt: so that all programs together ask in decent intervals.
ALTER TABLE attempts ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;

CREATE INDEX attempts_asked ON attempts (method, asked_at)
    WHERE status IN ('opened', 'confirming');
