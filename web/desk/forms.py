"""Parses the desk's query parameters and forms within bounds; invalid values count as not given."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qs

from verification import Method
from verification.invitations import InvalidLinkRequest, read_campaign
from verification.record import Record
from verification.support.funnel import Dimension, FunnelQuery

PERIODS = ("7", "30", "90")
_PERIOD = "30"
_MONTHS = 6
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_MAX_PAGE = 500
_MAX_FIELDS = 16
_MAX_TEXT = 80
NO_CAMPAIGN = "-"
"""Selects people without a campaign; it is no valid campaign name."""

EnumT = TypeVar("EnumT", bound=StrEnum)


class FunnelFilters(Record, kw_only=True):
    """The filters of a funnel, in the form's own values."""

    period: str
    campaign: str
    language: str
    method: str
    by: str

    @classmethod
    def read(cls, query: Mapping[str, str], languages: Mapping[str, object]) -> "FunnelFilters":
        """Parse the filters of a query string."""
        campaign, language = query.get("campaign", ""), query.get("language", "")
        return cls(
            period=read_period(query),
            campaign=NO_CAMPAIGN if campaign == NO_CAMPAIGN else campaign_or_empty(campaign),
            language=language if language in languages else "",
            method=enum_or_none(Method, query.get("method", "")) or "",
            by=enum_or_none(Dimension, query.get("by", "")) or "",
        )

    def query(self, today: date) -> FunnelQuery:
        """The funnel query of these filters."""
        since, until = period_days(self.period, today)
        return FunnelQuery(
            since=since,
            until=until,
            campaign="" if self.campaign == NO_CAMPAIGN else self.campaign or None,
            method=enum_or_none(Method, self.method),
            language=self.language or None,
            by=enum_or_none(Dimension, self.by),
        )


def enum_or_none(enum: type[EnumT], text: str) -> EnumT | None:
    """The member of an enum with this value; None when there is none."""
    return enum(text) if text in set(enum) else None


def campaign_or_empty(text: str) -> str:
    """A valid campaign name, or empty."""
    try:
        return read_campaign(text)
    except InvalidLinkRequest:
        return ""


def read_period(query: Mapping[str, str]) -> str:
    """A number of days, or a month as `2026-11`."""
    period = query.get("period", "")
    return period if period in PERIODS or _MONTH.fullmatch(period) else _PERIOD


def period_days(period: str, today: date) -> tuple[date, date]:
    """The first and the last day of a period."""
    month = _MONTH.fullmatch(period)
    if month is None:
        return today - timedelta(days=int(period) - 1), today
    first = date(int(month[1]), int(month[2]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def recent_months(today: date) -> list[str]:
    """The last months, the current one first."""
    months, day = [], today
    for _ in range(_MONTHS):
        months.append(f"{day:%Y-%m}")
        day = day.replace(day=1) - timedelta(days=1)
    return months


def read_page_number(query: Mapping[str, str]) -> int:
    """The page number of a list, from 1."""
    page = query.get("page", "")
    return min(max(int(page), 1), _MAX_PAGE) if page.isascii() and page.isdigit() and len(page) < 6 else 1


def read_text(form: Mapping[str, str], name: str) -> str:
    """A search text: printable characters only, cut to 80 characters."""
    return "".join(character for character in form.get(name, "") if character.isprintable()).strip()[:_MAX_TEXT]


def parse_form(body: bytes) -> Mapping[str, str]:
    """The fields of a form, the last value of each name; empty when the body is no form."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}
