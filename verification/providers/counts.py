"""What a provider counts for the metrics."""

from collections import Counter
from dataclasses import dataclass, field

_MAX_CODES = 50
"""Codes with a count of their own; later ones are counted together."""


@dataclass
class ProviderCounts:
    """Codes that no table of ours has, and checks that the vendor charges for."""

    unknown_codes: Counter[str] = field(default_factory=Counter)
    billed: int = 0

    def add_unknown(self, code: str) -> None:
        """Count a code that no table has."""
        codes = self.unknown_codes
        codes[code if code in codes or len(codes) < _MAX_CODES else "others"] += 1
