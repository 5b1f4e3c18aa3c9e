"""The text files: both languages match, every text suits Telegram, and no example names a real person."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Set
from string import Formatter

import pytest

from bot.content import topics
from bot.content.catalogue import FOLDER, LANGUAGES, Entry, Operator, load
from bot.content.conditions import conditions
from bot.content.telegram_html import TAGS, find_error, telegram_length
from bot.content.telegram_html import strip_tags as plainly
from bot.flow.events import Choice, Command, MessageKind
from bot.flow.typed_input import match_choice, normalize
from verification.attempts import AttemptStatus, Method, ProviderApp, Reason
from verification.identity import NameProblem
from verification.numbers import NumberProblem


def leaves(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every text with its dotted key; an entry of a list has its id, or else its index, as key."""
    match value:
        case str():
            yield prefix, value
        case Mapping():
            for key, inner in value.items():
                if key == "keywords":  # keywords are never shown, and each language has its own
                    continue
                yield from leaves(inner, f"{prefix}.{key}" if prefix else key)
        case list():
            for index, inner in enumerate(value):
                yield from leaves(inner, f"{prefix}.{inner.get('id', index)}")
        case _:
            pytest.fail(f"{prefix} is {value!r}, no text")


CONDITIONAL = re.compile(r"\{(if_\w+):([^{}]*)\}")


def read(name: str) -> dict[str, str]:
    return dict(leaves(tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))))


