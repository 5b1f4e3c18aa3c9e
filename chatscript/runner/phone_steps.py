"""The phone's lines of a script: scans codes, touches pages, checks what they show."""

from __future__ import annotations

import asyncio

from chatscript.language import steps
from chatscript.language.patterns import TextPattern, Wildcard
from chatscript.match.matcher import Captures
from chatscript.runner.context import RunContext, StepFailed
from chatscript.runner.deeplinks import NoSuchChat, start_payload
from playground.phone.apps import PhoneApp
from playground.phone.browser import LabelMatcher, Phone, PhoneError

_SHOWN = 600
_RELOAD_EVERY = 0.3


async def run_phone_step(context: RunContext, step: steps.PhoneStep) -> None:
    """Do or check something on the phone; raises `Unmet`."""
    phone = await context.phone()
    try:
        await _run_phone_step(context, phone, step)
    except PhoneError as trouble:
        raise StepFailed(str(trouble), notes=_page_notes(phone)) from None


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
    """Open an address as that app does; one that leads to the bot starts it in the person's chat."""
    try:
        payload = start_payload(address, (await context.client.bot_status()).username)
    except NoSuchChat as nobody:
        raise PhoneError(str(nobody)) from None
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
    within = TextPattern(label.source, (Wildcard(), *label.parts, Wildcard()))
    return LabelMatcher(
        label.source,
        matches_exactly=lambda actual: context.scope.label_matches(label, actual),
        matches_partly=lambda actual: context.scope.match(within, actual) is not None,
    )


async def _expect_page_text(context: RunContext, phone: Phone, step: steps.ExpectPageText) -> None:
    """Compare the page; one that refreshes itself is watched for a while."""
    if phone.page is None:
        raise PhoneError("the phone shows no page yet: @scan comes first")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + context.listener.timing.timeout
    while (found := _matches(context, phone, step)) is None:
        if phone.page.refresh is None or loop.time() > deadline:
            shows = "shows" if step.absent else "does not show"
            raise StepFailed(f"the page {shows} {step.text.source}", notes=_page_notes(phone))
        await context.listener.poll(_RELOAD_EVERY)
        await phone.reload()
    context.scope.values.update(found)


def _matches(context: RunContext, phone: Phone, step: steps.ExpectPageText) -> Captures | None:
    text = f"{phone.page.title} {phone.page.text}" if phone.page else ""
    wanted = step.text
    if isinstance(wanted, TextPattern):
        wanted = TextPattern(wanted.source, (Wildcard(), *wanted.parts, Wildcard()))
    found = context.scope.match(wanted, text)
    if step.absent:
        return {} if found is None else None
    return found


def _page_notes(phone: Phone) -> list[str]:
    if phone.page is None:
        return []
    text = phone.page.text
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return [f"the page: {phone.address} ({phone.status})", f"it shows: {cut or 'nothing'}"]
