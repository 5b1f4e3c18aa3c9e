"""Renders results as one self-contained HTML file: each conversation as it looks in the chat at the end.

An edited message is shown in its last form at the place where it was first sent. A deleted message leaves a faint line.
Dates and times are left out, so that equal conversations give equal pictures. Steps that leave no message (a press,
the phone, the clock) are shown between the messages.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from chatscript.report.console import short_path
from chatscript.report.message_html import MessageRenderer, load_labels
from chatscript.results import Capture, CaseFailure, CaseResult
from playground.server.static_page import STATIC
from playground.world.records import Json

_STYLES = ("base", "chat", "text", "show")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_LONGEST_DELETED = 60


def render_page(results: Sequence[CaseResult]) -> str:
    """Return the HTML of the results, a section for each case."""
    language = results[0].case.language if results else "zh"
    title = results[0].case.name if len(results) == 1 else f"{len(results)} × .chat"
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_style()}</style></head>\n<body>\n"
        f"{''.join(map(_render_case, results))}</body></html>\n"
    )


def _style() -> str:
    styles = "\n".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)
    pattern = base64.b64encode((STATIC / "pattern.svg").read_bytes()).decode()
    return styles.replace("/static/pattern.svg", f"data:image/svg+xml;base64,{pattern}")


def _render_case(result: CaseResult) -> str:
    case = result.case
    lines = "\n".join(_render_chat(result.capture, load_labels(case.language))) if result.capture else ""
    failed = _render_failure(result.failure) if result.failure else ""
    return (
        f'<section class="chat shown" lang="{escape(case.language)}">\n<header class="shown-head">'
        f"<h2>{escape(case.name)}</h2><p>{escape(short_path(case.script.file))}</p></header>\n"
        f'<ol class="messages">\n{lines}\n</ol>{failed}</section>\n'
    )


def _render_failure(failure: CaseFailure) -> str:
    lines = [f"{short_path(failure.location.file)}:{failure.location.line}: {failure.headline}"]
    lines += [f"expected: {failure.source}"] if failure.source else []
    lines += [f"got: {line}" for line in failure.got[:1]]
    lines += [*failure.got[1:], *(f"- {note}" for note in failure.notes)]
    return f'<pre class="shown-failed">{escape(chr(10).join(lines))}</pre>\n'


def _render_chat(capture: Capture, labels: Mapping[str, str]) -> Iterator[str]:
    """Render the events in order. With several chats, a line names each change of the chat."""
    final = capture.final_messages()
    deleted = {(event["chat"], event["message_id"]) for event in capture.events if event["kind"] == "delete"}
    several = len({event["chat"] for event in capture.events if event["kind"] == "message"}) > 1
    renderer = MessageRenderer(labels, capture.pictures)
    current: int | None = None
    for chat, item in _visible_events(capture):
        if isinstance(item, str):
            rendered = f'<li class="shown-note"><code>{escape(item)}</code></li>'
        elif item["kind"] == "message":
            message, author = final[_message_key(item)], capture.people.get(item["user"], "") if chat < 0 else ""
            is_deleted = _message_key(item) in deleted
            rendered = _render_deleted(message, labels) if is_deleted else renderer.render(message, author)
        else:
            rendered = _render_event(item, labels)
        if several and chat != current:
            name = capture.people.get(chat)
            title = labels["show.chat"].replace("{name}", name) if name else labels["show.group"]
            yield f'<li class="note"><span>{escape(title)}</span></li>'
        current = chat
        yield rendered


def _visible_events(capture: Capture) -> Iterator[tuple[int, Json | str]]:
    """Yield what is shown, with its chat: events, and each note before the event that followed it."""
    notes = list(capture.notes)
    for event in capture.events:
        while notes and notes[0][0] < event["seq"]:
            yield notes[0][1:]
            del notes[0]
        if event["kind"] in ("message", "press", "left") or (event["kind"] == "toast" and event["text"]):
            yield event["chat"], event
    yield from (note[1:] for note in notes)


def _message_key(event: Json) -> tuple[int, int]:
    return event["chat"], event["message"]["id"]


def _render_deleted(message: Json, labels: Mapping[str, str]) -> str:
    text = " ".join((message["text"] or message["caption"] or labels.get(f"chat.{message['kind']}", "")).split())
    cut = text if len(text) <= _LONGEST_DELETED else f"{text[:_LONGEST_DELETED]}…"
    side = "user" if message["from"] == "user" else "bot"
    return f'<li class="ghost {side}">{escape(labels["show.deleted"])}<s>{escape(cut)}</s></li>'


def _render_event(event: Json, labels: Mapping[str, str]) -> str:
    match event["kind"]:
        case "press":
            return f'<li class="pressed-key"><span>{escape(event.get("text") or event["data"])}</span></li>'
        case "toast":
            kind = "alert" if event["alert"] else "toast"
            return f'<li class="shown-{kind}"><span>{escape(event["text"])}</span></li>'
        case _:
            return f'<li class="note"><span>{escape(labels["chat.left"])}</span></li>'
