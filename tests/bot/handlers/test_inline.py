"""Inline mode: `@bot words` in any chat gives answers of the FAQ, without delaying any update."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from telegram import InlineQuery, User

from bot.handlers import inline
from bot.handlers.inline import InlineHandler
from tests.bot.app_fixture import running_bot
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.bot.test_webhook import by_webhook
from tests.crash.process import free_port
from tests.fakes import TELEGRAM
from tests.simulator_fixture import ChatUser, plain, simulator

Json = dict[str, Any]


async def typed(guest: ChatUser, query: str) -> None:
    await guest.simulator.sim(f"/chats/{guest.chat}/inline", user=guest.id, query=query)


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


async def answered(guest: ChatUser, query: str) -> Json:
    """Type an inline query; gives the answer to it."""
    before = len(guest.events("results"))
    await typed(guest, query)
    await guest.simulator.wait_until(
        lambda: len(guest.events("results")) > before, lambda: "no answer to the inline query"
    )
    return dict(guest.events("results")[-1])


def ids(answer: Json) -> list[str]:
    return [result["id"] for result in answer["results"]]


async def test_a_query_gives_the_best_answers_ready_to_be_sent(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        guest = await telegram.new_user()
        best = (await answered(guest, "提示满3个账号"))["results"][0]
        entry = CATALOGUE.entry("zh", "three_accounts")
        name = telegram.playground.world.profile.username

    assert entry is not None
    assert (best["type"], best["id"], best["title"]) == ("article", entry.id, entry.title)
    assert best["input_message_content"]["message_text"] == f"<b>{entry.title}</b>\n\n{entry.answer}"
    assert best["input_message_content"]["parse_mode"] == "HTML"
    assert best["input_message_content"]["link_preview_options"] == {"is_disabled": True}
    buttons = [row[0]["url"] for row in best["reply_markup"]["inline_keyboard"]]
    assert buttons == [*(url for _, url in entry.links), f"https://t.me/{name}?start=faq_three_accounts"]
    assert best["description"] in plain(entry.answer).replace("\n", " ").replace("  ", " ")


class RecordingBot:
    """A bot that records the arguments of an answer."""

    username = "example_bot"
    facts: Json

    async def answer_inline_query(self, **facts: Any) -> bool:
        self.facts = facts
        return True


async def test_telegram_may_keep_an_answer_for_five_minutes_and_for_the_person_alone() -> None:
    recorder = RecordingBot()
    query = InlineQuery("1", User(7, "Anna", is_bot=False, language_code="en"), "icp", "")
    query.set_bot(recorder)  # type: ignore[arg-type]  # as much of a bot as is needed
    handler = InlineHandler(CATALOGUE, lambda _: ("icp",), "zh")

    await handler._answer(query, recorder.username)

    assert (recorder.facts["cache_time"], recorder.facts["is_personal"]) == (300, True)
    assert [result.id for result in recorder.facts["results"]] == ["icp"]


@pytest.mark.parametrize(
    ("language", "title"), [("zh-hant", "和 ICP 备案"), ("en", "ICP filing"), ("de", "ICP filing")]
)
async def test_the_language_is_that_of_the_person_who_types(tmp_path: Path, language: str, title: str) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        guest = await telegram.new_user(language=language)
        answer = await answered(guest, "icp")

    assert title in answer["results"][0]["title"]


async def test_an_empty_query_gives_the_first_topics(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        guest = await telegram.new_user()
        answer = await answered(guest, " ")

    assert ids(answer) == [entry.id for entry in CATALOGUE.faq["zh"][:10]]
    assert answer["button"] is None


async def test_words_that_fit_nothing_lead_to_the_list(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        guest = await telegram.new_user()
        answer = await answered(guest, "今天天气怎么样")

    assert answer["results"] == []
    assert answer["button"] == {"text": CATALOGUE.text("zh", "inline.nothing"), "start_parameter": "faq_"}


async def test_every_answer_fits_into_a_message_and_every_query_is_answered(tmp_path: Path) -> None:
    queries = ["", *(entry.id for entry in CATALOGUE.faq["zh"]), "<b>&", "x" * 256, "‮", "{days}"]
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        guest = await telegram.new_user()
        for query in queries:
            for result in (await answered(guest, query))["results"]:
                assert len(json.dumps(result)) < 16_000
                assert "{" not in result["input_message_content"]["message_text"]


async def test_an_answer_that_hangs_delays_no_update(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        typist, guest = await telegram.new_user(), await telegram.new_user()
        held = telegram.hold_call("answerInlineQuery", applied=False)
        await typed(typist, "备案")
        await held.caught.wait()
        for person in (guest, typist):
            await person.says("/start")
            await person.sees("你要认证哪一类")
        answer = await answered(typist, "备案")

    assert ids(answer)[0] == "icp"


@pytest.mark.parametrize("kind", ["403", "500", "502", "drop", "garbage"])
async def test_a_lost_answer_does_not_affect_the_next(tmp_path: Path, kind: str) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        guest = await telegram.new_user()
        await telegram.inject_fault("answerInlineQuery", kind)
        await typed(guest, "备案")
        await telegram.wait_until_idle()
        answer = await answered(guest, "icp")

        assert ids(answer)[0] == "icp"


async def test_during_a_429_answers_are_dropped_and_the_dialogue_continues(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        guest = await telegram.new_user()
        await telegram.inject_fault("answerInlineQuery", "429", retry_after=600)
        for query in ("备案", "icp"):
            await typed(guest, query)
            await telegram.wait_until_idle()
        await guest.says("/start")
        await guest.sees("你要认证哪一类")
        await telegram.wait_until_idle()

        assert guest.events("results") == []


async def test_queries_over_the_limit_stay_unanswered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline, "_MAX_CONCURRENT", 1)
    async with simulator() as telegram, running_bot(telegram, tmp_path):
        guest = await telegram.new_user()
        held = telegram.hold_call("answerInlineQuery", applied=False)
        await typed(guest, "备案")
        await held.caught.wait()
        await typed(guest, "icp")
        await telegram.wait_until_idle()

        assert guest.events("results") == []


async def test_a_query_by_webhook_is_answered_too(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path, **by_webhook(free_port())):
        guest = await telegram.new_user()

        assert ids(await answered(guest, "icp"))[0] == "icp"


async def test_a_query_leaves_no_trace_in_the_store(tmp_path: Path) -> None:
    async with simulator() as telegram:
        guest = await telegram.new_user()
        async with AsyncExitStack() as stack:
            bot = await stack.enter_async_context(running_bot(telegram, tmp_path))
            await answered(guest, "王小明 3个账号")
            owed = await bot.app.deps.store.pending_replies(TELEGRAM, 10)
        written = everything_in(tmp_path)

    assert owed == []
    assert "王小明".encode() not in written
    assert str(guest.id).encode() not in written
