"""The pipeline: find the bones, measure them, look the lengths up in a table of averages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from safetensors.numpy import load_file, save_file

from engines.cases.bone_age import reading as sums
from engines.cases.bone_age.anatomy import LABELS, LONG
from engines.cases.bone_age.growth import GrowthTable
from engines.core import NOTHING, Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape
from engines.core.radiograph import Age, Growth, Measures
from engines.ml.kernel import KernelRidge

REGIONS = Spec("regions", labels=LABELS)
MEASURES, GROWTH, AGE = Spec("measures", "mm"), Spec("growth", "months"), Spec("age", "months")


@dataclass(frozen=True)
class Pipeline(Engine):
    name: ClassVar[str] = "pipeline"
    shape: ClassVar[Shape] = "pipeline"
    version: ClassVar[int] = 1
    supervision: ClassVar[tuple[str, ...]] = ("masks of the bones of other hands",)
    readings: ClassVar[tuple[str, ...]] = ("given_table", "all_measures")

    segmenter: Any = None  # segment.Segmenter; None where the input is measured already
    table: GrowthTable | None = None
    regression: KernelRidge | None = None

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Raises UserError where there are pictures but no masks to learn the bones from."""
        segmenter, measured = None, list(data.train.x)
        if data.x.kind == "radiograph":
            from engines.cases.bone_age import segment

            segmenter = segment.learn(data.side.get("masks", ()), rng, lambda f, s: progress(0.7 * f, s))
            measured = segment.measure_all(segmenter, data.train.x, lambda f, s: progress(0.7 + 0.28 * f, s))
        ages = np.array([y.months for y in data.train.y])
        table = sums.table_of(measured, ages)
        regression = KernelRidge.fit(np.stack([sums.features(m) for m in measured]), ages, rng).rounded()
        progress(1.0, "made the table of averages")
        return replace(self, segmenter=segmenter, table=table, regression=regression)

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        table, regression = self._fitted
        first: tuple[Stage, ...] = ()
        if self.segmenter is not None:
            from engines.cases.bone_age.geometry import measures

            first = (Stage("bones", REGIONS, self.segmenter), Stage("lengths", MEASURES, measures))
        if reading == "all_measures":
            return (
                *first,
                Stage("age", AGE, lambda m: sums.age(regression(sums.features(m)[None])[0], regression.error)),
            )
        used = self._given if reading == "given_table" else table
        return (*first, Stage("growth", GROWTH, used.look_up), Stage("age", AGE, _told))

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """ "bones": the true mask; "lengths": the true lengths, as they are and not as they are seen."""
        if self.segmenter is None:
            return NOTHING
        known = {"bones": gold.get("regions"), "lengths": gold.get("lengths")}
        return {name: value() if callable(value) else value for name, value in known.items() if value is not None}

    @cached_property
    def _given(self) -> GrowthTable:
        """The given table over the ages of the budget's own."""
        table, given = self._fitted[0], sums.given_table()
        inside = (given.ages >= table.ages[0] - 1e-6) & (given.ages <= table.ages[-1] + 1e-6)
        return replace(given, ages=given.ages[inside], size=given.size[:, inside], unsure=given.unsure[:, inside])

    @property
    def _fitted(self) -> tuple[GrowthTable, KernelRidge]:
        if self.table is None or self.regression is None:
            raise UserError("This pipeline has not been trained yet: fit it, or load a trained one.")
        return self.table, self.regression

    @property
    def parameters(self) -> int:
        table, regression = self._fitted
        return table.parameters + regression.parameters + (self.segmenter.parameters if self.segmenter else 0)

    def save(self, directory: Path) -> None:
        table, regression = self._fitted
        save_file(table.arrays(), directory / "table.safetensors")
        save_file(regression.arrays(), directory / "regression.safetensors")
        if self.segmenter is not None:
            self.segmenter.save(directory)
        (directory / "pipeline.json").write_text(json.dumps({"pictures": self.segmenter is not None}))

    @classmethod
    def load(cls, directory: Path) -> Self:
        kept = json.loads((directory / "pipeline.json").read_text())
        segmenter = None
        if kept["pictures"]:
            from engines.cases.bone_age.segment import Segmenter

            segmenter = Segmenter.load(directory)
        table = GrowthTable.of(LONG, load_file(directory / "table.safetensors"))
        return cls(segmenter, table, KernelRidge.of(load_file(directory / "regression.safetensors")))


def _told(found: Growth) -> Age:
    return Age(found.months, found.low, found.high)


__all__ = ["AGE", "GROWTH", "MEASURES", "REGIONS", "Measures", "Pipeline"]
