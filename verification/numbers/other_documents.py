"""Documents that are no resident identity card: passports, travel permits, residence permits, foreign identity cards.

A number of such a document, or the document's name in the person's own words, leads to the site that verifies it.
"""

import re

_SHAPES = re.compile(
    r"(?<![A-Z0-9])(?:"
    r"[A-Z]{1,2} ?\d{6,10}"  # passports, permits to the mainland (H or M and 8 to 10 digits), identity cards of Taiwan
    r"|[A-Z]{1,2}\d{6}\([0-9A]\)"  # identity cards of Hong Kong
    r"|[157]\d{6}\(\d\)"  # identity cards of Macau
    r"|\d{8,10}\([A-Z0-9]\)"  # permits of people from Taiwan, with the number of renewals
    r"|(?=[A-Z0-9]*[A-Z])(?=(?:[A-Z]*\d){4})[A-Z0-9]{8,9}"  # passports of letters and digits, such as German ones
    r")(?![A-Z0-9])"
)
_NAMES = re.compile(
    "护照|護照|台胞|臺胞|[回囘][乡鄉][证證]|通行[证證]|旅行[证證]|居[住留]|[绿綠]卡|五星卡|永居|永久居民|出入境|入台|军官[证證]|军人|士兵[证證]"
    "|警官[证證]|[户戶]口|[驾駕][驶駛]?[证證照]|行[驶駛][证證]|[医醫]保|出生[证證]|社保|[学學]生[证證]|外[国國]|外籍|(?<!中)[国國]人|[国國]外|海外|境外|[华華][侨僑]|港澳|香港|澳[门門]"
    "|[台臺][湾灣]|港[人籍]|[台臺][籍商]|身份[证證]明[书書]|(?:[没沒无無]有?|不是)[^带帶拿找,，。]{0,4}身[份分][证證]"
    r"|passports?\b|\bhk(?:id|sar)?\b|hong ?kong|maca[uo]|taiwan|foreign|overseas|expat|green card|permanent resid"
    r"|residen(?:ce|t) (?:permit|card)|travel (?:permit|document)|home return|driv(?:ing|er)s?'?s? licen[cs]e"
    r"|(?:no|n't have|n’t have|not have|without|lost)(?: an?| any| my)?(?: chinese| resident| mainland| prc| national)*"
    r" (?:id\b|identity)",
    re.IGNORECASE,
)


def has_number(text: str) -> bool:
    """Whether a text, in capitals and without invisible characters, holds the number of another document.

    >>> has_number("E12345678"), has_number("A123456(7)"), has_number("WINDOWS11")
    (True, True, False)
    """
    return _SHAPES.search(text) is not None


def are_named(text: str) -> bool:
    """Whether a text names another document, or a place whose people have one.

    >>> are_named("我只有护照"), are_named("I don't have a Chinese ID")
    (True, True)
    """
    return _NAMES.search(text) is not None
