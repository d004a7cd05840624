"""Faces in a picture: the MTCNN that facenet-pytorch ships, trained by others on other photographs.

Source: Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.core.sighting import Box

SMALLEST = 20  # pixels: a face that is smaller is not looked for
THRESHOLDS = (0.6, 0.7, 0.7)  # of the three networks, as published
FACTOR = 0.6  # from one scale of the pyramid to the next: as many are found as with the 0.709 published, in two thirds
SUREST = 0.9  # below this a box is a guess, which counts only where there is nothing better
_FEWEST_PIXELS = 24
KEPT_EVERY = 200  # pictures that are new


@dataclass(frozen=True)
class Detector:
    """Finds faces. `smallest` is the side, in pixels, of the smallest face that is looked for."""

    smallest: int = SMALLEST

    def find(self, picture: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Boxes with five points (eyes, nose, corners of the mouth) in a picture (height, width, 3), that of the person
        nearest to the camera first: the largest of those that are surely faces, then the others by size."""
        if min(picture.shape[:2]) < _FEWEST_PIXELS:
            return ()
        found, points = self._search(picture)
        boxes = []
        for row, marks in zip(found, points, strict=True):
            left, top, right, bottom, sure = (float(v) for v in row)
            if right > left and bottom > top:
                places = tuple((round(float(x), 2), round(float(y), 2)) for x, y in marks)
                boxes.append(Box(*(round(v, 2) for v in (left, top, right, bottom)), min(1.0, max(0.0, sure)), places))
        return nearest_first(boxes, SUREST)

    def _search(self, picture: NDArray[np.uint8]) -> tuple[Any, Any]:
        import torch
        from facenet_pytorch.models.utils.detect_face import detect_face

        net = self._mtcnn
        with torch.inference_mode():
            try:
                boxes, points = detect_face(
                    picture[None], self.smallest, net.pnet, net.rnet, net.onet, THRESHOLDS, FACTOR, torch.device("cpu")
                )
            except (RuntimeError, ValueError, IndexError):
                # It has no way of its own to say that the first network found nothing at all.
                return (), ()
        return boxes[0], points[0]

    @cached_property
    def _mtcnn(self) -> Any:
        from facenet_pytorch import MTCNN

        return MTCNN(min_face_size=self.smallest, thresholds=list(THRESHOLDS), factor=FACTOR, device="cpu").eval()


def nearest_first(boxes: Iterable[Box], surest: float) -> tuple[Box, ...]:
    """The largest of those that are surely faces first, then the others by size."""
    return tuple(sorted(boxes, key=lambda box: (box.confidence < surest, -box.area)))


class Memory:
    """Boxes of pictures that are looked at in every run, so that a sweep does not find them again and again.

    Kept by the pictures' digests in a file of the cache. `worth` says of which digests it is kept (None: of all). The
    frames of the main test are never among them: the seconds of an answer hold the detector's. Nor is anything that a
    visitor brings.
    """

    def __init__(self, file: Path | None, worth: frozenset[bytes] | None, detector: Detector) -> None:
        self.file, self.worth, self.detector = file, worth, detector
        self.boxes: dict[bytes, tuple[Box, ...]] = _read(file) if file is not None and file.exists() else {}
        self.fresh: dict[bytes, tuple[Box, ...]] = {}

    def find(self, picture: NDArray[np.uint8]) -> tuple[Box, ...]:
        """What the detector finds, or found before."""
        if self.file is None:
            return self.detector.find(picture)
        key = digest(picture)
        if key in self.boxes:
            return self.boxes[key]
        found = self.detector.find(picture)
        if self.worth is None or key in self.worth:
            self.boxes[key] = self.fresh[key] = found
            if len(self.fresh) >= KEPT_EVERY:
                self.keep()
        return found

    def keep(self) -> None:
        """Add what is new to the file. Of two processes that do so at once the later one wins; the other's is found
        again."""
        import pyarrow

        from engines.cases.turnstile.photos import write

        if self.file is None or not self.fresh:
            return
        self.boxes = (_read(self.file) if self.file.exists() else {}) | self.boxes
        keys = list(self.boxes)
        numbers = [[v for box in self.boxes[key] for v in _numbers(box)] for key in keys]
        kinds = {"picture": pyarrow.array(keys, pyarrow.binary())}
        write(pyarrow.table(kinds | {"numbers": pyarrow.array(numbers, pyarrow.list_(pyarrow.float64()))}), self.file)
        self.fresh = {}


def _read(file: Path) -> dict[bytes, tuple[Box, ...]]:
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    rows = zip(table["picture"].to_pylist(), table["numbers"].to_pylist(), strict=True)
    return {key: tuple(_box(numbers[i : i + 15]) for i in range(0, len(numbers), 15)) for key, numbers in rows}


def digest(picture: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(picture), digest_size=12).digest()


def _numbers(box: Box) -> list[float]:
    return [box.left, box.top, box.right, box.bottom, box.confidence, *(v for point in box.points for v in point)]


def _box(numbers: list[float]) -> Box:
    points = tuple((numbers[i], numbers[i + 1]) for i in range(5, 15, 2))
    return Box(*numbers[:5], points)
