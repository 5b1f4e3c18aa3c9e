"""Played conversations as one HTML file that needs nothing else: as they look in the chat at the end.

An edited message stands where it was first sent, in its last form. A deleted one leaves a faint line. Dates and times
are left out, so that the same conversation makes the same picture. What no chat shows - a press, the phone, the
clock - stands between the messages.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from chatscript.report.console import short_path
from chatscript.report.message_html import MessageRenderer, load_labels
from chatscript.results import CaseFailure, CaseResult
from chatscript.runner.capture import Capture
from playground.server.static_page import STATIC
from playground.world.records import Json

_STYLES = ("base", "chat", "text", "show")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_LONGEST_DELETED = 60


def render_page(results: Sequence[CaseResult]) -> str:
    """Make the file of played cases, a section each."""
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
    take = result.case
    lines = "\n".join(_render_chat(result.capture, load_labels(take.language))) if result.capture else ""
    failed = _render_failure(result.failure) if result.failure else ""
    return (
        f'<section class="chat shown" lang="{escape(take.language)}">\n<header class="shown-head">'
        f"<h2>{escape(take.name)}</h2><p>{escape(short_path(take.script.file))}</p></header>\n"
        f'<ol class="messages">\n{lines}\n</ol>{failed}</section>\n'
    )


def _render_failure(failure: CaseFailure) -> str:
    told = [f"{short_path(failure.location.file)}:{failure.location.line}: {failure.headline}"]
    told += [f"expected: {failure.source}"] if failure.source else []
    told += [f"got: {line}" for line in failure.got[:1]] + list(failure.got[1:]) + [f"- {it}" for it in failure.notes]
    return f'<pre class="shown-failed">{escape(chr(10).join(told))}</pre>\n'


def _render_chat(capture: Capture, words: Mapping[str, str]) -> Iterator[str]:
    """Draw what happened, in order; with several chats, each turn to another one is told."""
    last = capture.final_messages()
    gone = {(event["chat"], event["message_id"]) for event in capture.events if event["kind"] == "delete"}
    several = len({event["chat"] for event in capture.events if event["kind"] == "message"}) > 1
    bubbles = MessageRenderer(words, capture.pictures)
    here: int | None = None
    for chat, what in _visible_events(capture):
        if isinstance(what, str):
            drawn = f'<li class="shown-note"><code>{escape(what)}</code></li>'
        elif what["kind"] == "message":
            message, author = last[_message_key(what)], capture.people.get(what["user"], "") if chat < 0 else ""
            drawn = _render_deleted(message, words) if _message_key(what) in gone else bubbles.render(message, author)
        else:
            drawn = _render_event(what, words)
        if several and chat != here:
            name = capture.people.get(chat)
            place = words["show.chat"].replace("{name}", name) if name else words["show.group"]
            yield f'<li class="note"><span>{escape(place)}</span></li>'
        here = chat
        yield drawn


def _visible_events(capture: Capture) -> Iterator[tuple[int, Json | str]]:
    """List what is drawn, with the chat that it belongs to: events, and notes in the places where they were made."""
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


def _render_deleted(message: Json, words: Mapping[str, str]) -> str:
    said = " ".join((message["text"] or message["caption"] or words.get(f"chat.{message['kind']}", "")).split())
    cut = said if len(said) <= _LONGEST_DELETED else f"{said[:_LONGEST_DELETED]}…"
    side = "user" if message["from"] == "user" else "bot"
    return f'<li class="ghost {side}">{escape(words["show.deleted"])}<s>{escape(cut)}</s></li>'


def _render_event(event: Json, words: Mapping[str, str]) -> str:
    match event["kind"]:
        case "press":
            return f'<li class="pressed-key"><span>{escape(event.get("text") or event["data"])}</span></li>'
        case "toast":
            kind = "alert" if event["alert"] else "toast"
            return f'<li class="shown-{kind}"><span>{escape(event["text"])}</span></li>'
        case _:
            return f'<li class="note"><span>{escape(words["chat.left"])}</span></li>'
