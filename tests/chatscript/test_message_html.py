"""A message of each kind as HTML, with what the chat page shows of it."""

from typing import Any

import pytest

from chatscript.report.message_html import MessageRenderer, load_labels

EMPTY: dict[str, Any] = {
    "from": "bot",
    "kind": "text",
    "text": "",
    "caption": "",
    "entities": [],
    "photo": None,
    "forwarded": False,
    "edited": False,
    "caption_above": False,
    "buttons": [],
    "keys": [],
}


def render(message: dict[str, Any], author: str = "") -> str:
    return MessageRenderer(load_labels("en"), {"p1": "data:image/png;base64,AA=="}).render(EMPTY | message, author)


@pytest.mark.parametrize(
    ("message", "icon", "detail"),
    [
        ({"kind": "document", "document": {"file_name": "<card>.pdf"}}, "📄", "&lt;card&gt;.pdf"),
        ({"kind": "document", "document": {"file_name": None}}, "📄", ""),
        ({"kind": "voice", "voice": {"duration": 7}}, "🎤", "0:07"),
        ({"kind": "video_note"}, "📹", ""),
        ({"kind": "location", "location": {"latitude": 39.90421, "longitude": 116.4}}, "📍", "39.9042, 116.4000"),
        ({"kind": "contact", "contact": {"first_name": "王小明", "phone_number": "+86"}}, "👤", "王小明 +86"),
        ({"kind": "poll", "poll": {"question": "好吗"}}, "📊", "好吗"),
    ],
)
def test_a_thing_is_shown_by_its_icon_its_kind_and_a_detail(message: dict[str, Any], icon: str, detail: str) -> None:
    html = render(message)

    assert f'<span class="thing-icon">{icon}</span>' in html
    assert f"<strong>{load_labels('en')['chat.' + message['kind']]}</strong><small>{detail}</small>" in html


def test_a_sticker_is_its_emoji() -> None:
    assert '<div class="sticker">👍</div>' in render({"kind": "sticker", "sticker": {"emoji": "👍"}})


def test_a_picture_without_words_is_bare_and_its_caption_stands_below_or_above() -> None:
    photo = {"kind": "photo", "photo": {"width": 3, "height": 2, "file_id": "p1"}}
    above = render(photo | {"caption": "看", "caption_above": True})
    below = render(photo | {"caption": "看"})

    assert 'kind-photo bare"' in render(photo)
    assert '<img src="data:image/png;base64,AA==" width="3" height="2"' in below
    assert below.index("<img") < below.index("看")
    assert above.index("看") < above.index("<img")


def test_author_origin_and_change_are_named() -> None:
    html = render({"text": "好", "forwarded": True, "edited": True}, author="<王小明>")

    assert '<p class="forwarded">&lt;王小明&gt;</p>' in html
    assert f'<p class="forwarded">{load_labels("en")["chat.forwarded"]}</p>' in html
    assert f'<span class="edited">{load_labels("en")["chat.edited"]}</span>' in html


def test_buttons_have_their_marks_and_keys_of_the_keyboard_none() -> None:
    buttons = [[{"label": "Pay", "kind": "url", "url": "https://example.org"}], [{"label": "Copy", "kind": "copy"}]]
    html = render({"text": "好", "buttons": buttons})
    keys = render({"text": "好", "keys": [["Yes", "No"]]})

    assert html.count('<div class="keys-row">') == 2
    assert '<span class="key-label">Pay</span><span class="key-mark">↗</span>' in html
    assert '<span class="key-label">Copy</span><span class="key-mark">📋</span>' in html
    assert keys.count('<span class="key-label">') == 2
    assert "key-mark" not in keys
    assert "with-keys" in keys


def test_an_unknown_language_has_the_chinese_labels() -> None:
    assert load_labels("fr") == load_labels("zh") != load_labels("en")
