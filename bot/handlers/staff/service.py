"""Does what support's people ask for, through the one desk of all support's work, and gives what to answer.

What it does is committed with the note of who did it before anything is answered, and asking again for the same does
nothing new: the link of a request is that request's for good.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import links as addresses
from bot.content.catalogue import Catalogue
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff import attempt_views, links, public_links
from bot.handlers.staff.command_parser import (
    ButtonAction,
    ButtonData,
    CommandProblem,
    LinkArguments,
    ListPage,
    StaffCommand,
    read_funnel,
    read_link,
    read_links,
)
from bot.handlers.staff.replies import FileReply, PhotoReply, StaffReply, StaffTexts, TextReply, ToastReply
from bot.images import qr
from bot.images.funnel_chart import funnel_png
from verification.ids import Actor
from verification.invitations import Link, LinkState
from verification.support.funnel import beijing_day
from verification.support.funnel_report import build_reports
from verification.support.service import LinkRequest, SupportService
from verification.support.store import read_reference_code

_PHOTO_SIDE = 1280
"""As much as Telegram keeps of a photo."""
_PRINT_SIDE = 2400


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A command and the words behind it."""

    command: StaffCommand
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRequest:
    """What somebody of support wants: `request` names the asking, so that its repetition is known."""

    staff_id: int
    request_id: str
    language: str
    action: TypedCommand | ButtonData
    on_picture: bool = False

    @property
    def actor(self) -> Actor:
        """Who is noted to have used the desk."""
        return Actor(f"telegram:{self.staff_id}")


