"""Comparisons of our own runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from engines.claims.evidence import Evidence, Speaks
from engines.core import CaseStudy, Metric, Shape, Task, UserError
from engines.core.amounts import amount, duration
from engines.runs import Point, RunStore, difference, points

if TYPE_CHECKING:  # it takes a second to import
    from engines.curves import Curve

Z = 1.96
HERE = "measured here"
NAMES: dict[str, str] = {"pipeline": "the pipeline", "hybrid": "the hybrid", "end_to_end": "end-to-end"}
FARTHEST = 100.0  # times the data measured: how far a crossover is looked for
SURE = 0.95
MANY = 10_000  # people on file
AT_ONCE = 0.1  # seconds
FEWEST = 4  # budgets that a curve needs before its crossover is forecast


class Once(RunStore):
    """A store as it is now: what its runs come to is worked out once for all claims, which takes seconds a task."""

    def __init__(self, store: RunStore) -> None:
        super().__init__(store.root)
        self.known: dict[tuple[str, str], list[Point]] = {}

    def points(self, case: CaseStudy, task: Task) -> list[Point]:
        key = (case.slug, task.slug)
        if key not in self.known:
            self.known[key] = points(case, task, self)
        return self.known[key]


def all_points(case: CaseStudy, task: Task, store: RunStore) -> list[Point]:
    return store.points(case, task) if isinstance(store, Once) else points(case, task, store)


def main_points(case: CaseStudy, task: Task, store: RunStore) -> list[Point]:
    """What each engine alone came to on the main test set; references and further readings left out."""
    return [
        point
        for point in all_points(case, task, store)
        if point.test == "test" and not (point.oracle or point.reading or point.reference)
    ]


def best(found: Sequence[Point], shape: Shape, budget: float, task: Task) -> Point | None:
    """The best engine of a shape at a budget."""
    here = [point for point in found if point.shape == shape and point.budget == budget]
    sign = 1 if task.metric.lower_is_better else -1
    return min(here, key=lambda point: sign * point.mean, default=None)


def shared(found: Sequence[Point], *shapes: Shape) -> list[float]:
    """The budgets at which all of the shapes were measured, growing."""
    each = [{point.budget for point in found if point.shape == shape} for shape in shapes]
    return sorted(set.intersection(*each))


def lead(first: Point, second: Point, task: Task) -> float:
    """How many standard errors `first` is better than `second`."""
    gap, error = difference(first, second)
    better = -gap if task.metric.lower_is_better else gap
    return better / error if error else float(np.sign(better)) * np.inf


def compared(
    case: CaseStudy, task: Task, found: Sequence[Point], first: Shape, second: Shape, budget: float, ties: Speaks
) -> Evidence:
    """Whether `first` beats `second` at a budget; `ties` is what no clear difference says."""
    a, b = best(found, first, budget, task), best(found, second, budget, task)
    assert a is not None
    assert b is not None
    by = lead(a, b, task)
    speaks: Speaks = "for" if by > Z else "against" if by < -Z else ties
    how = "not clearly different" if abs(by) <= Z else f"{NAMES[first if by > 0 else second]} is clearly ahead"
    scores = f"{called(case, a)} {score(a, task)}, {called(case, b)} {score(b, task)}"
    text = f"{task.title}, {amount(budget, task.unit)}: {scores}; {how}."
    return Evidence(speaks, text, source(task), True, case.slug, task.slug, budget)


def at_smallest(case: CaseStudy, store: RunStore, first: Shape, second: Shape, ties: Speaks) -> Iterator[Evidence]:
    """`first` against `second` with the least data that both were measured with, task by task."""
    yield from _at(case, store, first, second, 0, ties)


def at_largest(case: CaseStudy, store: RunStore, first: Shape, second: Shape, ties: Speaks) -> Iterator[Evidence]:
    """`first` against `second` with the most data that both were measured with, task by task."""
    yield from _at(case, store, first, second, -1, ties)


def _at(case: CaseStudy, store: RunStore, first: Shape, second: Shape, place: int, ties: Speaks) -> Iterator[Evidence]:
    for task in case.tasks:
        found = main_points(case, task, store)
        budgets = shared(found, first, second)
        if budgets:
            yield compared(case, task, found, first, second, budgets[place], ties)


def hybrid_between(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    """For, where at some budget but the smallest and the largest the hybrid clearly beats both others; against, where
    at every one of them another clearly beats it."""
    for task in case.tasks:
        found = main_points(case, task, store)
        middle = shared(found, "pipeline", "hybrid", "end_to_end")[1:-1]
        worst: list[tuple[float, float, Point]] = []
        for budget in middle:
            mine = best(found, "hybrid", budget, task)
            rivals = [best(found, shape, budget, task) for shape in ("pipeline", "end_to_end")]
            assert mine is not None
            worst.append((min(lead(mine, rival, task) for rival in rivals if rival), budget, mine))
        if not worst:
            continue
        by, budget, mine = max(worst, key=lambda each: each[0])
        speaks: Speaks = "for" if by > Z else "against" if by < -Z else "nothing"
        how = {
            "for": "is clearly the best",
            "against": "is clearly behind another, as at every budget in between",
            "nothing": "comes nearest to being the best, without a clear difference",
        }[speaks]
        text = (
            f"{task.title}: of {len(middle)} budgets in between, with {amount(budget, task.unit)} the hybrid {how}, "
            f"at {score(mine, task)}."
        )
        yield Evidence(speaks, text, source(task), True, case.slug, task.slug, budget)


def overtaking(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    """Whether end-to-end overtakes the pipeline as data grow: measured, or with a forecast chance of 95 % within 100
    times the data; against, where that chance is under 5 %."""
    from engines import curves

    for task in case.tasks:
        found = main_points(case, task, store)
        budgets = shared(found, "pipeline", "end_to_end")
        if not budgets:
            continue
        leads = []
        mine = other = None
        for budget in budgets:
            mine, other = best(found, "end_to_end", budget, task), best(found, "pipeline", budget, task)
            assert mine is not None
            assert other is not None
            leads.append(lead(mine, other, task))
        ahead = [budget for budget, by in zip(budgets, leads, strict=True) if by > Z]
        view = (source(task), True, case.slug, task.slug)
        if ahead and leads[-1] > Z:
            behind = max((budget for budget in budgets if budget not in ahead), default=0.0)
            since = min(budget for budget in ahead if budget > behind)
            text = f"{task.title}: end-to-end is clearly ahead from {amount(since, task.unit)}."
            yield Evidence("for", text, *view, since)
            continue
        if len(budgets) < FEWEST:
            text = f"{task.title}: measured at {len(budgets)} budgets so far, too few to say where the curves meet."
            yield Evidence("nothing", text, *view, budgets[-1])
            continue
        one, two = (curve(found, shape, task) for shape in ("end_to_end", "pipeline"))
        assert mine is not None
        assert other is not None
        made = curves.forecasts([one, two], np.random.default_rng(0), 500)
        crossing = curves.crossover(made[0], made[1], horizon=FARTHEST * budgets[-1])
        chance, now = 1 - crossing.never, float(crossing.probability_by(budgets[-1])[0])
        speaks: Speaks = "for" if chance > SURE else "against" if chance < 1 - SURE else "nothing"
        text = (
            f"{task.title}: with {amount(budgets[-1], task.unit)} {called(case, mine)} is not clearly ahead of "
            f"{called(case, other)}; the chance that it has overtaken is {100 * now:.0f} % by then, and by the "
            f"forecast {100 * chance:.0f} % by {amount(FARTHEST * budgets[-1], task.unit)}."
        )
        yield Evidence(speaks, text, *view, budgets[-1])


def steeper(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    """Whether end-to-end's error falls with a higher power of the data than the pipeline's, over the budgets of both:
    slopes of ln error against ln size by least squares, their difference judged over the bootstrap's draws."""
    for task in case.tasks:
        found = main_points(case, task, store)
        budgets = shared(found, "pipeline", "end_to_end")
        if len(budgets) < FEWEST:
            continue
        slopes = {shape: _slope(found, shape, budgets, task) for shape in ("pipeline", "end_to_end")}
        gap = slopes["end_to_end"] - slopes["pipeline"]
        spread = float(gap[1:].std(ddof=1))
        by = -gap[0] / spread if spread else 0.0
        speaks: Speaks = "for" if by > Z else "against" if by < -Z else "nothing"
        text = (
            f"{task.title}: with ten times the data the pipeline's error shrinks to "
            f"{100 * 10 ** slopes['pipeline'][0]:.0f} % of what it was, end-to-end's to "
            f"{100 * 10 ** slopes['end_to_end'][0]:.0f} %."
        )
        yield Evidence(speaks, text, source(task), True, case.slug, task.slug, budgets[-1])


