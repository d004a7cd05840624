"""What the measured points say, in sentences. Pure functions of points: no streamlit, no files.

Two scores differ clearly when their difference is over 1.96 times its standard error, which comes from a bootstrap of
the test examples that both answered, those of one speaker or person together (`engines.runs.difference`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from dashboard import words
from engines import runs
from engines.core import CaseStudy, EngineInfo, Metric, Task
from engines.runs import Point

Z = 1.96
# Metrics whose score reads better as a count than as a rate.
COUNTED = {"word error rate": "errors in 100 words"}
SPOKEN = {"pipeline": "the pipeline", "hybrid": "the hybrid", "end_to_end": "end-to-end"}


@dataclass(frozen=True)
class Crossing:
    """Two curves change places: `before` is clearly ahead at `low`, `after` clearly ahead at `high` (amounts of data),
    and nothing is clear between them. `after` is "" when the lead is lost, not taken: from `high` on neither is clearly
    ahead."""

    low: float
    high: float
    before: str
    after: str


def short(case: CaseStudy, engine: str) -> str:
    """ "Pipeline", or "End-to-end + language model": for labels."""
    name, _, reading = engine.partition("+")
    return f"{case.engine(name).title} + {reading.replace('_', ' ')}" if reading else case.engine(name).title


def spoken(case: CaseStudy, engine: str) -> str:
    """A point's `engine` inside a sentence: the first of its shape by the shape ("the pipeline"), a variant of it by
    what sets it apart ("the pipeline (verifier tuned)"), else the title; a further reading is added."""
    name, _, reading = engine.partition("+")
    info = case.engine(name)
    main = leading(case).get(info.shape)
    base = info.title
    if main == info:
        base = SPOKEN[info.shape]
    elif main and not info.reference and info.title.startswith(f"{main.title}, "):
        base = f"{SPOKEN[info.shape]} ({info.title.removeprefix(f'{main.title}, ')})"
    return f"{base} {info.readings.get(reading, reading)}" if reading else base


def leading(case: CaseStudy) -> dict[str, EngineInfo]:
    """Shape -> the first engine of it, which stands for the shape where one must; references aside."""
    shapes: dict[str, EngineInfo] = {}
    for info in case.engines:
        if not info.reference:
            shapes.setdefault(info.shape, info)
    return shapes


def main_points(points: Sequence[Point]) -> list[Point]:
    """Points of the main test set without oracles: what the curves show, references included."""
    return [point for point in points if point.test == "test" and not point.oracle]


def oracles(points: Sequence[Point], budget: float) -> list[Point]:
    """The points at a budget, references included, with a stage's output replaced by the truth."""
    return [point for point in points if point.oracle and point.test == "test" and point.budget in (budget, 0.0)]


def on_test(points: Sequence[Point], test: str) -> tuple[Point, ...]:
    """The points of one test set, as if it were the main one; of the main one, all that there are."""
    if test == "test":
        return tuple(points)
    return tuple(replace(point, test="test") for point in points if point.test == test)


def drawn(points: Sequence[Point], curves: Sequence[str]) -> list[Point]:
    """Those of some curves, references included; all where none are named."""
    return [point for point in points if not curves or point.reference or point.engine in curves]


def difference(first: Point, second: Point, metric: Metric) -> tuple[float, bool]:
    """(by how much `first` is better, whether that is clear). Positive: `first` is better."""
    more, error = runs.difference(first, second)
    return -more if metric.lower_is_better else more, abs(more) > Z * error


@dataclass(frozen=True)
class Pair:
    """Two engines at one budget: by how much the first is better, whether that is clear, and which is ahead."""

    budget: float
    gap: float
    clear: bool
    ahead: str


def against(first: Sequence[Point], second: Sequence[Point], metric: Metric) -> list[Pair]:
    """Two engines at every budget that both were measured at, growing."""
    others = {point.budget: point for point in second}
    pairs = []
    for one in sorted(first, key=lambda point: point.budget):
        if other := others.get(one.budget):
            gap, clear = difference(one, other, metric)
            pairs.append(Pair(one.budget, gap, clear, one.engine if gap > 0 else other.engine))
    return pairs


def crossings(first: Sequence[Point], second: Sequence[Point], metric: Metric) -> list[Crossing]:
    """Where the lead between two engines changes, over the budgets that both were measured at.

    A budget without a clear difference neither makes nor breaks a lead; but a lead counts as lost after the last clear
    one when at the largest budget the mean of the other is better.
    """
    pairs = against(first, second, metric)
    clear = [pair for pair in pairs if pair.clear]
    found = [
        Crossing(before.budget, after.budget, before.ahead, after.ahead)
        for before, after in pairwise(clear)
        if before.ahead != after.ahead
    ]
    later = [pair for pair in pairs if clear and pair.budget > clear[-1].budget]
    if later and later[-1].gap * clear[-1].gap < 0:
        found.append(Crossing(clear[-1].budget, later[0].budget, clear[-1].ahead, ""))
    return found


