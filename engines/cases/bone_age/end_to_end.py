"""End to end: one network from the picture, the sex and the pixel size to the age. Where lengths are all there is, the
input is those, and the network is small."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from engines.cases.bone_age import reading as sums
from engines.cases.bone_age.pipeline import AGE
from engines.core import Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape
from engines.core.radiograph import Measures, Saliency

SALIENCY = Spec("saliency", "months")


@dataclass(frozen=True)
class EndToEnd(Engine):
    name: ClassVar[str] = "end_to_end"
    shape: ClassVar[Shape] = "end_to_end"
    version: ClassVar[int] = 3

    viewer: Any = None  # viewer.Viewer: picture -> saliency with an age
    network: Any = None  # committee.Committee: measures -> age
    scale: NDArray[np.float32] | None = None  # (2, inputs): means and standard deviations of the measures

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        ages = np.array([y.months for y in data.train.y])
        if data.x.kind == "radiograph":
            from engines.cases.bone_age import viewer

            return replace(self, viewer=viewer.learn(data.train.x, ages, rng, progress))
        from engines.cases.bone_age import committee

        inputs = np.stack([sums.features(one) for one in data.train.x])
        known = np.where(np.isnan(inputs), np.nanmean(inputs, axis=0), inputs)
        # The mean age is the network's to add to: level in the middle of the ages, spread as they are.
        mean, spread = known.mean(axis=0), np.maximum(known.std(axis=0), 0.02)
        scale = np.stack([np.append(mean, ages.mean()), np.append(spread, 1.0)]).astype(np.float32)
        network = committee.fit((known - mean) / spread, ages - ages.mean(), rng, progress)
        return replace(self, network=network, scale=scale)

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        if self.viewer is not None:
            return (
                Stage("looked_at", SALIENCY, self.viewer),
                Stage("age", AGE, lambda seen: _told(seen, self.viewer.error)),
            )
        if self.network is None:
            raise UserError("This network has not been trained yet: fit it, or load a trained one.")
        return (Stage("age", AGE, self._read),)

    def _read(self, measured: Measures) -> Any:
        from engines.cases.bone_age import committee

        assert self.scale is not None
        mean, spread = self.scale.astype(float)
        inputs = np.nan_to_num((sums.features(measured) - mean[:-1]) / spread[:-1])
        return sums.age(mean[-1] + committee.answers(self.network, np.clip(inputs, -5, 5)[None])[0])

    @property
    def parameters(self) -> int:
        if self.viewer is not None:
            return int(self.viewer.parameters)
        return sum(p.numel() for p in self.network.parameters()) if self.network else 0

    def save(self, directory: Path) -> None:
        kept = {"pictures": self.viewer is not None, "inputs": self.network.inputs if self.network else 0}
        (directory / "end_to_end.json").write_text(json.dumps(kept))
        if self.viewer is not None:
            self.viewer.save(directory)
        if self.network is not None and self.scale is not None:
            from engines.ml import quantise

            quantise.save_network(self.network, directory / "network.safetensors")
            save_file({"scale": self.scale}, directory / "scale.safetensors")

    @classmethod
    def load(cls, directory: Path) -> Self:
        kept = json.loads((directory / "end_to_end.json").read_text())
        if kept["pictures"]:
            from engines.cases.bone_age.viewer import Viewer

            return cls(viewer=Viewer.load(directory))
        from engines.cases.bone_age.committee import Committee
        from engines.ml import quantise

        network = Committee(kept["inputs"])
        quantise.load_network(network, directory / "network.safetensors")
        return cls(network=network, scale=load_file(directory / "scale.safetensors")["scale"])


def _told(seen: Saliency, error: float) -> Any:
    return sums.age(seen.value, error)
