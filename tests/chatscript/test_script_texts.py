"""Text keys in scripts: how the bot's texts are read, which keys are refused, which languages can run."""

from pathlib import Path

import pytest

from chatscript.language.bot_texts import BotTexts, BotTextsUnreadable, load_bot_texts, parse_sentence
from chatscript.language.patterns import LiteralText, Wildcard
from chatscript.suite import SuiteErrors, collect_cases

ZH = 'hello = "<b>你好</b>，{name}"\n[button]\nagree = "✅ 同意"\n[[faq]]\ntitle = "三个账号"\n'
EN = 'hello = "Hello, {name}"\n[button]\nagree = "✅ Agree"\n[[faq]]\ntitle = "Three accounts"\n'


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "zh.toml").write_text(ZH, encoding="utf-8")
    (tmp_path / "en.toml").write_text(EN, encoding="utf-8")
    return tmp_path


def script(folder: Path, source: str) -> list[Path]:
    path = folder / "t.chat"
    path.write_text(source, encoding="utf-8")
    return [path]


def test_tables_become_dotted_keys_and_lists_are_counted(texts: Path) -> None:
    assert sorted(load_bot_texts(texts).languages["zh"]) == ["button.agree", "faq.0.title", "hello"]


def test_a_language_may_have_several_files(texts: Path) -> None:
    (texts / "faq.zh.toml").write_text('[[topic]]\nid = "three"\ntitle = "三个账号"\n', encoding="utf-8")

    bot_texts = load_bot_texts(texts)

    assert sorted(bot_texts.languages) == ["en", "zh"]
    assert bot_texts.sentence("zh", "topic.three.title") == (LiteralText("三个账号"),)


def test_tags_are_removed_and_placeholders_become_wildcards() -> None:
    read = parse_sentence('<a href="{url}">A</a> &lt;b&gt; {x}{{y}}')

    assert read == (LiteralText("A <b> "), Wildcard(), LiteralText("{"), LiteralText("y"), LiteralText("}"))


def test_a_missing_folder_has_no_texts(tmp_path: Path) -> None:
    assert load_bot_texts(tmp_path / "nowhere").languages == {}


def test_a_broken_text_file_is_reported_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "zh.toml").write_text("a = ", encoding="utf-8")

    with pytest.raises(BotTextsUnreadable, match=r"zh\.toml"):
        load_bot_texts(tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("< {t:helo}", "no text 'helo' in 'zh'; did you mean 'hello'?"),
        ("> {t:hello}", "has placeholders, so a person cannot type it"),
        ("@lang en\n> [{t:button.agre}]", "no text 'button.agre' in 'en'"),
    ],
)
def test_an_unusable_key_is_reported_before_anything_runs(texts: Path, line: str, expected: str) -> None:
    with pytest.raises(SuiteErrors, match=r"t\.chat:") as raised:
        collect_cases(script(texts, line), load_bot_texts(texts))

    assert expected in str(raised.value)


def test_keys_follow_the_language_of_the_current_person(texts: Path) -> None:
    (texts / "en.toml").write_text('hello = "Hello"', encoding="utf-8")
    spoken = "@lang zh-hans\n> {t:button.agree}\n@user B\n@lang en\n> {t:hello}\n@user A\n> [{t:button.agree}]\n"

    assert len(collect_cases(script(texts, spoken), load_bot_texts(texts))) == 1
    with pytest.raises(SuiteErrors, match=r":9:4: no text 'button\.agree' in 'en'"):
        collect_cases(script(texts, f"{spoken}@user B\n> [{{t:button.agree}}]"), load_bot_texts(texts))


def test_a_script_of_keys_runs_in_every_language(texts: Path) -> None:
    paths = script(texts, "title: Keys\n> 王小明\n< {t:hello}...   [{t:button.agree}]\n> [{t:button.agree}]")

    cases = collect_cases(paths, load_bot_texts(texts), ["all"])

    assert [(case.language, case.name) for case in cases] == [("en", "Keys (en)"), ("zh", "Keys (zh)")]


@pytest.mark.parametrize("line", ["< {t:hello} 你好", "< {t:hello}\n> [同意]", "@lang en\n< {t:hello}", "< 1"])
def test_a_script_with_words_of_one_language_runs_once(texts: Path, line: str) -> None:
    cases = collect_cases(script(texts, f"> hi\n{line}"), load_bot_texts(texts), ["all"])

    assert len(cases) == 1


def test_a_language_code_finds_its_texts() -> None:
    bot_texts = BotTexts({"zh": {}, "en": {}})

    assert [bot_texts.language_for(code, "zh") for code in ("zh-hant-tw", "en", "en-GB", "fr")] == [
        "zh",
        "en",
        "en",
        "zh",
    ]


def test_cases_and_languages_are_named(texts: Path) -> None:
    paths = script(texts, "title: Keys\ncases: n=1 | n=2\n< {t:hello}\n> {n}")

    names = [case.name for case in collect_cases(paths, load_bot_texts(texts), ["zh", "en"])]

    assert names == ["Keys [n=1] (zh)", "Keys [n=2] (zh)", "Keys [n=1] (en)", "Keys [n=2] (en)"]


def test_every_file_with_mistakes_is_reported(texts: Path) -> None:
    (texts / "a.chat").write_text("@nothing", encoding="utf-8")
    (texts / "b.chat").write_text("hello", encoding="utf-8")

    with pytest.raises(SuiteErrors) as raised:
        collect_cases([texts, texts / "missing.chat"], BotTexts())

    assert all(name in str(raised.value) for name in ("a.chat:1:1", "b.chat:1:1", "missing.chat: no script there"))


def test_only_the_first_step_sets_the_starting_language(texts: Path) -> None:
    early = collect_cases(script(texts, "@lang en\n> hi\n"), load_bot_texts(texts))
    late = collect_cases(script(texts, "> hi\n@lang en\n> hi\n"), load_bot_texts(texts))

    assert (early[0].language, late[0].language) == ("en", "zh")
