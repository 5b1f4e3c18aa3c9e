"""Records in a file what conversations reach: transitions of the table, buttons, texts and FAQ topics.

Each line is one fact in three columns between tabs: `known` or `reached`, its kind, its name; and after every turn
`now`, `state` and the state's name. The kind `row` is a transition's state and trigger, and `way` a transition between
two states, as the diagram shows it. The file holds names of the program's own parts, and nothing about a person.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.content.catalogue import Catalogue, Entry
from bot.flow import events
from bot.flow.diagram import edge, edges, event_label, label
from bot.flow.effects import Value
from bot.flow.events import Choice, Event, Tapped
from bot.flow.machine import advance, row_for_event
from bot.flow.rows import Row, RuleContext, Step
from bot.flow.states import State
from bot.flow.table import TABLE

_EXCLUDED_TEXTS = (
    *("page.", "desk.", "test_", "list."),
    *("scan.elsewhere.", "stamp.withdrawn"),
    *("status.scan.over", "status.scan.last_check", "status.opening.slow"),
    *("reminder.", "button.reminders_off"),
)
"""The texts of phone pages and of support's desk, pieces of other texts, what is said only about a real provider or
where a method is switched off while a code of it is on the screen, what holds for a moment, and the reminders, which
depend on the time of day."""


_LATE_EVENTS = (
    events.AttemptOpened,
    events.AttemptRefused,
    events.AttemptProgressed,
    events.CodeExpiring,
    events.CodeExpired,
    events.AttemptFailed,
    events.QuotaChecked,
    events.ReminderDue,
)


def _row_name(row: Row) -> str:
    return f"{row.state.__name__ if row.state else 'any state'}: {label(row)}"


_UNREACHABLE_ROWS = frozenset(
    {
        f"Verified: {event_label(events.AttemptPassed)}",
        f"ReadingInvitation: {event_label(events.AttemptPassed)}",
        *(f"any state: {event_label(event)}" for event in _LATE_EVENTS),
        *(_row_name(row) for row in TABLE if row.trigger is events.FormSent),
    }
)
"""Transitions for events that arrive late, or by the time of day: no conversation reaches them reliably. And those of
the private form: a script types into no page. The exhaustive test of the table, the tests of the runner and of the form
cover them."""
_UNREACHABLE_EDGES = frozenset({"QuotaFull --> Confirming: quota checked"})
"""No conversation frees a quota slot."""


@dataclass(slots=True)
class CoverageFile:
    """The file of facts, each written once per process; writes append, so that many bots can share the file."""

    path: Path
    _written: set[str] = field(default_factory=set)

    def write_known(self, catalogue: Catalogue) -> None:
        """Write everything that can be reached."""
        names = "".join(f"known\t{kind}\t{name}\n" for kind, name in _all_names(catalogue))
        self._write(names)

    def write_reached(self, kind: str, name: str) -> None:
        """Write that something was reached."""
        self._write(f"reached\t{kind}\t{name}\n")

    def advance(self, state: State, event: Event, context: RuleContext) -> Step:
        """Advance as `machine.advance` does, and write the transition."""
        step = advance(state, event, context)
        self._append(f"now\tstate\t{type(step.state).__name__}\n")
        row = row_for_event(state, event, context.methods)
        if row is not None and _row_name(row) not in _UNREACHABLE_ROWS:
            self.write_reached("row", _row_name(row))
            if isinstance(event, Tapped):
                self.write_reached("button", _row_name(row))
            line = edge(row, type(step.state))
            if row.state is not None and type(step.state) is not row.state and line not in _UNREACHABLE_EDGES:
                self.write_reached("way", line)
        return step

    def _write(self, lines: str) -> None:
        if lines not in self._written:
            self._written.add(lines)
            self._append(lines)

    def _append(self, lines: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(lines)


class RecordingCatalogue(Catalogue):
    """A catalogue that records which of its texts are used."""

    record: Callable[[str, str], None] = lambda _kind, _name: None

    def text(self, language: str, key: str, values: Mapping[str, Value] | None = None) -> str:
        """As `Catalogue.text`, and recorded."""
        self.record("text", key)
        return Catalogue.text(self, language, key, values)

    def entry(self, language: str, topic: str) -> Entry | None:
        """As `Catalogue.entry`, and recorded."""
        self.record("topic", topic)
        return Catalogue.entry(self, language, topic)


def with_coverage(catalogue: Catalogue, coverage: CoverageFile) -> Catalogue:
    """The same catalogue, which writes its use to the file."""
    return RecordingCatalogue(
        catalogue.texts, catalogue.faq, catalogue.constants, catalogue.methods, coverage.write_reached
    )


def _all_names(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for row in TABLE:
        if _row_name(row) in _UNREACHABLE_ROWS:
            continue
        yield "row", _row_name(row)
        if isinstance(row.trigger, Choice):
            yield "button", _row_name(row)
    for line in edges():
        if line not in _UNREACHABLE_EDGES:
            yield "way", line
    language = next(iter(catalogue.texts))
    for key in catalogue.texts[language]:
        if not key.startswith(_EXCLUDED_TEXTS):
            yield "text", key
    for entry in catalogue.faq[language]:
        yield "topic", entry.id
