"""Links as support's people see them: one with its code, one as a card, a page of the list.

An account stands there only masked; a link that opens it, only while it waits.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot.flow.effects import Left, Values, Word
from bot.handlers.side_messages import Screen
from bot.handlers.staff.command_parser import Press, Spot, Verb
from bot.handlers.staff.replies import Voice
from verification.identity import mask_account
from verification.invitations import Link, LinkState

LINKS_A_PAGE = 8
_KEYS_A_ROW = 4
_GOING_ON = {LinkState.WAITING, LinkState.OPENED}


def waiting(voice: Voice, link: Link, address: str, *, verified: bool = False) -> Screen:
    """A link that can be opened, to stand under its code."""
    lines = [voice.text("link.title"), "", *_facts(voice, link)]
    lines += [voice.text("link.address", {"link": address})]
    lines += [voice.text("link.until", {"until": link.expires_at, "left": Left(link.expires_at)})]
    lines += ["", voice.text("link.verified" if verified else "link.share")]
    copy = InlineKeyboardButton(voice.text("button.copy"), copy_text=CopyTextButton(address))
    keys = [
        [copy, voice.button("print", Press(Verb.PRINT, link.id))],
        [voice.button("revoke", Press(Verb.REVOKE, link.id))],
    ]
    return Screen("\n".join(lines), InlineKeyboardMarkup(keys))


def card(voice: Voice, link: Link, now: datetime, spot: Spot | None = None) -> Screen:
    """How far a link has come, and what may still be done with it."""
    state = link.state(now)
    lines = [voice.text("card.title", {"state": Word(f"staff.state.{state}")}), "", *_facts(voice, link)]
    lines.append(voice.text("card.made", {"at": link.made_at}))
    lines += _since(voice, link, state)
    keys = [list(_uses(voice, link, state, spot))]
    if spot is not None:
        keys.append([voice.button("list", Press(Verb.LIST, spot=spot))])
    return Screen("\n".join(lines), _keyboard(keys))


def can_end(link: Link, now: datetime) -> bool:
    """Whether there is anything left to revoke."""
    return link.state(now) in _GOING_ON


def really(voice: Voice, link: Link, spot: Spot | None = None) -> Screen:
    """The last question before a link ends."""
    keys = [
        voice.button("really", Press(Verb.REALLY, link.id, spot), "danger"),
        voice.button("keep", Press(Verb.CARD, link.id, spot)),
    ]
    key = "card.really" if link.opened_at is None else "card.really_opened"
    return Screen(voice.text(key, {"account": mask_account(link.account)}), InlineKeyboardMarkup([keys]))


def page(voice: Voice, links: Sequence[Link], now: datetime, spot: Spot) -> Screen:
    """A page of the list; `links` holds one more than it shows where another page follows."""
    shown = links[:LINKS_A_PAGE]
    if not shown:
        return Screen(voice.text("list.none"), None)
    first = spot.page * LINKS_A_PAGE + 1
    title = voice.text("list.title", {"campaign": spot.campaign or Word("staff.list.all")})
    lines = [_line(voice, place, link, now) for place, link in enumerate(shown, first)]
    keys = [
        InlineKeyboardButton(str(place), callback_data=Press(Verb.CARD, link.id, spot).data)
        for place, link in enumerate(shown, first)
    ]
    rows = [keys[at : at + _KEYS_A_ROW] for at in range(0, len(keys), _KEYS_A_ROW)]
    rows.append(list(_turns(voice, spot, more=len(links) > len(shown))))
    return Screen("\n".join([title, "", *lines]), _keyboard(rows))


def _facts(voice: Voice, link: Link) -> Iterator[str]:
    yield voice.text("link.account", {"account": mask_account(link.account)})
    if link.campaign:
        yield voice.text("link.campaign", {"campaign": link.campaign})
    if link.method:
        yield voice.text("link.method", {"method": Word(f"method.{link.method}")})
    if link.language:
        yield voice.text("link.language", {"language": Word(f"language.{link.language}")})


def _since(voice: Voice, link: Link, state: LinkState) -> Iterator[str]:
    moments = {LinkState.WAITING: link.expires_at, LinkState.EXPIRED: link.expires_at}
    if link.opened_at is not None:
        yield voice.text("card.opened", {"at": link.opened_at})
    if link.revoked_at is not None:
        yield voice.text("card.revoked", {"at": link.revoked_at})
    if state in moments:
        yield voice.text(f"card.{state}", {"at": moments[state]})


def _uses(voice: Voice, link: Link, state: LinkState, spot: Spot | None) -> Iterator[InlineKeyboardButton]:
    if state is LinkState.WAITING:
        yield voice.button("code", Press(Verb.CODE, link.id))
    if state in _GOING_ON:
        yield voice.button("revoke", Press(Verb.REVOKE, link.id, spot))


def _line(voice: Voice, place: int, link: Link, now: datetime) -> str:
    values: Values = {
        "place": str(place),
        "state": Word(f"staff.state.{link.state(now)}"),
        "account": mask_account(link.account),
        "at": link.made_at,
    }
    return voice.text("list.line", values) + (f" · {link.campaign}" if link.campaign else "")


def _turns(voice: Voice, spot: Spot, *, more: bool) -> Iterator[InlineKeyboardButton]:
    if spot.page > 0:
        yield voice.button("previous", Press(Verb.LIST, spot=Spot(spot.page - 1, spot.campaign)))
    if more:
        yield voice.button("next", Press(Verb.LIST, spot=Spot(spot.page + 1, spot.campaign)))


def _keyboard(rows: Sequence[Sequence[InlineKeyboardButton]]) -> InlineKeyboardMarkup | None:
    kept = [row for row in rows if row]
    return InlineKeyboardMarkup(kept) if kept else None
