"""The measured points of a task, read once for each state of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engines import registry
from engines.core import Budget, CaseStudy, EngineInfo, Task
from engines.runs import Point, RunSpec, RunStore, points
from engines.views import Snapshot


@dataclass(frozen=True)
class Measured:
    """`failures` holds, by the run's id, why a run failed. `snapshot`: the saved view that the points come from."""

    points: tuple[Point, ...]
    failures: Mapping[str, str]
    snapshot: Snapshot | None = None

    def budgets(self) -> list[float]:
        """The budgets at which any engine was measured, growing; references have none."""
        return sorted({point.budget for point in self.points if not point.reference})

    def usual(self) -> float | None:
        """The budget to begin with: the middle one of those that most engines were measured at; None without runs."""
        engines: dict[float, set[str]] = {}
        for point in self.points:
            if not point.reference:
                engines.setdefault(point.budget, set()).add(point.engine)
        most = max(map(len, engines.values()), default=0)
        full = sorted(budget for budget, names in engines.items() if len(names) == most)
        return full[len(full) // 2] if full else None

    def of(self, engine: str, budget: float, test: str = "test") -> Point | None:
        """The point of an engine ("name" or "name+reading") at a budget."""
        for point in self.points:
            if (point.engine, point.budget, point.test, point.oracle) == (engine, budget, test, ""):
                return point
        return None


def load(case: CaseStudy, task: Task) -> Measured:
    """All points of a task.

    Raises:
        UserError: a file of the store cannot be read.
    """
    root = RunStore().root
    return _load(case.slug, task.slug, str(root), state(root / case.slug / "runs"))


# One frozen object for all visitors, where cache_data would make each a copy at every run of the page.
@st.cache_resource(max_entries=48, show_spinner="Reading the runs")
def _load(case_slug: str, task_slug: str, root: str, at: str) -> Measured:
    case, store = registry.case(case_slug), RunStore(Path(root))
    task = case.task(task_slug)
    failed = store.frame("task = ? and error != ''", [task.slug], ("id", "error"), case.slug).to_pylist()
    return Measured(tuple(points(case, task, store)), {row["id"]: row["error"] for row in failed})


def state(runs: Path) -> str:
    """A name for what lies in a folder of runs: it changes when a file comes, goes or is replaced."""
    digest = hashlib.sha256()
    if runs.is_dir():
        for path in sorted(runs.glob("*.parquet")):
            digest.update(f"{path.name} {path.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()


def specs(case: CaseStudy, task: Task, info: EngineInfo, budget: float) -> list[RunSpec]:
    """The runs that the default sweep makes of an engine at a budget: one a seed."""
    if info.reference:
        return [RunSpec(case.slug, task.slug, info.name, Budget(0.0), 0, info.version)]
    return [RunSpec(case.slug, task.slug, info.name, Budget(budget), seed, info.version) for seed in task.seeds]
