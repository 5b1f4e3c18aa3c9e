"""The SQL of the store: one text for every database, with `$1`-style values."""

LIVE = "status IN ('reserved', 'waiting', 'opened', 'confirming')"
"""The very words of the partial indexes, else the planner does not use them."""

_ATTEMPT = (
    "SELECT id, account, contact, method, status, match_code, created_at, expires_at, secrets, reason, fading"
    " FROM attempts WHERE "
)
ATTEMPT = _ATTEMPT + "id = $1"
ATTEMPT_BY_TOKEN = _ATTEMPT + "token_index = $1"
LIVE_ATTEMPT = _ATTEMPT + f"account = $1 AND {LIVE}"
DUE = _ATTEMPT + f"expires_at <= $1 AND {LIVE} ORDER BY expires_at, id LIMIT $2"
SAVE_ATTEMPT = """
INSERT INTO attempts (id, account, contact, method, status, match_code, created_at, expires_at,
                      token_index, secrets, reason, fading)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET
    account = excluded.account, contact = excluded.contact, method = excluded.method, status = excluded.status,
    match_code = excluded.match_code, created_at = excluded.created_at, expires_at = excluded.expires_at,
    token_index = excluded.token_index, secrets = excluded.secrets, reason = excluded.reason, fading = excluded.fading
"""

VERIFIED = "SELECT account, method, taken_at FROM places WHERE account = $1"
ACCOUNTS_OF = "SELECT account FROM places WHERE identity_index = $1"
TAKE_PLACE = """
INSERT INTO places (identity_index, slot, account, attempt, method, taken_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING slot
"""

POST = """
INSERT INTO notices (contact, news, attempt, account, method, status, reason, expires_at, posted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
# A lease beyond one that is given now was given by a clock that has been put back since.
CLAIM = """
UPDATE notices SET leased_until = $2
WHERE id IN (
    SELECT oldest.id
    FROM (SELECT min(id) AS id FROM notices WHERE settled = 0 GROUP BY contact) AS oldest
    JOIN notices AS waiting ON waiting.id = oldest.id
    WHERE waiting.leased_until <= $1 OR waiting.leased_until > $2
    ORDER BY oldest.id LIMIT $3
) AND (leased_until <= $1 OR leased_until > $2) AND settled = 0
RETURNING id, contact, news, attempt, account, method, status, reason, expires_at
"""
SETTLE = "UPDATE notices SET settled = 1 WHERE id = $1"

FIRST_SIGHT = "INSERT INTO seen_events (event_id, seen_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING event_id"

DIALOGUE = "SELECT person, text, language, revision, shown, panel FROM dialogues WHERE person = $1"
SAVE_DIALOGUE = """
INSERT INTO dialogues (person, text, language, revision, changed_at) VALUES ($1, $2, $3, 1, $4)
ON CONFLICT (person) DO UPDATE SET
    text = excluded.text, language = coalesce(excluded.language, dialogues.language),
    revision = dialogues.revision + 1, changed_at = excluded.changed_at
RETURNING revision
"""
# After an erasure revisions begin again: a late note about the old dialogue must not mark answers of the new one.
MARK_SHOWN = "UPDATE dialogues SET shown = $2, panel = $3 WHERE person = $1 AND shown <= $2 AND $2 <= revision"
OWED = "SELECT person FROM dialogues WHERE shown < revision ORDER BY changed_at, person LIMIT $1"

RECORD_CONSENT = """
INSERT INTO consents (person, account, kind, version, language, agreed_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
CONSENTS = "SELECT person, account, kind, version, language, agreed_at FROM consents WHERE person = $1 ORDER BY id"
PAST_ATTEMPTS = """
SELECT account, method, status, reason, created_at FROM attempts WHERE contact = $1 ORDER BY created_at, id
"""

ADD_LITTER = "INSERT INTO litter (person, message_id, written_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
LITTER = "SELECT person, message_id, written_at FROM litter ORDER BY written_at, person, message_id LIMIT $1"
SWEPT = "DELETE FROM litter WHERE person = $1 AND message_id = $2"

BURY = "INSERT INTO dead_updates (event_id, raw, buried_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"

# Attempts take their notices with them.
ERASE_ATTEMPTS = "DELETE FROM attempts WHERE contact = $1 OR account = $2"
ERASE_CONSENTS = "DELETE FROM consents WHERE person = $1 OR account = $2"
ERASE_DIALOGUE = "DELETE FROM dialogues WHERE person = $1"
PRUNE = (
    "DELETE FROM seen_events WHERE seen_at < $1",
    "DELETE FROM notices WHERE posted_at < $1 AND settled = 1",
    "DELETE FROM dead_updates WHERE buried_at < $1",
)

RETIRE = (
    "DELETE FROM dialogues WHERE changed_at < $1",
    "DELETE FROM consents WHERE agreed_at < $1",
    """
DELETE FROM attempts
WHERE created_at < $1 AND status NOT IN ('reserved', 'waiting', 'opened', 'confirming')
""",
)

SEALED = (("attempts", "secrets"), ("dialogues", "text"), ("dialogues", "panel"))

KEY_CHECK = "SELECT value FROM key_checks WHERE name = $1"
KEEP_KEY_CHECK = """
INSERT INTO key_checks (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