def _slope(found: Sequence[Point], shape: Shape, budgets: Sequence[float], task: Task) -> np.ndarray:
    """Slope of the means, then of every draw: (1 + draws,)."""
    logs = []
    for budget in budgets:
        point = best(found, shape, budget, task)
        assert point is not None
        errors = np.array([point.mean, *point.draws])
        errors = np.abs(task.metric.best - errors)
        # Where nothing was answered wrongly, the error is taken to be what it may be: its standard error.
        logs.append(np.log(np.maximum(errors, point.standard_error)))
    return np.asarray(np.polyfit(np.log(budgets), np.array(logs), 1)[0])


def curve(found: Sequence[Point], shape: Shape, task: Task) -> Curve:
    """The best engine of a shape at each budget, as a learning curve."""
    mine = [best(found, shape, budget, task) for budget in shared(found, shape)]
    return learning_curve([point for point in mine if point is not None], task.metric, NAMES[shape])


def learning_curve(points: Sequence[Point], metric: Metric, name: str) -> Curve:
    """Measured points as a learning curve: seeds side by side, beside the uncertainty of the test examples."""
    from engines.curves import Curve

    each = [(point.budget, score, point.test_error) for point in points for score in point.scores]
    sizes, scores, errors = zip(*each, strict=True)
    return Curve.from_points(
        sizes,
        scores,
        lower_is_better=metric.lower_is_better,
        name=name,
        best=metric.best,
        standard_errors=np.array(errors),
    )


