"""The rules for reminders to people who stopped."""

from msgspec.structs import replace

from bot.flow.effects import AskQuestion, RemindersOffButton, SendText, ShowToast, StopReminders, TextKey
from bot.flow.events import ReminderDue, SideTapped
from bot.flow.prompts import prompt
from bot.flow.reminders import REMINDED
from bot.flow.rows import RuleContext, Step
from bot.flow.states import State


def reminded(state: State, _: ReminderDue, __: RuleContext) -> Step:
    """The question of the step once more, named, with a button against further reminders."""
    step = REMINDED.get(type(state))
    if step is None:
        return Step(state)
    question = prompt(state)
    off = (RemindersOffButton(),)
    if isinstance(question, AskQuestion):
        values = {**question.values, "step": TextKey(f"reminder.step.{step}")}
        return Step(state, (replace(question, values=values, note="reminder.ask", rows=(*question.rows, off)),))
    # A code's picture stays where it is.
    note = SendText("reminder.note", {"step": TextKey(f"reminder.step.{step}")}, (off,))
    return Step(state, (note, question))


def reminders_stopped(state: State, _: SideTapped, __: RuleContext) -> Step:
    return Step(state, (StopReminders(), ShowToast("reminder.off", alert=True)))
