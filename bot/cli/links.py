"""Support's commands on links: `link`, `links` and `revoke`."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace
from rich.table import Table

from bot import links
from bot.cli.report import CommandFailed, Say, check_outputs
from bot.cli.show_link import LinkOutput, check_method, resolve_bot_name, show_link
from bot.cli.support_client import ACTOR, open_support_client, read_language, read_option
from bot.cli.tables import format_moment, plain_table, render_table
from bot.clock import new_token
from bot.images.funnel_format import format_duration
from bot.setting_types import parse_duration
from bot.settings import BadSetting, Settings
from verification.attempts import Method
from verification.identity import mask_account
from verification.invitations import (
    InvalidLinkRequest,
    Link,
    LinkId,
    LinkState,
    is_link_id,
    read_account,
    read_campaign,
)
from verification.record import Record
from verification.support.service import CreatedLink, LinkRequest


class LinkOptions(Record, kw_only=True):
    """The options of a new link, as typed."""

    account: str
    campaign: str = ""
    ttl: str = ""
    method: Method | None = None
    language: str = ""

    def read(self) -> LinkRequest:
        """Read the options; raises `BadSetting`."""
        return LinkRequest(
            account=read_option("--account", read_account, self.account),
            idempotency_key=new_token(),
            campaign=read_option("--campaign", read_campaign, self.campaign),
            ttl=read_option("--ttl", parse_duration, self.ttl) if self.ttl else None,
            method=self.method,
            language=read_option("--language", read_language, self.language) if self.language else None,
        )


class LinkFilter(Record, kw_only=True):
    """The links to list, as typed."""

    campaign: str = ""
    account: str = ""
    limit: int = 20


async def make_link(settings: Settings, options: LinkOptions, output: LinkOutput) -> int:
    """Make a link and show it."""
    request = options.read()
    if request.method is not None:
        check_method(settings, request.method)
    # The files and the name first: without them the link could be made but not shown.
    check_outputs(png=output.png, svg=output.svg)
    bot = await resolve_bot_name(settings, output.bot)
    async with open_support_client(settings) as client:
        try:
            created = await client.support.create_link(ACTOR, request)
        except InvalidLinkRequest as error:
            raise BadSetting(f"--ttl: {error}") from None
        facts = _facts(created, client.clock.now(), playground=settings.bot_token is None and not output.bot)
    shown = replace(output, bot=bot)
    return await show_link(settings, shown, lambda name: links.to_account(name, token=created.token), *facts)


def _facts(created: CreatedLink, now: datetime, *, playground: bool) -> Iterator[str]:
    """What support must know about a new link, in lines."""
    link = created.link
    about = (link.campaign and f"campaign {link.campaign}", link.method, link.language)
    yield ", ".join((f"For account {mask_account(link.account)}", *filter(None, about)))
    until = f"{format_moment(link.expires_at)} in Beijing ({format_duration(link.expires_at - now)})"
    yield f"The first person who opens it until {until} is bound to the account"
    yield f"Revoke it with: revoke {link.id}"
    if created.verified:
        yield "Warning: this account is verified already; the link only says so"
    if playground:
        yield "In the playground, send it as a message"


async def list_links(settings: Settings, which: LinkFilter, say: Say, *, as_json: bool, in_colour: bool) -> int:
    """List links, the newest first."""
    campaign = read_option("--campaign", read_campaign, which.campaign) or None
    account = read_option("--account", read_account, which.account) if which.account else None
    async with open_support_client(settings) as client:
        found = await client.support.links(ACTOR, campaign=campaign, account=account, limit=which.limit)
        now = client.clock.now()
    if as_json:
        for link in found:
            say(json.dumps(_as_json(link, now)))
    elif found:
        say(render_table(_table(found, now), in_colour=in_colour))
    else:
        say("there are no such links")
    return 0


def _as_json(link: Link, now: datetime) -> dict[str, str | None]:
    return {
        "id": link.id,
        "state": link.state(now),
        "account": mask_account(link.account),
        "campaign": link.campaign,
        "method": link.method,
        "language": link.language,
        "made_by": link.made_by,
        "made_at": link.made_at.isoformat(),
        "expires_at": link.expires_at.isoformat(),
        "opened_at": link.opened_at.isoformat() if link.opened_at else None,
        "revoked_at": link.revoked_at.isoformat() if link.revoked_at else None,
    }


_COLOURS = {LinkState.WAITING: "", LinkState.OPENED: "cyan", LinkState.VERIFIED: "green"}


def _table(found: Sequence[Link], now: datetime) -> Table:
    table = plain_table()
    for title in ("id", "state", "account", "campaign", "in Beijing", "by"):
        table.add_column(title, no_wrap=True)
    for link in found:
        state = link.state(now)
        table.add_row(
            link.id,
            state,
            mask_account(link.account),
            link.campaign or "-",
            _when(link, state),
            link.made_by,
            style=_COLOURS.get(state, "dim"),
        )
    return table


def _when(link: Link, state: LinkState) -> str:
    """The time since when the link is in its state; for a waiting link the time until when."""
    if state is LinkState.WAITING:
        return f"until {format_moment(link.expires_at)[5:]}"
    return format_moment(link.revoked_at or link.opened_at or link.expires_at)


async def revoke(settings: Settings, id: str, say: Say) -> int:
    """Revoke a link."""
    if not is_link_id(id):
        raise BadSetting("ID: a link's id is 16 digits and letters a to f, as links shows it")
    async with open_support_client(settings) as client:
        revoked = await client.support.revoke(ACTOR, LinkId(id))
    if revoked is None:
        raise CommandFailed(f"{id}: there is no such link")
    say(f"revoked: {id}, for account {mask_account(revoked.account)}")
    return 0
