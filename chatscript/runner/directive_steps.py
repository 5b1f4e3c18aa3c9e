"""Runs the directives: languages, people, groups, time, crashes, faults."""

from __future__ import annotations

from chatscript.language import steps
from chatscript.language.bot_texts import DEFAULT_LANGUAGE
from chatscript.runner.context import GROUP_TITLE, RunContext


async def run_directive(context: RunContext, step: steps.Directive) -> None:
    """Run a directive. Raises `BotStartFailed` or `SimulatorRefused`."""
    match step:
        case steps.SwitchLanguage():
            await _switch_language(context, step)
        case steps.SwitchPerson(name=name):
            context.switch_person(name)
        case steps.SwitchToGroup():
            await _go_to_group(context, step)
        case steps.ChangeRole():
            context.environment.mark_log()
            await context.client.set_role(context.chat.id, context.person_id, step.role, bot=step.bot)
            context.expect_prompt_reply()
        case steps.SwitchToPrivateChat():
            context.switch_chat(context.person_id)
        case steps.ChangePerson(facts=facts):
            await context.client.change_person(context.person_id, **facts)
        case steps.SetPatience(seconds=seconds):
            context.listener.timing = context.listener.timing.with_patience(seconds)
        case _:
            await _affect_bot(context, step)


async def _switch_language(context: RunContext, step: steps.SwitchLanguage) -> None:
    if step.client:
        await context.client.change_person(context.person_id, language_code=step.code)
    language = context.scope.bot_texts.language_for(step.code, DEFAULT_LANGUAGE)
    context.languages[context.person] = context.scope.language = language


async def _go_to_group(context: RunContext, step: steps.SwitchToGroup) -> None:
    line = f"{'@channel' if step.channel else '@group'} {step.title}".rstrip()
    if line not in context.groups:
        context.environment.mark_log()
        people = list(context.scope.people.values())
        kind = "channel" if step.channel else "group"
        context.groups[line] = await context.client.add_group(step.title or GROUP_TITLE, people, kind)
        context.expect_prompt_reply()
    context.switch_chat(context.groups[line])


async def _affect_bot(context: RunContext, step: steps.Directive) -> None:
    await context.end_lenient_passage()
    if not isinstance(step, steps.CrashBot):
        await context.client.wait_idle(context.listener.timing.timeout)  # the bot first handles the earlier steps
    context.environment.mark_log()
    context.allow_late_reply()
    match step:
        case steps.AdvanceClock(seconds=seconds):
            await context.client.advance_clock(seconds)
            context.environment.clock.advance(seconds)
            context.clock_moved = True
        case steps.CrashBot():
            await context.environment.crash()
        case steps.SetBlocked(blocked=blocked):
            await context.client.change_person(context.person_id, blocked=blocked)
        case steps.DuplicateUpdate():
            await context.client.inject_fault(kind="duplicate", times=1)
        case steps.InjectFault():
            await _inject_fault(context, step)


async def _inject_fault(context: RunContext, step: steps.InjectFault) -> None:
    context.faults_ordered = True  # an idle bot may be waiting to repeat a failed call
    more = {} if step.retry_after is None else {"retry_after": step.retry_after}
    await context.client.inject_fault(method=step.method, kind=step.kind, times=step.times, **more)
