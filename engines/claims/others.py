"""Comparisons of published results: same test set, amounts of data within half a decade."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from engines.claims.evidence import Evidence, Speaks
from engines.claims.measured import NAMES
from engines.core import Shape
from engines.datasets.published import PublishedGroup, PublishedPoint, published

NEAR = 0.5  # decades
Named = tuple[str, PublishedPoint]


def compared(
    case: str, first: Sequence[Shape], second: Sequence[Shape], low: float = 0.0, high: float = math.inf
) -> Iterator[Evidence]:
    """The best of the shapes `first` against the best of `second`, for every test set on which both were published
    with amounts of data from `low` to `high`; of several amounts those nearest to each other, the largest first.

    Points whose source does not say how much data there was are compared with each other, where no limit is set.
    """
    for group in published(case):
        pair = _nearest(group, _of(group, first, low, high), _of(group, second, low, high), largest=True)
        if pair:
            yield _evidence(group, *pair, first, second)


def at_smallest(case: str, first: Sequence[Shape], second: Sequence[Shape]) -> Iterator[Evidence]:
    """As `compared`, with the least data for which both were published."""
    for group in published(case):
        pair = _nearest(group, _of(group, first), _of(group, second), largest=False)
        if pair and pair[0][1].size is not None:
            yield _evidence(group, *pair, first, second)


def between(case: str) -> Iterator[Evidence]:
    """For, where at some amount of data the hybrid is the best of all three; against, where it never is."""
    for group in published(case):
        hybrids = _of(group, ("hybrid",))
        best = None
        for hybrid in hybrids:
            rivals = [
                _nearest(group, [hybrid], _of(group, (shape,)), largest=True) for shape in ("pipeline", "end_to_end")
            ]
            if all(rivals):
                ahead = min(_gain(group, hybrid, pair[1]) for pair in rivals if pair)
                best = max(best or (-math.inf, hybrid), (ahead, hybrid), key=lambda each: each[0])
        if best:
            speaks: Speaks = "for" if best[0] > 0 else "against"
            name, point = best[1]
            how = "the best of the three" if best[0] > 0 else "at its best, yet not the best of the three"
            text = f"{group.title}: {name} {_value(group, point)} with {_size(group, point)} is {how}."
            yield Evidence(speaks, text, point.citation, False, case, published=group.test_set)


def grows(case: str, shape: Shape) -> Iterator[Evidence]:
    """Whether a system gets better with more data of its own, from its smallest to its largest amount."""
    for group in published(case):
        for series in group.sized:
            known = [point for point in series.points if point.size is not None]
            if series.shape != shape or len(known) < 2:
                continue
            small, large = (series.name, known[0]), (series.name, known[-1])
            by = _gain(group, large, small)
            speaks: Speaks = "for" if by > 0 else "against" if by < 0 else "nothing"
            text = (
                f"{group.title}: {series.name} {_value(group, known[0])} with {_size(group, known[0])}, "
                f"{_value(group, known[-1])} with {_size(group, known[-1])}."
            )
            yield Evidence(speaks, text, known[-1].citation, False, case, published=group.test_set)


def _of(group: PublishedGroup, shapes: Sequence[Shape], low: float = 0.0, high: float = math.inf) -> list[Named]:
    limited = low > 0 or high < math.inf
    return [
        (series.name, point)
        for series in group.series
        if series.shape in shapes
        for point in series.points
        if (not limited if point.size is None else low <= point.size <= high)
    ]


def _nearest(
    group: PublishedGroup, first: Sequence[Named], second: Sequence[Named], largest: bool
) -> tuple[Named, Named] | None:
    """The pair of amounts nearest to each other (then the largest, or the smallest), and of that the best of each."""
    apart: dict[tuple[float, float], list[tuple[Named, Named]]] = {}
    for a in first:
        for b in second:
            if (a[1].size is None) != (b[1].size is None):
                continue
            decades = abs(math.log10(a[1].size / b[1].size)) if a[1].size and b[1].size else 0.0
            if decades <= NEAR:
                size = a[1].size or 0.0
                apart.setdefault((round(decades, 1), -size if largest else size), []).append((a, b))
    if not apart:
        return None
    pairs = apart[min(apart)]
    key = _better(group)
    return min((a for a, _ in pairs), key=key), min((b for _, b in pairs), key=key)


def _better(group: PublishedGroup):  # type: ignore[no-untyped-def]
    return lambda named: named[1].value if group.lower_is_better else -named[1].value


def _gain(group: PublishedGroup, first: Named, second: Named) -> float:
    """By how much the first is better."""
    gap = second[1].value - first[1].value
    return gap if group.lower_is_better else -gap


def _evidence(group: PublishedGroup, a: Named, b: Named, first: Sequence[Shape], second: Sequence[Shape]) -> Evidence:
    by = _gain(group, a, b)
    speaks: Speaks = "for" if by > 0 else "against" if by < 0 else "nothing"
    sizes = (
        f"with {_size(group, a[1])}"
        if a[1].size == b[1].size
        else (f"with {_size(group, a[1])} and {_size(group, b[1])}")
    )
    text = (
        f"{group.title}, {sizes}: {a[0]} ({' or '.join(NAMES[s].removeprefix('the ') for s in first)}) "
        f"{_value(group, a[1])}, {b[0]} ({' or '.join(NAMES[s].removeprefix('the ') for s in second)}) "
        f"{_value(group, b[1])}."
    )
    source = a[1].citation if a[1].citation == b[1].citation else f"{a[1].citation}; {b[1].citation}"
    return Evidence(speaks, text, source, False, group.case, published=group.test_set)


def _value(group: PublishedGroup, point: PublishedPoint) -> str:
    return f"{point.value:g}" + (f" {group.metric_unit}" if group.metric_unit else "")


def _size(group: PublishedGroup, point: PublishedPoint) -> str:
    return "an amount of data not said" if point.size is None else f"{point.size:,.0f} {group.unit}"
