"""Carries out the requests of support staff with the core's `SupportService`, and gives the replies.

The action is committed together with its audit entry before the reply is sent. A repeated request does nothing new: the
id of the update is the idempotency key of the link that it creates.
"""

import asyncio
from collections.abc import Callable, Sequence
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
    NotUnderstood,
    StaffCommand,
    read_funnel,
    read_link,
    read_links,
)
from bot.handlers.staff.replies import FileReply, PhotoReply, StaffReply, StaffTexts, TextReply, ToastReply
from bot.images import qr
from verification.ids import Actor
from verification.invitations import Link, LinkState
from verification.record import Record
from verification.support.funnel import beijing_day
from verification.support.funnel_report import build_reports
from verification.support.service import LinkRequest, SupportService
from verification.support.store import read_reference_code

_PHOTO_SIDE = 1280
"""Pixels; Telegram reduces larger photos."""
_PRINT_SIDE = 2400


class TypedCommand(Record):
    """A command and the text after it."""

    command: StaffCommand
    arguments: str


class StaffRequest(Record, kw_only=True):
    """A request of a staff member; `request_id` is the same when the request is repeated."""

    staff_id: int
    request_id: str
    language: str
    action: TypedCommand | ButtonData
    on_picture: bool = False

    @property
    def actor(self) -> Actor:
        """The staff member as the audit log names them."""
        return Actor(f"telegram:{self.staff_id}")


