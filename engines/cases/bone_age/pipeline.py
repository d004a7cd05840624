"""The pipeline: find the bones, measure them, look the lengths up in a table of averages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
MASKS = "masks of the bones of 160 other hands"
ALL = "all_measures"
# reading -> how many masks its bones were learned from; its age comes from all measures
FEWER = {"masks_40": 40, "masks_10": 10}


@dataclass(frozen=True)
class Eye:
    """What finds the bones (segment.Segmenter; None where the input is measured already), and the regression that was
    learned on what it measures."""

    segmenter: Any
    regression: KernelRidge

    @property
    def parameters(self) -> int:
        return self.regression.parameters + (self.segmenter.parameters if self.segmenter else 0)


@dataclass(frozen=True)
class Pipeline(Engine):
    name: ClassVar[str] = "pipeline"
    shape: ClassVar[Shape] = "pipeline"
    version: ClassVar[int] = 5
    supervision: ClassVar[tuple[str, ...]] = (MASKS,)
    readings: ClassVar[tuple[str, ...]] = ("given_table", ALL, *FEWER)

    table: GrowthTable | None = None
    # reading that needs no table -> what it sees with; the others see with that of ALL
    eyes: Mapping[str, Eye] = field(default_factory=lambda: NOTHING)

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Raises UserError where there are pictures but no masks to learn the bones from."""
        ages = np.array([y.months for y in data.train.y])
        eyes: dict[str, Eye] = {}
        measured = list(data.train.x)
        if data.x.kind == "radiograph":
            from engines.cases.bone_age import segment

            masks = data.side.get("masks", ())
            segmenter, measured = segment.learn_and_measure(masks, data.train.x, _part(progress, 0.0, 0.5))
            eyes[ALL] = Eye(segmenter, _regression(measured, ages, rng))
            for place, (reading, count) in enumerate(FEWER.items()):
                eyes[reading] = eyes[ALL]
                if count < len(masks):
                    told = _part(progress, 0.5 + 0.25 * place, 0.25)
                    fewer, seen = segment.learn_and_measure(masks[:count], data.train.x, told)
                    eyes[reading] = Eye(fewer, _regression(seen, ages, rng))
        else:
            eyes[ALL] = Eye(None, _regression(measured, ages, rng))
            eyes |= dict.fromkeys(FEWER, eyes[ALL])
        progress(1.0, "made the table of averages")
        return replace(self, table=sums.table_of(measured, ages), eyes=eyes)

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        table, eye = self._table, self.eyes.get(reading, self.eyes[ALL])
        first: tuple[Stage, ...] = ()
        if eye.segmenter is not None:
            from engines.cases.bone_age.geometry import measures

            first = (Stage("bones", REGIONS, eye.segmenter), Stage("lengths", MEASURES, measures))
        if reading in self.eyes:
            known = eye.regression
            return (*first, Stage("age", AGE, lambda m: sums.age(known(sums.features(m)[None])[0], known.error)))
        used = self._given if reading == "given_table" else table
        return (*first, Stage("growth", GROWTH, used.look_up), Stage("age", AGE, _told))

    @property
    def segmenter(self) -> Any:
        """The one that learned from all masks; None where the input is measured already."""
        return self.eyes[ALL].segmenter if self.eyes else None

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """ "bones": the true mask; "lengths": the true lengths, as they are and not as they are seen."""
        if self.segmenter is None:
            return NOTHING
        known = {"bones": gold.get("regions"), "lengths": gold.get("lengths")}
        return {name: value() if callable(value) else value for name, value in known.items() if value is not None}

    @cached_property
    def _given(self) -> GrowthTable:
        """The given table over the ages of the budget's own."""
        table, given = self._table, sums.given_table()
        inside = (given.ages >= table.ages[0] - 1e-6) & (given.ages <= table.ages[-1] + 1e-6)
        return replace(given, ages=given.ages[inside], size=given.size[:, inside], unsure=given.unsure[:, inside])

    @property
    def _table(self) -> GrowthTable:
        if self.table is None:
            raise UserError("This pipeline has not been trained yet: fit it, or load a trained one.")
        return self.table

    @property
    def parameters(self) -> int:
        """Of the main reading and of all measures, which share what finds the bones."""
        return self._table.parameters + self.eyes[ALL].parameters

    def save(self, directory: Path) -> None:
        save_file(self._table.arrays(), directory / "table.safetensors")
        kept = {name: eye for name, eye in self.eyes.items() if name == ALL or eye is not self.eyes[ALL]}
        for name, eye in kept.items():
            folder = directory / name
            folder.mkdir()
            save_file(eye.regression.arrays(), folder / "regression.safetensors")
            if eye.segmenter is not None:
                eye.segmenter.save(folder)
        told = {"pictures": self.segmenter is not None, "eyes": list(kept)}
        (directory / "pipeline.json").write_text(json.dumps(told))

    @classmethod
    def load(cls, directory: Path) -> Self:
        kept = json.loads((directory / "pipeline.json").read_text())
        eyes = {}
        for name in kept["eyes"]:
            segmenter = None
            if kept["pictures"]:
                from engines.cases.bone_age.segment import Segmenter

                segmenter = Segmenter.load(directory / name)
            eyes[name] = Eye(segmenter, KernelRidge.of(load_file(directory / name / "regression.safetensors")))
        eyes = {name: eyes.get(name, eyes[ALL]) for name in (ALL, *FEWER)}
        return cls(GrowthTable.of(LONG, load_file(directory / "table.safetensors")), eyes)


def _regression(measured: list[Measures], ages: np.ndarray, rng: np.random.Generator) -> KernelRidge:
    return KernelRidge.fit(np.stack([sums.features(m) for m in measured]), ages, rng).rounded()


def _part(progress: Progress, start: float, share: float) -> Progress:
    """Progress of a part that begins at `start` and is `share` of the whole."""
    return lambda done, said: progress(start + share * done, said)


def _told(found: Growth) -> Age:
    return Age(found.months, found.low, found.high)


__all__ = ["AGE", "GROWTH", "MEASURES", "REGIONS", "Measures", "Pipeline"]
