"""The phone's lines of a script: scans codes, touches pages, checks what they show."""

from __future__ import annotations

import asyncio

from chatscript.language import steps
from chatscript.language.patterns import Text, Wild
from chatscript.match.matcher import Captures
from chatscript.runner.context import Scene, Unmet
from chatscript.runner.deeplinks import NoSuchChat, start_payload
from playground.phone.apps import App
from playground.phone.browser import Label, Phone, PhoneTrouble

_SHOWN = 600
_RELOAD_EVERY = 0.3


async def browse(scene: Scene, step: steps.PhoneStep) -> None:
    """Do or check something on the phone; raises `Unmet`."""
    phone = await scene.phone()
    try:
        await _browse(scene, phone, step)
    except PhoneTrouble as trouble:
        raise Unmet(str(trouble), notes=_seen(phone)) from None


async def _browse(scene: Scene, phone: Phone, step: steps.PhoneStep) -> None:
    match step:
        case steps.Page():
            await _look(scene, phone, step)
        case steps.Status(code=code):
            if phone.status != code:
                raise Unmet(f"the page was answered with {phone.status or 'nothing yet'}", notes=_seen(phone))
        case steps.Scan() | steps.Touch() | steps.Reload():
            scene.stage.begin_step()
            await _use(scene, phone, step)
            scene.unhurried()


async def _use(scene: Scene, phone: Phone, step: steps.Scan | steps.Touch | steps.Reload) -> None:
    match step:
        case steps.Scan(address=None):
            await open_link(scene, step.app, await _last_code(scene))
        case steps.Scan(address=Text() as address):
            await open_link(scene, step.app, scene.scope.fill(address))
        case steps.Touch():
            await phone.touch(step.control, _label(scene, step.label))
        case steps.Reload():
            await phone.reload()


async def open_link(scene: Scene, app: App, address: str) -> None:
    """Open an address as that app does; one that leads to the bot starts it in the person's chat."""
    try:
        payload = start_payload(address, (await scene.client.bot()).username)
    except NoSuchChat as nobody:
        raise PhoneTrouble(str(nobody)) from None
    if payload is None:
        await (await scene.phone()).open(app, address)
        return
    scene.go_to(scene.me)
    await scene.client.write(scene.me, scene.me, f"/start {payload}".strip())


async def _last_code(scene: Scene) -> str:
    pictures = await scene.listener.until(lambda: scene.chat.pictures() or None, hurried=scene.hurried)
    for picture in pictures or ():
        if code := await scene.client.qr(picture):
            return code
    raise Unmet("no picture of this chat shows a QR code")


def _label(scene: Scene, label: Text) -> Label:
    within = Text(label.source, (Wild(), *label.parts, Wild()))
    return Label(
        label.source,
        exact=lambda actual: scene.scope.label_fits(label, actual),
        part=lambda actual: scene.scope.match(within, actual) is not None,
    )


async def _look(scene: Scene, phone: Phone, step: steps.Page) -> None:
    """Compare the page; one that refreshes itself is watched for a while."""
    if phone.page is None:
        raise PhoneTrouble("the phone shows no page yet: @scan comes first")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + scene.listener.timing.patience
    while (found := _matches(scene, phone, step)) is None:
        if phone.page.refresh is None or loop.time() > deadline:
            shows = "shows" if step.absent else "does not show"
            raise Unmet(f"the page {shows} {step.text.source}", notes=_seen(phone))
        await scene.listener.look(_RELOAD_EVERY)
        await phone.reload()
    scene.scope.values.update(found)


def _matches(scene: Scene, phone: Phone, step: steps.Page) -> Captures | None:
    text = f"{phone.page.title} {phone.page.text}" if phone.page else ""
    wanted = step.text
    if isinstance(wanted, Text):
        wanted = Text(wanted.source, (Wild(), *wanted.parts, Wild()))
    found = scene.scope.match(wanted, text)
    if step.absent:
        return {} if found is None else None
    return found


def _seen(phone: Phone) -> list[str]:
    if phone.page is None:
        return []
    text = phone.page.text
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return [f"the page: {phone.address} ({phone.status})", f"it shows: {cut or 'nothing'}"]
