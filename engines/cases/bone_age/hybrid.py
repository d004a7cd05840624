"""The hybrid: the pipeline finds and measures the bones, a network reads the age off what was found.

On pictures it looks at the cut-out bones and their measures. Where lengths are all there is, it corrects the age of the
table by the pattern of lengths; it learns that from ages looked up in tables of other children (five folds), since a
table fits the children it was made from too well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from engines.cases.bone_age import reading as sums
from engines.cases.bone_age.anatomy import LONG
from engines.cases.bone_age.growth import GrowthTable
from engines.cases.bone_age.pipeline import AGE, GROWTH, MASKS, REGIONS
from engines.core import NOTHING, Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape
from engines.core.radiograph import Age, Growth

FOLDS = 5
CROPS = Spec("crops")


@dataclass(frozen=True)
class Hybrid(Engine):
    name: ClassVar[str] = "hybrid"
    shape: ClassVar[Shape] = "hybrid"
    version: ClassVar[int] = 5
    supervision: ClassVar[tuple[str, ...]] = (MASKS,)

    segmenter: Any = None  # segment.Segmenter
    reader: Any = None  # crops.Reader: crops and measures -> age
    table: GrowthTable | None = None
    corrector: Any = None  # committee.Committee: months that the table is wrong by

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Raises UserError where there are pictures but no masks to learn the bones from."""
        from engines.cases.bone_age import committee

        ages = np.array([y.months for y in data.train.y])
        if data.x.kind == "radiograph":
            from engines.cases.bone_age import crops, segment

            segmenter = segment.learn(data.side.get("masks", ()), lambda f, s: progress(0.45 * f, s))
            cut = crops.cut_all(segmenter, data.train.x, lambda f, s: progress(0.45 + 0.2 * f, s))
            reader = crops.learn(cut, ages, rng, lambda f, s: progress(0.65 + 0.35 * f, s))
            return replace(self, segmenter=segmenter, reader=reader)
        measured = list(data.train.x)
        folds = rng.permutation(len(measured)) % min(FOLDS, len(measured))
        looked: list[Growth | None] = [None] * len(measured)
        for fold in range(int(folds.max()) + 1):
            others, these = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            table = sums.table_of([measured[i] for i in others], ages[others]) if len(others) else None
            for i in these:
                looked[i] = table.look_up(measured[i]) if table else None
        kept = [i for i, one in enumerate(looked) if one is not None]
        table = sums.table_of(measured, ages)
        corrector = None
        if len(kept) >= 2:
            inputs = np.stack([_inputs(found) for i in kept if (found := looked[i])])
            missed = ages[kept] - np.array([found.months for i in kept if (found := looked[i])])
            corrector = committee.fit(inputs, missed, rng, progress, quiet=0.1)
        return replace(self, table=table, corrector=corrector)

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        if self.segmenter is not None:
            from engines.cases.bone_age import crops

            return (
                Stage("bones", REGIONS, self.segmenter),
                Stage("crops", CROPS, crops.cut),
                Stage("age", AGE, self.reader),
            )
        if self.table is None:
            raise UserError("This hybrid has not been trained yet: fit it, or load a trained one.")
        return (Stage("growth", GROWTH, self.table.look_up), Stage("age", AGE, self._corrected))

    def _corrected(self, found: Growth) -> Age:
        if self.corrector is None:
            return Age(found.months, found.low, found.high)
        from engines.cases.bone_age import committee

        missed = float(committee.answers(self.corrector, _inputs(found)[None])[0])
        months = float(np.clip(found.months + missed, 0.0, sums.OLDEST))
        return Age(months, min(months, found.low + missed), max(months, found.high + missed))

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """ "bones": the true mask."""
        found = gold.get("regions") if self.segmenter is not None else None
        return NOTHING if found is None else {"bones": found() if callable(found) else found}

    @property
    def parameters(self) -> int:
        if self.segmenter is not None:
            return int(self.segmenter.parameters + self.reader.parameters)
        corrector = sum(p.numel() for p in self.corrector.parameters()) if self.corrector else 0
        return (self.table.parameters if self.table else 0) + corrector

    def save(self, directory: Path) -> None:
        kept = {"pictures": self.segmenter is not None, "inputs": self.corrector.inputs if self.corrector else 0}
        (directory / "hybrid.json").write_text(json.dumps(kept))
        if self.segmenter is not None:
            self.segmenter.save(directory)
            self.reader.save(directory)
        if self.table is not None:
            save_file(self.table.arrays(), directory / "table.safetensors")
        if self.corrector is not None:
            from engines.ml import quantise

            quantise.save_network(self.corrector, directory / "corrector.safetensors")

    @classmethod
    def load(cls, directory: Path) -> Self:
        kept = json.loads((directory / "hybrid.json").read_text())
        if kept["pictures"]:
            from engines.cases.bone_age.crops import Reader
            from engines.cases.bone_age.segment import Segmenter

            return cls(Segmenter.load(directory), Reader.load(directory))
        from engines.cases.bone_age.committee import Committee
        from engines.ml import quantise

        corrector = None
        if kept["inputs"]:
            corrector = Committee(kept["inputs"])
            quantise.load_network(corrector, directory / "corrector.safetensors")
        table = GrowthTable.of(LONG, load_file(directory / "table.safetensors"))
        return cls(table=table, corrector=corrector)


def _inputs(found: Growth) -> NDArray[np.float64]:
    """(k + 2,): z-scores of every bone (0 where it is missing), the age looked up and how sure it is."""
    scores = dict(zip(found.names, found.z, strict=True))
    pattern = [float(np.clip(scores.get(name, 0.0), -4, 4)) for name in LONG]
    return np.array([*pattern, (found.months - 144) / 36, (found.high - found.low) / 72])
