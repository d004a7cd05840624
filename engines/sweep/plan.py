"""Which runs a sweep still has to make, and how long they may take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from engines import datasets
from engines.core import Budget, CaseStudy, Task, UserError
from engines.runs import RunSpec, RunStore


def plan(
    case: CaseStudy,
    store: RunStore,
    tasks: Sequence[str] = (),
    engines: Sequence[str] = (),
    budgets: Sequence[float] = (),
    seeds: Sequence[int] = (),
    retry: bool = False,
    keep: bool = False,
) -> list[RunSpec]:
    """The runs that are not in the store yet: every budget of the first seed before the second, small budgets first,
    so that a sweep that is stopped leaves whole curves behind. An empty choice means the task's default; of tasks, all
    but those whose data only their users can bring, where they have not.
    With `retry`, runs that failed are planned again. Where no seed's model is there of those to be kept (with `keep`:
    all), the run of the lowest seed is planned for its sake.

    Raises:
        UserError: a task or an engine that the case does not have, or a budget that is not above 0.
    """
    specs = asked(case, tasks, engines, budgets, seeds)
    lost = failed(case, store)
    again = set(lost) if retry else set()
    models: dict[tuple[str, str, float], str] = {}
    for spec in specs:
        if store.has(spec) and spec.id not in lost and _lacks_model(case, store, spec, keep):
            models.setdefault((spec.task, spec.engine, spec.budget.pairs), spec.id)
    again.update(models.values())
    return [spec for spec in specs if spec.id in again or not store.has(spec)]


def failed(case: CaseStudy, store: RunStore) -> set[str]:
    """The ids of a case's runs that ended with an error."""
    return set(store.frame("error != ''", columns=("id",), case=case.slug)["id"].to_pylist())


def asked(
    case: CaseStudy,
    tasks: Sequence[str] = (),
    engines: Sequence[str] = (),
    budgets: Sequence[float] = (),
    seeds: Sequence[int] = (),
) -> list[RunSpec]:
    """All runs of a choice (as in `plan`), those in the store too."""
    if not all(amount > 0 for amount in budgets):
        raise UserError("A budget is more than 0, in the task's unit.")
    chosen_tasks = [case.task(slug) for slug in tasks] or [task for task in case.tasks if _here(task)]
    infos = [case.engine(name) for name in engines] or list(case.engines)
    specs = []
    for task in chosen_tasks:
        for info in infos:
            if info.reference:
                specs.append(RunSpec(case.slug, task.slug, info.name, Budget(0.0), 0, info.version))
                continue
            pairs = [task.budget(amount) for amount in budgets] or task.default_budgets()
            for budget in pairs:
                for seed in seeds or task.seeds:
                    specs.append(RunSpec(case.slug, task.slug, info.name, budget, seed, info.version))
    specs.sort(key=lambda spec: (spec.seed, spec.budget.pairs))
    return list({spec.id: spec for spec in specs}.values())


def _here(task: Task) -> bool:
    wanted = [datasets.dataset(name) for name in task.datasets]
    return all(not entry.brought or datasets.find(entry.name) is not None for entry in wanted)


def keeps_model(task: Task, spec: RunSpec) -> bool:
    """Whether the default sweep keeps the trained model of this run for the live page."""
    return spec.seed == task.seeds[0] and any(math.isclose(spec.budget.pairs, kept) for kept in task.models)


def _lacks_model(case: CaseStudy, store: RunStore, spec: RunSpec, keep: bool) -> bool:
    """Whether the model of a run is to be kept and is not there, nor that of another seed in its place."""
    task, info = case.task(spec.task), case.engine(spec.engine)
    if info.reference or not info.kept or not (keep or keeps_model(task, spec)):
        return False
    return not any(store.model(replace(spec, seed=seed)).is_dir() for seed in {spec.seed, *task.seeds})


class Estimate:
    """How long runs take, learned from those already made, on a GPU or on a processor as asked: by (task, engine) and
    budget, the seconds of training and the seconds of answering the test.

    From the nearest known budget, training is taken to grow with the budget to the power 0.7, answering not at all.
    """

    def __init__(self, case: CaseStudy, store: RunStore, device: str = "cpu") -> None:
        self.known: dict[tuple[str, str], dict[float, tuple[float, float]]] = {}
        training, answering = (
            "any_value(train_seconds) as training",
            "sum(answer_seconds * len(statistics)) as answering",
        )
        found = store.frame(
            "error = '' and environment like '%cuda%' = ? group by id, task, engine, pairs",
            (device == "cuda",),
            columns=("task", "engine", "pairs", training, answering),
            case=case.slug,
        )
        for row in found.to_pylist():
            self.known.setdefault((row["task"], row["engine"]), {})[row["pairs"]] = (row["training"], row["answering"])

    def add(self, spec: RunSpec, seconds: float, train_seconds: float) -> None:
        """A run that took `seconds` in all, `train_seconds` of them to train."""
        answering = max(0.0, seconds - train_seconds)
        self.known.setdefault((spec.task, spec.engine), {})[spec.budget.pairs] = (train_seconds, answering)

    def seconds(self, spec: RunSpec) -> float | None:
        """Seconds that a run may take on one core, or None where nothing like it is known."""
        known = self.known.get((spec.task, spec.engine))
        if not known:
            return None
        if spec.budget.pairs in known or not spec.budget.pairs:
            return sum(known.get(spec.budget.pairs, ())) or None
        nearest = min((pairs for pairs in known if pairs), key=lambda p: abs(math.log(p / spec.budget.pairs)))
        training, answering = known[nearest]
        return training * (spec.budget.pairs / nearest) ** 0.7 + answering
