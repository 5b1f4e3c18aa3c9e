"""Renders links for support staff: a link with its QR code, a link as a card, and a page of the list.

Accounts are shown only masked. The address of a link is shown only until it is opened.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot.flow.effects import RemainingTime, TextKey, Values
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.command_parser import ButtonAction, ButtonData, ListPage, NotUnderstood, StaffCommand
from bot.handlers.staff.replies import StaffTexts
from verification.identity import mask_account
from verification.invitations import Link, LinkState

LINKS_A_PAGE = 8
_BUTTONS_A_ROW = 4
_LONGEST_COPIED, _LONGEST_DATA = 256, 64
_REVOCABLE = {LinkState.WAITING, LinkState.OPENED}


def render_waiting(texts: StaffTexts, link: Link, address: str, *, verified: bool = False) -> MessageContent:
    """The caption of the QR code of a link that can still be opened."""
    lines = [texts.text("link.title"), "", *_facts(texts, link)]
    lines += [texts.text("link.address", {"link": address})]
    lines += [texts.text("link.until", {"until": link.expires_at, "left": RemainingTime(link.expires_at)})]
    lines += ["", texts.text("link.verified" if verified else "link.share")]
    copy = InlineKeyboardButton(texts.text("button.copy"), copy_text=CopyTextButton(address))
    buttons = [
        [copy, texts.button("print", ButtonData(ButtonAction.PRINT, link.id))],
        [texts.button("revoke", ButtonData(ButtonAction.REVOKE, link.id))],
    ]
    return MessageContent("\n".join(lines), InlineKeyboardMarkup(buttons))


def render_card(texts: StaffTexts, link: Link, now: datetime, list_page: ListPage | None = None) -> MessageContent:
    """A link's state and history, with the actions that are still possible."""
    state = link.state(now)
    lines = [texts.text("card.title", {"state": TextKey(f"staff.state.{state}")}), "", *_facts(texts, link)]
    lines.append(texts.text("card.made", {"at": link.made_at}))
    lines += _history(texts, link, state)
    buttons = [list(_action_buttons(texts, link, state, list_page))]
    if list_page is not None:
        buttons.append([texts.button("list", ButtonData(ButtonAction.LIST, list_page=list_page))])
    return MessageContent("\n".join(lines), _keyboard(buttons))


def can_revoke(link: Link, now: datetime) -> bool:
    """Whether the link can still be revoked."""
    return link.state(now) in _REVOCABLE


def render_revoke_question(texts: StaffTexts, link: Link, list_page: ListPage | None = None) -> MessageContent:
    """The question that confirms a revocation."""
    buttons = [
        texts.button("really", ButtonData(ButtonAction.CONFIRM_REVOKE, link.id, list_page), "danger"),
        texts.button("keep", ButtonData(ButtonAction.CARD, link.id, list_page)),
    ]
    key = "card.really" if link.opened_at is None else "card.really_opened"
    return MessageContent(texts.text(key, {"account": mask_account(link.account)}), InlineKeyboardMarkup([buttons]))


def render_not_understood(texts: StaffTexts, problem: NotUnderstood) -> MessageContent:
    """What was not understood, with a button for each command that may have been meant."""
    buttons = [[_command_button(problem.command, arguments)] for arguments in problem.meanings]
    return MessageContent(texts.text("slip.not_understood", {"word": problem.word}), InlineKeyboardMarkup(buttons))


def render_page(texts: StaffTexts, links: Sequence[Link], now: datetime, list_page: ListPage) -> MessageContent:
    """A page of the list; `links` holds one link more than a page when another page follows."""
    shown = links[:LINKS_A_PAGE]
    if not shown:
        return MessageContent(texts.text("list.none"), None)
    first = list_page.page * LINKS_A_PAGE + 1
    title = texts.text("list.title", {"campaign": list_page.campaign or TextKey("staff.list.all")})
    lines = [_line(texts, number, link, now) for number, link in enumerate(shown, first)]
    buttons = [
        InlineKeyboardButton(str(number), callback_data=ButtonData(ButtonAction.CARD, link.id, list_page).callback_data)
        for number, link in enumerate(shown, first)
    ]
    rows = [buttons[start : start + _BUTTONS_A_ROW] for start in range(0, len(buttons), _BUTTONS_A_ROW)]
    rows.append(list(_page_buttons(texts, list_page, more=len(links) > len(shown))))
    return MessageContent("\n".join([title, "", *lines]), _keyboard(rows))


def _facts(texts: StaffTexts, link: Link) -> Iterator[str]:
    yield texts.text("link.account", {"account": mask_account(link.account)})
    if link.campaign:
        yield texts.text("link.campaign", {"campaign": link.campaign})
    if link.method:
        yield texts.text("link.method", {"method": TextKey(f"method.{link.method}")})
    if link.language:
        yield texts.text("link.language", {"language": TextKey(f"language.{link.language}")})


def _history(texts: StaffTexts, link: Link, state: LinkState) -> Iterator[str]:
    times = {LinkState.WAITING: link.expires_at, LinkState.EXPIRED: link.expires_at}
    if link.opened_at is not None:
        yield texts.text("card.opened", {"at": link.opened_at})
    if link.revoked_at is not None:
        yield texts.text("card.revoked", {"at": link.revoked_at})
    if state in times:
        yield texts.text(f"card.{state}", {"at": times[state]})


def _action_buttons(
    texts: StaffTexts, link: Link, state: LinkState, list_page: ListPage | None
) -> Iterator[InlineKeyboardButton]:
    if state is LinkState.WAITING:
        yield texts.button("code", ButtonData(ButtonAction.CODE, link.id))
    if state in _REVOCABLE:
        yield texts.button("revoke", ButtonData(ButtonAction.REVOKE, link.id, list_page))


def _line(texts: StaffTexts, number: int, link: Link, now: datetime) -> str:
    values: Values = {
        "place": str(number),
        "state": TextKey(f"staff.state.{link.state(now)}"),
        "account": mask_account(link.account),
        "at": link.made_at,
    }
    return texts.text("list.line", values) + (f" · {link.campaign}" if link.campaign else "")


def _page_buttons(texts: StaffTexts, list_page: ListPage, *, more: bool) -> Iterator[InlineKeyboardButton]:
    if list_page.page > 0:
        yield texts.button(
            "previous", ButtonData(ButtonAction.LIST, list_page=ListPage(list_page.page - 1, list_page.campaign))
        )
    if more:
        yield texts.button(
            "next", ButtonData(ButtonAction.LIST, list_page=ListPage(list_page.page + 1, list_page.campaign))
        )


def _keyboard(rows: Sequence[Sequence[InlineKeyboardButton]]) -> InlineKeyboardMarkup | None:
    filled = [row for row in rows if row]
    return InlineKeyboardMarkup(filled) if filled else None


def _command_button(command: StaffCommand, arguments: str) -> InlineKeyboardButton:
    """A button that carries out a command; of a command with an account a button that copies it.

    Callback data hold nothing about an account, and at most 64 bytes.
    """
    written = f"/{command} {arguments}"
    data = ButtonData(ButtonAction.FUNNEL, arguments).callback_data
    if command is StaffCommand.FUNNEL and len(data.encode()) <= _LONGEST_DATA and ":" not in arguments:
        return InlineKeyboardButton(written, callback_data=data)
    return InlineKeyboardButton(written, copy_text=CopyTextButton(written[:_LONGEST_COPIED]))