def in_full(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts with all their conditional parts."""
    return {key: CONDITIONAL.sub(r"\2", text) for key, text in texts.items()}


STEMS = sorted(path.name.removesuffix("zh.toml") for path in FOLDER.glob("*zh.toml"))
WRITTEN = {(stem, language): read(f"{stem}{language}.toml") for stem in STEMS for language in LANGUAGES}
FILES = {file: in_full(texts) for file, texts in WRITTEN.items()}
CHAT = {language: FILES["", language] for language in LANGUAGES}
FAQ = load(days=30, simulated=tuple(Method)).faq

in_each_file = pytest.mark.parametrize(
    "texts", [pytest.param(texts, id=f"{stem}{language}") for (stem, language), texts in FILES.items()]
)
in_each_chinese_file = pytest.mark.parametrize("texts", [pytest.param(FILES[stem, "zh"], id=stem) for stem in STEMS])
in_each_language = pytest.mark.parametrize("language", LANGUAGES)
of_each_topic = pytest.mark.parametrize(
    ("language", "topic"),
    [pytest.param(language, topic, id=f"{language}:{topic.id}") for language in FAQ for topic in FAQ[language]],
)

LABELS = re.compile(
    r"(choice|button)\..+|link\..+\.label|faq\.(list|next|previous)|group\.button|language\.(zh|en)"
    r"|inline\..+|staff\.(button|toast)\..+|privacy\.(export|erase|erase_now|keep)|topic\..+\.title|topic\..+\.links\..+\.label"
)
LIMITS = {
    r"command\..+": 256,
    r"about\.name": 64,
    r"about\.short": 120,
    r"about\.description": 512,
    r"misc\.closed_question": 200,
    r"staff\.command\..+": 256,
    r"staff\.toast\..+": 200,
}
PLAIN = re.compile("|".join([LABELS.pattern, *LIMITS, r"page\..+", r"desk\..+", r"(link|topic)\..+\.(id|url)"]))
"""Texts that are shown without markup; all others are Telegram HTML."""

CAPTION = re.compile(r"scan\.(waiting|opened|confirming)|stamp\..+|expired\.ask|privacy\.file_caption")


# Telegram HTML


FAULTS = """a < b|a & b|a > b|<b>a|a</b>|<B>a</B>|<b><i>a</b></i>|<div>a</div>|<a>a</a>|<a href="http://x.y">a</a>
|<code><b>a</b></code>|<b>a<b>b</b></b>|<b class="x">a</b>|</b >"""


@pytest.mark.parametrize("wrong", FAULTS.split("|"))
def test_the_checker_finds_a_planted_error(wrong: str) -> None:
    assert find_error(wrong)


def test_the_checker_accepts_correct_markup() -> None:
    good = '<b>a <i>b</i></b> &lt;&amp; <a href="https://x.y/z">c</a> <tg-time unix="1" format="dt">d</tg-time> 🧪'

    assert find_error(good) is None
    assert telegram_length(good) == len("a b <& c d ..")


@in_each_file
def test_inv36_every_text_is_well_formed(texts: Mapping[str, str]) -> None:
    markup = {key: text for key, text in texts.items() if not PLAIN.fullmatch(key)}
    faults = {key: find_error(text, topics.TAGS if key.startswith("topic.") else TAGS) for key, text in markup.items()}
    marked = [key for key in texts.keys() - markup.keys() if re.search(r"[<>]|&[a-z#]", texts[key])]

    assert {key: found for key, found in faults.items() if found} == {}
    assert marked == [], "markup in texts that are shown as plain text"


# Both languages match


def placeholders(text: str) -> set[str]:
    """The names in braces; a stray brace, a format or an attribute is an error."""
    fields = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    assert all(name.isidentifier() and not spec and not conversion for name, spec, conversion in fields), fields
    return {name for name, _, _ in fields}


def test_every_file_exists_in_both_languages() -> None:
    assert {path.name for path in FOLDER.glob("*.toml")} == {f"{stem}{language}.toml" for stem, language in FILES}
    assert {"", "faq."} <= set(STEMS)


@pytest.mark.parametrize("stem", STEMS)
def test_both_languages_have_the_same_keys_in_the_same_order_with_the_same_placeholders(stem: str) -> None:
    zh, en = ({key: placeholders(text) for key, text in FILES[stem, language].items()} for language in LANGUAGES)

    assert list(zh) == list(en)
    assert zh == en


@pytest.mark.parametrize("stem", STEMS)
def test_both_languages_have_the_same_conditions(stem: str) -> None:
    zh, en = (
        {key: [name for name, _ in CONDITIONAL.findall(text)] for key, text in WRITTEN[stem, language].items()}
        for language in LANGUAGES
    )

    assert zh == en
    assert {condition for used in zh.values() for condition in used} <= conditions(tuple(Method)).keys()


@in_each_language
def test_no_key_is_in_two_files(language: str) -> None:
    keys = [key for (_, of), texts in FILES.items() if of == language for key in texts]

    assert len(keys) == len(set(keys))


@in_each_language
def test_every_value_of_the_program_has_its_text(language: str) -> None:
    needed: dict[str, Set[str]] = {
        "choice.": set(Choice),
        "command.": set(Command) - {Command.UNKNOWN},
        "reason.": set(Reason) - {Reason.QUOTA},
        "method.": set(Method),
        "scan.steps.": set(Method),
        "scan.elsewhere.": set(Method) | {f"in_{app}" for app in ProviderApp},
        "sent.": set(MessageKind),
        "problem.name.": set(NameProblem),
        "problem.number.": set(NumberProblem),
        "privacy.status.": set(AttemptStatus),
    }

    assert {prefix + word for prefix, words in needed.items() for word in words} <= CHAT[language].keys()


# Telegram's limits


@in_each_language
def test_labels_fit_on_a_button(language: str) -> None:
    texts = CHAT[language] | FILES["faq.", language]
    labels = {key: text for key, text in texts.items() if LABELS.fullmatch(key)}

    assert len(labels) > len(Choice)
    assert {key: text for key, text in labels.items() if telegram_length(text) > 64 or re.search(r"[\n{]", text)} == {}


@in_each_language
@pytest.mark.parametrize(("pattern", "limit"), LIMITS.items())
def test_every_text_that_telegram_limits_is_within_its_limit(language: str, pattern: str, limit: int) -> None:
    texts = CHAT[language] | FILES["staff.", language]
    meant = {key: telegram_length(text) for key, text in texts.items() if re.fullmatch(pattern, key)}

    assert meant
    assert {key: size for key, size in meant.items() if size > limit} == {}


def generous(texts: Mapping[str, str]) -> dict[str, str]:
    """For each placeholder its longest possible value, as markup."""

    def longest(prefix: str) -> str:
        return max((text for key, text in texts.items() if key.startswith(prefix)), key=telegram_length)

    time = '<tg-time unix="1795400000" format="dt">11-23 20:00 (UTC+8)</tg-time>'
    account = texts["account.own"].format(id="*" * 64)
    values = {"account": account, "id": "*" * 64, "name": "王" + "*" * 49, "number": "1" * 18, "code": "42"}
    values |= {"until": time, "left": time, "at": time, "days": "3650", "count": "10000", "page": "100", "pages": "100"}
    values |= {"test": texts["test_banner"], "mark": texts["test_mark"]}
    values |= {
        "words": texts["misc.wait"],
        "steps": longest("scan.steps."),
        "scanned": texts["quota.scanned"],
        "details": longest("details."),
        "about": longest("method."),
        "step": longest("reminder.step."),
        "reason": longest("reason."),
    }
    values |= {"method": max((texts[f"method.{method}"] for method in Method), key=telegram_length)}
    values |= {name: ", ".join(texts[f"method.{method}"] for method in Method) for name in ("methods", "scans")}
    values |= {"services": "，".join(text for key, text in texts.items() if key.startswith("service."))}
    values |= {"operator": "客" * 64, "contact": "x" * 256, "operator_url": "https://" + "x" * 248}
    values |= {"facts": texts["type.facts"], "ticket": "0A1B-2C3D"}
    values |= {"kind": longest("privacy.kind."), "status": longest("privacy.status.")}
    record = max((texts[f"privacy.{kind}"] for kind in ("attempt", "consent", "bond")), key=telegram_length).format_map(
        values
    )
    return {**values, "records": "\n".join([record] * 20)}


@in_each_language
def test_inv36_every_message_and_caption_fits_with_the_longest_values_and_a_note_above(language: str) -> None:
    values = generous(CHAT[language])
    texts = {key: text.format_map(values) for key, text in CHAT[language].items() if not PLAIN.fullmatch(key)}
    captions = {key for key in texts if CAPTION.fullmatch(key)}
    note = max((text for key, text in texts.items() if re.match(r"(problem|sent)\.", key)), key=telegram_length)
    sizes = {
        key: telegram_length(f"{texts['misc.resumed'] if key in captions else note}\n\n{texts[key]}") for key in texts
    }

    assert len(captions) == 8
    assert {key: size for key, size in sizes.items() if size > (1024 if key in captions else 4096)} == {}
    assert {key: find_error(text) for key, text in texts.items() if find_error(text)} == {}


# Questions and answers


POINTED_TO = {
    topic
    for source in (FOLDER.parent / "flow").rglob("*.py")
    for topic in re.findall(r"""(?:TopicButton\(|Reason\.\w+: )"(\w+)\"""", source.read_text(encoding="utf-8"))
}
OFFICIAL = re.compile(
    r"https://(intl\.cloud\.tencent\.com/|console\.cloud\.tencent\.com/developer(/auth)?"
    r"|cloud\.tencent\.com/(document/product/378/\d+|services/forgotAccount|online-service))"
)
TITLE_LIMIT = {"zh": 20, "en": 45}


