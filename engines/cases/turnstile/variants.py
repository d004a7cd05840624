"""The pipeline with less side data, with a detector of its own, and the one whose verifier goes on learning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile import finder, verifier
from engines.cases.turnstile.finder import Finder
from engines.cases.turnstile.pipeline import DETECTOR, Pipeline
from engines.cases.turnstile.verifier import Verifier
from engines.core import Progress, TrainingData, UserError, quiet
from engines.core.sighting import Box

BOXES = "the true boxes of its training frames, and backgrounds without faces to set their heads on anew"
FEWEST = 10  # frames to learn from


@dataclass(frozen=True)
class Pipeline2000(Pipeline):
    name: ClassVar[str] = "pipeline_2000"
    supervision: ClassVar[tuple[str, ...]] = (DETECTOR, "2,000 photos of other people")
    others: ClassVar[int | None] = 2000


@dataclass(frozen=True)
class Pipeline500(Pipeline):
    name: ClassVar[str] = "pipeline_500"
    supervision: ClassVar[tuple[str, ...]] = (DETECTOR, "500 photos of other people")
    others: ClassVar[int | None] = 500


@dataclass(frozen=True)
class PipelineTuned(Pipeline):
    """Employees and others are told apart together, so that the verifier does not forget what faces are like while it
    learns those that will come."""

    name: ClassVar[str] = "pipeline_tuned"

    def _verifier_for(
        self,
        data: TrainingData,
        cuttings: NDArray[np.uint8],
        labels: NDArray[np.int64],
        rng: np.random.Generator,
        progress: Progress,
    ) -> Verifier:
        start = super()._verifier_for(data, cuttings, labels, rng, lambda f, s: progress(0.3 * f, s))
        if len(cuttings) < FEWEST:
            return start
        others, whose = self._side(data)
        together = np.concatenate([cuttings, others])
        names = np.concatenate([labels, whose + labels.max() + 1])
        network = verifier.tuned(
            start.network, together, names, int(labels.max()) + 1, rng, lambda f, s: progress(0.3 + 0.7 * f, s)
        )
        return Verifier.of(network, together, names)


@dataclass(frozen=True)
class PipelineOwnEyes(Pipeline):
    """The face is found by a detector that learned from the budget's own frames."""

    name: ClassVar[str] = "pipeline_own_eyes"
    version: ClassVar[int] = 2
    supervision: ClassVar[tuple[str, ...]] = (BOXES, "4,529 photos of other people")

    finder: Finder | None = None

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        learned = finder.learn(data.train, rng, lambda f, s: progress(0.5 * f, f"detector, {s}"))
        seeing = replace(self, finder=learned)
        return super(PipelineOwnEyes, seeing).fit(data, rng, lambda f, s: progress(0.5 + 0.5 * f, s))

    def find(self, picture: NDArray[np.uint8]) -> tuple[Box, ...]:
        return self._finder.find(picture)

    @property
    def _finder(self) -> Finder:
        if self.finder is None:
            raise UserError("This engine has not been trained yet: fit it, or load a trained one.")
        return self.finder

    @property
    def parameters(self) -> int:
        return super().parameters + self._finder.parameters

    def save(self, directory: Path) -> None:
        super().save(directory)
        self._finder.save(directory)

    @classmethod
    def load(cls, directory: Path) -> Self:
        return replace(super().load(directory), finder=Finder.load(directory))