def compared(case: CaseStudy, task: Task, points: Sequence[Point], first: str, second: str) -> str:
    """How two engines compare over all budgets, in a sentence ("" when no budget has both)."""
    one = [point for point in main_points(points) if point.engine == first]
    other = [point for point in main_points(points) if point.engine == second]
    pairs = against(one, other, task.metric)
    if not pairs:
        return ""
    a, b = spoken(case, first), spoken(case, second)
    found = crossings(one, other, task.metric)
    if found:
        return _capital(_changes(case, task, found, (first, second))) + "."
    budgets = [pair.budget for pair in pairs]
    scope = _scope(budgets, task.unit)
    clear = [pair for pair in pairs if pair.clear]
    if not clear:
        return f"{_capital(a)} and {b} do not differ clearly {scope.replace('every', 'any')}."
    ahead, behind = (a, b) if clear[0].gap > 0 else (b, a)
    if len(clear) < len(pairs):
        between = words.span(budgets[0], budgets[-1], task.unit)
        return (
            f"{_capital(ahead)} leads {behind} at {len(clear)} of the {len(pairs)} budgets measured, {between}; "
            "elsewhere no difference is clear."
        )
    end = "; the curves do not cross" if len(pairs) > 1 else ""
    return f"{_capital(ahead)} leads {behind} {scope}{end}."


def _changes(case: CaseStudy, task: Task, found: list[Crossing], pair: tuple[str, str]) -> str:
    parts = []
    for crossing in found:
        before, after = (spoken(case, name) for name in (crossing.before, pair[pair[0] == crossing.before]))
        if crossing.after:
            between = words.span(crossing.low, crossing.high, task.unit, "and")
            parts.append(f"{after} overtakes {before} between {between}")
        else:
            low, high = words.amount(crossing.low, task.unit), words.amount(crossing.high, task.unit)
            parts.append(f"{before} leads {after} up to {low}; from {high} on there is no clear difference")
    return ", then ".join(parts)


def titled(case: CaseStudy, task: Task, points: Sequence[Point], budget: float, test: str) -> str:
    """The verdict on a test set, which is named where it is not the main one."""
    told = verdict(case, task, points, budget)
    return told if test == "test" else f"{test.replace('_', ' ').capitalize()}: {told[:1].lower()}{told[1:]}"


def verdict(case: CaseStudy, task: Task, points: Sequence[Point], budget: float) -> str:
    """The answer to the question at one budget, in one sentence.

    The first engine of each shape that was measured is named; where a variant or a further reading of its shape is
    better, that one too, and it speaks for the shape. A shape is missing when no engine of it was run: the answer is
    then one among the others.
    """
    here = at(points, budget)
    amount = words.amount(budget, task.unit)
    shapes = standing(case, here)
    missing = [spoken(case, info.name) for shape, info in leading(case).items() if shape not in shapes]
    if not shapes:
        return f"Nothing has been run with {amount} yet."
    parts = []
    for shape, name in shapes.items():
        best = _best([point for point in here if point.shape == shape], task.metric)
        main = next(point for point in here if point.engine == name)
        text = f"{spoken(case, name)} {_made(main, task.metric, first=not parts)}"
        parts.append(text + (f" ({_apart(case, task, best)})" if best.engine != name else ""))
    told = f"With {amount} {words.listing(parts)}{_advised(case, task, here)}"
    if not missing:
        return f"{told}."
    return f"{told}; {words.listing(missing)} {'has' if len(missing) == 1 else 'have'} no run at this budget yet."


def _advised(case: CaseStudy, task: Task, here: Sequence[Point]) -> str:
    """What the points at one budget come to, as the end of a sentence; "" where only one shape is there."""
    shapes = standing(case, here)
    if len(shapes) == 1:
        return ""
    names = [
        spoken(case, point.engine.split("+")[0]) + (" with that extra" if point.reading else "")
        for point in abreast(case, task, here)
    ]
    if len(names) == len(shapes) > 2:
        return ": the differences are within their uncertainty"
    if len(names) > 1:
        return f": the difference between {words.listing(names)} is within its uncertainty"
    return f": build {names[0]}"


def leader(case: CaseStudy, task: Task, points: Sequence[Point], budget: float) -> str:
    """Whom the verdict says to build at one budget, inside a sentence; "" where nobody is clearly ahead."""
    here = at(points, budget)
    ahead = abreast(case, task, here)
    return spoken(case, ahead[0].engine) if len(ahead) == 1 < len(standing(case, here)) else ""


def at(points: Sequence[Point], budget: float) -> list[Point]:
    """The main points at one budget, references aside."""
    return [point for point in main_points(points) if point.budget == budget and not point.reference]