@in_each_language
def test_the_topics_that_the_dialogue_points_to_exist_once(language: str) -> None:
    ids = [topic.id for topic in FAQ[language]]

    assert {"notice", "three_accounts", "overseas"} <= POINTED_TO <= set(ids)
    assert len(set(ids)) == len(ids)
    assert len({normalize(topic.title) for topic in FAQ[language]}) == len(ids)


def test_both_languages_link_to_the_same_pages() -> None:
    zh, en = ([(topic.id, [url for _, url in topic.links]) for topic in FAQ[language]] for language in LANGUAGES)

    assert zh == en


@of_each_topic
def test_an_answer_is_short_and_official(language: str, topic: Entry) -> None:
    urls = [url for _, url in topic.links]

    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", topic.id)
    assert len(topic.id) <= 40, "an id travels in callback data and in a start link"
    assert len(topic.title) <= TITLE_LIMIT[language]
    assert telegram_length(CONDITIONAL.sub(r"\2", topic.answer)) <= 900
    assert placeholders(CONDITIONAL.sub(r"\2", topic.answer)) <= {"days", "operator", "contact", "services"}
    assert urls or topic.id == "notice", "only the bot's own privacy notice has no official page"
    assert all(OFFICIAL.fullmatch(url) for url in urls)
    assert len(urls) == len(set(urls))


