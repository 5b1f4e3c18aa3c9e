"""What an address or a form asks for: read within bounds, and anything else taken for not asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qs

from verification import Method
from verification.invitations import InvalidLinkRequest, read_campaign
from verification.support.funnel import Dimension, FunnelQuery

PERIODS = ("7", "30", "90")
_PERIOD = "30"
_MONTHS = 6
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_MAX_PAGE = 500
_MAX_FIELDS = 16
_LONGEST = 80
NO_CAMPAIGN = "-"
"""Stands for people whom no campaign brought; no campaign is called so."""

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelFilters:
    """What a funnel is asked for, in the words of the form that asks."""

    period: str
    campaign: str
    language: str
    method: str
    by: str

    @classmethod
    def read(cls, asked: Mapping[str, str], languages: Mapping[str, object]) -> "FunnelFilters":
        """Read the filters of an address."""
        campaign, language = asked.get("campaign", ""), asked.get("language", "")
        return cls(
            period=read_period(asked),
            campaign=NO_CAMPAIGN if campaign == NO_CAMPAIGN else campaign_or_empty(campaign),
            language=language if language in languages else "",
            method=enum_or_none(Method, asked.get("method", "")) or "",
            by=enum_or_none(Dimension, asked.get("by", "")) or "",
        )

    def query(self, today: date) -> FunnelQuery:
        """The journeys that these filters are about."""
        since, until = period_days(self.period, today)
        return FunnelQuery(
            since=since,
            until=until,
            campaign="" if self.campaign == NO_CAMPAIGN else self.campaign or None,
            method=enum_or_none(Method, self.method),
            language=self.language or None,
            by=enum_or_none(Dimension, self.by),
        )


def enum_or_none(words: type[Word], text: str) -> Word | None:
    """One of a closed set of words."""
    return words(text) if text in set(words) else None


def campaign_or_empty(text: str) -> str:
    """A campaign's name as it is asked for; empty for what can be none."""
    try:
        return read_campaign(text)
    except InvalidLinkRequest:
        return ""


def read_period(asked: Mapping[str, str]) -> str:
    """A number of days, or a month as `2026-11`."""
    period = asked.get("period", "")
    return period if period in PERIODS or _MONTH.fullmatch(period) else _PERIOD


def period_days(period: str, today: date) -> tuple[date, date]:
    """The first and the last day of a period."""
    month = _MONTH.fullmatch(period)
    if month is None:
        return today - timedelta(days=int(period) - 1), today
    first = date(int(month[1]), int(month[2]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def recent_months(today: date) -> list[str]:
    """The last months, this one first."""
    months, day = [], today
    for _ in range(_MONTHS):
        months.append(f"{day:%Y-%m}")
        day = day.replace(day=1) - timedelta(days=1)
    return months


def read_page_number(asked: Mapping[str, str]) -> int:
    """Which page of a list, from 1 on."""
    page = asked.get("page", "")
    return min(max(int(page), 1), _MAX_PAGE) if page.isascii() and page.isdigit() and len(page) < 6 else 1


def read_text(form: Mapping[str, str], name: str) -> str:
    """What somebody typed to look for: no longer than anything there is, and without what no database takes."""
    return "".join(character for character in form.get(name, "") if character.isprintable()).strip()[:_LONGEST]


def parse_form(body: bytes) -> Mapping[str, str]:
    """The fields of a form, the last of each name; none for what is no form."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}
