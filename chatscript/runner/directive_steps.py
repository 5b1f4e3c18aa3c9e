"""What happens around the chat: languages, people, groups, time, crashes, faults."""

from __future__ import annotations

from chatscript.language import steps
from chatscript.language.bot_texts import DEFAULT_LANGUAGE
from chatscript.runner.context import GROUP_TITLE, Scene


async def direct(scene: Scene, step: steps.Directive) -> None:
    """Do what a directive says."""
    match step:
        case steps.Language():
            await _speak(scene, step)
        case steps.Person(name=name):
            scene.speak(name)
        case steps.Group():
            await _go_to_group(scene)
        case steps.Private():
            scene.go_to(scene.me)
        case _:
            await _interfere(scene, step)


async def _speak(scene: Scene, step: steps.Language) -> None:
    if step.client:
        await scene.client.change_person(scene.me, language_code=step.code)
    language = scene.scope.catalogue.name_of(step.code, DEFAULT_LANGUAGE)
    scene.languages[scene.person] = scene.scope.language = language


async def _go_to_group(scene: Scene) -> None:
    if scene.group is None:
        scene.stage.begin_step()
        scene.group = await scene.client.add_group(GROUP_TITLE, list(scene.scope.people.values()))
        scene.provoked()
    scene.go_to(scene.group)


async def _interfere(scene: Scene, step: steps.Directive) -> None:
    await scene.forget_the_allowed()
    if not isinstance(step, steps.Crash):
        await scene.client.idle(scene.listener.timing.patience)  # what was said before happens before
    scene.stage.begin_step()
    scene.unhurried()
    match step:
        case steps.Wait(seconds=seconds):
            await scene.client.let_pass(seconds)
            scene.stage.clock.advance(seconds)
        case steps.Crash():
            await scene.stage.crash()
        case steps.Block(blocked=blocked):
            await scene.client.change_person(scene.me, blocked=blocked)
        case steps.Duplicate():
            await scene.client.order_fault(kind="duplicate", times=1)
        case steps.Fail():
            await _fail(scene, step)


async def _fail(scene: Scene, step: steps.Fail) -> None:
    scene.troubled = True  # an idle bot may be waiting before it tries again
    more = {} if step.retry_after is None else {"retry_after": step.retry_after}
    await scene.client.order_fault(method=step.method, kind=step.kind, times=step.times, **more)