REQUIRED = {
    "17: the handler's name": ("{operator}", "{operator}"),
    "17: the handler's contact": ("{contact}", "{contact}"),
    "17: the purpose": ("是否为你本人操作", "only to check that"),
    "17: the kinds of data": ("姓名(和|、)身份证号", "(?i)name(,| and) ID number"),
    "17: the retention": ("加密.*{days} 天", "(?s)encrypted.*{days} days"),
    "23: the verification service that receives the data": (
        "验证服务（{services}）",
        "verification service of .*{services}",
    ),
    "23: what it does with them": ("比对", "compare"),
    "29, 39: separate consents": ("分别单独同意", "separate consents"),
    "31: a guardian under 14": ("14 周岁.*监护人", "(?i)14.*guardian"),
    "39: Telegram receives messages abroad": ("(?s)出境.*Telegram.*境外", "(?s)Abroad.*Telegram"),
    "47: withdrawing": ("/cancel 撤回同意", "(?i)withdraw.*/cancel|/cancel: withdraw"),
}
ONLY_IN_THE_NOTICE = {
    "23: how to reach Telegram": "telegram.org/privacy",
    "29: a separate consent to face recognition": "人脸另行单独同意|one for face",
    "44: rights": "/privacy",
}
"""What PIPL asks a notice to say, by article."""


@in_each_language
def test_consent_text_and_privacy_notice_state_all_that_the_law_asks_for(language: str) -> None:
    (notice,) = (topic.answer for topic in FAQ[language] if topic.id == "notice")
    consent = CHAT[language]["consent.ask"]
    required = {fact: patterns[LANGUAGES.index(language)] for fact, patterns in REQUIRED.items()}

    for text, facts in ((consent, required), (notice, required | ONLY_IN_THE_NOTICE)):
        assert [fact for fact, pattern in facts.items() if not re.search(pattern, text)] == []
    assert {"{operator}", "{contact}"} <= set(re.findall("{[a-z]+}", FILES["pages.", language]["page.operator"]))


def test_the_texts_name_who_runs_the_bot_and_which_services_verify() -> None:
    operator = Operator("王小明 {公司}", "@support", "https://t.me/support")
    catalogue = load(days=30, operator=operator, services=("tencent", "verify.example.com", "tencent"))

    consent = catalogue.text("zh", "consent.ask", {"account": "10*****45"})
    assert "王小明 {公司}（@support）" in consent
    assert "（腾讯云人脸核身，cloud.tencent.com、verify.example.com）" in consent
    page = catalogue.section("en", "page.")["page.operator"]
    assert page.format() == "Provided by 王小明 {公司} · Contact: @support"


# One word for one thing


FORBIDDEN = {
    "zh": {
        "渠道|验证服务方|认证服务": "验证服务",
        "验证方式": "认证方式",
        "(?<!QQ )认证通过": "认证成功",  # 「QQ 认证通过即」是指引的说法
        "核对信息|修改信息|账号和信息": "资料",
        "手机 ?QQ": "QQ",
        "扫码认证(?!指引)": "微信扫码、QQ 扫码",
        "海外": "境外",
        "本指引": "直接说答案",
    },
    "en": {
        r"(?i)(?<!under )\bways?\b": "method",
        r"(?i)\bproviders?\b": "verification service",
        "(?i)mobile QQ": "QQ",
        "(?i)(check|change|confirm)( your| the)? data": "details",
        r"(?i)\bshall\b|nobody's|whoever": "plain words",
    },
}
"""Variants of a term, each with the one that is used."""
FORBIDDEN_IN_DESK = {"zh": {"(?<!Telegram )用户": "客户"}, "en": {}}


@in_each_language
def test_texts_use_one_word_for_one_thing(language: str) -> None:
    found = [
        (stem, key, variant)
        for (stem, of), texts in FILES.items()
        if of == language
        for variant in FORBIDDEN[language] | (FORBIDDEN_IN_DESK[language] if stem in ("desk.", "staff.") else {})
        for key, text in texts.items()
        if not key.endswith(".url") and re.search(variant, text)
    ]

    assert found == []


