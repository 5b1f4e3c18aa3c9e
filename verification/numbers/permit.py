"""The residence permit for people of Hong Kong (81), Macau (82) and Taiwan (83), issued since 2018-09-01.

Its number has the form of a resident number. 71 is Taiwan's province code; permits do not carry it, but whoever types
it belongs to the same site, so it is told the same.
"""

REGIONS = frozenset({"81", "82", "83", "71"})


def matches(number: str) -> bool:
    """Whether an 18-character number that is right otherwise belongs to such a permit.

    >>> matches("810000199408230021")
    True
    """
    return number[:2] in REGIONS
