"""The pipeline with a network that others trained on far more faces: a single dot to compare with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile import crop, pipeline, sight
from engines.cases.turnstile.data import employees
from engines.core import Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape as EngineShape
from engines.core.sighting import Box, Boxes, Candidates, Cutting, Embedding
from engines.datasets.catalogue import Source
from engines.datasets.download import download

WEIGHTS = Source(
    urls=("https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",),
    file="20180402-114759-vggface2.pt",
    bytes=111_898_327,
    sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
)
SIDE = 160  # pixels of a face as that network was trained on, a box with a margin of a tenth on each side
_MARGIN = 0.1


@dataclass(frozen=True)
class FaceNet(Engine):
    """InceptionResnetV1 trained on VGGFace2; employees are enrolled with all training frames.

    Source: Schroff, Kalenichenko and Philbin 2015, "FaceNet: A Unified Embedding for Face Recognition and Clustering";
    weights: Sandberg's, as ported by facenet-pytorch.
    """

    name: ClassVar[str] = "facenet"
    shape: ClassVar[EngineShape] = "pipeline"
    version: ClassVar[int] = 1
    supervision: ClassVar[tuple[str, ...]] = (pipeline.DETECTOR, "3.3 million photos of 9,131 other people")
    reference: ClassVar[bool] = True

    network: Any = None
    people: tuple[str, ...] = ()
    gallery: NDArray[np.float32] | None = None
    threshold: float = 0.0

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Downloads the weights where they are not here, checks them, and enrols every employee.

        Raises:
            UserError: the weights cannot be had, or are not those expected.
        """
        loaded = replace(self, network=_network())
        task = employees()
        people, labels = sight.labels(task.train)
        found = [loaded._of(task.train.x[i]) for i in range(len(task.train))]
        gallery = pipeline.enrolled(np.stack(found), labels, len(people))
        callers = task.side["callers"]
        best = [float((gallery @ loaded._of(callers[i])).max()) for i in range(len(callers))]
        return replace(loaded, people=people, gallery=gallery, threshold=sight.calibrated(np.array(best)))

    def _of(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._embed(_cut(Boxes(picture, sight.find(picture)))).vector

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        return (
            sight.stages()[0],
            Stage("crop", Spec("cutting", "pixels", (SIDE, SIDE, 3)), _cut),
            Stage("embedding", Spec("embedding"), self._embed),
            Stage("people", sight.PEOPLE, self._compare),
        )

    def _embed(self, cut: Cutting) -> Embedding:
        import torch

        if not cut.picture.size:
            return Embedding(np.zeros(512, np.float32), cut.box)
        x = (torch.from_numpy(cut.picture).permute(2, 0, 1)[None].float() - 127.5) / 128.0
        with torch.inference_mode():
            return Embedding(self.network(x)[0].numpy().astype(np.float32), cut.box)

    def _compare(self, seen: Embedding) -> Candidates:
        if not seen.vector.any() or self.gallery is None:
            return Candidates((), self.threshold, seen.box)
        return sight.ranked(self.people, self.gallery @ seen.vector, self.threshold, seen.box)

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"faces": sight.truths(x, gold)["faces"]}

    def save(self, directory: Path) -> None:
        """A reference is made anew where it is needed; what it says of itself is its threshold."""
        (directory / "reference.json").write_text(json.dumps({"threshold": self.threshold}))

    @classmethod
    def load(cls, directory: Path) -> Self:
        return replace(cls().fit(TrainingData.nothing(Spec("picture")), np.random.default_rng(0)))

    @property
    def parameters(self) -> int:
        """Nothing is learned from the budget."""
        return 0


def _cut(found: Boxes) -> Cutting:
    """The box with its margin, as that network was trained on: not turned upright."""
    from PIL import Image

    if not found.boxes:
        return Cutting(crop.NOTHING)
    box: Box = found.boxes[0]
    wide, high = _MARGIN * (box.right - box.left), _MARGIN * (box.bottom - box.top)
    edges = (round(box.left - wide), round(box.top - high), round(box.right + wide), round(box.bottom + high))
    picture = Image.fromarray(found.picture).crop(edges).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return Cutting(np.array(picture), box)


def _network() -> Any:
    """The network with its weights, checked against their hash before they are read."""
    from facenet_pytorch import InceptionResnetV1
    from facenet_pytorch.models.inception_resnet_v1 import get_torch_home

    try:
        download(WEIGHTS, Path(get_torch_home()) / "checkpoints", show=False)
    except UserError as error:
        raise UserError(f"FaceNet's weights are not here: {error}") from error
    return InceptionResnetV1(pretrained="vggface2").eval()
