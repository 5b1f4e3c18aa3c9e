"""The SQL of the store: the same text for every database, with `$1`-style values."""

LIVE = "status IN ('reserved', 'waiting', 'opened', 'confirming')"
"""The exact text of the partial indexes' condition, which the planner needs to use them."""

_ATTEMPT = (
    "SELECT id, account, contact, method, status, match_code, created_at, expires_at, secrets, reason, fading"
    " FROM attempts WHERE "
)
ATTEMPT = _ATTEMPT + "id = $1"
ATTEMPT_BY_TOKEN = _ATTEMPT + "token_index = $1"
LIVE_ATTEMPT = _ATTEMPT + f"account = $1 AND {LIVE}"
_DUE = "SELECT id, method, status, expires_at, fading FROM attempts WHERE "
DUE_ATTEMPTS = _DUE + f"expires_at <= $1 AND {LIVE} ORDER BY expires_at, id LIMIT $2"
LIVE_ATTEMPTS = f"SELECT id FROM attempts WHERE method = $1 AND {LIVE} ORDER BY expires_at, id LIMIT $2"  # noqa: S608
_EXPIRE = "UPDATE attempts SET status = 'expired' WHERE "
ABANDON = _EXPIRE + f"id = $1 AND {LIVE}"
SAVE_ATTEMPT = """
INSERT INTO attempts (id, account, contact, method, status, match_code, created_at, expires_at,
                      token_index, secrets, reason, fading)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET
    account = excluded.account, contact = excluded.contact, method = excluded.method, status = excluded.status,
    match_code = excluded.match_code, created_at = excluded.created_at, expires_at = excluded.expires_at,
    token_index = excluded.token_index, secrets = excluded.secrets, reason = excluded.reason, fading = excluded.fading
"""

# The condition on the status repeats the text of a partial index, as above.
CLAIM_DUE_POLLS = """
UPDATE attempts SET asked_at = $2
WHERE id IN (
    SELECT id FROM attempts
    WHERE method = $1 AND status IN ('opened', 'confirming') AND (asked_at <= $3 OR asked_at > $2)
    ORDER BY asked_at, id LIMIT $4
)
RETURNING id
"""

SLOT_OF = "SELECT account, method, taken_at, simulated FROM places WHERE account = $1"
FREE_SLOT = "DELETE FROM places WHERE account = $1"
ACCOUNTS_OF = "SELECT account FROM places WHERE identity_index = $1"
TAKE_SLOT = """
INSERT INTO places (identity_index, slot, account, attempt, method, taken_at, simulated)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING slot
"""

RATE_LIMIT_RECORDS = """
SELECT attempt, tried_at, account_index, contact_index, number_index, asked FROM tries
WHERE tried_at > $4 AND (account_index = $1 OR contact_index = $2)
UNION
SELECT * FROM (
    SELECT attempt, tried_at, account_index, contact_index, number_index, asked FROM tries
    WHERE number_index = $3 AND tried_at > $4 AND asked = 1 ORDER BY tried_at DESC LIMIT $5
) AS latest
"""
DELETE_RATE_LIMIT_RECORD = (
    "DELETE FROM tries WHERE attempt = $1 OR (asked = 0 AND contact_index = $2 AND number_index = $3)"
)
ADD_RATE_LIMIT_RECORD = """
INSERT INTO tries (attempt, account_index, contact_index, number_index, asked, tried_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
BUDGET_SPENT = "SELECT tried_at FROM tries WHERE asked = 1 AND tried_at > $1 ORDER BY tried_at DESC LIMIT 1 OFFSET $2"
PURGE_RATE_LIMIT_RECORDS = {"tries": "asked IN (0, 1) AND tried_at < $1"}

POST_NOTICE = """
INSERT INTO notices
    (contact, news, attempt, account, method, status, reason, expires_at, posted_at, simulated, front_end, leased_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
    CASE WHEN EXISTS (SELECT 1 FROM notices WHERE front_end = $11 AND contact = $1 AND settled = 0)
        THEN CAST(0 AS BIGINT) ELSE $12 END)
