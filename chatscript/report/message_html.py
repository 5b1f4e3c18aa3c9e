"""Renders one message as HTML with the styles of the chat page: its bubble and its keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from chatscript.report.entity_html import render_entities, render_link
from playground.server.static_page import STATIC
from playground.world.records import Json

_ICONS = {"document": "📄", "voice": "🎤", "video_note": "📹", "location": "📍", "contact": "👤", "poll": "📊"}
_MARKS = {"url": "↗", "copy": "📋"}


def load_labels(language: str) -> Mapping[str, str]:
    """Return the labels of the chat page in that language, or in Chinese."""
    named = STATIC / f"labels.{language}.json"
    path = named if named.exists() else STATIC / "labels.zh.json"
    labels: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return labels


@dataclass(frozen=True, slots=True)
class MessageRenderer:
    """Renders messages with the labels of one language. `pictures` are data URLs by file_id."""

    labels: Mapping[str, str]
    pictures: Mapping[str, str]

    def render(self, message: Json, author: str = "") -> str:
        """Render a message; `author` is shown above a message in a group."""
        side = "user" if message["from"] == "user" else "bot"
        keys = "".join(self._keyboard(message))
        text = message["text"] or message["caption"]
        kinds = ["message", side, f"kind-{message['kind']}"]
        kinds += ["with-keys"] if keys else []
        kinds += ["bare"] if message["photo"] and not text else []
        keyboard = f'<div class="keys">{keys}</div>' if keys else ""
        return (
            f'<li class="{escape(" ".join(kinds))}"><div class="stack">'
            f'<div class="bubble">{"".join(self._inside(message, text, author))}</div>{keyboard}</div></li>'
        )

    def _inside(self, message: Json, text: str, author: str) -> Iterator[str]:
        if author:
            yield f'<p class="forwarded">{escape(author)}</p>'
        if message["forwarded"]:
            yield f'<p class="forwarded">{escape(self.labels["chat.forwarded"])}</p>'
        media = self._media(message)
        body = f'<div class="words">{render_entities(text, message["entities"])}</div>' if text else ""
        yield body + media if message["caption_above"] else media + body
        if message["edited"]:
            yield f'<span class="meta"><span class="edited">{escape(self.labels["chat.edited"])}</span></span>'

    def _media(self, message: Json) -> str:
        kind = message["kind"]
        if photo := message["photo"]:
            size = f'width="{photo["width"]}" height="{photo["height"]}"'
            source = escape(self.pictures.get(photo["file_id"], ""))
            alt = escape(self.labels["chat.photo"])
            return f'<figure class="media"><span class="photo"><img src="{source}" {size} alt="{alt}"></span></figure>'
        if kind == "sticker":
            return f'<div class="sticker">{escape(message["sticker"]["emoji"])}</div>'
        if kind not in _ICONS:
            return ""
        title, detail = self.labels[f"chat.{kind}"], _detail(message)
        return (
            f'<div class="thing"><span class="thing-icon">{_ICONS[kind]}</span><span class="thing-words">'
            f"<strong>{escape(title)}</strong><small>{escape(detail)}</small></span></div>"
        )

    def _keyboard(self, message: Json) -> Iterator[str]:
        for row in message["buttons"] or [
            [{"label": label, "kind": "text"} for label in row] for row in message["keys"]
        ]:
            yield f'<div class="keys-row">{"".join(map(_render_button, row))}</div>'


def _render_button(button: Json) -> str:
    mark = _MARKS.get(button["kind"])
    inner = f'<span class="key-label">{escape(button["label"])}</span>'
    inner += f'<span class="key-mark">{mark}</span>' if mark else ""
    return render_link(button.get("url") or "", inner, f"key {escape(button.get('style') or '')}".strip())


def _detail(message: Json) -> str:
    match message["kind"]:
        case "document":
            return str(message["document"]["file_name"] or "")
        case "contact":
            return f"{message['contact']['first_name']} {message['contact']['phone_number']}"
        case "location":
            return f"{message['location']['latitude']:.4f}, {message['location']['longitude']:.4f}"
        case "poll":
            return str(message["poll"]["question"])
        case "voice":
            return f"0:{message['voice']['duration']:02}"
        case _:
            return ""
