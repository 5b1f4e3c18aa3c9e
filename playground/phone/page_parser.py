"""Parses an HTML page as a browser without JavaScript shows it: its text, its forms and their controls."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

Attributes = dict[str, str]

_INVISIBLE = frozenset({"script", "style", "template", "head", "title", "datalist", "svg"})
_VOID = frozenset(
    {"input", "br", "hr", "img", "meta", "link", "wbr", "source", "col", "area", "base", "embed", "track"}
)
_INLINE = frozenset({"a", "abbr", "b", "bdi", "code", "em", "i", "kbd", "mark", "s", "small", "span", "strong", "u"})
# A page with a longer refresh has a time limit; it does not wait for something.
_MAX_REFRESH = 10  # seconds
_REFRESH = re.compile(r"\s*(?P<seconds>\d+)[^;]*(?:;\s*url\s*=\s*['\"]?(?P<url>[^'\"]*))?", re.IGNORECASE)


@dataclass(eq=False, slots=True)
class Control:
    """A control that a person can use, or a field of a form; `kind` is link, submit or the type of an input."""

    kind: str
    attributes: Attributes
    label: str = ""
    is_chosen: bool = False
    form: Form | None = None
    select: Control | None = None

    @property
    def name(self) -> str:
        """The name of the field in the submitted form."""
        return self.attributes.get("name", "")

    @property
    def value(self) -> str:
        """The value of the field in the submitted form."""
        default = self.label if self.kind == "option" else "on" if self.kind in ("checkbox", "radio") else ""
        return self.attributes.get("value", default)

    @property
    def disabled(self) -> bool:
        """Whether it cannot be used."""
        return "disabled" in self.attributes


@dataclass(eq=False, slots=True)
class Form:
    """A form with its controls in order."""

    attributes: Attributes = field(default_factory=dict)
    controls: list[Control] = field(default_factory=list)

    def submitted_fields(self, pressed: Control) -> list[tuple[str, str]]:
        """List the fields that a press of this button sends."""
        sent = []
        for control in self.controls:
            name = control.select.name if control.select else control.name
            if name and not control.disabled and _is_sent(control, pressed):
                sent.append((name, control.value))
        return sent

    def missing_required(self) -> list[Control]:
        """List the required controls that are not filled in; a browser does not send the form before."""
        chosen = {control.name for control in self.controls if control.kind == "radio" and control.is_chosen}
        return [
            control
            for control in self.controls
            if "required" in control.attributes
            and not (control.is_chosen or control.name in chosen or control.disabled)
            and (control.kind in ("checkbox", "radio") or (control.kind not in _CHOICES and not control.value))
        ]


_CHOICES = frozenset({"select", "option", "submit", "link"})


def _is_sent(control: Control, pressed: Control) -> bool:
    match control.kind:
        case "checkbox" | "radio" | "option":
            return control.is_chosen
        case "submit":
            return control is pressed
        case "link" | "select":
            return False
        case _:
            return True


@dataclass(slots=True)
class WebPage:
    """A page as a person sees it. `refresh` is the URL that it loads by itself ("" is the page itself), or None."""

    text: str = ""
    title: str = ""
    controls: list[Control] = field(default_factory=list)
    refresh: str | None = None

    def controls_of(self, *kinds: str) -> list[Control]:
        """List the controls of these kinds."""
        return [control for control in self.controls if control.kind in kinds]


def read_page(html: str) -> WebPage:
    """Parse a page."""
    reader = _PageParser()
    reader.feed(html)
    reader.close()
    return reader.build()


@dataclass(slots=True)
class _Label:
    target: str
    parts: list[str] = field(default_factory=list)


class _PageParser(HTMLParser):
    """Collects the text and the controls in one pass."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._page = WebPage()
        self._text: list[str] = []
        self._hidden_tags: list[str] = []
        self._forms: dict[str, Form] = {}
        self._form: Form | None = None
        self._labels: list[_Label] = []
        self._open_label: _Label | None = None
        self._open: list[tuple[str, Control, int]] = []
        self._select: Control | None = None
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "title":
            self._in_title = True
        if tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            self._refresh(attributes.get("content", ""))
        if self._hidden_tags or tag in _INVISIBLE or ("hidden" in attributes and tag != "input"):
            self._hidden_tags += [tag] if tag not in _VOID else []
            return
        if tag not in _INLINE:
            self._text.append("\n")
        self._open_element(tag, attributes)

    def _open_element(self, tag: str, attributes: Attributes) -> None:
        match tag:
            case "form":
                self._form = self._forms.setdefault(attributes.get("id", ""), Form()) if "id" in attributes else Form()
                self._form.attributes = attributes
            case "label":
                self._open_label = _Label(attributes.get("for", ""))
                self._labels.append(self._open_label)
            case "input":
                self._input(attributes)
            case "a" if "href" in attributes:
                self._begin(tag, Control("link", attributes))
            case "button" if attributes.get("type", "submit") == "submit":
                self._begin(tag, self._into_form(Control("submit", attributes)))
            case "textarea":
                self._begin(tag, self._into_form(Control("text", attributes)))
            case "select":
                self._select = self._into_form(Control("select", attributes))
            case "option" if self._select:
                option = Control("option", attributes, is_chosen="selected" in attributes, select=self._select)
                self._begin(tag, self._into_form(option))
            case "img" if attributes.get("alt"):
                self._text.append(attributes["alt"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if self._hidden_tags:
            if tag in self._hidden_tags:
                while self._hidden_tags.pop() != tag:
                    pass
            return
        if tag == "form":
            self._form = None
        elif tag == "label":
            self._open_label = None
        elif tag == "select":
            self._select = None
        elif self._open and self._open[-1][0] == tag:
            self._end()
        if tag not in _INLINE:
            self._text.append("\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self._page.title += data
        if self._hidden_tags:
            return
        self._text.append(data)
        if self._open_label is not None:
            self._open_label.parts.append(data)

    def build(self) -> WebPage:
        """Assign a label to every control and return the page."""
        while self._open:
            self._end()
        by_target = {label.target: _collapse_spaces(label.parts) for label in self._labels if label.target}
        for control in self._page.controls:
            control.label = control.label or by_target.get(control.attributes.get("id", ""), "")
            control.label = control.attributes.get("aria-label", "") if not control.label else control.label
        self._page.text = _collapse_spaces(self._text)
        self._page.title = _collapse_spaces([self._page.title])
        return self._page

    def _begin(self, tag: str, control: Control) -> None:
        self._open.append((tag, control, len(self._text)))

    def _end(self) -> None:
        _, control, since = self._open.pop()
        control.label = _collapse_spaces(self._text[since:])
        self._page.controls.append(control)

    def _input(self, attributes: Attributes) -> None:
        kind = attributes.get("type", "text").lower()
        if kind in ("button", "reset"):
            return
        kind = "submit" if kind == "image" else kind
        control = Control(kind, attributes, is_chosen="checked" in attributes)
        self._page.controls.append(self._into_form(control))
        if kind == "submit":
            control.label = attributes.get("value") or attributes.get("alt", "")
            self._text.append(control.label)
        elif self._open_label is not None and not self._open_label.target:
            self._open_label.target = attributes.setdefault("id", f"input {len(self._page.controls)}")

    def _into_form(self, control: Control) -> Control:
        named = control.attributes.get("form")
        control.form = self._forms.setdefault(named, Form()) if named else self._form
        if control.form is not None:
            control.form.controls.append(control)
        return control

    def _refresh(self, content: str) -> None:
        found = _REFRESH.match(content)
        if found and int(found["seconds"]) <= _MAX_REFRESH:
            self._page.refresh = found["url"] or ""


def _collapse_spaces(parts: list[str]) -> str:
    return re.sub(r"\s+", " ", "".join(parts)).strip()
