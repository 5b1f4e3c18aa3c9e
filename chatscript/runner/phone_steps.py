"""Runs the phone steps of a script: opens links, uses pages, and checks what they show."""

from __future__ import annotations

import asyncio

from chatscript.language import steps
from chatscript.language.patterns import TextPattern, Wildcard
from chatscript.match.matcher import Captures
from chatscript.runner.context import RunContext, StepFailed
from chatscript.runner.deeplinks import NoSuchChat, start_payload
from playground.phone.apps import PhoneApp
from playground.phone.browser import LabelMatcher, Phone, PhoneError
from playground.phone.page_parser import WebPage

_SHOWN = 600
_RELOAD_INTERVAL = 0.3  # seconds


async def run_phone_step(context: RunContext, step: steps.PhoneStep) -> None:
    """Run a phone step. Raises `StepFailed`."""
    phone = await context.phone()
    try:
        await _run_phone_step(context, phone, step)
    except PhoneError as error:
        raise StepFailed(str(error), notes=_page_notes(phone)) from None


async def _run_phone_step(context: RunContext, phone: Phone, step: steps.PhoneStep) -> None:
    match step:
        case steps.ExpectPageText():
            await _expect_page_text(context, phone, step)
        case steps.ExpectPageStatus(code=code):
            if phone.status != code:
                raise StepFailed(
                    f"the page was answered with {phone.status or 'nothing yet'}", notes=_page_notes(phone)
                )
        case steps.OpenInApp() | steps.PhoneGesture() | steps.ReloadPage():
            context.environment.mark_log()
            await _use_phone(context, phone, step)
            context.allow_late_reply()


async def _use_phone(
    context: RunContext, phone: Phone, step: steps.OpenInApp | steps.PhoneGesture | steps.ReloadPage
) -> None:
    match step:
        case steps.OpenInApp(address=None):
            await open_link(context, step.app, await _last_qr_code(context))
        case steps.OpenInApp(address=TextPattern() as address):
            await open_link(context, step.app, context.scope.render(address))
        case steps.PhoneGesture():
            await phone.use_control(step.gesture, _label_matcher(context, step.label))
        case steps.ReloadPage():
            await phone.reload()


async def open_link(context: RunContext, app: PhoneApp, address: str) -> None:
    """Open a link in an app. A deep link to the bot starts it in the person's private chat. Raises `PhoneError`."""
    try:
        payload = start_payload(address, (await context.client.bot_status()).username)
    except NoSuchChat as error:
        raise PhoneError(str(error)) from None
    if payload is None:
        await (await context.phone()).open(app, address)
        return
    context.switch_chat(context.person_id)
    await context.client.write(context.person_id, context.person_id, f"/start {payload}".strip())


async def _last_qr_code(context: RunContext) -> str:
    pictures = await context.listener.wait_for(
        lambda: context.chat.pictures() or None, stop_when_idle=context.expects_prompt_reply
    )
    for picture in pictures or ():
        if code := await context.client.read_qr(picture):
            return code
    raise StepFailed("no picture of this chat shows a QR code")


def _label_matcher(context: RunContext, label: TextPattern) -> LabelMatcher:
    return LabelMatcher(
        label.source,
        matches_exactly=lambda actual: context.scope.label_matches(label, actual),
        matches_partly=lambda actual: context.scope.match(_anywhere(label), actual) is not None,
    )


def _anywhere(pattern: TextPattern) -> TextPattern:
    """Return a pattern that also matches inside a longer text."""
    return TextPattern(pattern.source, (Wildcard(), *pattern.parts, Wildcard()))


async def _expect_page_text(context: RunContext, phone: Phone, step: steps.ExpectPageText) -> None:
    """Compare the page; a page that refreshes itself is loaded again until the timeout."""
    page = phone.current_page()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + context.listener.timing.timeout
    while (found := _matches(context, page, step)) is None:
        if page.refresh is None or loop.time() > deadline:
            shows = "shows" if step.absent else "does not show"
            raise StepFailed(f"the page {shows} {step.text.source}", notes=_page_notes(phone))
        await context.listener.poll(_RELOAD_INTERVAL)
        await phone.reload()
        page = phone.current_page()
    context.scope.values.update(found)


def _matches(context: RunContext, page: WebPage, step: steps.ExpectPageText) -> Captures | None:
    expected = _anywhere(step.text) if isinstance(step.text, TextPattern) else step.text
    found = context.scope.match(expected, f"{page.title} {page.text}")
    if step.absent:
        return {} if found is None else None
    return found


def _page_notes(phone: Phone) -> list[str]:
    if phone.page is None:
        return []
    text = phone.page.text
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return [f"the page: {phone.address} ({phone.status})", f"it shows: {cut or 'nothing'}"]
