"""Stages, engines and the trace of one answer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import numpy as np

from engines.core.errors import UserError
from engines.core.spec import Spec
from engines.core.split import TrainingData

Shape = Literal["pipeline", "hybrid", "end_to_end"]
Progress = Callable[[float, str], None]
NOTHING: Mapping[str, Any] = MappingProxyType({})


def quiet(fraction: float, sentence: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Stage:
    """One step from value to value: `run` maps what the stage before gave to what `gives` declares."""

    name: str
    gives: Spec
    run: Callable[[Any], Any]

    def __call__(self, value: Any) -> Any:
        return self.run(value)


@dataclass(frozen=True)
class Step:
    """What one stage gave, and how long it took; `replaced` when an oracle gave it instead."""

    stage: str
    value: Any
    spec: Spec
    seconds: float
    replaced: bool = False


@dataclass(frozen=True)
class Trace:
    """The steps of one answer, in order. The last step's value is the answer."""

    steps: tuple[Step, ...]

    @property
    def answer(self) -> Any:
        return self.steps[-1].value

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)


class Engine(ABC):
    """Learns a task from a budget and answers stage by stage.

    An unfitted engine is made without arguments; `fit` returns a new, fitted one and leaves the old as it was.
    """

    name: ClassVar[str]
    shape: ClassVar[Shape]
    version: ClassVar[int]
    supervision: ClassVar[tuple[str, ...]] = ()
    # Further ways to read the same trained model, for instance with a language model; "" is the main one.
    readings: ClassVar[tuple[str, ...]] = ()
    # A reference was trained elsewhere: its fit takes no data, it is scored once and drawn as a dot.
    reference: ClassVar[bool] = False

    @abstractmethod
    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """A fitted engine, its numbers rounded to the precision that `save` keeps."""

    @abstractmethod
    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        """The chain from input to answer.

        Raises:
            UserError: `reading` is neither "" nor one of `readings`.
        """

    @abstractmethod
    def save(self, directory: Path) -> None:
        """Write all that `load` needs into an existing, empty directory (safetensors, JSON, Parquet)."""

    @classmethod
    @abstractmethod
    def load(cls, directory: Path) -> Self:
        """The engine that `save` wrote. It answers exactly as the saved one did."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """How many numbers were learned from the budget."""

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """The stage outputs, by stage name, that an example's `gold` makes known."""
        return NOTHING

    def trace(self, x: Any, oracle: Mapping[str, Any] = NOTHING, reading: str = "") -> Trace:
        """Every stage's output for input `x`. A stage named in `oracle` is not run: its output is taken from there.

        Raises:
            UserError: `oracle` names a stage that this engine does not have.
        """
        stages = self.stages(reading)
        unknown = set(oracle) - {stage.name for stage in stages}
        if unknown:
            names = ", ".join(stage.name for stage in stages)
            raise UserError(f"{self.name} has no stage {', '.join(sorted(unknown))}: its stages are {names}.")
        steps, value = [], x
        # What stands before the last replaced stage has no say in the answer, and is run all the same: a page shows it.
        for stage in stages:
            if stage.name in oracle:
                value = oracle[stage.name]
                steps.append(Step(stage.name, value, stage.gives, 0.0, replaced=True))
                continue
            start = time.perf_counter()
            value = stage(value)
            steps.append(Step(stage.name, value, stage.gives, time.perf_counter() - start))
        return Trace(tuple(steps))

    def answer(self, x: Any, reading: str = "") -> Any:
        return self.trace(x, reading=reading).answer

    def check_reading(self, reading: str) -> None:
        if reading and reading not in self.readings:
            known = ", ".join(self.readings) or "none besides the main one"
            raise UserError(f"{self.name} cannot be read as {reading!r}: its readings are {known}.")
