"""Writes bot/content/traditional.txt: traditional characters and their simplified forms, from OpenCC's dictionary.

Run by `make lock`, in the environment that the locks are made in; the program itself needs no OpenCC.
"""

from pathlib import Path

from opencc import OpenCC

TABLE = Path(__file__).parents[1] / "bot" / "content" / "traditional.txt"
FAQ = Path(__file__).parents[1] / "bot" / "texts" / "faq.zh.toml"
SAMPLE = Path(__file__).parents[1] / "tests" / "bot" / "content" / "faq_traditional.toml"
HEADER = "# Traditional characters and their simplified forms, from OpenCC (Apache License 2.0). Made by `make lock`.\n"
CHARACTERS = range(0x4E00, 0xA000)
IN_A_ROW = 50
SAME_IN_A_SEARCH = {"帐": "账", "帳": "账", "覆": "复", "暱": "昵"}
"""Characters that OpenCC keeps apart, or joins by phrase only: in a question they mean the same."""


def pairs() -> list[tuple[str, str]]:
    """List each common traditional character with its simplified form."""
    simplify = OpenCC("t2s").convert
    forms = [(chr(code), SAME_IN_A_SEARCH.get(chr(code), simplify(chr(code)))) for code in CHARACTERS]
    return [(old, new) for old, new in forms if old != new and len(new) == 1 and ord(new) in CHARACTERS]


def main() -> None:
    """Write the table, and our own FAQ in traditional characters for the tests."""
    found = pairs()
    rows = [found[start : start + IN_A_ROW] for start in range(0, len(found), IN_A_ROW)]
    lines = [f"{''.join(old for old, _ in row)} {''.join(new for _, new in row)}\n" for row in rows]
    TABLE.write_text(HEADER + "".join(lines), encoding="utf-8")
    SAMPLE.write_text(HEADER + OpenCC("s2t").convert(FAQ.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
