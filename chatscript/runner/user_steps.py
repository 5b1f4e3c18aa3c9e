"""What the person does: writes, sends, taps, forges."""

from __future__ import annotations

from difflib import get_close_matches

from chatscript.language import steps
from chatscript.match.chat_view import Message, Spot, spots
from chatscript.match.matcher import bare
from chatscript.match.transcript import keyboard
from chatscript.runner.context import Scene, Unmet
from chatscript.runner.phone_steps import open_link
from chatscript.runner.simulator_client import SimRefused
from playground.phone.apps import App
from playground.phone.browser import PhoneTrouble


async def act(scene: Scene, step: steps.Action) -> None:
    """Do what the person does; raises `Unmet` when it is not possible."""
    await scene.forget_the_allowed()
    scene.stage.begin_step()
    try:
        await _act(scene, step)
    except SimRefused as refused:
        raise Unmet(f"the person cannot do this: {refused}") from None


async def _act(scene: Scene, step: steps.Action) -> None:
    client, chat, me = scene.client, scene.chat.id, scene.me
    match step:
        case steps.Write(edit=True):
            await client.edit(chat, me, await _own_last(scene), scene.scope.fill(step.text))
        case steps.Write():
            await client.write(chat, me, scene.scope.fill(step.text), forward=step.forward)
        case steps.Send():
            await client.send(chat, me, step.kind, scene.scope.fill(step.caption))
        case steps.Forge():
            await client.forge(chat, me, await _newest(scene), scene.scope.fill(step.data))
        case steps.Tap(old=True):
            await client.tap(chat, me, await _old_spot(scene, step))
        case steps.Tap():
            await _tap(scene, step)
            return
        case steps.Ask():
            await client.ask(chat, me, scene.scope.fill(step.text))
        case steps.Choose():
            await _choose_result(scene, step)
    scene.provoked()


async def _own_last(scene: Scene) -> int:
    await scene.listener.look()
    last = scene.chat.own_last.get(scene.me)
    if last is None:
        raise Unmet("this person has written nothing here that could be edited")
    return last


async def _newest(scene: Scene) -> int:
    chat = scene.chat
    message = await scene.listener.until(lambda: chat.live() or chat.newest(), hurried=scene.hurried)
    if message is None:
        raise Unmet("there is no message of the bot to press on")
    return message.id


async def _tap(scene: Scene, step: steps.Tap) -> None:
    found = await scene.listener.until(lambda: _spot(scene, step), hurried=scene.hurried)
    if found is None:
        raise _no_button(scene, step)
    match found.key.kind:
        case "data":
            await scene.client.tap(scene.chat.id, scene.me, found)
        case "text":
            await scene.client.write(scene.chat.id, scene.me, found.key.label)
        case "inline":
            await scene.client.ask(scene.chat.id, scene.me, found.key.target)
        case "url":
            await _open(scene, found.key.target)
            scene.unhurried()
            return
        case kind:
            raise Unmet(f"[{found.key.label}] is a button of the kind {kind}: the bot hears nothing of it")
    scene.provoked()


async def _choose_result(scene: Scene, step: steps.Choose) -> None:
    chat = scene.chat
    rows = await scene.listener.until(chat.offered, hurried=scene.hurried) or ()
    fitting = [key for row in rows for key in row if scene.scope.label_fits(step.title, key.label)]
    shown, there = f"[{step.title.source}]", f"the results there: {keyboard(rows) if rows else 'none'}"
    if len(fitting) > 1 and step.nth is None:
        raise Unmet(f"{shown} fits several results; write {shown}@2", notes=[there])
    if len(fitting) < (step.nth or 1):
        raise Unmet(f"there is no result {shown}", notes=[there])
    chosen = fitting[(step.nth or 1) - 1]
    await scene.client.choose(chat.id, scene.me, chosen.data if chosen.kind == "result" else None)


async def _open(scene: Scene, address: str) -> None:
    try:
        await open_link(scene, App.BROWSER, address)
    except PhoneTrouble as trouble:
        raise Unmet(str(trouble)) from None


def _spot(scene: Scene, step: steps.Tap) -> Spot | None:
    for message in (scene.chat.live(), scene.chat.reply_keyboard()):
        if message is not None and (found := _choose(scene, step, spots(message.id, message.rows))):
            return found
    return None


async def _old_spot(scene: Scene, step: steps.Tap) -> Spot:
    await scene.listener.look()
    known = scene.chat.old_spots()
    if found := _choose(scene, step, known):
        return found
    labels = dict.fromkeys(f"[{spot.key.label}]" for spot in known)
    raise Unmet(f"no earlier message had the button {_shown(step)}", notes=[f"earlier buttons: {_list(labels)}"])


def _choose(scene: Scene, step: steps.Tap, known: list[Spot]) -> Spot | None:
    """Find the button; several with that label need a choice, unless one message after another had it."""
    fitting = [spot for spot in known if scene.scope.match(step.label, spot.key.label) is not None]
    if not fitting:
        fitting = [spot for spot in known if scene.scope.match(step.label, bare(spot.key.label)) is not None]
    if step.cell is not None:
        row, column = step.cell
        fitting = [spot for spot in fitting if (spot.row + 1, spot.column + 1) == (row, column)]
    fitting = [spot for spot in fitting if spot.message == fitting[0].message]
    if step.nth is not None:
        return fitting[step.nth - 1] if step.nth <= len(fitting) else None
    if len(fitting) > 1 and not step.old:
        places = ", ".join(f"{spot.row + 1}.{spot.column + 1}" for spot in fitting)
        raise Unmet(f"{_shown(step)} fits several buttons; write {_shown(step)}@2 or @row.column (there: {places})")
    return fitting[0] if fitting else None


def _no_button(scene: Scene, step: steps.Tap) -> Unmet:
    live = scene.chat.live() or scene.chat.reply_keyboard()
    notes = [f"the keyboard there: {keyboard(live.rows) if live else 'none'}"]
    notes += _nearest(step, live)
    if any(scene.scope.label_fits(step.label, spot.key.label) for spot in scene.chat.old_spots()):
        notes.append(f"an earlier message has or had that button: > (old) {_shown(step)}")
    if unread := scene.chat.unread():
        notes.append(f"not mentioned by the script yet: {len(unread)} of the bot's doings, see the chat")
    return Unmet(f"there is no button {_shown(step)}", notes=notes)


def _nearest(step: steps.Tap, live: Message | None) -> list[str]:
    labels = [key.label for row in live.rows for key in row] if live else []
    near = get_close_matches(step.label.source, labels, 1, 0.3)
    return [f"nearest label: [{near[0]}]"] if near else []


def _shown(step: steps.Tap) -> str:
    return f"[{step.label.source}]"


def _list(labels: dict[str, None]) -> str:
    return " ".join(labels) or "none"
