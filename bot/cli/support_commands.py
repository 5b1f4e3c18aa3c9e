"""Support's commands on the command line; each imports its code only when it runs, so that help stays fast."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.report import STDOUT, run_command
from verification.attempts import Method, TypedMethodName
from verification.support.funnel import Dimension

if TYPE_CHECKING:
    from bot.cli.show_link import LinkOutput
    from bot.settings import Settings

Bot = Annotated[str, typer.Option(help="The bot's user name; by default Telegram is asked", metavar="NAME")]
Png = Annotated[Path | None, typer.Option(help="Write the QR code to a new PNG file for print", metavar="FILE|-")]
Svg = Annotated[Path | None, typer.Option(help="Write the QR code to a new SVG file", metavar="FILE|-")]
Campaign = Annotated[str, typer.Option(help="Only this campaign", metavar="NAME")]


def add_support_commands(app: typer.Typer) -> typer.Typer:
    """Add support's commands to a command line."""
    for command in (link, links, revoke, funnel):
        app.command()(command)
    app.command("faq-link")(faq_link)
    app.command("method-link")(method_link)
    app.command("way-link", hidden=True)(way_link)
    app.command("language-link")(language_link)
    return app


def link(  # noqa: PLR0913, PLR0917 - each is an option of the command
    account: Annotated[str, typer.Option(help="The cloud account to verify")],
    campaign: Annotated[str, typer.Option(help="The campaign that the funnel counts it under", metavar="NAME")] = "",
    ttl: Annotated[str, typer.Option(help="How long the link can be opened: 30m, 12h, 7d", metavar="TIME")] = "",
    method: Annotated[TypedMethodName | None, typer.Option(help="The method that it suggests")] = None,
    language: Annotated[str, typer.Option(help="The language that the chat begins in: zh or en", metavar="zh|en")] = "",
    bot: Bot = "",
    png: Png = None,
    svg: Svg = None,
) -> None:
    """Make a link for one account, with its QR code.

    The first person who opens it in time is bound to the account; it reveals nothing to anybody else.
    """
    from bot.cli import links as linking

    options = linking.LinkOptions(
        account=account, campaign=campaign, ttl=ttl, method=_method(method), language=language
    )
    run_command(lambda settings: linking.make_link(settings, options, _link_output(bot=bot, png=png, svg=svg)))


def links(
    campaign: Campaign = "",
    account: Annotated[str, typer.Option(help="Only links of this account")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many links, the newest first")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line")] = False,  # noqa: FBT002
) -> None:
    """List links with their states."""
    from bot.cli import links as linking

    which = linking.LinkFilter(campaign=campaign, account=account, limit=limit)
    run_command(lambda settings: linking.list_links(settings, which, typer.echo, as_json=json, in_colour=_in_colour()))


def revoke(id: Annotated[str, typer.Argument(help="The id that the command links shows", metavar="ID")]) -> None:
    """Revoke a link, opened or not."""
    from bot.cli import links as linking

    run_command(lambda settings: linking.revoke(settings, id, typer.echo))


def faq_link(
    topic: Annotated[str, typer.Argument(help="The id of a question in bot/texts/faq.zh.toml")],
    bot: Bot = "",
    png: Png = None,
    svg: Svg = None,
) -> None:
    """Print the link that opens a question of the FAQ, and its QR code."""
    from bot import links
    from bot.cli import show_link

    async def work(settings: "Settings") -> int:
        show_link.check_topic(topic)
        return await show_link.show_link(
            settings, _link_output(bot=bot, png=png, svg=svg), lambda name: links.to_topic(name, topic=topic)
        )

    run_command(work)


def method_link(method: TypedMethodName, bot: Bot = "", png: Png = None, svg: Svg = None) -> None:
    """Print the link that suggests a method, and its QR code."""
    from bot import links
    from bot.cli import show_link

    async def work(settings: "Settings") -> int:
        show_link.check_method(settings, Method(method))
        return await show_link.show_link(
            settings, _link_output(bot=bot, png=png, svg=svg), lambda name: links.to_method(name, Method(method))
        )

    run_command(work)


def way_link(
    method: Annotated[TypedMethodName, typer.Argument(help="The method that it suggests")],
    bot: Bot = "",
    png: Png = None,
    svg: Svg = None,
) -> None:
    """Do as method-link does: its name in 0.1."""
    typer.echo("way-link is called method-link now; the old name works until 0.3", err=True)
    method_link(method, bot, png, svg)


def language_link(
    language: Annotated[str, typer.Argument(help="zh or en", metavar="zh|en")],
    bot: Bot = "",
    png: Png = None,
    svg: Svg = None,
) -> None:
    """Print the link that begins in a language, and its QR code."""
    from bot import links
    from bot.cli import show_link, support_client

    async def work(settings: "Settings") -> int:
        known = support_client.read_option("LANGUAGE", support_client.read_language, language)
        return await show_link.show_link(
            settings, _link_output(bot=bot, png=png, svg=svg), lambda name: links.to_language(name, language=known)
        )

    run_command(work)


def funnel(  # noqa: PLR0913, PLR0917 - each is an option of the command
    campaign: Annotated[str | None, typer.Option(help="Only this campaign; '' for people without one")] = None,
    since: Annotated[str, typer.Option(help="First day, in Beijing", metavar="2026-11-01")] = "",
    until: Annotated[str, typer.Option(help="Last day; today by default", metavar="2026-11-30")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="The number of days, without --since")] = 30,
    by: Annotated[Dimension | None, typer.Option(help="Group by this")] = None,
    method: Annotated[TypedMethodName | None, typer.Option(help="Only this method")] = None,
    language: Annotated[str, typer.Option(help="Only people who began in this language", metavar="zh|en")] = "",
    csv: Annotated[Path | None, typer.Option(help="Write all numbers as CSV; - is stdout", metavar="FILE|-")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all numbers as JSON", metavar="FILE|-")] = None,
    png: Annotated[Path | None, typer.Option(help="Write the chart to a PNG file", metavar="FILE|-")] = None,
) -> None:
    """Show how many people reach each step, where they are lost, and how long each step takes."""
    from bot.cli import funnel as reporting

    options = reporting.FunnelOptions(
        campaign=campaign, since=since, until=until, days=days, by=by, method=_method(method), language=language
    )
    output = reporting.FunnelOutput(say=typer.echo, csv=csv, json=json, png=png, in_colour=_in_colour())
    run_command(lambda settings: reporting.report_funnel(settings, options, output))


def _method(name: TypedMethodName | None) -> Method | None:
    return None if name is None else Method(name)


def _link_output(*, bot: str, png: Path | None, svg: Path | None) -> "LinkOutput":
    from bot.cli.show_link import LinkOutput

    # Where a picture goes to standard output, it goes there alone.
    say = partial(typer.echo, err=True) if STDOUT in (png, svg) else typer.echo
    return LinkOutput(say=say, bot=bot, png=png, svg=svg, in_colour=_in_colour())


def _in_colour() -> bool:
    return sys.stdout.isatty()
