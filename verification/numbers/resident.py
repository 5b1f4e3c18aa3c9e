"""The resident identity card: 6 digits area, 8 birth date, 3 sequence, 1 check character (GB 11643-1999).

Only the province is checked: counties change, and a number keeps the code of its time (GB/T 2260 lists those in force).
The check character is ISO 7064 MOD 11-2.
"""

import re

PROVINCES = frozenset(
    str(code)
    for region in (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66))
    for code in region
)


def matches(number: str) -> bool:
    """Whether a checked 18-character number has a mainland province.

    >>> matches("440524188001010014")
    True
    """
    return number[:2] in PROVINCES


def is_old_form(number: str) -> bool:
    """Whether this is the 15-digit form of the first cards: a real number, but no longer valid."""
    return re.fullmatch(r"[0-9]{15}", number) is not None and number[:2] in PROVINCES
