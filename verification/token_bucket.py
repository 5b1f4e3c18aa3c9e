"""Token buckets by key, in memory: a burst at once, then one token after the other at a pace.

For what floods within seconds and costs nothing to forget at a restart; what must be counted for a day is in `limits`.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable


class TokenBuckets:
    """One bucket for each key. Keys that are full again are forgotten, and never more than `most` are remembered."""

    def __init__(self, *, burst: int, interval: float, clock: Callable[[], float], max_keys: int = 10_000) -> None:
        self._interval = interval
        self._burst_window = (burst - 1) * interval
        self._clock = clock
        self._max_keys = max_keys
        # When each bucket is full again: the one number that says how many tokens are in it.
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable) -> bool:
        """Take a token; False when there is none."""
        if self.wait_time(key) > 0:
            return False
        now = self._clock()
        self._full_at[key] = max(self._full_at.get(key, now), now) + self._interval
        self._full_at.move_to_end(key)
        self._evict(now)
        return True

    def wait_time(self, key: Hashable) -> float:
        """In how many seconds there is a token; 0 when there is one."""
        now = self._clock()
        return max(self._full_at.get(key, now) - now - self._burst_window, 0)

    def _evict(self, now: float) -> None:
        while len(self._full_at) > self._max_keys or next(iter(self._full_at.values())) <= now:
            self._full_at.popitem(last=False)
