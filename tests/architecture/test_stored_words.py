"""The words of our enumerations as they are stored, sent and typed: none of them may change unnoticed.

They stand in databases, in sealed dialogues, in digests, in buttons of old messages and in calls of other servers. A
new word is added here; a changed one needs a migration.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from enum import StrEnum

import bot.engine
import bot.flow
import storage
import verification

WORDS = {
    "AttemptRefusal": "quota verified unavailable over too_many busy unbound method_off",
    "AttemptStatus": "reserved waiting opened confirming succeeded failed expired cancelled",
    "CallerScope": "links attempts accounts",
    "Choice": (
        "begin personal mine not_mine enterprise overseas agree not_now name_right name_wrong confirm change_name "
        "change_number wechat qq face netid new_code other_way try_again change_data freed dispute back cancel"
    ),
    "Command": "start status back cancel faq help language privacy human unknown",
    "DeliveryStatus": "delivered gone given_up",
    "Dimension": "campaign method language day",
    "FormError": "elsewhere unticked",
    "FunnelStep": "opened started agreed confirmed shown phone verified reminded returned",
    "IndexKind": "identity-number attempt-token account contact key-check network-identity",
    "LinkState": "waiting opened verified expired revoked",
    "MessageKind": "photo sticker voice contact location file forwarded edited other",
    "Method": "wechat qq face netid",
    "NameProblem": "empty too_long invisible number described characters",
    "NoticeKind": "progress fading ended",
    "NumberProblem": (
        "empty characters several length old_form check_digit date future province permit foreigner other_document"
    ),
    "PageButton": "go_authorise authorise confirm bind_card card_done no_card quick next recognise decline",
    "PageStage": "check authorise card_needed card_binding card_bound welcome agreement recognition",
    "PhoneStage": "waiting opened confirming",
    "Picture": "verified failed expired",
    "ProviderApp": "wechat qq alipay any",
    "Purpose": "link-signature link-request desk-session caller-request",
    "Reason": (
        "mismatch declined no_card face_covered face_differs face_out_of_frame face_unclear no_photo unfinished quota "
        "unavailable too_many busy"
    ),
    "Remark": "human thanks greeting wait help button",
    "SideMessage": "faq language privacy code reminder",
    "VerdictChoice": "pass mismatch declined no_card face_covered face_differs face_out_of_frame",
    "Wait": "preparing slow waiting over opened confirming unanswered last_check",
}


def enumerations() -> Iterator[tuple[str, type[StrEnum]]]:
    for package in (bot.engine, bot.flow, storage, verification):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, each in vars(importlib.import_module(found.name)).items():
                if isinstance(each, type) and issubclass(each, StrEnum) and each.__module__ == found.name:
                    yield name, each


def test_the_words_of_every_enumeration_are_these() -> None:
    found = {name: " ".join(word.value for word in each) for name, each in enumerations()}

    assert found == WORDS
