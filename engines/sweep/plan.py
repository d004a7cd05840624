"""Which runs a sweep still has to make, and how long they may take."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engines.core import Budget, CaseStudy, Task
from engines.runs import RunSpec, RunStore


def plan(
    case: CaseStudy,
    store: RunStore,
    tasks: Sequence[str] = (),
    engines: Sequence[str] = (),
    budgets: Sequence[float] = (),
    seeds: Sequence[int] = (),
) -> list[RunSpec]:
    """The runs that are not in the store yet: every budget of the first seed before the second, small budgets first,
    so that a sweep that is stopped leaves whole curves behind. An empty choice means the task's default.

    Raises:
        UserError: a task or an engine that the case does not have, or a budget below 0.
    """
    chosen_tasks = [case.task(slug) for slug in tasks] or list(case.tasks)
    infos = [case.engine(name) for name in engines] or list(case.engines)
    specs = []
    for task in chosen_tasks:
        for info in infos:
            if info.reference:
                specs.append(RunSpec(case.slug, task.slug, info.name, Budget(0.0), 0, info.version))
                continue
            pairs = [Budget(amount) for amount in budgets] or task.default_budgets()
            for budget in pairs:
                for seed in seeds or task.seeds:
                    specs.append(RunSpec(case.slug, task.slug, info.name, budget, seed, info.version))
    specs.sort(key=lambda spec: (spec.seed, spec.budget.pairs))
    return [spec for spec in specs if not store.has(spec)]


def keeps_model(task: Task, spec: RunSpec) -> bool:
    """Whether the default sweep keeps the trained model of this run for the live page."""
    return spec.seed == task.seeds[0] and any(math.isclose(spec.budget.pairs, kept) for kept in task.models)


class Estimate:
    """How long runs take, learned from those already made: seconds by (task, engine) at known budgets.

    Between and beyond known budgets seconds are taken to grow with the budget to the power 0.7.
    """

    def __init__(self, case: CaseStudy, store: RunStore) -> None:
        self.known: dict[tuple[str, str], dict[float, float]] = {}
        columns = (
            "task",
            "engine",
            "pairs",
            "train_seconds",
            "answer_seconds",
            "len(statistics) as examples",
        )
        for row in store.frame("error = '' and oracle = ''", columns=columns, case=case.slug).to_pylist():
            seconds = row["train_seconds"] + row["answer_seconds"] * row["examples"] * 3
            self.known.setdefault((row["task"], row["engine"]), {})[row["pairs"]] = seconds

    def add(self, spec: RunSpec, seconds: float) -> None:
        self.known.setdefault((spec.task, spec.engine), {})[spec.budget.pairs] = seconds

    def seconds(self, spec: RunSpec) -> float | None:
        """Seconds that a run may take on one core, or None where nothing like it is known."""
        known = self.known.get((spec.task, spec.engine))
        if not known:
            return None
        if spec.budget.pairs in known or not spec.budget.pairs:
            return known.get(spec.budget.pairs)
        nearest = min((pairs for pairs in known if pairs), key=lambda p: abs(math.log(p / spec.budget.pairs)))
        return known[nearest] * (spec.budget.pairs / nearest) ** 0.7
