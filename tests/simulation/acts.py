"""What can happen next in a story: each action has a weight, so that most stories come far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.fault_schedule import ANY, FATAL, CallFault, DatabaseFault
from tests.simulation.people import NAMES, NUMBERS, THINGS, SimulatedUser, buttons, group_with
from tests.simulation.story import Pick, Story
from tests.simulation.vendor_network import VENDOR
from tests.simulation.vendors import CheckEnd
from verification.ids import Actor
from verification.support.service import LinkRequest

Do = Callable[[Story, SimulatedUser, Pick[Any]], str]
"""Does something to, or for, a user, and returns a description."""

_NONSENSE = ("你好", "1", "2", "<b>x</b>", "{0}", "%s';--", "🙂" * 20, "是", "返回", "取消", "帮助", "换种方式", "同意")
_COMMANDS = ("/start", "/status", "/back", "/cancel", "/faq", "/help", "/language", "/privacy", "/nonsense")
_BAD_NUMBERS = ("110105194912310021", "810000199408230021", "12345", "11010119900307803")
_FORGED = ("q:confirm:0000000000", "q:personal", "privacy:erase_now:0000000000", "faq:list.999999", "zzz", "q::")
_ACCOUNTS = ("cloud:200011111", "cloud:200011111", "cloud:200056789", "cloud:200099999")
_NO_TOKENS = ("nonsense", "way_qq", "lang_en", "a" * 39, "x" * 300)
_METHODS = (
    ANY,
    ANY,
    "sendMessage",
    "sendPhoto",
    "editMessageText",
    "editMessageMedia",
    "deleteMessages",
    "getUpdates",
    "webhook",
)
_PAUSES = (0.0, 0.0, 0.01, 0.3, 0.3, 1.0, 1.0, 1.0, 6.0)
_CHECK_ENDS = (*[CheckEnd.PASSED] * 4, *CheckEnd, None)
"""How a person leaves a vendor's page; None: without having done the check."""
_VERDICT_DELAYS = (0.0, 0.0, 0.0, 0.0, 3.0, 30.0, 590.0)
_POLLS = (0.3, 6.0, 12.0)
"""So that a vendor is asked not at all, once or twice."""
_STEPS_TO_A_VENDOR = 10
_HOURS = (30.0, 570.0, 590.0, 605.0, 3600.0, 40 * 3600.0)


@dataclass(frozen=True, slots=True)
class RandomAction:
    """One possible action."""

    name: str
    do: Do


