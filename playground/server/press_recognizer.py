"""Recognizes what a person did on a page from the request that followed, for the phone lines of a recorded script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urljoin, urlsplit

from playground.phone.page_parser import Control, Form, WebPage

FormFields = Sequence[tuple[str, str]]
RecognizedGesture = tuple[str, str]
"""A gesture (`press`, `tick`, `choose` or `reload`) and a label; a `refresh` was made by the page itself."""


def recognize_gestures(page: WebPage, address: str, method: str, url: str, body: str = "") -> list[RecognizedGesture]:
    """List the gestures on the page at that address; an empty list means that another address was opened."""
    for form, fields in _find_sent_form(page, address, method, url, body):
        return [*_changed_controls(form, fields), ("press", _pressed_button(form, fields).label)]
    if method != "GET":
        return []
    links = [link for link in page.controls_of("link") if urljoin(address, link.attributes["href"]) == url]
    if links:
        return [("press", links[0].label)]
    if page.refresh is not None and urljoin(address, page.refresh) == url:
        return [("refresh", "")]
    return [("reload", "")] if url == address else []


def _find_sent_form(page: WebPage, address: str, method: str, url: str, body: str) -> Iterator[tuple[Form, FormFields]]:
    """Yield the form that was sent, with the submitted fields."""
    for button in page.controls_of("submit"):
        form = button.form
        if form is None:
            continue
        attributes = form.attributes | {name.removeprefix("form"): value for name, value in button.attributes.items()}
        target, posts = (
            urljoin(address, attributes.get("action", "")),
            attributes.get("method", "get").lower() == "post",
        )
        fields = parse_qsl(body if posts else urlsplit(url).query, keep_blank_values=True)
        same = target == url if posts else bool(fields) and target.partition("?")[0] == url.partition("?")[0]
        if posts == (method == "POST") and same and (not button.name or (button.name, button.value) in fields):
            yield form, fields


def _pressed_button(form: Form, fields: FormFields) -> Control:
    buttons = [control for control in form.controls if control.kind == "submit"]
    named = [button for button in buttons if button.name and (button.name, button.value) in fields]
    return (named or [button for button in buttons if not button.name] or buttons)[0]


def _changed_controls(form: Form, fields: FormFields) -> Iterator[RecognizedGesture]:
    for control in form.controls:
        name = control.select.name if control.select else control.name
        if (name, control.value) in fields and not control.is_chosen:
            match control.kind:
                case "checkbox":
                    yield "tick", control.label
                case "radio" | "option":
                    yield "choose", control.label
                case _:
                    pass
