"""The foreigner's permanent residence ID card.

Since 2023-12-01 its number is: 9, 2 digits province, 3 digits country, 8 digits birth date, 3 digits sequence, and the
same check character as a resident number. Before: 3 letters (country) and 12 digits.
"""

import re


def matches(number: str) -> bool:
    """Whether a checked 18-character number belongs to this card.

    >>> matches("932682198501010017")
    True
    """
    return number.startswith("9")


def is_old_form(number: str) -> bool:
    """Whether this is the older form of three letters and twelve digits."""
    return re.fullmatch(r"[A-Z]{3}[0-9]{12}", number) is not None
