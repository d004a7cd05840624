"""What a run is: what made it, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engines.core import Budget, Floats


@dataclass(frozen=True)
class RunSpec:
    """What makes a run. Its `id`, a hash of all of it, is what the run is called."""

    case: str
    task: str
    engine: str
    budget: Budget
    seed: int
    version: int

    @property
    def id(self) -> str:
        made_of = {
            "case": self.case,
            "task": self.task,
            "engine": self.engine,
            "pairs": float(self.budget.pairs),
            "side": {name: float(amount) for name, amount in sorted(self.budget.side.items())},
            "seed": self.seed,
            "version": self.version,
        }
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Score:
    """One way the trained model was scored.

    `reading` is a further way to read the model, `test` the test set, `oracle` the stage whose output was replaced by
    the truth; "" , "test" and "" are the main one. `statistics` has shape (examples, k), one row an example; `faults`
    (examples, 1 + kinds), the counts of the task's kinds of error, is None where it names none.
    """

    score: float
    statistics: Floats
    reading: str = ""
    test: str = "test"
    oracle: str = ""
    faults: Floats | None = None


@dataclass(frozen=True)
class Run:
    """A finished run, or one that failed (`error` says why, and `scores` is empty)."""

    spec: RunSpec
    scores: tuple[Score, ...] = ()
    train_seconds: float = 0.0
    answer_seconds: float = 0.0
    parameters: int = 0
    data_hash: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    finished: str = ""

    def rows(self) -> list[dict[str, Any]]:
        """One row a score (one with no score for a failed run): what a Parquet file of the store holds."""
        common = {
            "id": self.spec.id,
            **{k: v for k, v in asdict(self.spec).items() if k != "budget"},
            "pairs": float(self.spec.budget.pairs),
            "side": json.dumps(dict(sorted(self.spec.budget.side.items()))),
            "train_seconds": self.train_seconds,
            "answer_seconds": self.answer_seconds,
            "parameters": self.parameters,
            "data_hash": self.data_hash,
            "environment": json.dumps(self.environment, sort_keys=True),
            "error": self.error,
            "finished": self.finished,
        }
        if not self.scores:
            nothing = {"score": None, "statistics": None, "faults": None}
            return [{**common, "reading": "", "test": "test", "oracle": "", **nothing}]
        return [
            {
                **common,
                "reading": score.reading,
                "test": score.test,
                "oracle": score.oracle,
                "score": score.score,
                "statistics": score.statistics.tolist(),
                "faults": None if score.faults is None else score.faults.tolist(),
            }
            for score in self.scores
        ]
