"""The SQL of support: the same text for every database, with `$1`-style values."""

from collections.abc import Sequence

from storage.database import Value
from verification.ids import Account
from verification.support.funnel import Dimension, FunnelQuery

_LINK = """
SELECT id, links.account, campaign, made_by, made_at, expires_at, links.method, language, person, opened_at,
    revoked_at, places.account IS NOT NULL, expired
FROM links LEFT JOIN places ON places.account = links.account
"""
LINK = f"{_LINK} WHERE id = $1"
# The same rule as `Link.state`.
_STATE = """
CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
    WHEN opened_at IS NOT NULL THEN CASE WHEN places.account IS NULL THEN 'opened' ELSE 'verified' END
    WHEN expired = 0 AND expires_at > {now} THEN 'waiting' ELSE 'expired' END
"""
ADD_LINK = """
INSERT INTO links (id, account, campaign, made_by, made_at, expires_at, method, language)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING
"""
# One statement: when two people open a link at once, only the first gets it.
OPEN_LINK = """
UPDATE links SET person = $2, opened_at = coalesce(opened_at, $3)
WHERE id = $1 AND revoked_at IS NULL AND (person = $2 OR (person IS NULL AND expired = 0 AND expires_at > $3))
RETURNING id
"""
EXPIRE_LINK = "UPDATE links SET expired = 1 WHERE id = $1 AND person IS NULL AND expires_at <= $2"
SIGN_OUT = "INSERT INTO desk_sign_outs (session, signed_out_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
FORGET_SIGN_OUTS = "DELETE FROM desk_sign_outs WHERE signed_out_at < $1"
IS_SIGNED_OUT = "SELECT 1 FROM desk_sign_outs WHERE session = $1"
IS_BOUND = "SELECT 1 FROM links WHERE person = $1 AND account = $2 AND revoked_at IS NULL LIMIT 1"
REVOKE = "UPDATE links SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING id"

_SUMMARY = "SELECT id, account, contact, method, status, reason, created_at, expires_at"
_LATEST_FIRST = "ORDER BY created_at DESC, id LIMIT $1 OFFSET $2"
ATTEMPT_SUMMARIES = f"{_SUMMARY} FROM attempts {_LATEST_FIRST}"
ATTEMPT_SUMMARIES_OF = f"{_SUMMARY} FROM attempts WHERE account = $3 {_LATEST_FIRST}"
ATTEMPTS_BY_CODE = f"{_SUMMARY}, secrets FROM attempts WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 5"

ADD_AUDIT_ENTRY = "INSERT INTO uses (actor, action, subject, used_at) VALUES ($1, $2, $3, $4)"
AUDIT_LOG = "SELECT actor, action, subject, used_at FROM uses ORDER BY id DESC LIMIT $1 OFFSET $2"

ADD_FUNNEL_COUNT = """
INSERT INTO funnel (day, campaign, language, method, step, reason, count) VALUES ($1, $2, $3, $4, $5, $6, 1)
ON CONFLICT (campaign, language, step, method, reason, day) DO UPDATE SET count = funnel.count + 1
"""
ADD_FUNNEL_DURATION = """
INSERT INTO funnel_times (day, campaign, language, method, step, took, count) VALUES ($1, $2, $3, $4, $5, $6, 1)
ON CONFLICT (campaign, language, step, method, took, day) DO UPDATE SET count = funnel_times.count + 1
"""
CAMPAIGNS = (
    "SELECT campaign FROM links WHERE campaign <> '' UNION SELECT campaign FROM funnel WHERE campaign <> '' ORDER BY 1"
)

COUNT_QUESTION = """
INSERT INTO questions (day, topic, count) VALUES ($1, $2, 1)
ON CONFLICT (day, topic) DO UPDATE SET count = questions.count + 1
"""
QUESTIONS = "SELECT topic, sum(count) FROM questions WHERE day BETWEEN $1 AND $2 GROUP BY topic"
ADD_UNANSWERED = "INSERT INTO missed (id, text, asked_at) VALUES ($1, $2, $3)"
UNANSWERED = "SELECT id, text, asked_at FROM missed ORDER BY asked_at DESC, id LIMIT $1"
ADD_DISPUTE = """
INSERT INTO disputes (attempt, reason, method, disputed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
DISPUTES_BY_CODE = """
SELECT attempt, reason, method, disputed_at FROM disputes
WHERE attempt >= $1 AND attempt < $2 ORDER BY attempt LIMIT 5
"""


def select_links(
    campaign: str | None, account: Account | None, state_at: tuple[str, int] | None
) -> tuple[str, Sequence[Value]]:
    """The statement that lists links, newest first, and its values after limit and offset.

    `state_at` is a state and the time at which it holds. Only the given filters are compared, so that an index is used.
    """
    conditions, values = [], list[Value]()

    def add_value(value: Value) -> str:
        values.append(value)
        return f"${len(values) + 2}"

    if campaign is not None:
        conditions.append(f"campaign = {add_value(campaign)}")
    if account is not None:
        conditions.append(f"links.account = {add_value(account)}")
    if state_at is not None:
        state, now = state_at
        conditions.append(f"{_STATE.format(now=add_value(now))} = {add_value(state)}")
    filter_clause = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{_LINK} {filter_clause} ORDER BY made_at DESC, id LIMIT $1 OFFSET $2", values


# When a column equals a constant, SQLite drops it from the grouping, no longer sees that the key is sorted, and sorts
# all rows; the expression prevents that.
_GROUPED_IN_ORDER = "coalesce({}, '')"


def select_counts(query: FunnelQuery) -> str:
    """Sum up the counts."""
    return _sums("funnel", "reason", query, _cohorts(query))


def select_durations(query: FunnelQuery) -> str:
    """Sum up the durations: of all methods together, of the query's method, or of each method."""
    of_method = (
        "method <> ''"
        if query.by is Dimension.METHOD
        else f"{_GROUPED_IN_ORDER.format('method')} = '{query.method or ''}'"
    )
    return _sums("funnel_times", "took", query, f"{_cohorts(query)} AND {of_method}")


def _sums(table: str, column: str, query: FunnelQuery, cohorts: str) -> str:
    cells, by = f"step, method, {column}", query.by
    if by is Dimension.DAY:
        return f"SELECT day, {cells}, sum(count) FROM {table} WHERE {cohorts} GROUP BY {cells}, day"  # noqa: S608
    # The inner query groups in the table's own order, which needs no sorting and leaves few rows for the outer one.
    columns = f"campaign, language, {cells}"
    ordered = f"SELECT {columns}, sum(count) AS count FROM {table} WHERE {cohorts} GROUP BY {columns}"  # noqa: S608
    group = by or "''"
    groups = cells if by in (None, Dimension.METHOD) else f"{by}, {cells}"
    return f"SELECT {group}, {cells}, sum(count) FROM ({ordered}) AS grouped GROUP BY {groups}"  # noqa: S608


def _cohorts(query: FunnelQuery) -> str:
    """The conditions on journeys, in the order of `mapping.query_values`; unused filters are left out for speed."""
    filters = (("campaign", query.campaign), (_GROUPED_IN_ORDER.format("language"), query.language))
    columns = [column for column, value in filters if value is not None]
    return " AND ".join(
        ["day BETWEEN $1 AND $2", *(f"{column} = ${number}" for number, column in enumerate(columns, 3))]
    )
