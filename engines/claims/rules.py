"""Which comparisons each claim stands or falls with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from engines import registry
from engines.claims import measured, others
from engines.claims.design import effort
from engines.claims.evidence import Claim, Evidence, Judged, Speaks, claims
from engines.core import CaseStudy, UserError
from engines.runs import RunStore

Compare = Callable[[CaseStudy, RunStore], Iterator[Evidence]]
TRADITIONAL, NETWORK = ("pipeline",), ("end_to_end",)
STAGED = ("pipeline", "hybrid")
X_RAYS = "X-rays"


def judge(store: RunStore) -> tuple[Judged, ...]:
    """Every claim with its evidence. A claim about a case that is not here has published evidence alone."""
    there, store = registry.cases(), measured.Once(store)
    return tuple(Judged(claim, tuple(_evidence(claim, there, store))) for claim in claims())


def _evidence(claim: Claim, there: Mapping[str, CaseStudy], store: RunStore) -> Iterator[Evidence]:
    compare = RULES.get(claim.test)
    if compare is None:
        raise UserError(f"Claim {claim.number} names the test “{claim.test}”, which has no rule: add one.")
    about = list(there.values()) if claim.case == "any" else [there[claim.case]] if claim.case in there else []
    for case in about:
        yield from compare(case, store)


def _at_3000_hours(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from _too_small(case, store, 949)
    yield from others.compared(case.slug, TRADITIONAL, NETWORK, 949, 9487)


def _from_10000_hours(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from _too_small(case, store, 9500)
    yield from others.compared(case.slug, NETWORK, STAGED, 9500)


def _too_small(case: CaseStudy, store: RunStore, needed: float) -> Iterator[Evidence]:
    largest = max((p.budget for task in case.tasks for p in measured.main_points(case, task, store)), default=0.0)
    unit = case.tasks[0].unit
    if 0 < largest < needed:
        text = f"Our runs end at {largest:g} {unit}, too few to tell."
        yield Evidence("nothing", text, measured.HERE, True, case.slug, case.tasks[0].slug)


def _small(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from measured.at_smallest(case, store, "pipeline", "end_to_end", ties="for")
    yield from others.at_smallest(case.slug, TRADITIONAL, NETWORK)


def _few(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    case = _on(case, X_RAYS)
    yield from measured.at_smallest(case, store, "pipeline", "end_to_end", ties="nothing")
    yield from others.at_smallest(case.slug, TRADITIONAL, NETWORK)


def _on(case: CaseStudy, unit: str) -> CaseStudy:
    """The case with those of its tasks alone whose data are counted in `unit`."""
    return replace(case, tasks=tuple(task for task in case.tasks if task.unit == unit))


def _medium(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from measured.hybrid_between(case, store)
    yield from others.between(case.slug)


def _with_what_one_has(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from measured.at_largest(case, store, "pipeline", "end_to_end", ties="nothing")
    yield from others.compared(case.slug, TRADITIONAL, NETWORK)


def _not_yet(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from _with_what_one_has(_on(case, X_RAYS), store)


def _overtakes(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from measured.overtaking(case, store)
    yield from others.compared(case.slug, NETWORK, TRADITIONAL, low=1)


def _sub_tasks(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from measured.more_side_data(case, store)
    yield from others.grows(case.slug, "pipeline")


def _gallery(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from measured.gallery(case, store)


def _steeper(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    yield from measured.steeper(case, store)


def _by_hand(case: CaseStudy, store: RunStore) -> Iterator[Evidence]:
    del store  # the code is what is measured
    firsts = {info.shape: info for info in reversed(case.engines) if not info.reference}
    if not {"pipeline", "end_to_end"} <= set(firsts):
        return
    pipeline, network = firsts["pipeline"], firsts["end_to_end"]
    lines = effort(case)
    mine, theirs = (
        (lines[network.name].lines, len(network.supervision)),
        (lines[pipeline.name].lines, len(pipeline.supervision)),
    )
    fewer = any(a < b for a, b in zip(mine, theirs, strict=True))
    more = any(a > b for a, b in zip(mine, theirs, strict=True))
    speaks: Speaks = "for" if fewer and not more else "against" if more and not fewer else "nothing"
    text = (
        f"{case.title}: the pipeline is {theirs[0]:,} lines written by hand and was given {_things(theirs[1])} besides "
        f"the pairs; end-to-end is {mine[0]:,} lines and was given {_things(mine[1])}."
    )
    yield Evidence(speaks, text, measured.HERE, True, case.slug, page="data")


def _things(count: int) -> str:
    return "nothing" if not count else "one thing" if count == 1 else f"{count} things"


RULES: Mapping[str, Compare] = {
    "pipeline wins at 3000 h": _at_3000_hours,
    "end_to_end wins from 10000 h": _from_10000_hours,
    "pipeline >= end_to_end at small budgets": _small,
    "hybrid best at some medium budget": _medium,
    "pipeline > end_to_end at the labelled frames one has": _with_what_one_has,
    "accuracy as sub-task data grows at fixed frames": _sub_tasks,
    "accuracy and latency as the gallery grows to 10000": _gallery,
    "crossover as labelled frames grow": _overtakes,
    "end_to_end > pipeline from some number of pairs": _overtakes,
    "pipeline > end_to_end at few X-rays": _few,
    "crossover as X-rays grow": _not_yet,
    "end_to_end curve steeper than the pipeline curve": _steeper,
    "stages, lines of hand design and extra supervision of each approach": _by_hand,
}
