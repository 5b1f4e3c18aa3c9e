"""What the person does: writes, sends, taps, forges."""

from __future__ import annotations

from difflib import get_close_matches

from chatscript.language import steps
from chatscript.match.chat_view import ButtonPosition, MessageView, button_positions
from chatscript.match.matcher import strip_emoji
from chatscript.match.transcript import format_keyboard
from chatscript.runner.context import RunContext, StepFailed
from chatscript.runner.phone_steps import open_link
from chatscript.runner.simulator_client import SimulatorRefused
from playground.phone.apps import PhoneApp
from playground.phone.browser import PhoneError


async def run_user_step(context: RunContext, step: steps.UserStep) -> None:
    """Do what the person does; raises `Unmet` when it is not possible."""
    await context.end_lenient_passage()
    context.environment.mark_log()
    try:
        await _run_user_step(context, step)
    except SimulatorRefused as refused:
        raise StepFailed(f"the person cannot do this: {refused}") from None


async def _run_user_step(context: RunContext, step: steps.UserStep) -> None:
    client, chat, me = context.client, context.chat.id, context.person_id
    match step:
        case steps.WriteText(edit=True):
            await client.edit(chat, me, await _last_own_message(context), context.scope.render(step.text))
        case steps.WriteText():
            await client.write(chat, me, context.scope.render(step.text), forward=step.forward)
        case steps.SendAttachment():
            await client.send(chat, me, step.kind, context.scope.render(step.caption))
        case steps.ForgedPress():
            await client.forge_press(chat, me, await _message_to_press(context), context.scope.render(step.data))
        case steps.TapButton(old=True):
            await client.tap(chat, me, await _find_earlier_button(context, step))
        case steps.TapButton():
            await _tap(context, step)
            return
        case steps.TypeInlineQuery():
            await client.type_inline_query(chat, me, context.scope.render(step.text))
        case steps.ChooseInlineResult():
            await _choose_result(context, step)
    context.expect_prompt_reply()


async def _last_own_message(context: RunContext) -> int:
    await context.listener.poll()
    last = context.chat.last_own_message.get(context.person_id)
    if last is None:
        raise StepFailed("this person has written nothing here that could be edited")
    return last


async def _message_to_press(context: RunContext) -> int:
    chat = context.chat
    message = await context.listener.wait_for(
        lambda: chat.inline_keyboard_message() or chat.newest_bot_message(), stop_when_idle=context.expects_prompt_reply
    )
    if message is None:
        raise StepFailed("there is no message of the bot to press on")
    return message.id


async def _tap(context: RunContext, step: steps.TapButton) -> None:
    found = await context.listener.wait_for(
        lambda: _find_button(context, step), stop_when_idle=context.expects_prompt_reply
    )
    if found is None:
        raise _no_button(context, step)
    match found.button.kind:
        case "data":
            await context.client.tap(context.chat.id, context.person_id, found)
        case "text":
            await context.client.write(context.chat.id, context.person_id, found.button.label)
        case "inline":
            await context.client.type_inline_query(context.chat.id, context.person_id, found.button.target)
        case "url":
            await _open(context, found.button.target)
            context.allow_late_reply()
            return
        case kind:
            raise StepFailed(f"[{found.button.label}] is a button of the kind {kind}: the bot hears nothing of it")
    context.expect_prompt_reply()


async def _choose_result(context: RunContext, step: steps.ChooseInlineResult) -> None:
    chat = context.chat
    rows = await context.listener.wait_for(chat.inline_results, stop_when_idle=context.expects_prompt_reply) or ()
    fitting = [key for row in rows for key in row if context.scope.label_matches(step.title, key.label)]
    shown, there = f"[{step.title.source}]", f"the results there: {format_keyboard(rows) if rows else 'none'}"
    if len(fitting) > 1 and step.nth is None:
        raise StepFailed(f"{shown} fits several results; write {shown}@2", notes=[there])
    if len(fitting) < (step.nth or 1):
        raise StepFailed(f"there is no result {shown}", notes=[there])
    chosen = fitting[(step.nth or 1) - 1]
    await context.client.choose_inline_result(
        chat.id, context.person_id, chosen.data if chosen.kind == "result" else None
    )


async def _open(context: RunContext, address: str) -> None:
    try:
        await open_link(context, PhoneApp.BROWSER, address)
    except PhoneError as trouble:
        raise StepFailed(str(trouble)) from None


def _find_button(context: RunContext, step: steps.TapButton) -> ButtonPosition | None:
    for message in (context.chat.inline_keyboard_message(), context.chat.reply_keyboard_message()):
        if message is not None and (found := _select_button(context, step, button_positions(message.id, message.rows))):
            return found
    return None


async def _find_earlier_button(context: RunContext, step: steps.TapButton) -> ButtonPosition:
    await context.listener.poll()
    known = context.chat.earlier_buttons()
    if found := _select_button(context, step, known):
        return found
    labels = dict.fromkeys(f"[{spot.button.label}]" for spot in known)
    raise StepFailed(
        f"no earlier message had the button {_label_of(step)}", notes=[f"earlier buttons: {_join_labels(labels)}"]
    )


def _select_button(context: RunContext, step: steps.TapButton, known: list[ButtonPosition]) -> ButtonPosition | None:
    """Find the button; several with that label need a choice, unless one message after another had it."""
    fitting = [spot for spot in known if context.scope.match(step.label, spot.button.label) is not None]
    if not fitting:
        fitting = [
            spot for spot in known if context.scope.match(step.label, strip_emoji(spot.button.label)) is not None
        ]
    if step.cell is not None:
        row, column = step.cell
        fitting = [spot for spot in fitting if (spot.row + 1, spot.column + 1) == (row, column)]
    fitting = [spot for spot in fitting if spot.message == fitting[0].message]
    if step.nth is not None:
        return fitting[step.nth - 1] if step.nth <= len(fitting) else None
    if len(fitting) > 1 and not step.old:
        places = ", ".join(f"{spot.row + 1}.{spot.column + 1}" for spot in fitting)
        raise StepFailed(
            f"{_label_of(step)} fits several buttons; write {_label_of(step)}@2 or @row.column (there: {places})"
        )
    return fitting[0] if fitting else None


def _no_button(context: RunContext, step: steps.TapButton) -> StepFailed:
    live = context.chat.inline_keyboard_message() or context.chat.reply_keyboard_message()
    notes = [f"the keyboard there: {format_keyboard(live.rows) if live else 'none'}"]
    notes += _nearest_label(step, live)
    if any(context.scope.label_matches(step.label, spot.button.label) for spot in context.chat.earlier_buttons()):
        notes.append(f"an earlier message has or had that button: > (old) {_label_of(step)}")
    if unread := context.chat.unread_events():
        notes.append(f"not mentioned by the script yet: {len(unread)} of the bot's doings, see the chat")
    return StepFailed(f"there is no button {_label_of(step)}", notes=notes)


def _nearest_label(step: steps.TapButton, live: MessageView | None) -> list[str]:
    labels = [key.label for row in live.rows for key in row] if live else []
    near = get_close_matches(step.label.source, labels, 1, 0.3)
    return [f"nearest label: [{near[0]}]"] if near else []


def _label_of(step: steps.TapButton) -> str:
    return f"[{step.label.source}]"


def _join_labels(labels: dict[str, None]) -> str:
    return " ".join(labels) or "none"
