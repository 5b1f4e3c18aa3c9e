"""The residence permit for people of Hong Kong (81), Macau (82) and Taiwan (83), issued since 2018-09-01.

Its number has the form of a resident number. 71 is Taiwan's province code. Permits do not carry it, but a person who
types it needs the same site, so it gives the same answer.
"""

REGIONS = frozenset({"81", "82", "83", "71"})


def matches(number: str) -> bool:
    """Whether a checked 18-character number belongs to this permit.

    >>> matches("810000199408230021")
    True
    """
    return number[:2] in REGIONS