class StaffService:
    """Answers what is asked; `bot` gives the bot's user name, once it is known."""

    def __init__(
        self, support: SupportService, catalogue: Catalogue, clock: Callable[[], datetime], bot: Callable[[], str]
    ) -> None:
        self._support = support
        self._catalogue = catalogue
        self._clock = clock
        self._bot = bot

    async def answer(self, request: StaffRequest) -> Sequence[StaffReply]:
        """Do it, and say what to show for it."""
        voice = StaffTexts(self._catalogue, request.language)
        match request.action:
            case ButtonData() as press:
                return await self._on_button(request, press, voice)
            case TypedCommand(command, words):
                return await self._on_command(request, command, words, voice)

    async def _on_command(
        self, request: StaffRequest, command: StaffCommand, words: str, texts: StaffTexts
    ) -> Sequence[StaffReply]:
        match command:
            case StaffCommand.LINK:
                return await self._link(request, read_link(words), texts)
            case StaffCommand.LINKS:
                return await self._links(request, read_links(words), texts)
            case StaffCommand.ATTEMPT:
                return await self._attempt(request, words, texts)
            case StaffCommand.FUNNEL:
                return await self._funnel(request, words, texts)
            case StaffCommand.SHARE:
                return self._share(words, texts)
            case StaffCommand.HELP:
                return _text_reply(texts, "help")

    async def _on_button(self, request: StaffRequest, button: ButtonData, texts: StaffTexts) -> Sequence[StaffReply]:
        match button.action:
            case ButtonAction.LIST:
                return [
                    TextReply(await self._links_page(request, button.list_page or ListPage(), texts), in_place=True)
                ]
            case ButtonAction.POSTER:
                return self._print_public_link(button.about, texts)
            case ButtonAction.CONFIRM_REVOKE:
                link = await self._support.revoke(request.actor, button.link)
            case _:
                link = await self._support.link(request.actor, button.link)
        if link is None:
            return [ToastReply(texts.text("toast.no_link"))]
        return self._on_link_button(request, button, link, texts)

    def _on_link_button(
        self, request: StaffRequest, button: ButtonData, link: Link, texts: StaffTexts
    ) -> Sequence[StaffReply]:
        now = self._clock()
        screen = links.render_card(texts, link, now, button.list_page)
        match button.action:
            case ButtonAction.REVOKE if links.can_revoke(link, now):
                screen = links.render_revoke_question(texts, link, button.list_page)
            case ButtonAction.CONFIRM_REVOKE:
                return [ToastReply(texts.text("toast.revoked")), TextReply(screen, in_place=True)]
            case ButtonAction.CODE | ButtonAction.PRINT if link.state(now) is not LinkState.WAITING:
                return [ToastReply(texts.text("toast.over")), TextReply(screen, in_place=True)]
            case ButtonAction.CODE:
                return [self._link_photo(link, texts)]
            case ButtonAction.PRINT:
                return _print_files(self._address(link), f"link-{link.id}", texts)
            case ButtonAction.CARD if request.on_picture and link.state(now) is LinkState.WAITING:
                screen = links.render_waiting(texts, link, self._address(link))
        return [TextReply(screen, in_place=True)]

    async def _links(
        self, request: StaffRequest, spot: ListPage | CommandProblem, texts: StaffTexts
    ) -> Sequence[StaffReply]:
        if isinstance(spot, CommandProblem):
            return _problem_reply(texts, spot)
        return [TextReply(await self._links_page(request, spot, texts))]

    async def _link(
        self, request: StaffRequest, wanted: LinkArguments | CommandProblem, texts: StaffTexts
    ) -> Sequence[StaffReply]:
        if isinstance(wanted, CommandProblem):
            return _problem_reply(texts, wanted)
        order = LinkRequest(
            account=wanted.account,
            idempotency_key=request.request_id,
            campaign=wanted.campaign,
            ttl=wanted.ttl,
            method=wanted.method,
            language=wanted.language,
        )
        made = await self._support.create_link(request.actor, order)
        now = self._clock()
        if made.link.state(now) is LinkState.WAITING:
            return [self._link_photo(made.link, texts, verified=made.verified)]
        return [TextReply(links.render_card(texts, made.link, now))]

    async def _links_page(self, request: StaffRequest, list_page: ListPage, texts: StaffTexts) -> MessageContent:
        found = await self._support.links(
            request.actor,
            campaign=list_page.campaign,
            limit=links.LINKS_A_PAGE + 1,
            skip=list_page.page * links.LINKS_A_PAGE,
        )
        return links.render_page(texts, found, self._clock(), list_page)

    async def _attempt(self, request: StaffRequest, words: str, texts: StaffTexts) -> Sequence[StaffReply]:
        code = read_reference_code(words)
        if code is None:
            return _problem_reply(texts, CommandProblem.CODE)
        found = await self._support.attempt(request.actor, code)
        return [
            TextReply(MessageContent(attempt_views.format_attempt(texts, seen), None)) for seen in found
        ] or _text_reply(texts, "attempt.none")

    async def _funnel(self, request: StaffRequest, words: str, texts: StaffTexts) -> Sequence[StaffReply]:
        wanted = read_funnel(words, beijing_day(self._clock()))
        if isinstance(wanted, CommandProblem):
            return _problem_reply(texts, wanted)
        (report,) = build_reports(await self._support.funnel_statistics(request.actor, wanted), wanted)
        if not any(stage.count for stage in report.steps):
            return [TextReply(MessageContent(attempt_views.format_empty_funnel(texts, wanted), None))]
        # Others are served while it is drawn.
        picture = await asyncio.to_thread(funnel_png, [report], attempt_views.chart_title(wanted))
        return [PhotoReply(picture, MessageContent(attempt_views.format_funnel(texts, report, wanted), None))]

    def _share(self, words: str, texts: StaffTexts) -> Sequence[StaffReply]:
        word = public_links.read_target(words, self._catalogue, texts.language)
        if word is None:
            return _problem_reply(texts, CommandProblem.SHARE)
        address = public_links.public_link(word, bot=self._bot())
        return [PhotoReply(_qr_png(address, _PHOTO_SIDE), public_links.render_public_link(texts, word, link=address))]

    def _print_public_link(self, word: str, texts: StaffTexts) -> Sequence[StaffReply]:
        if public_links.read_target(word, self._catalogue, texts.language) != word:
            return [ToastReply(texts.text("toast.no_link"))]
        return _print_files(public_links.public_link(word, bot=self._bot()), word, texts)

    def _link_photo(self, link: Link, texts: StaffTexts, *, verified: bool = False) -> PhotoReply:
        address = self._address(link)
        return PhotoReply(_qr_png(address, _PHOTO_SIDE), links.render_waiting(texts, link, address, verified=verified))

    def _address(self, link: Link) -> str:
        return addresses.to_account(self._bot(), token=self._support.link_token(link.id))


def _print_files(address: str, name: str, texts: StaffTexts) -> Sequence[StaffReply]:
    drawing = qr.svg(qr.matrix(address)).encode()
    return [
        FileReply(content=drawing, name=f"{name}.svg", caption=texts.text("print.svg")),
        FileReply(content=_qr_png(address, _PRINT_SIDE), name=f"{name}.png", caption=texts.text("print.png")),
    ]


def _qr_png(address: str, side: int) -> bytes:
    return qr.png(qr.matrix(address), side)


def _text_reply(texts: StaffTexts, key: str) -> Sequence[StaffReply]:
    return [TextReply(MessageContent(texts.text(key), None))]


def _problem_reply(texts: StaffTexts, problem: CommandProblem) -> Sequence[StaffReply]:
    return _text_reply(texts, f"slip.{problem}")
