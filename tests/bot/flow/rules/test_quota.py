"""The ending in which three accounts are verified with the number."""

from bot.flow import states
from bot.flow.effects import AskQuestion, CheckQuota, ChoiceButton, TextKey
from bot.flow.events import Choice
from bot.flow.prompts import prompt
from tests.bot.flow.effect_texts import choices_in
from tests.bot.flow.samples import quota_full
from tests.bot.flow.transcript import TO_CODE, TO_CONFIRM, TO_NUMBER, TO_OPENING, after, holds
from tests.fakes import NUMBER, OTHER_NUMBER, make_identity


def test_it_is_told_before_a_method_is_chosen_and_another_number_is_asked_about_again() -> None:
    state = holds(
        f"""
        >> {NUMBER}
        << DeleteUserMessage
        << AskQuestion confirm.ask
        << CheckQuota
        == Confirming
        >> core: quota checked full
        << AskQuestion quota.ask
        == QuotaFull
        >> [change_number]
        << AskQuestion other_number.ask
        == ChangingNumber
        >> {OTHER_NUMBER}
        << DeleteUserMessage
        << AskQuestion confirm.ask
        << CheckQuota
        == Confirming
        >> core: quota checked free
        """,
        after(TO_NUMBER),
    )

    assert isinstance(state, states.Confirming)
    assert state.identity == make_identity(OTHER_NUMBER)


def test_a_changed_name_keeps_the_number_that_was_asked_about() -> None:
    holds(
        """
        >> [change_name]
        << AskQuestion other_name.ask
        == ChangingName
        >> 王小雪
        << DeleteUserMessage
        << AskQuestion confirm.ask
        == Confirming
        >> [change_name]
        << AskQuestion other_name.ask
        == ChangingName
        >> 高兴
        << DeleteUserMessage
        << AskQuestion check_name.ask
        == CheckingName
        >> [name_right]
        << RecordAnswer check_name.done
        << AskQuestion confirm.ask
        == Confirming
        """,
        after(TO_CONFIRM),
    )


def test_when_a_place_was_freed_the_core_is_asked_again() -> None:
    state = holds(
        """
        >> 腾出来了
        << CheckQuota
        >> core: quota checked full
        << AskQuestion quota.ask + quota.still_full
        >> [freed]
        << CheckQuota
        >> core: quota checked free
        << AskQuestion confirm.ask
        == Confirming
        """,
        after(f"{TO_CONFIRM}\ncore: quota checked full"),
    )

    # The person has not checked the name yet.
    assert isinstance(state, states.Confirming)
    assert not state.is_checked


def test_a_slot_that_is_taken_after_the_question_ends_the_same_way() -> None:
    refused = after("core: attempt refused quota", after(TO_OPENING))
    failed = holds(
        """
        >> core: attempt failed quota
        << AskQuestion quota.ask closing failed stamp.failed
        == QuotaFull
        """,
        after(TO_CODE),
    )

    assert isinstance(refused, states.QuotaFull)
    assert isinstance(failed, states.QuotaFull)
    assert (refused.is_scanned, failed.is_scanned) == (False, True)


def test_it_says_whether_anything_was_scanned_and_offers_no_other_try() -> None:
    for is_scanned, said in ((False, "quota.not_scanned"), (True, "quota.scanned")):
        question = prompt(quota_full(is_scanned=is_scanned))

        assert isinstance(question, AskQuestion)
        assert question.values["scanned"] == TextKey(said)
        assert not {Choice.TRY_AGAIN, Choice.OTHER_METHOD, Choice.CHANGE_DATA} & set(choices_in(question))
        assert question.rows[-1] == (ChoiceButton(Choice.CANCEL), ChoiceButton(Choice.DISPUTE))


def test_the_request_prints_no_name_or_number() -> None:
    request = CheckQuota(quota_full().attempt, quota_full().account, make_identity())

    assert NUMBER not in repr(request)