def goes_on(story: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    """Answer the newest question, as a user who wants to be verified."""
    wanted = guest.wanted()
    if wanted is not None:
        guest.says(wanted)
        return f"says what is wanted, {wanted}"
    armed = guest.waiting_messages()
    if not armed:
        guest.says("/start")
        return "says /start"
    if armed[-1].kind == "photo" and pick([True, True, True, False]):
        return phones(story, guest, pick)
    offered = [button for button in buttons(armed[-1]) if button.value.startswith("q:")]
    chosen = pick([offered[0]] * 6 + offered[:3])
    guest.presses(armed[-1].id, chosen.value)
    return f"presses {chosen.value}"


def gets_far(story: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    """Go some steps, and wait for the answer after each."""
    done = []
    for _ in range(pick(range(2, 6))):
        done.append(goes_on(story, guest, pick))
        story.passes(0.5)
    return "; ".join(done)


def phones(story: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    """Open the newest code, and press the first control of the page, or do nothing; a vendor's page comes after it."""
    if guest.at_vendor:
        return at_the_vendor(story, guest, pick)
    if not guest.link:
        return goes_on(story, guest, pick)
    page = story.run(story.machine.visit(guest.link))
    if page is None or not page.presses:
        guest.link = ""
        return f"opens the page: {page}"
    form = {"stage": page.stage, "press": pick([page.presses[0]] * 6 + [*page.presses]), "agree": "yes"}
    if page.choices:
        form["choice"] = pick([page.choices[0]] * 4 + [*page.choices])
    if pick([True, True, True, False]):
        shown = story.run(story.machine.visit(guest.link, form))
        guest.at_vendor = "" if shown is None else shown.forward
    return f"on the phone: {form}"


def at_the_vendor(story: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    """Do the vendor's check, or leave it, and mostly come back to the program's page."""
    network = story.vendor_network
    assert network is not None
    check, end = network.vendor.check_of_page(guest.at_vendor), pick(_CHECK_ENDS)
    seconds = pick(_VERDICT_DELAYS)
    if end is not None:
        story.loop.call_later(seconds, network.conclude, check, network.vendor.verdict(check, end, pick))
    guest.at_vendor = pick(["", "", guest.at_vendor])
    if pick([True, True, True, False]):
        story.run(story.machine.visit(f"{check.return_url}?BizToken=forged&passed=T"))
    return f"at the vendor: {end}, told in {seconds} s"


def is_checked_by_a_vendor(story: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    """Come to the vendor's page and be checked there, mostly with wrong answers or failing calls meanwhile."""
    if story.vendor_network is None:
        return gets_far(story, guest, pick)
    done = []
    for _ in range(_STEPS_TO_A_VENDOR):
        if not guest.at_vendor:
            done.append(goes_on(story, guest, pick))
            story.passes(0.5)
    if guest.at_vendor:
        trouble = pick([vendor_answers_wrongly, vendor_calls_fail, None])
        if trouble is not None:
            done.append(trouble(story, guest, pick))
        done.append(at_the_vendor(story, guest, pick))
        story.passes(pick(_POLLS))
    return "; ".join(done)


def goes_on_twice(story: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    first = goes_on(story, guest, pick)
    return f"{first}; and at once: {goes_on(story, guest, pick)}"


def says_junk(_: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    text = pick([*_NONSENSE, *_BAD_NUMBERS, guest.name, guest.number, pick(NUMBERS)])
    guest.says(text, forwarded=pick([False, False, False, True]))
    return f"says {text}"


def commands(_: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    command = pick(_COMMANDS)
    guest.says(command)
    return f"says {command}"


def comes_by_a_link(story: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    """Open a link: a new one, the newest, any user's, or an invented one."""
    if not story.links or pick([True, True, False]):
        order = LinkRequest(
            account=pick(_ACCOUNTS),
            idempotency_key=f"order {len(story.told)}",
            method=pick([None, *story.machine.link_methods]),
        )
        made = story.run(story.machine.ask_support(lambda support: support.create_link(Actor("telegram:7"), order)))
        if made is None:
            return "support cannot make a link"
        story.has_link(made)
    token = pick([story.links[-1].token] * 6 + [pick(story.links).token, story.links[-1].token[:-1] + "_", *_NO_TOKENS])
    written = pick([f"/start {token}"] * 3 + [f"https://t.me/demo_bot?start={token}", token])
    for _ in range(pick([1, 1, 1, 2])):
        guest.says(written)
    return f"comes by a link: {written}"


def takes_a_link_back(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    if not story.links:
        return "no link to take back"
    link = pick([story.links[-1], pick(story.links)]).link
    done = story.run(story.machine.ask_support(lambda support: support.revoke(Actor("telegram:7"), link.id)))
    return f"support takes {link.id} back: {done is not None}"


def sends(_: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    kind = pick([*THINGS])
    guest.sends(kind)
    return f"sends a {kind}"


def edits(_: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    text = pick([guest.name, guest.number, "改了"])
    guest.edits(text)
    return f"edits the last message to {text}"


def presses_anything(story: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    """Press a current button, an old one, another user's, or an invented one."""
    known = [*guest.seen[-6:], *guest.seen]
    if not known:
        return goes_on(story, guest, pick)
    message, data = pick(known)
    foreign = [its for other in story.guests if other is not guest for _, its in other.seen[-3:]]
    data = pick([data] * 8 + [*_FORGED, *foreign])
    for _ in range(pick([1, 1, 1, 2])):
        guest.presses(message, data)
    return f"presses {data} in {message}"


def blocks(_: Story, guest: SimulatedUser, __: Pick[Any]) -> str:
    guest.blocks()
    return "blocks the bot"


def deletes(_: Story, guest: SimulatedUser, pick: Pick[Any]) -> str:
    there = guest.bot_messages()
    if there:
        guest.deletes(pick(there))
    return "deletes a message of the bot"


def waits(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    seconds = pick(_HOURS)
    story.time.passed += seconds
    return f"{seconds} s pass"


def clock_is_wrong(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    story.time.skew = pick([-86400.0, -3600.0, -1.0, 0.0, 0.0, 3600.0, 86400.0])
    return f"the program's clock is wrong by {story.time.skew} s"


def telegram_fails(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    return _calls_fail(story, pick, pick(_METHODS), after=pick(range(6)))


def vendor_calls_fail(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    return _calls_fail(story, pick, VENDOR, after=pick(range(2)))


def _calls_fail(story: Story, pick: Pick[Any], method: str, *, after: int) -> str:
    fate = pick([*CallFault])
    times = 1 if fate in FATAL else pick([1, 1, 1, 2, 4])
    story.fault_schedule.schedule_call_fault(fate, method=method, after=after, times=times)
    return f"call {after} from now of {method}: {fate}, {times} times"


def database_fails(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    fault, after = pick([*DatabaseFault]), pick(range(20))
    times = pick([1, 1, 1, 2, 30]) if fault is DatabaseFault.DOWN else 1
    story.fault_schedule.schedule_database_fault(fault, after=after, times=times)
    return f"statement {after} from now: {fault}, {times} times"


def crashes(story: Story, _: SimulatedUser, __: Pick[Any]) -> str:
    story.run(story.machine.kill())
    return "the program is killed"


def restarts(story: Story, _: SimulatedUser, __: Pick[Any]) -> str:
    story.run(story.machine.restart())
    return "the program is restarted"


def is_delivered_twice(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    story.world.updates.duplicates_ordered += pick([1, 2, 5])
    return "updates come twice"


def poison_comes(story: Story, guest: SimulatedUser, _: Pick[Any]) -> str:
    chat = {"id": guest.id, "type": "private", "first_name": "x"}
    poison = {"message_id": 5, "date": "yesterday", "chat": chat, "text": guest.number}
    story.world.updates.add("message", poison, f"chat:{guest.id}")
    story.log_check.poison.add(story.world.updates.pending()[-1].id)
    return "an update comes that cannot be read"


def provider_goes(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    story.machine.provider_away = pick([True, False])
    return f"the providers are away: {story.machine.provider_away}"


def vendor_answers_wrongly(story: Story, _: SimulatedUser, pick: Pick[Any]) -> str:
    if story.vendor_network is None:
        return "no vendor"
    wrong = [story.vendor_network.vendor.break_next(pick) for _ in range(pick([1, 1, 2, 4]))]
    return f"the vendor's next answers: {wrong}"


def meets_in_a_group(story: Story, guest: SimulatedUser, _: Pick[Any]) -> str:
    group_with(story.world, guest)
    return "puts the bot into a group"


def faults_end(story: Story, _: SimulatedUser, __: Pick[Any]) -> str:
    story.calm_down()
    return "nothing goes wrong any more"


_WEIGHTS: Mapping[Do, int] = {
    goes_on: 24,
    gets_far: 20,
    phones: 8,
    is_checked_by_a_vendor: 10,
    goes_on_twice: 3,
    says_junk: 5,
    commands: 6,
    sends: 2,
    edits: 2,
    comes_by_a_link: 7,
    takes_a_link_back: 4,
    presses_anything: 7,
    blocks: 1,
    deletes: 1,
    waits: 4,
    clock_is_wrong: 1,
    telegram_fails: 8,
    database_fails: 5,
    crashes: 2,
    restarts: 1,
    is_delivered_twice: 2,
    poison_comes: 1,
    provider_goes: 1,
    vendor_answers_wrongly: 1,
    vendor_calls_fail: 1,
    meets_in_a_group: 1,
    faults_end: 2,
}
ACTS = tuple(RandomAction(do.__name__, do) for do, weight in _WEIGHTS.items() for _ in range(weight))


def begin(story: Story, pick: Pick[Any]) -> None:
    """Let the users of the story arrive, often several with one number or by links, and go some steps."""
    for _ in range(pick([1, 1, 2, 2, 4])):
        guest = story.arrives(pick(NAMES), pick([NUMBERS[0], NUMBERS[0], *NUMBERS]), pick(["zh-hans", "zh-hans", "en"]))
        steps = pick(range(13))
        story.tell(f"{guest.id} comes, and does {steps} steps")
        if pick([True, False]):
            story.tell(f"{guest.id} {comes_by_a_link(story, guest, pick)}")
            story.passes(0.5)
        for _ in range(steps):
            goes_on(story, guest, pick)
            story.passes(0.5)
    story.check()


def happen(story: Story, act: RandomAction, pick: Pick[Any]) -> None:
    """Let one action happen, and some time pass; raises `InvariantBroken` when something is wrong then."""
    guest = pick(story.guests)
    guest.returns()
    what = act.do(story, guest, pick)
    story.tell(f"{guest.id} {act.name}: {what}")
    story.passes(pick(_PAUSES))
    story.check()