@in_each_language
def test_the_desk_and_the_chat_name_the_steps_of_the_funnel_alike(language: str) -> None:
    desk, staff = (FILES[stem, language] for stem in ("desk.", "staff."))
    steps = {key.removeprefix("desk."): text for key, text in desk.items() if key.startswith("desk.step.")}

    assert steps == {key.removeprefix("staff."): staff[key] for key in staff if key.startswith("staff.step.")}


# What texts say about buttons


QUOTED = {"zh": re.compile("「([^」]+)」"), "en": re.compile("“([^”]+)”")}
BUTTONS_OF_OTHERS = {"开始", "Start", "扫一扫", "Scan"}
"""Telegram's own button of a new chat, and the scanners of WeChat and QQ."""


@in_each_language
def test_quoted_words_are_button_labels(language: str) -> None:
    texts = {key: text for (_, of), inner in FILES.items() if of == language for key, text in inner.items()}
    labels = {normalize(text) for key, text in texts.items() if LABELS.fullmatch(key) or key.startswith("page.press.")}
    quoted = {word for text in texts.values() for word in QUOTED[language].findall(text) if "›" not in word}

    unknown = {word for word in quoted - BUTTONS_OF_OTHERS if not any(normalize(word) in label for label in labels)}

    assert unknown == set()


@in_each_language
@pytest.mark.parametrize("choice", Choice)
def test_every_button_label_may_be_typed(language: str, choice: Choice) -> None:
    assert match_choice(CHAT[language][f"choice.{choice}"], [choice]) is choice


# Chinese typesetting


_HAN = "[\u3400-\u4dbf\u4e00-\u9fff]"
SLIPS = {
    "half-width punctuation": re.compile(f"{_HAN}[,?!;:()]|[,?!;:()]{_HAN}"),
    "doubled punctuation": re.compile(r"\.\.\.|。。|，，|[，。；：！？、] "),
    "no space between hanzi and letters or digits": re.compile(f"{_HAN}[A-Za-z0-9]|[A-Za-z0-9]{_HAN}"),
}


@in_each_chinese_file
@pytest.mark.parametrize("slip", SLIPS)
def test_chinese_is_typeset_correctly(texts: Mapping[str, str], slip: str) -> None:
    assert {key: text for key, text in texts.items() if SLIPS[slip].search(plainly(text))} == {}


@pytest.mark.parametrize("stem", ["", "faq."])
def test_the_chat_addresses_a_person_consistently(stem: str) -> None:
    assert [key for key, text in FILES[stem, "zh"].items() if "您" in text] == []


BLANKS_WANTED = ("test_banner", "test_banner_some", "test_mark", "test_mark_short", "list.comma", "list.or")


@in_each_file
def test_texts_have_no_stray_blanks_or_invisible_characters(texts: Mapping[str, str]) -> None:
    stray = re.compile(
        "^\\s|\\s$|[ \u3000]\n|[\x00-\x09\x0b-\x1f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]|^$"
    )

    assert [key for key, text in texts.items() if stray.search(text) and key not in BLANKS_WANTED] == []


# No real persons


SAFE = {"王小明", "李雷", "韩梅梅", "阿依古丽·买买提", "11010519491231002X", "440524188001010014", "䶮"}


@in_each_file
def test_examples_name_no_real_person(texts: Mapping[str, str]) -> None:
    # Support's commands are ASCII and contain no name.
    support = any(key.startswith("staff.") for key in texts)
    words = {word for text in texts.values() for word in re.findall("<code>([^<{]+)</code>", text)}
    examples = {word for word in words if not (support and word.isascii())}
    numbers = {number for text in texts.values() for number in re.findall(r"\d{14,}[\dXx]?", text)}

    assert examples <= SAFE
    assert numbers <= SAFE


def test_the_account_of_a_chat_is_named_as_the_persons_own_and_any_other_by_itself() -> None:
    catalogue = load(days=30)

    for language, own in (("zh", "Telegram 33******18（当前账号）"), ("en", "Telegram 33******18 (this account)")):
        assert own in catalogue.text(language, "idle.ask", {"account": "telegram:33******18"})
        assert "10*****45" in catalogue.text(language, "idle.ask", {"account": "10*****45"})
        assert "telegram:33******18" in catalogue.text(
            language, "staff.link.account", {"account": "telegram:33******18"}
        )
