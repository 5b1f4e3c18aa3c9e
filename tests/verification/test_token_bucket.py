from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from verification.token_bucket import TokenBuckets


@dataclass
class FakeMonotonic:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_one_token_per_interval() -> None:
    seconds = FakeMonotonic()
    buckets = TokenBuckets(burst=3, interval=2.0, clock=seconds)

    burst = [buckets.take("a") for _ in range(5)]
    seconds.now += 2.0
    after = [buckets.take("a") for _ in range(2)]

    assert burst == [True, True, True, False, False]
    assert after == [True, False]


def test_each_key_has_a_bucket_of_its_own() -> None:
    buckets = TokenBuckets(burst=1, interval=1.0, clock=FakeMonotonic())

    assert [buckets.take(key) for key in ("a", "a", "b", 1, None)] == [True, False, True, True, True]


def test_the_reported_wait_is_correct() -> None:
    seconds = FakeMonotonic()
    buckets = TokenBuckets(burst=2, interval=3.0, clock=seconds)
    while buckets.take("a"):
        pass

    wait = buckets.wait_time("a")
    seconds.now += wait

    assert wait == 3.0
    assert buckets.wait_time("a") == 0
    assert buckets.take("a")


def test_a_refused_token_costs_nothing() -> None:
    seconds = FakeMonotonic()
    buckets = TokenBuckets(burst=1, interval=1.0, clock=seconds)
    for _ in range(1000):
        buckets.take("a")
    seconds.now += 1.0

    assert buckets.take("a")


def test_keys_are_limited_and_full_buckets_are_forgotten() -> None:
    seconds = FakeMonotonic()
    buckets = TokenBuckets(burst=5, interval=1.0, clock=seconds, max_keys=100)
    for key in range(1000):
        buckets.take(key)
    many = len(buckets)
    seconds.now += 10
    buckets.take("a")

    assert (many, len(buckets)) == (100, 1)


def test_ten_thousand_keys_are_remembered_unless_told_otherwise() -> None:
    buckets = TokenBuckets(burst=1, interval=1.0, clock=FakeMonotonic())
    for key in range(10_001):
        buckets.take(key)

    assert len(buckets) == 10_000


def test_the_key_that_acted_longest_ago_is_forgotten_first() -> None:
    buckets = TokenBuckets(burst=2, interval=1.0, clock=FakeMonotonic(), max_keys=2)
    for key in ("a", "b", "a", "c"):
        buckets.take(key)

    assert [buckets.wait_time(key) for key in ("a", "b", "c")] == [1.0, 0, 0]
    assert [buckets.take(key) for key in ("a", "b", "b")] == [False, True, True]


def test_a_bucket_is_forgotten_at_the_instant_it_is_full() -> None:
    seconds = FakeMonotonic()
    buckets = TokenBuckets(burst=1, interval=1.0, clock=seconds)
    buckets.take("a")
    seconds.now += 1.0
    buckets.take("b")

    assert len(buckets) == 1


@given(st.integers(1, 10), st.floats(0.1, 10), st.lists(st.floats(0, 30), max_size=100))
def test_a_bucket_never_exceeds_its_burst_and_rate(burst: int, every: float, pauses: list[float]) -> None:
    seconds = FakeMonotonic(0.0)
    buckets = TokenBuckets(burst=burst, interval=every, clock=seconds)
    taken = list[float]()
    for pause in pauses:
        seconds.now += pause
        if buckets.take("a"):
            taken.append(seconds.now)

    for first, begin in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            assert last - first + 1 <= burst + (end - begin) / every + 1e-6