class StaffService:
    """Answers requests; `bot` gives the bot's user name, which is known only after the start."""

    def __init__(
        self, support: SupportService, catalogue: Catalogue, clock: Callable[[], datetime], bot: Callable[[], str]
    ) -> None:
        self._support = support
        self._catalogue = catalogue
        self._clock = clock
        self._bot = bot

    async def answer(self, request: StaffRequest) -> Sequence[StaffReply]:
        """Carry out a request and give the replies to show."""
        texts = StaffTexts(self._catalogue, request.language)
        match request.action:
            case ButtonData() as button:
                return await self._on_button(request, button, texts)
            case TypedCommand(command, arguments):
                return await self._on_command(request, command, arguments, texts)

    async def _on_command(
        self, request: StaffRequest, command: StaffCommand, arguments: str, texts: StaffTexts
    ) -> Sequence[StaffReply]:
        match command:
            case StaffCommand.LINK:
                return await self._link(request, read_link(arguments), texts)
            case StaffCommand.LINKS:
                return await self._links(request, read_links(arguments), texts)
            case StaffCommand.ATTEMPT:
                return await self._attempt(request, arguments, texts)
            case StaffCommand.FUNNEL:
                return await self._funnel(request, arguments, texts)
            case StaffCommand.SHARE:
                return self._share(arguments, texts)
            case StaffCommand.HELP:
                return _text_reply(texts, "help")

    async def _on_button(self, request: StaffRequest, button: ButtonData, texts: StaffTexts) -> Sequence[StaffReply]:
        match button.action:
            case ButtonAction.LIST:
                return [
                    TextReply(await self._links_page(request, button.list_page or ListPage(), texts), in_place=True)
                ]
            case ButtonAction.FUNNEL:
                return await self._funnel(request, button.about, texts)
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
        content = links.render_card(texts, link, now, button.list_page)
        match button.action:
            case ButtonAction.REVOKE if links.can_revoke(link, now):
                content = links.render_revoke_question(texts, link, button.list_page)
            case ButtonAction.CONFIRM_REVOKE:
                return [ToastReply(texts.text("toast.revoked")), TextReply(content, in_place=True)]
            case ButtonAction.CODE | ButtonAction.PRINT if link.state(now) is not LinkState.WAITING:
                return [ToastReply(texts.text("toast.over")), TextReply(content, in_place=True)]
            case ButtonAction.CODE:
                return [self._link_photo(link, texts)]
            case ButtonAction.PRINT:
                return _print_files(self._address(link), f"link-{link.id}", texts)
            case ButtonAction.CARD if request.on_picture and link.state(now) is LinkState.WAITING:
                content = links.render_waiting(texts, link, self._address(link))
        return [TextReply(content, in_place=True)]

    async def _links(
        self, request: StaffRequest, list_page: ListPage | CommandProblem, texts: StaffTexts
    ) -> Sequence[StaffReply]:
        if isinstance(list_page, CommandProblem):
            return _problem_reply(texts, list_page)
        return [TextReply(await self._links_page(request, list_page, texts))]

    async def _link(
        self, request: StaffRequest, arguments: LinkArguments | CommandProblem | NotUnderstood, texts: StaffTexts
    ) -> Sequence[StaffReply]:
        if not isinstance(arguments, LinkArguments):
            return _problem_reply(texts, arguments)
        if arguments.method is not None and arguments.method not in self._support.link_methods:
            return _problem_reply(texts, CommandProblem.METHOD_OFF)
        link_request = LinkRequest(
            account=arguments.account,
            # Another bot gives the same ids to other updates.
            idempotency_key=f"{self._bot()}:{request.request_id}",
            campaign=arguments.campaign,
            ttl=arguments.ttl,
            method=arguments.method,
            language=arguments.language,
        )
        created = await self._support.create_link(request.actor, link_request)
        now = self._clock()
        if created.link.state(now) is LinkState.WAITING:
            return [self._link_photo(created.link, texts, verified=created.verified)]
        return [TextReply(links.render_card(texts, created.link, now))]

    async def _links_page(self, request: StaffRequest, list_page: ListPage, texts: StaffTexts) -> MessageContent:
        found = await self._support.links(
            request.actor,
            campaign=list_page.campaign,
            limit=links.LINKS_A_PAGE + 1,
            skip=list_page.page * links.LINKS_A_PAGE,
        )
        return links.render_page(texts, found, self._clock(), list_page)

    async def _attempt(self, request: StaffRequest, arguments: str, texts: StaffTexts) -> Sequence[StaffReply]:
        code = read_reference_code(arguments)
        if code is None:
            return _problem_reply(texts, CommandProblem.CODE)
        attempts, disputes = await self._support.attempt(request.actor, code)
        found = [attempt_views.format_attempt(texts, attempt) for attempt in attempts]
        found += [attempt_views.format_dispute(texts, dispute) for dispute in disputes]
        return [TextReply(MessageContent(text, None)) for text in found] or _text_reply(texts, "attempt.none")

    async def _funnel(self, request: StaffRequest, arguments: str, texts: StaffTexts) -> Sequence[StaffReply]:
        query = read_funnel(arguments, beijing_day(self._clock()))
        if isinstance(query, CommandProblem | NotUnderstood):
            return _problem_reply(texts, query)
        (report,) = build_reports(await self._support.funnel_statistics(request.actor, query), query)
        if not any(step.count for step in report.steps):
            return [TextReply(MessageContent(attempt_views.format_empty_funnel(texts, query), None))]
        # Pillow is large, and only this command draws with it.
        from bot.images.funnel_chart import funnel_png

        # Drawing takes long, so it must not block the event loop.
        picture = await asyncio.to_thread(funnel_png, [report], attempt_views.chart_title(query))
        return [PhotoReply(picture, MessageContent(attempt_views.format_funnel(texts, report, query), None))]

    def _share(self, arguments: str, texts: StaffTexts) -> Sequence[StaffReply]:
        target = public_links.read_target(arguments, self._catalogue, texts.language)
        if target is None:
            return _problem_reply(texts, CommandProblem.SHARE)
        address = public_links.public_link(target, bot=self._bot())
        return [PhotoReply(_qr_png(address, _PHOTO_SIDE), public_links.render_public_link(texts, target, link=address))]

    def _print_public_link(self, target: str, texts: StaffTexts) -> Sequence[StaffReply]:
        if public_links.read_target(target, self._catalogue, texts.language) != target:
            return [ToastReply(texts.text("toast.no_link"))]
        return _print_files(public_links.public_link(target, bot=self._bot()), target, texts)

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


def _problem_reply(texts: StaffTexts, problem: CommandProblem | NotUnderstood) -> Sequence[StaffReply]:
    if isinstance(problem, NotUnderstood):
        return [TextReply(links.render_not_understood(texts, problem))]
    return _text_reply(texts, f"slip.{problem}")
