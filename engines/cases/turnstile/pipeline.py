"""Detect, cut out, and compare with everybody on file: a verifier trained on other people, enrolled with the budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from engines.cases.turnstile import crop, sight, verifier
from engines.cases.turnstile.data import Faces
from engines.cases.turnstile.networks import Shape
from engines.cases.turnstile.verifier import Verifier
from engines.core import Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape as EngineShape
from engines.core.sighting import Box, Boxes, Candidates, Cutting, Embedding
from engines.ml import quantise

DETECTOR = "a face detector trained by others (MTCNN)"
# Of so many other people the most alike to a face say how alike anybody at all is to it.
COHORT, NEAREST = 600, 100


@dataclass(frozen=True)
class Pipeline(Engine):
    """`people` (k,) are on file with one direction each, `gallery` float32 (k, size); `cohort` float32 (c, size) are
    directions of other people, who are not on file."""

    name: ClassVar[str] = "pipeline"
    shape: ClassVar[EngineShape] = "pipeline"
    version: ClassVar[int] = 3
    supervision: ClassVar[tuple[str, ...]] = (DETECTOR, "4,529 photos of other people")
    others: ClassVar[int | None] = None  # photos of other people at most; None: all

    verifier: Verifier | None = None
    people: tuple[str, ...] = ()
    gallery: NDArray[np.float32] | None = None
    cohort: NDArray[np.float32] | None = None
    threshold: float = 0.0

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Trains the verifier on the side data (or takes it from the cache) and enrols the budget's people."""
        cuttings = sight.cuttings(data.train.x, lambda f, s: progress(0.1 * f, s), "frames", self.find)
        people, labels = sight.labels(data.train)
        made = self._verifier_for(data, cuttings, labels, rng, lambda f, s: progress(0.1 + 0.8 * f, s))
        gallery = enrolled(made.directions(cuttings), labels, len(people)).astype(np.float16)
        cohort = rounded(made.directions(one_each(*self._side(data))))
        fitted = replace(self, verifier=made, people=people, gallery=gallery.astype(np.float32), cohort=cohort)
        callers = sight.cuttings(
            data.side["callers"], lambda f, s: progress(0.9 + 0.1 * f, s), "strangers' frames", self.find
        )
        best = fitted.scores(made.directions(callers)).max(axis=1)
        return replace(fitted, threshold=sight.calibrated(best))

    def find(self, picture: NDArray[np.uint8]) -> tuple[Box, ...]:
        """The faces in a picture, the nearest first."""
        return sight.find(picture)

    def scores(
        self, directions: NDArray[np.float32], gallery: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """How much more alike faces of these `directions` (n, size) are to everybody on file, (n, k), than to those of
        the cohort who are most alike to them, in standard deviations of the latter.

        A blurred face is somewhat like everybody's, which by cosines alone lets strangers in. Source: the adaptive test
        normalisation of Sturim and Reynolds 2005, "Speaker adaptive cohort selection for Tnorm".
        """
        alike = np.sort(directions @ self._cohort.T, axis=1)[:, -NEAREST:]
        middle, width = alike.mean(axis=1, keepdims=True), alike.std(axis=1, keepdims=True)
        found = directions @ (self.on_file if gallery is None else gallery).T
        return np.asarray((found - middle) / np.maximum(width, 1e-3), np.float32)

    def _verifier_for(
        self,
        data: TrainingData,
        cuttings: NDArray[np.uint8],
        labels: NDArray[np.int64],
        rng: np.random.Generator,
        progress: Progress,
    ) -> Verifier:
        return verifier.verifier(*self._side(data), data.side["seed"], progress)

    def _side(self, data: TrainingData) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """(cuttings, labels) of the other people."""
        faces: Faces = data.side["others"]
        if self.others is not None and self.others < len(faces):
            faces = faces.some(self.others, data.side["seed"])
        return faces.cuttings(), faces.labels()

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        return (
            *sight.stages(self.find),
            Stage("embedding", Spec("embedding"), self._embed),
            Stage("people", sight.PEOPLE, self._compare),
        )

    def _embed(self, cut: Cutting) -> Embedding:
        return Embedding(self.comparer.directions([cut.picture])[0], cut.box)

    def _compare(self, seen: Embedding) -> Candidates:
        if not seen.vector.any():
            return Candidates((), self.threshold, seen.box)
        return sight.ranked(self.people, self.scores(seen.vector[None])[0], self.threshold, seen.box)

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        return sight.truths(x, gold)

    def unfit(self, picture: NDArray[np.uint8]) -> str:
        """Why a picture will not do to enrol someone: one sentence, or "" when it will."""
        return sight.unfit(picture)

    def enrol(self, name: str, pictures: Sequence[NDArray[np.uint8]]) -> Self:
        """A copy that also has `name` on file, by the nearest face of each picture; nothing is written anywhere.

        Raises:
            UserError: the name is empty or taken, or no picture shows a face.
        """
        if not name.strip() or name in self.people:
            raise UserError("Give a name that nobody on file has.")
        cuts = [crop.cutting(Boxes(picture, self.find(picture))).picture for picture in pictures]
        made = enrolled(self.comparer.directions(cuts), np.zeros(len(cuts), np.int64), 1)
        if not made.any():
            raise UserError("No face was found to enrol: bring a picture that shows one from the front.")
        return replace(self, people=(*self.people, name), gallery=np.concatenate([self.on_file, made]))

    @property
    def comparer(self) -> Verifier:
        """What tells whether two faces are of one person."""
        if self.verifier is None:
            raise UserError("This engine has not been trained yet: fit it, or load a trained one.")
        return self.verifier

    @property
    def on_file(self) -> NDArray[np.float32]:
        """A direction for everybody on file, (k, size)."""
        if self.gallery is None:
            raise UserError("This engine has not been trained yet: fit it, or load a trained one.")
        return self.gallery

    @property
    def _cohort(self) -> NDArray[np.float32]:
        if self.cohort is None:
            raise UserError("This engine has not been trained yet: fit it, or load a trained one.")
        return self.cohort

    @property
    def parameters(self) -> int:
        return self.comparer.parameters + self.on_file.size

    def save(self, directory: Path) -> None:
        self.comparer.save(directory)
        save_file({"gallery": self.on_file.astype(np.float16)}, directory / "gallery.safetensors")
        save_file(_kept(self._cohort), directory / "cohort.safetensors")
        meta = {"people": self.people, "threshold": self.threshold, "shape": self.comparer.network.shape.to_json()}
        (directory / "engine.json").write_text(json.dumps(meta, separators=(",", ":")))

    @classmethod
    def load(cls, directory: Path) -> Self:
        meta = json.loads((directory / "engine.json").read_text())
        made = Verifier.load(Shape.from_json(meta["shape"]), directory)
        gallery = load_file(directory / "gallery.safetensors")["gallery"].astype(np.float32)
        cohort = _read(load_file(directory / "cohort.safetensors"), gallery.shape[1])
        return cls(made, tuple(meta["people"]), gallery, cohort, meta["threshold"])


def one_each(cuttings: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The first cutting of every person, of COHORT people at most."""
    _, first = np.unique(labels, return_index=True)
    return cuttings[first[:COHORT]]


def rounded(cohort: NDArray[np.float32]) -> NDArray[np.float32]:
    """As it is saved: a few bits a number."""
    return quantise.unpacked(quantise.packed({"cohort": cohort}, quantise.NETWORK_BITS))["cohort"]


def _kept(cohort: NDArray[np.float32]) -> quantise.Packed:
    kept = quantise.packed({"cohort": cohort}, quantise.NETWORK_BITS)
    return {**kept, "cohort": quantise.crammed(kept["cohort"], quantise.NETWORK_BITS)}


def _read(kept: quantise.Packed, size: int) -> NDArray[np.float32]:
    shape = (len(kept["cohort/scale"]), size)
    steps = quantise.uncrammed(np.asarray(kept["cohort"], np.uint8), quantise.NETWORK_BITS, shape)
    return quantise.unpacked({**kept, "cohort": steps})["cohort"]


def enrolled(embeddings: NDArray[np.float32], labels: NDArray[np.int64], people: int) -> NDArray[np.float32]:
    """One direction a person, (people, size): the mean of all of theirs, of length 1."""
    sums = np.zeros((people, embeddings.shape[1]), np.float32)
    np.add.at(sums, labels, embeddings)
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
