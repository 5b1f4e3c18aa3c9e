"""Evaluates the few forms of PromQL that our dashboard uses, over scrapes that a test or a picture holds."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]

_AGGREGATION = re.compile(r"(sum|min|max|count)(?: by \(([^)]*)\))? ?\((.*)\)")
_QUANTILE = re.compile(r"histogram_quantile\(([\d.]+), (.*)\)")
_RANGE = re.compile(r"(rate|increase)\((.*)\[[^\]]*\]\)")
_SELECTOR = re.compile(r"(\w+)(?:\{(.*)\})?")
_MATCHER = re.compile(r'(\w+)="([^"]*)"')
_AGGREGATE: Mapping[str, Callable[[Sequence[float]], float]] = {"sum": sum, "min": min, "max": max, "count": len}


@dataclass(frozen=True, slots=True)
class Scrape:
    """What /metrics said at a time, in seconds."""

    at: float
    samples: Mapping[str, Vector]

    @classmethod
    def read(cls, at: float, text: str, **labels: str) -> "Scrape":
        """Read Prometheus' text format; every series gets these labels, as Prometheus adds `instance`."""
        samples: defaultdict[str, Vector] = defaultdict(dict)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples[sample.name][frozenset((sample.labels | labels).items())] = sample.value
        return cls(at, samples)


def evaluate(expression: str, scrapes: Sequence[Scrape], window: int = 5) -> Vector:
    """The value of an expression at the last of the scrapes.

    A rate covers the last `window` scrapes, an increase all of them, without the extrapolation to the ends of a range.
    """
    if found := _AGGREGATION.fullmatch(expression):
        groups: defaultdict[Labels, list[float]] = defaultdict(list)
        for labels, value in evaluate(found[3], scrapes, window).items():
            groups[_only(labels, found[2] or "")].append(value)
        return {labels: float(_AGGREGATE[found[1]](values)) for labels, values in groups.items()}
    if found := _QUANTILE.fullmatch(expression):
        return dict(_quantiles(float(found[1]), evaluate(found[2], scrapes, window)))
    if found := _RANGE.fullmatch(expression):
        covered = scrapes[-window:] if found[1] == "rate" else scrapes
        first, last = evaluate(found[2], covered[:1]), evaluate(found[2], covered)
        seconds = covered[-1].at - covered[0].at if found[1] == "rate" else 1.0
        return {labels: (value - first.get(labels, 0.0)) / seconds for labels, value in last.items()} if seconds else {}
    return _select(expression, scrapes[-1])


def _select(expression: str, scrape: Scrape) -> Vector:
    found = _SELECTOR.fullmatch(expression)
    if found is None:
        raise ValueError(f"this form of PromQL is not known: {expression}")
    wanted = set(_MATCHER.findall(found[2] or ""))
    return {labels: value for labels, value in scrape.samples.get(found[1], {}).items() if wanted <= labels}


def _only(labels: Labels, names: str) -> Labels:
    kept = {name.strip() for name in names.split(",")}
    return frozenset((name, value) for name, value in labels if name in kept)


def _quantiles(share: float, buckets: Vector) -> Iterator[tuple[Labels, float]]:
    """Interpolate within the bucket, as Prometheus does."""
    histograms: defaultdict[Labels, list[tuple[float, float]]] = defaultdict(list)
    for labels, count in buckets.items():
        rest = frozenset(pair for pair in labels if pair[0] != "le")
        histograms[rest].append((float(dict(labels)["le"]), count))
    for labels, steps in histograms.items():
        steps.sort()
        rank, below, start = share * steps[-1][1], 0.0, 0.0
        for end, count in steps:
            if rank and count >= rank:
                yield labels, start if end == float("inf") else start + (end - start) * (rank - below) / (count - below)
                break
            below, start = count, end