def source(task: Task) -> str:
    return f"{HERE}, on simulated data" if task.simulated else HERE


def called(case: CaseStudy, point: Point) -> str:
    """ "the pipeline", and in brackets what sets a variant of it apart."""
    info = case.engine(point.engine.partition("+")[0])
    first = next(each for each in case.engines if each.shape == info.shape and not each.reference)
    apart = "" if info == first else f" ({info.title.removeprefix(f'{first.title}, ')})"
    return NAMES[info.shape] + apart


def score(point: Point, task: Task) -> str:
    unit = " %" if task.metric.unit == "%" else f" {task.metric.unit}" if task.metric.unit else ""
    return f"{point.mean:.1f} ± {point.standard_error:.1f}{unit}"


def more_side_data(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    """Whether an engine does better with more data for one stage at the same pairs: the most of a second budget against
    the least of it, with the fewest and with the most pairs that both were measured at."""
    for task in case.tasks:
        found = [p for p in all_points(case, task, store) if p.test == "test" and not (p.oracle or p.reference)]
        for side in task.sides:
            least, most = (pick(side.points, key=side.points.__getitem__) for pick in (min, max))
            less = {point.budget: point for point in found if point.engine == least}
            more = {point.budget: point for point in found if point.engine == most}
            both = sorted(more.keys() & less.keys())
            for budget in dict.fromkeys(both[:1] + both[-1:]):
                by = lead(more[budget], less[budget], task)
                speaks: Speaks = "for" if by > Z else "against" if by < -Z else "nothing"
                text = (
                    f"{task.title}, {amount(budget, task.unit)}: {NAMES[more[budget].shape]} "
                    f"{score(more[budget], task)} with {side.points[most]:,g} {side.unit}, "
                    f"{score(less[budget], task)} with {side.points[least]:,g}."
                )
                yield Evidence(speaks, text, source(task), True, case.slug, task.slug, budget)


def gallery(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    """Whether a gate serves many, by what is kept beside the case's runs of people who come on file. Accuracy: for,
    where with the most people on file that were tried the right one is missed at most twice as often as with the
    fewest. Time: for, where a search of as many as the claim names takes no longer than what seems to be at once (a
    tenth of a second, Miller 1968)."""
    file = store.root / case.slug / "gallery.json"
    if not file.is_file():
        return
    try:
        kept = json.loads(file.read_text())
        tried = [(row["people"], row["rank1"]) for row in kept["growth"] if not row["forecast"]]
        beyond = [(row["people"], row["rank1"]) for row in kept["growth"] if row["forecast"] and row["people"] >= MANY]
        searches = [(row["people"], row["search"]) for row in kept["search"] if row["people"] >= MANY]
        (few, first), (many, last) = tried[0], tried[-1]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(f"{file.name} of {case.slug} is damaged: measure it again, as its README says.") from error
    text = f"The right person comes first for {100 * first:.0f} % with {few:,} on file, "
    text += f"for {100 * last:.0f} % with {many:,}"
    text += "".join(f" (forecast: for {100 * share:.0f} % with {people:,})" for people, share in beyond[:1])
    speaks: Speaks = "for" if 1 - last <= 2 * (1 - first) else "against"
    yield Evidence(speaks, f"{text}.", HERE, True, case.slug, page="gate")
    for people, seconds in searches[:1]:
        speaks = "for" if seconds <= AT_ONCE else "against"
        text = f"A search among {people:,} on file takes {duration(seconds)}."
        yield Evidence(speaks, text, HERE, True, case.slug, page="gate")
