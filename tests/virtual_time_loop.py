"""A loop whose time is made up: nobody in it ever waits, and what happens in it happens again in the same way.

When nothing is ready, its clock jumps to the next timer. There are no sockets and no threads: work for another thread
is done on the spot.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class NothingScheduled(Exception):
    """Nothing is ready, and no timer is set: whoever waits would wait for ever."""


class _NullSelector(selectors.BaseSelector):
    """A selector that nothing ever reaches: to wait with it is to move the clock."""

    def __init__(self) -> None:
        self.now = 0.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, -1, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, -1, 0, None)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingScheduled("nothing is ready, and no timer is set")
        self.now += max(timeout, 0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own."""

    def __init__(self) -> None:
        self._nobody = _NullSelector()
        super().__init__(self._nobody)

    def time(self) -> float:
        """Seconds since this loop began."""
        return self._nobody.now

    def run_in_executor(  # type: ignore[override]  # the name of a thread pool does not matter where there is none
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Do it now."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run it in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
