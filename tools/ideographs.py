"""Writes verification/ideographs.py: radicals and strokes, and the ideographs that look the same, by Unicode's table.

Run by `make lock`. With a path, the table is read from that file; otherwise it is fetched from unicode.org.
"""

import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

SOURCE = "https://www.unicode.org/Public/UCD/latest/ucd/EquivalentUnifiedIdeograph.txt"
TABLE = Path(__file__).parents[1] / "verification" / "ideographs.py"
IN_A_ROW = 40
MODULE = '''"""Radicals and strokes, and ideographs that look the same: Unicode's property Equivalent_Unified_Ideograph.

PDF files and text recognition write `⻰` (U+2EF0) for `龙` (U+9F99). NFKC maps Kangxi radicals, this table the rest.
Made by tools/ideographs.py from {version} (Unicode License).
"""

_RADICALS = (
{radicals}
)
_IDEOGRAPHS = (
{ideographs}
)
EQUIVALENT_IDEOGRAPHS = str.maketrans(_RADICALS, _IDEOGRAPHS)
"""For `str.translate`."""
'''


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield each character of the table that NFKC leaves as it is, with its ideograph."""
    for line in text.splitlines():
        codes, separator, ideograph = line.partition("#")[0].partition(";")
        if separator:
            first, _, last = codes.strip().partition("..")
            for code in range(int(first, 16), int(last or first, 16) + 1):
                if unicodedata.normalize("NFKC", chr(code)) == chr(code):
                    yield chr(code), chr(int(ideograph, 16))


def main() -> None:
    """Write the module."""
    if len(sys.argv) > 1:
        text = Path(sys.argv[1]).read_text(encoding="utf-8")
    else:
        with urlopen(SOURCE, timeout=60) as answer:
            text = answer.read().decode("utf-8")
    found = list(pairs(text))
    module = MODULE.format(
        version=text.partition("\n")[0].strip("# "),
        radicals=_lines("".join(radical for radical, _ in found)),
        ideographs=_lines("".join(ideograph for _, ideograph in found)),
    )
    TABLE.write_text(module, encoding="utf-8")


def _lines(characters: str) -> str:
    rows = [characters[start : start + IN_A_ROW] for start in range(0, len(characters), IN_A_ROW)]
    return "\n".join(f'    "{row}"' for row in rows)


if __name__ == "__main__":
    main()
