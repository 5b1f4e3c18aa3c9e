"""Runs the person's steps: texts, attachments, button presses, inline queries."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

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
    """Run a step of the person. Raises `StepFailed` when it is not possible."""
    await context.end_lenient_passage()
    await context.finish_reading()
    context.environment.mark_log()
    try:
        await _run_user_step(context, step)
    except SimulatorRefused as error:
        raise StepFailed(f"the person cannot do this: {error}") from None


async def _run_user_step(context: RunContext, step: steps.UserStep) -> None:
    client, chat, person = context.client, context.chat.id, context.person_id
    match step:
        case steps.WriteText(edit=True):
            await client.edit(chat, person, await _last_own_message(context), context.scope.render(step.text))
        case steps.WriteText():
            reply_to = await _newest_bot_message(context, "replied to") if step.reply else None
            text = context.scope.render(step.text)
            await client.write(chat, person, text, forward=step.forward, reply_to=reply_to)
        case steps.SendAttachment():
            await _send_attachment(context, step)
        case steps.React():
            message = await _newest_bot_message(context, "reacted to")
            await client.react(chat, person, message, context.scope.render(step.emoji))
        case steps.ForgedPress():
            await client.forge_press(chat, person, await _message_to_press(context), context.scope.render(step.data))
        case steps.TapButton(old=True):
            await client.tap(chat, person, await _find_earlier_button(context, step))
        case steps.TapButton():
            await _tap(context, step)
            return
        case steps.TypeInlineQuery():
            await client.type_inline_query(chat, person, context.scope.render(step.text))
        case steps.ChooseInlineResult():
            await _choose_result(context, step)
    context.expect_prompt_reply()


async def _send_attachment(context: RunContext, step: steps.SendAttachment) -> None:
    file = Path(step.location.file).parent / context.scope.render(step.file) if step.file else None
    caption = context.scope.render(step.caption)
    try:
        await context.client.send(context.chat.id, context.person_id, step.kind, caption, file)
    except OSError as error:
        raise StepFailed(f"the file cannot be read: {error}") from None


async def _newest_bot_message(context: RunContext, verb: str) -> int:
    message = await context.listener.wait_for(
        context.chat.newest_bot_message, stop_when_idle=context.expects_prompt_reply
    )
    if message is None:
        raise StepFailed(f"the bot has sent no message that could be {verb}")
    return message.id


async def _last_own_message(context: RunContext) -> int:
    await context.listener.poll()
    last = context.chat.last_own_message.get(context.person_id)
    if last is None:
        raise StepFailed("this person has written no message here that could be edited")
    return last


async def _message_to_press(context: RunContext) -> int:
    chat = context.chat
    message = await context.listener.wait_for(
        lambda: chat.inline_keyboard_message() or chat.newest_bot_message(), stop_when_idle=context.expects_prompt_reply
    )
    if message is None:
        raise StepFailed("the bot has sent no message whose button could be pressed")
    return message.id


async def _tap(context: RunContext, step: steps.TapButton) -> None:
    found = await context.listener.wait_for(
        lambda: _find_button(context, step), stop_when_idle=context.expects_prompt_reply
    )
    if found is None:
        raise _no_button(context, step)
    match found.button.kind:
        case "data" | "option" | "task" | "pay":
            await context.client.tap(context.chat.id, context.person_id, found)
        case "text":
            await context.client.write(context.chat.id, context.person_id, found.button.label)
        case "contact" | "location" | "poll":
            await context.client.send(context.chat.id, context.person_id, found.button.kind, "")
        case "inline":
            await context.client.type_inline_query(context.chat.id, context.person_id, found.button.target)
        case "url" | "web_app":
            await _open(context, found.button.target)
            context.allow_late_reply()
            return
        case kind:
            raise StepFailed(f"[{found.button.label}] is a {kind} button: a press of it does not reach the bot")
    context.expect_prompt_reply()


async def _choose_result(context: RunContext, step: steps.ChooseInlineResult) -> None:
    chat = context.chat
    rows = await context.listener.wait_for(chat.inline_results, stop_when_idle=context.expects_prompt_reply) or ()
    matching = [key for row in rows for key in row if context.scope.label_matches(step.title, key.label)]
    title, note = f"[{step.title.source}]", f"the results: {format_keyboard(rows) if rows else 'none'}"
    if len(matching) > 1 and step.nth is None:
        raise StepFailed(f"{title} matches several results; write {title}@2", notes=[note])
    if len(matching) < (step.nth or 1):
        raise StepFailed(f"there is no result {title}", notes=[note])
    chosen = matching[(step.nth or 1) - 1]
    await context.client.choose_inline_result(
        chat.id, context.person_id, chosen.data if chosen.kind == "result" else None
    )


async def _open(context: RunContext, address: str) -> None:
    try:
        await open_link(context, PhoneApp.BROWSER, address)
    except PhoneError as error:
        raise StepFailed(str(error)) from None


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
    labels = dict.fromkeys(f"[{position.button.label}]" for position in known)
    raise StepFailed(
        f"no earlier message had the button {_label_of(step)}", notes=[f"earlier buttons: {_join_labels(labels)}"]
    )


def _select_button(context: RunContext, step: steps.TapButton, known: list[ButtonPosition]) -> ButtonPosition | None:
    """Return the button, or None. Raises `StepFailed` when several match and the step chooses none."""
    matching = [position for position in known if context.scope.match(step.label, position.button.label) is not None]
    if not matching:
        matching = [
            position
            for position in known
            if context.scope.match(step.label, strip_emoji(position.button.label)) is not None
        ]
    if step.cell is not None:
        row, column = step.cell
        matching = [position for position in matching if (position.row + 1, position.column + 1) == (row, column)]
    matching = [position for position in matching if position.message == matching[0].message]
    if step.nth is not None:
        return matching[step.nth - 1] if step.nth <= len(matching) else None
    if len(matching) > 1 and not step.old:
        cells = ", ".join(f"{position.row + 1}.{position.column + 1}" for position in matching)
        raise StepFailed(
            f"{_label_of(step)} matches several buttons; write {_label_of(step)}@2 or @row.column (at {cells})"
        )
    return matching[0] if matching else None


def _no_button(context: RunContext, step: steps.TapButton) -> StepFailed:
    current = context.chat.inline_keyboard_message() or context.chat.reply_keyboard_message()
    notes = [f"the keyboard: {format_keyboard(current.rows) if current else 'none'}"]
    notes += _nearest_label(step, current)
    if any(
        context.scope.label_matches(step.label, position.button.label) for position in context.chat.earlier_buttons()
    ):
        notes.append(f"an earlier message has or had that button: > (old) {_label_of(step)}")
    if unread := context.chat.unread_events():
        notes.append(f"the script does not mention {len(unread)} events yet: see the chat")
    return StepFailed(f"there is no button {_label_of(step)}", notes=notes)


def _nearest_label(step: steps.TapButton, current: MessageView | None) -> list[str]:
    labels = [key.label for row in current.rows for key in row] if current else []
    near = get_close_matches(step.label.source, labels, 1, 0.3)
    return [f"nearest label: [{near[0]}]"] if near else []


def _label_of(step: steps.TapButton) -> str:
    return f"[{step.label.source}]"


def _join_labels(labels: dict[str, None]) -> str:
    return " ".join(labels) or "none"