def abreast(case: CaseStudy, task: Task, here: Sequence[Point]) -> list[Point]:
    """Of points at one budget, who leads and all others that are not clearly behind: a point for each such shape.

    The best engine or reading of a shape is compared; the first of its shape is named in its place where it is not
    clearly better than that.
    """
    shapes = standing(case, here)
    best = [_best([point for point in here if point.shape == shape], task.metric) for shape in shapes]
    ranked = sorted(best, key=lambda point: point.mean, reverse=not task.metric.lower_is_better)
    named = []
    for point in ranked:
        if point is ranked[0] or not difference(ranked[0], point, task.metric)[1]:
            first = next(each for each in here if each.engine == shapes[point.shape])
            named.append(point if difference(point, first, task.metric)[1] else first)
    return named


def standing(case: CaseStudy, points: Sequence[Point]) -> dict[str, str]:
    """Shape -> the first engine of it that has points, which stands for the shape; references aside."""
    there = {point.engine for point in points}
    shapes: dict[str, str] = {}
    for info in case.engines:
        if info.name in there and not info.reference:
            shapes.setdefault(info.shape, info.name)
    return shapes


def headline(case: CaseStudy, task: Task, points: Sequence[Point]) -> str:
    """The finding over all budgets, for the title of the chart: the first pipeline against the first end-to-end."""
    engines = [info for info in case.engines if not info.reference]
    shapes = leading(case)
    pipeline, network = shapes.get("pipeline", engines[0]), shapes.get("end_to_end", engines[-1])
    said = compared(case, task, points, pipeline.name, network.name)
    return said or f"{words.title(task.metric.name)} against data size"


def further(case: CaseStudy, task: Task, points: Sequence[Point]) -> list[str]:
    """How the other approaches compare: the first engines of the shapes with each other, but for the headline's pair,
    and with the best variant or reading of another shape, where that is better than its first."""
    here = main_points(points)
    shapes = standing(case, here)
    firsts = list(shapes.values())
    pairs = list(combinations(firsts, 2))
    for shape, first in shapes.items():
        best = _best_late([point for point in here if point.shape == shape and not point.reference], first, task.metric)
        if best != first:
            pairs += [(best, other) for other in firsts if other != first]
    return _told(case, task, points, pairs)


def variants(case: CaseStudy, task: Task, points: Sequence[Point]) -> list[str]:
    """How the variants and the further readings of each approach compare with its first engine."""
    here = main_points(points)
    there = {point.engine for point in here if not point.reference}
    pairs = [
        (first, name)
        for shape, first in standing(case, here).items()
        for name in case.curves
        if name in there and name != first and case.engine(name.partition("+")[0]).shape == shape
    ]
    return _told(case, task, points, pairs)


def _told(case: CaseStudy, task: Task, points: Sequence[Point], pairs: Sequence[tuple[str, str]]) -> list[str]:
    said = headline(case, task, points)
    sentences = [compared(case, task, points, first, second) for first, second in pairs]
    return [sentence for sentence in dict.fromkeys(sentences) if sentence and sentence != said]


def _best_late(points: Sequence[Point], first: str, metric: Metric) -> str:
    """The engine or reading that is best at the largest budget of the `first`."""
    most = max(point.budget for point in points if point.engine == first)
    return _best([point for point in points if point.budget == most], metric).engine


def _apart(case: CaseStudy, task: Task, point: Point) -> str:
    """What sets a variant or a reading apart from the first of its shape, with its score."""
    info = case.engine(point.engine.partition("+")[0])
    score = _made(point, task.metric, first=False)
    if point.reading:
        return f"{score} {info.readings.get(point.reading, point.reading)}"
    return f"{info.title.removeprefix(f'{leading(case)[info.shape].title}, ')}: {score}"


def _best(points: Sequence[Point], metric: Metric) -> Point:
    return min(points, key=lambda point: point.mean if metric.lower_is_better else -point.mean)


def _made(point: Point, metric: Metric, first: bool) -> str:
    """ "makes 34 errors in 100 words", "has an error rate of 3 %"; the later ones of a list are short."""
    if metric.name in COUNTED:
        return f"makes {_round(point.mean)} {COUNTED[metric.name]}" if first else _round(point.mean)
    if not first:
        return words.score(point.mean, metric)
    article = "an" if metric.name[0].lower() in "aeiou" else "a"
    return f"has {article} {metric.name} of {words.score(point.mean, metric)}"


def _round(score: float) -> str:
    """Whole numbers from ten on: a sentence needs no more."""
    return f"{score:.0f}" if abs(score) >= 9.95 else words.score(score)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _scope(common: list[float], unit: str) -> str:
    if len(common) == 1:
        return f"at {words.amount(common[0], unit)}, the only budget both were measured at"
    return f"at every budget measured, {words.span(common[0], common[-1], unit)}"
