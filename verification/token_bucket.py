"""Token buckets by key, in memory: each key may act `burst` times at once, then once per interval.

Use them for limits over seconds, which a restart may reset; limits over a day are in `limits`.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable


class TokenBuckets:
    """One bucket per key; full buckets are forgotten, and at most `max_keys` are remembered.

    `interval` is the time in seconds until one token is refilled; `clock` returns seconds.
    """

    def __init__(self, *, burst: int, interval: float, clock: Callable[[], float], max_keys: int = 10_000) -> None:
        self._interval = interval
        self._burst_window = (burst - 1) * interval
        self._clock = clock
        self._max_keys = max_keys
        # The time when each bucket is full again determines how many tokens it holds now.
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
        """Seconds until there is a token; 0 when there is one."""
        now = self._clock()
        return max(self._full_at.get(key, now) - now - self._burst_window, 0)

    def _evict(self, now: float) -> None:
        while len(self._full_at) > self._max_keys or next(iter(self._full_at.values())) <= now:
            self._full_at.popitem(last=False)