RETURNING id, contact, news, attempt, account, method, status, reason, expires_at, simulated, leased_until
"""
# A lease that ends later than a new one comes from a wrong clock, so it does not count.
CLAIM_NOTICES = """
UPDATE notices SET leased_until = $2
WHERE id IN (
    SELECT oldest.id
    FROM (SELECT min(id) AS id FROM notices WHERE front_end = $4 AND settled = 0 GROUP BY contact) AS oldest
    JOIN notices AS waiting ON waiting.id = oldest.id
    WHERE waiting.leased_until <= $1 OR waiting.leased_until > $2
    ORDER BY oldest.id LIMIT $3
) AND (leased_until <= $1 OR leased_until > $2) AND settled = 0
RETURNING id, contact, news, attempt, account, method, status, reason, expires_at, simulated
"""
SETTLE_NOTICE = "DELETE FROM notices WHERE id = $1 AND settled = 0 RETURNING id"

_OWED = "(outcome IS NULL OR outcome = 'pending')"
"""The exact text of the partial index's condition."""
POST_RESULT = """
INSERT INTO results (attempt, account, method, status, reason, simulated, judged_at, front_end, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""
CLAIM_RESULTS = f"""
UPDATE results SET tried_at = $1, due_at = $2
WHERE id IN (
    SELECT waiting.id FROM results AS waiting
    WHERE (waiting.outcome IS NULL OR waiting.outcome = 'pending') AND (waiting.due_at <= $1 OR waiting.tried_at > $3)
    AND NOT EXISTS (
        SELECT 1 FROM results AS older
        WHERE older.account = waiting.account AND older.id < waiting.id
            AND (older.outcome IS NULL OR older.outcome = 'pending') AND older.tries < $4
    )
    ORDER BY waiting.due_at, waiting.id LIMIT $5
) AND {_OWED}
RETURNING id, attempt, account, method, status, reason, simulated, judged_at, front_end, tries
"""  # noqa: S608 - our own condition
POSTPONE_RESULT = f"UPDATE results SET tries = $2, due_at = $3 WHERE id = $1 AND {_OWED}"  # noqa: S608
SETTLE_RESULT = f"UPDATE results SET outcome = $2, settled_at = $3 WHERE id = $1 AND {_OWED}"  # noqa: S608
RESULT_BACKLOG = f"""
SELECT count(*), min(judged_at), (SELECT count(*) FROM results WHERE outcome = 'given_up')
FROM results WHERE {_OWED}
"""  # noqa: S608

# What waits, and since when.
BACKLOG = """
SELECT 'replies', count(*), min(changed_at) FROM dialogues WHERE shown < revision AND blocked = 0
UNION ALL SELECT 'notices', count(*), min(posted_at) FROM notices WHERE settled = 0
"""

ADD_CALLER_REQUEST = """
INSERT INTO caller_requests (request_index, fields_index, attempt, front_end, account, language, requested_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""
_CALLER_REQUEST = """
SELECT request_index, fields_index, attempt, front_end, account, language, requested_at FROM caller_requests WHERE
"""
CALLER_REQUEST = f"{_CALLER_REQUEST} request_index = $1"
CALLER_REQUEST_OF = f"{_CALLER_REQUEST} attempt = $1"
FORGET_CALLER_REQUEST = "DELETE FROM caller_requests WHERE attempt = $1"
_CALLER_ATTEMPTS = """
SELECT id, asked.account, contact, method, status, reason, requested_at, expires_at
FROM caller_requests AS asked JOIN attempts ON id = attempt
WHERE asked.front_end = $1 AND (requested_at, attempt) < ($2, $3)
"""
_NEWEST_FIRST = "ORDER BY requested_at DESC, attempt DESC LIMIT $4"
CALLER_ATTEMPTS = f"{_CALLER_ATTEMPTS} {_NEWEST_FIRST}"
CALLER_ATTEMPTS_OF = f"{_CALLER_ATTEMPTS} AND asked.account = $5 {_NEWEST_FIRST}"

MARK_SEEN = "INSERT INTO seen_events (event_id, seen_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING event_id"

# What a turn needs, in one row.
BEGIN_TURN = """
SELECT (SELECT 1 FROM seen_events WHERE event_id = $2), places.account, places.method, places.taken_at,
    places.simulated, person, text, language, revision, shown, panel, blocked
FROM (SELECT 1 AS one) AS one LEFT JOIN dialogues ON person = $1 LEFT JOIN places ON places.account = $3
"""
DIALOGUE = "SELECT person, text, language, revision, shown, panel, blocked FROM dialogues WHERE person = $1"
SAVE_DIALOGUE = """
INSERT INTO dialogues (person, text, language, revision, changed_at, front_end, remind_at)
VALUES ($1, $2, $3, 1, $4, $5, $6)
ON CONFLICT (person) DO UPDATE SET
    text = excluded.text, language = coalesce(excluded.language, dialogues.language),
    revision = dialogues.revision + 1, changed_at = excluded.changed_at, remind_at = excluded.remind_at
RETURNING revision
"""
DUE_REMINDERS = """
SELECT person FROM dialogues WHERE front_end = $1 AND remind_at <= $2 AND blocked = 0 ORDER BY remind_at LIMIT $3
"""
TAKE_REMINDER = """
UPDATE dialogues SET remind_at = $3 WHERE person = $1 AND remind_at <= $2 AND blocked = 0 RETURNING person
"""
# After an erasure revisions start at 1: a late call for the old dialogue must not mark answers of the new one.
MARK_SHOWN = """
UPDATE dialogues SET shown = $2, panel = $3, holder = $4 WHERE person = $1 AND shown <= $2 AND $2 <= revision
"""
MARK_BLOCKED = "UPDATE dialogues SET blocked = 1, panel = $2, holder = NULL WHERE person = $1"
MARK_UNBLOCKED = "UPDATE dialogues SET blocked = 0 WHERE person = $1"
PENDING_REPLIES = """
SELECT person, revision, holder FROM dialogues WHERE front_end = $1 AND shown < revision AND blocked = 0
ORDER BY changed_at, person LIMIT $2
"""
LEASE = "SELECT holder, shown, panel FROM dialogues WHERE person = $1"
ACQUIRE_LEASE = "UPDATE dialogues SET holder = $2 WHERE person = $1"
RELEASE_LEASE = "UPDATE dialogues SET holder = NULL WHERE person = $1 AND holder = $2"

HEARTBEAT = """
INSERT INTO programs (name, program, beats, front_end) VALUES ($1, $2, 1, $3)
ON CONFLICT (name) DO UPDATE SET
    program = excluded.program, beats = programs.beats + 1, front_end = excluded.front_end
"""
HEARTBEATS = "SELECT name, program, beats FROM programs WHERE front_end = $1 ORDER BY name"
UNREGISTER = "DELETE FROM programs WHERE name = $1 AND program = $2"

BOT = "SELECT bot FROM bots WHERE front_end = $1"
NOTE_BOT = "INSERT INTO bots (front_end, bot) VALUES ($1, $2) ON CONFLICT DO NOTHING"
MOVE_TO_BOT = """
INSERT INTO bots (front_end, bot) VALUES ($1, $2)
ON CONFLICT (front_end) DO UPDATE SET bot = excluded.bot, username = NULL
"""
USERNAME = "SELECT username FROM bots WHERE front_end = $1"
NOTE_USERNAME = "UPDATE bots SET username = $2 WHERE front_end = $1"
STAFF_MENUS = "SELECT person FROM staff_menus WHERE front_end = $1"
FORGET_STAFF_MENUS = "DELETE FROM staff_menus WHERE front_end = $1"
NOTE_STAFF_MENU = "INSERT INTO staff_menus (front_end, person) VALUES ($1, $2)"
POLLER = "SELECT poller FROM bots WHERE front_end = $1"
NOTE_POLLER = "UPDATE bots SET poller = $2 WHERE front_end = $1"
FORGET_PANELS = "UPDATE dialogues SET panel = NULL, holder = NULL WHERE front_end = $1"
FREE_NOTICES = "UPDATE notices SET leased_until = 0 WHERE front_end = $1 AND settled = 0"

RECORD_CONSENT = """
INSERT INTO consents (person, account, kind, version, language, agreed_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
CONSENTS = "SELECT person, account, kind, version, language, agreed_at FROM consents WHERE person = $1 ORDER BY id"
PAST_ATTEMPTS = """
SELECT account, method, status, reason, created_at FROM attempts WHERE contact = $1 ORDER BY created_at, id
"""
LINK_BINDINGS = "SELECT account, opened_at FROM links WHERE person = $1 ORDER BY opened_at, id"

SCHEDULE_DELETION = """
INSERT INTO litter (person, message_id, written_at, front_end) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
PENDING_DELETIONS = """
SELECT person, message_id, written_at FROM litter WHERE front_end = $1 ORDER BY written_at, person, message_id LIMIT $2
"""
DELETION_DONE = "DELETE FROM litter WHERE person = $1 AND message_id = $2"

STORE_DEAD_LETTER = """
INSERT INTO dead_updates (event_id, person, raw, buried_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""

# Which rows of which tables are deleted. Notices are deleted with their attempts. A success that is not delivered yet
# stays: it says no more than its quota slot, which stays too.
ERASE_OF_ACCOUNT = {
    "attempts": "contact = $1 OR account = $2",
    "consents": "person = $1 OR account = $2",
    "links": "person = $1 OR account = $2",
    "caller_requests": "account = $2 OR front_end || ':' || account = $1",
    "results": "account IN ($1, $2) AND NOT (status = 'succeeded' AND outcome IS NULL)",
}
ERASE_OF_PERSON = {"dialogues": "person = $1", "dead_updates": "person = $1"}
PURGE_PROCESSED = {
    "seen_events": "seen_at < $1",
    "notices": "posted_at < $1 AND settled = 1",
    "dead_updates": "buried_at < $1",
    "results": "settled_at < $1",
}
PURGE_AUDIT_LOG = {"uses": "used_at < $1"}
PURGE_BEFORE = {
    "dialogues": "changed_at < $1",
    "consents": "agreed_at < $1",
    "attempts": f"created_at < $1 AND NOT ({LIVE})",
    "missed": "asked_at < $1",
    "disputes": "disputed_at < $1",
    "caller_requests": "requested_at < $1",
    "links": "expires_at < $1 AND (opened_at IS NULL OR opened_at < $1)",
    # A week longer: even with a short retention no result is deleted while its delivery is still tried.
    "results": "judged_at < $1 - 604800000000",
}


def delete(table: str, condition: str) -> str:
    """A statement that deletes these rows and returns one row for each."""
    return f"DELETE FROM {table} WHERE {condition} RETURNING 1"  # noqa: S608 - only our own names


_BY_UPDATE = "substr(event_id, 1, length($1) + 1) = $1 || ':'"
OF_ONE_BOT = {
    "received updates": delete("seen_events", _BY_UPDATE),
    "dead letters": delete("dead_updates", _BY_UPDATE),
    "messages to delete": delete("litter", "front_end = $1"),
    "programs": delete("programs", "front_end = $1"),
}
"""What holds ids that another bot gives anew, and the programs that served the former bot."""

PURGE_BATCH = 100
"""Rows that one transaction deletes when many are past their time: few, because others wait meanwhile on SQLite."""
_KEYS = {
    "seen_events": "event_id",
    "dead_updates": "event_id",
    "dialogues": "person",
    "tries": "attempt",
    "caller_requests": "attempt",
    "disputes": "attempt",
}


def delete_some(table: str, condition: str) -> str:
    """A statement that deletes at most `PURGE_BATCH` of these rows and returns one row for each."""
    key = _KEYS.get(table, "id")
    return delete(table, f"{key} IN (SELECT {key} FROM {table} WHERE {condition} LIMIT {PURGE_BATCH})")  # noqa: S608


PEOPLE_OF = """
SELECT contact FROM attempts WHERE account = $1
UNION SELECT person FROM links WHERE account = $1 AND person IS NOT NULL
UNION SELECT person FROM consents WHERE account = $1
"""

SEALED = (
    ("attempts", "id", "secrets"),
    ("dialogues", "person", "text"),
    ("dialogues", "person", "panel"),
    ("dead_updates", "event_id", "raw"),
    ("missed", "id", "text"),
)
"""Every sealed column of the schema, with the key of its row; `check_keys` handles `key_checks` separately."""

KEY_CHECK = "SELECT value FROM key_checks WHERE name = $1"
STORE_KEY_CHECK = """
INSERT INTO key_checks (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
