"""Parts of a text that stand only where methods are on: `{if_qq:this part}`, and names of methods: `{methods}`."""

from collections.abc import Mapping

from verification.attempts import Method
from verification.record import Record


class ConditionalPart(Record):
    """The value of a condition: a template's part after its colon stands where the condition holds."""

    holds: bool

    def __format__(self, part: str) -> str:
        """The part, or nothing."""
        return part if self.holds else ""


def conditions(methods: tuple[Method, ...]) -> Mapping[str, ConditionalPart]:
    """Every condition by its name in a text, as it is while these methods are on."""
    holds = {f"if_{method}": method in methods for method in Method}
    typed = set(methods) - {Method.NETID}
    holds["if_several"] = len(typed) > 1
    holds["if_scan"] = typed != {Method.FACE}
    holds["if_only_face"] = typed == {Method.FACE}
    return {name: ConditionalPart(each) for name, each in holds.items()}


def method_names(texts: Mapping[str, str], methods: tuple[Method, ...]) -> Mapping[str, str]:
    """The names of the methods of the guide that are on, in one phrase each: `scans` are those without a face."""
    methods = tuple(method for method in methods if method.takes_identity)
    scans = tuple(method for method in methods if method is not Method.FACE)
    return {"methods": _in_one_phrase(texts, methods), "scans": _in_one_phrase(texts, scans)}


def _in_one_phrase(texts: Mapping[str, str], methods: tuple[Method, ...]) -> str:
    *others, last = [texts[f"method.{method}"] for method in methods] or [""]
    return texts["list.or"].join(filter(None, (texts["list.comma"].join(others), last)))
