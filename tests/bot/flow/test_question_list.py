"""What the dialogue shows, as listed in golden/questions.txt: every question, and every other text, with its buttons.

After a change that is meant, write the new list: `python -m tests.bot.flow.test_question_list`.
"""

from collections.abc import Iterator
from pathlib import Path

from bot.flow.effects import (
    AskQuestion,
    Button,
    ChoiceButton,
    CopyLinkButton,
    EditCaption,
    EditSideMessage,
    Effect,
    FormButton,
    LanguagesButton,
    OpenLinkButton,
    RecordAnswer,
    RemindersOffButton,
    ReplaceCodeWithPicture,
    SendText,
    Sensitive,
    ShowCodeButton,
    ShowToast,
    TextKey,
    TopicButton,
    UrlButton,
    Value,
    Values,
)
from bot.flow.prompts import prompt
from bot.flow.states import State
from tests.bot.flow.samples import LINK, STATES, all_quick_steps, label
from tests.bot.flow.transcript import shown
from verification.attempts import Method

LIST = Path(__file__).parent / "golden" / "questions.txt"
LISTED = [
    state
    for state in STATES
    if getattr(state, "method", Method.WECHAT) is Method.WECHAT and not getattr(state, "touched", False)
]
"""Methods and activity change no question, but for the names of texts."""
SIDE_BUTTONS = {
    LanguagesButton: "languages",
    ShowCodeButton: "show the code again",
    RemindersOffButton: "no more reminders",
}
OTHER = SendText | EditCaption | ReplaceCodeWithPicture | RecordAnswer | ShowToast | EditSideMessage


def listed(effect: Effect) -> Iterator[str]:
    """An effect with everything that a person sees of it."""
    yield shown(effect)
    values: Values = getattr(effect, "values", {})
    yield from (f"  {key}: {_value(value)}" for key, value in values.items())
    if getattr(effect, "keeps_record", False) or getattr(effect, "stays", False):
        yield "  with the record above it" if isinstance(effect, AskQuestion) else "  stays"
    yield from (f"  {' '.join(map(_button, row))}" for row in getattr(effect, "rows", ()))


def listed_card(question: AskQuestion) -> str:
    """The picture that a code becomes, with its values."""
    closed = question.closed_code
    assert closed is not None
    values = (f"  {key}: {_value(value)}" for key, value in closed.values.items())
    return "\n".join((f"ClosedCode {closed.picture} {closed.text}", *values))


def _value(value: Value) -> str:
    match value:
        case TextKey(key):
            return key
        case str():
            return value
        case Sensitive(text):
            return f"in full: {text}"
        case _:
            moment = getattr(value, "at", value)
            return f"{type(value).__name__} {moment:%H:%M}"


def _button(button: Button) -> str:
    match button:
        case ChoiceButton(choice):
            return f"[{choice}]"
        case TopicButton(topic):
            return f"[FAQ: {topic or 'the list'}]"
        case UrlButton(link):
            return f"[page: {link}]"
        case CopyLinkButton(link) | OpenLinkButton(link):
            verb = "copy" if isinstance(button, CopyLinkButton) else "open"
            return f"[{verb} link]" if link == LINK else f"[{verb} another link]"
        case FormButton():
            return "[private form]"
        case LanguagesButton() | ShowCodeButton() | RemindersOffButton():
            return f"[{SIDE_BUTTONS[type(button)]}]"


def questions() -> Iterator[str]:
    for state in LISTED:
        yield "\n".join((f"# {_name(state)}", *listed(prompt(state))))


def other_replies() -> list[str]:
    """Each other text once, with the values that it has first."""
    replies = dict[tuple[str, object], str]()
    for state, _, step in all_quick_steps():
        for effect in step.effects if state in LISTED else ():
            if isinstance(effect, OTHER):
                replies.setdefault((shown(effect), getattr(effect, "rows", ())), "\n".join(listed(effect)))
            if isinstance(effect, AskQuestion) and effect.closed_code is not None:
                replies.setdefault((effect.closed_code.text, ()), listed_card(effect))
    return sorted(replies.values())


def _name(state: State) -> str:
    suggested = getattr(state, "suggested", None)
    return f"{label(state)} suggested {suggested}" if suggested else label(state)


def whole_list() -> str:
    return "\n\n".join((*questions(), "# Other replies", *other_replies())) + "\n"


def test_every_question_and_every_other_text_is_as_listed() -> None:
    assert whole_list() == LIST.read_text("utf-8")


if __name__ == "__main__":
    LIST.write_text(whole_list(), "utf-8")
