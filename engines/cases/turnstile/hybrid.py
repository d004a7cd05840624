"""Detect, cut out, and let one network say which of the employees it is: trained on their own cuttings alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from engines.cases.turnstile import sight, verifier
from engines.cases.turnstile.networks import FaceNetwork, Shape, parameters
from engines.cases.turnstile.pipeline import DETECTOR
from engines.cases.turnstile.verifier import Plan
from engines.cases.turnstile.visitors import Taught
from engines.core import Engine, Progress, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape as EngineShape
from engines.core.sighting import Candidates, Cutting

# Small batches: as many faces seen in twice as many steps.
PLAN = Plan(batch=64, mix=0.4)


def steps(frames: int) -> int:
    """Passes over few frames are short, so that there are many of them: 2,760 steps for 62 frames, 4,800 for 248, 9,520
    for 1,375.

    Fixed, with PLAN, on 1,127 frames of the training part that were held out: learning from 248 it named 33.9 % of them
    after 1,200 steps, 37.4 % after 4,800 and 41.9 % with faces mixed in pairs (34.9 % after 1,200; by 1.0 in place of
    0.4: 42.2 % after 4,800). At a third of the rate it took twice the steps to name as many; a wider network, dropout
    and more covering made no difference that can be told; a plain classifier with dropout and smoothed labels named
    28.3 %."""
    return 40 if frames < 10 else round(4800 * (frames / 248) ** 0.4)


@dataclass(frozen=True)
class Hybrid(Taught, Engine):
    """`people` (k,) with the direction that the network was taught for each, `directions` float32 (k, size)."""

    name: ClassVar[str] = "hybrid"
    shape: ClassVar[EngineShape] = "hybrid"
    version: ClassVar[int] = 3
    supervision: ClassVar[tuple[str, ...]] = (DETECTOR,)

    network: FaceNetwork | None = None
    people: tuple[str, ...] = ()
    directions: NDArray[np.float32] | None = None
    threshold: float = 0.0

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        cuttings = sight.cuttings(data.train.x, lambda f, s: progress(0.1 * f, s), "frames")
        people, labels = sight.labels(data.train)
        network, directions = verifier.taught(
            cuttings, labels, rng, lambda f, s: progress(0.1 + 0.8 * f, s), steps(len(cuttings)), PLAN
        )
        fitted = replace(self, network=network, people=people, directions=directions)
        callers = sight.cuttings(data.side["callers"], lambda f, s: progress(0.9 + 0.1 * f, s), "strangers' frames")
        best = (verifier.embed(network, callers) @ directions.T).max(axis=1)
        return replace(fitted, threshold=sight.calibrated(best))

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        return (*sight.stages(), Stage("people", sight.PEOPLE, self._classify))

    def _classify(self, cut: Cutting) -> Candidates:
        if not cut.picture.size:
            return Candidates((), self.threshold, cut.box)
        scores = self._directions @ verifier.embed(self._network, [cut.picture])[0]
        return sight.ranked(self.people, scores, self.threshold, cut.box)

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        return sight.truths(x, gold)

    @property
    def _network(self) -> FaceNetwork:
        if self.network is None:
            raise UserError("This engine has not been trained yet: fit it, or load a trained one.")
        return self.network

    @property
    def _directions(self) -> NDArray[np.float32]:
        if self.directions is None:
            raise UserError("This engine has not been trained yet: fit it, or load a trained one.")
        return self.directions

    @property
    def parameters(self) -> int:
        return parameters(self._network) + self._directions.size

    def save(self, directory: Path) -> None:
        verifier.save(self._network, directory / "network.safetensors")
        save_file({"directions": self._directions.astype(np.float16)}, directory / "directions.safetensors")
        meta = {"people": self.people, "threshold": self.threshold, "shape": self._network.shape.to_json()}
        (directory / "engine.json").write_text(json.dumps(meta, separators=(",", ":")))

    @classmethod
    def load(cls, directory: Path) -> Self:
        meta = json.loads((directory / "engine.json").read_text())
        network = verifier.load(Shape.from_json(meta["shape"]), directory / "network.safetensors")
        directions = load_file(directory / "directions.safetensors")["directions"].astype(np.float32)
        return cls(network, tuple(meta["people"]), directions, meta["threshold"])
