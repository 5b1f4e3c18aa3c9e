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
from bot.handlers.side_messages import Screen
from bot.handlers.staff import attempt_views, links, public_links
from bot.handlers.staff.command_parser import (
    Command,
    LinkWords,
    Press,
    Slip,
    Spot,
    Verb,
    read_funnel,
    read_link,
    read_links,
)
from bot.handlers.staff.replies import Answer, Filed, Pictured, Toasted, Told, Voice
from bot.images import qr
from bot.images.funnel_chart import funnel_png
from verification.invitations import Link, LinkState
from verification.support.funnel import day_of
from verification.support.funnel_report import reports
from verification.support.service import Order, Support
from verification.support.store import read_code

_PHOTO_SIDE = 1280
"""As much as Telegram keeps of a photo."""
_PRINT_SIDE = 2400


@dataclass(frozen=True, slots=True)
class Typed:
    """A command and the words behind it."""

    command: Command
    words: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody of support wants: `request` names the asking, so that its repetition is known."""

    staff: int
    request: str
    language: str
    what: Typed | Press
    on_picture: bool = False

    @property
    def actor(self) -> str:
        """Who is noted to have used the desk."""
        return f"telegram:{self.staff}"


class Clerk:
    """Answers what is asked; `bot` gives the bot's user name, once it is known."""

    def __init__(
        self, support: Support, catalogue: Catalogue, clock: Callable[[], datetime], bot: Callable[[], str]
    ) -> None:
        self._support = support
        self._catalogue = catalogue
        self._clock = clock
        self._bot = bot

    async def answer(self, asked: Asked) -> Sequence[Answer]:
        """Do it, and say what to show for it."""
        voice = Voice(self._catalogue, asked.language)
        match asked.what:
            case Press() as press:
                return await self._pressed(asked, press, voice)
            case Typed(command, words):
                return await self._typed(asked, command, words, voice)

    async def _typed(self, asked: Asked, command: Command, words: str, voice: Voice) -> Sequence[Answer]:
        match command:
            case Command.LINK:
                return await self._link(asked, read_link(words), voice)
            case Command.LINKS:
                return await self._links(asked, read_links(words), voice)
            case Command.ATTEMPT:
                return await self._attempt(asked, words, voice)
            case Command.FUNNEL:
                return await self._funnel(asked, words, voice)
            case Command.SHARE:
                return self._share(words, voice)
            case Command.HELP:
                return _said(voice, "help")

    async def _pressed(self, asked: Asked, press: Press, voice: Voice) -> Sequence[Answer]:
        match press.verb:
            case Verb.LIST:
                return [Told(await self._page(asked, press.spot or Spot(), voice), in_place=True)]
            case Verb.POSTER:
                return self._poster(press.about, voice)
            case Verb.REALLY:
                link = await self._support.revoke(asked.actor, press.link)
            case _:
                link = await self._support.link(asked.actor, press.link)
        if link is None:
            return [Toasted(voice.text("toast.no_link"))]
        return self._on_link(asked, press, link, voice)

    def _on_link(self, asked: Asked, press: Press, link: Link, voice: Voice) -> Sequence[Answer]:
        now = self._clock()
        screen = links.card(voice, link, now, press.spot)
        match press.verb:
            case Verb.REVOKE if links.can_end(link, now):
                screen = links.really(voice, link, press.spot)
            case Verb.REALLY:
                return [Toasted(voice.text("toast.revoked")), Told(screen, in_place=True)]
            case Verb.CODE | Verb.PRINT if link.state(now) is not LinkState.WAITING:
                return [Toasted(voice.text("toast.over")), Told(screen, in_place=True)]
            case Verb.CODE:
                return [self._picture(link, voice)]
            case Verb.PRINT:
                return _for_print(self._address(link), f"link-{link.id}", voice)
            case Verb.CARD if asked.on_picture and link.state(now) is LinkState.WAITING:
                screen = links.waiting(voice, link, self._address(link))
        return [Told(screen, in_place=True)]

    async def _links(self, asked: Asked, spot: Spot | Slip, voice: Voice) -> Sequence[Answer]:
        if isinstance(spot, Slip):
            return _slipped(voice, spot)
        return [Told(await self._page(asked, spot, voice))]

    async def _link(self, asked: Asked, wanted: LinkWords | Slip, voice: Voice) -> Sequence[Answer]:
        if isinstance(wanted, Slip):
            return _slipped(voice, wanted)
        order = Order(wanted.account, asked.request, wanted.campaign, wanted.ttl, wanted.method, wanted.language)
        made = await self._support.make_link(asked.actor, order)
        now = self._clock()
        if made.link.state(now) is LinkState.WAITING:
            return [self._picture(made.link, voice, verified=made.verified)]
        return [Told(links.card(voice, made.link, now))]

    async def _page(self, asked: Asked, spot: Spot, voice: Voice) -> Screen:
        found = await self._support.links(
            asked.actor,
            campaign=spot.campaign,
            limit=links.LINKS_A_PAGE + 1,
            skip=spot.page * links.LINKS_A_PAGE,
        )
        return links.page(voice, found, self._clock(), spot)

    async def _attempt(self, asked: Asked, words: str, voice: Voice) -> Sequence[Answer]:
        code = read_code(words)
        if code is None:
            return _slipped(voice, Slip.CODE)
        found = await self._support.attempt(asked.actor, code)
        return [Told(Screen(attempt_views.attempt(voice, seen), None)) for seen in found] or _said(
            voice, "attempt.none"
        )

    async def _funnel(self, asked: Asked, words: str, voice: Voice) -> Sequence[Answer]:
        wanted = read_funnel(words, day_of(self._clock()))
        if isinstance(wanted, Slip):
            return _slipped(voice, wanted)
        (report,) = reports(await self._support.figures(asked.actor, wanted), wanted)
        if not any(stage.count for stage in report.stages):
            return [Told(Screen(attempt_views.nothing_counted(voice, wanted), None))]
        # Others are served while it is drawn.
        picture = await asyncio.to_thread(funnel_png, [report], attempt_views.chart_title(wanted))
        return [Pictured(picture, Screen(attempt_views.funnel(voice, report, wanted), None))]

    def _share(self, words: str, voice: Voice) -> Sequence[Answer]:
        word = public_links.named(words, self._catalogue, voice.language)
        if word is None:
            return _slipped(voice, Slip.SHARE)
        address = public_links.address(word, self._bot())
        return [Pictured(_code(address, _PHOTO_SIDE), public_links.screen(voice, word, address))]

    def _poster(self, word: str, voice: Voice) -> Sequence[Answer]:
        if public_links.named(word, self._catalogue, voice.language) != word:
            return [Toasted(voice.text("toast.no_link"))]
        return _for_print(public_links.address(word, self._bot()), word, voice)

    def _picture(self, link: Link, voice: Voice, *, verified: bool = False) -> Pictured:
        address = self._address(link)
        return Pictured(_code(address, _PHOTO_SIDE), links.waiting(voice, link, address, verified=verified))

    def _address(self, link: Link) -> str:
        return addresses.to_account(self._bot(), self._support.token(link.id))


def _for_print(address: str, name: str, voice: Voice) -> Sequence[Answer]:
    drawing = qr.svg(qr.matrix(address)).encode()
    return [
        Filed(drawing, f"{name}.svg", voice.text("print.svg")),
        Filed(_code(address, _PRINT_SIDE), f"{name}.png", voice.text("print.png")),
    ]


def _code(address: str, side: int) -> bytes:
    return qr.png(qr.matrix(address), side)


def _said(voice: Voice, key: str) -> Sequence[Answer]:
    return [Told(Screen(voice.text(key), None))]


def _slipped(voice: Voice, slip: Slip) -> Sequence[Answer]:
    return _said(voice, f"slip.{slip}")
