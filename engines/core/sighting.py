"""Values of a case that looks for someone in a picture: the picture, boxes on it, an embedding, who it may be.

All are compared by content, arrays included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.core.content import Content

if TYPE_CHECKING:
    from engines.core.engine import Progress
    from engines.core.split import TrainingData

Picture = NDArray[np.uint8]
Single = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of a picture, `left` < `right` and `top` < `bottom`, with a `confidence` in [0, 1] and
    `points` (x, y) in it, for instance eyes, nose and corners of the mouth."""

    left: float
    top: float
    right: float
    bottom: float
    confidence: float = 1.0
    points: tuple[tuple[float, float], ...] = ()

    @property
    def area(self) -> float:
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def overlap(self, other: Box) -> float:
        """Intersection over union, in [0, 1]."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        common = max(0.0, width) * max(0.0, height)
        return common / max(self.area + other.area - common, 1e-9)


@dataclass(frozen=True, eq=False)
class Boxes(Content):
    """What was found on `picture`: the box that counts first, then the others."""

    picture: Picture
    boxes: tuple[Box, ...]

    def problem(self) -> str | None:
        if wrong := _picture(self.picture):
            return wrong
        for box in self.boxes:
            if not (box.left < box.right and box.top < box.bottom):
                return f"a box runs from ({box.left}, {box.top}) to ({box.right}, {box.bottom})"
            if not 0 <= box.confidence <= 1:
                return f"a box's confidence is {box.confidence}"
        return None


@dataclass(frozen=True, eq=False)
class Embedding(Content):
    """`vector` float32 (k,), of length 1, or all zero where there was nothing to embed; `box` is where it was found."""

    vector: Single
    box: Box | None = None

    def problem(self) -> str | None:
        if not isinstance(self.vector, np.ndarray) or self.vector.dtype != np.float32 or self.vector.ndim != 1:
            return "an embedding must be a float32 array of one axis"
        return None if np.isfinite(self.vector).all() else "an embedding holds a number that is not finite"


@dataclass(frozen=True, eq=False)
class Cutting(Content):
    """What was cut out of a picture, of no size where there was nothing, and the box that it comes from."""

    picture: Picture
    box: Box | None = None

    def problem(self) -> str | None:
        if self.picture.size == 0 and self.picture.dtype == np.uint8:
            return None
        return _picture(self.picture)


@dataclass(frozen=True, eq=False)
class Attention(Content):
    """Where a network looked: `heat` float32 (rows, columns) at least 0, laid over the whole of `picture`, and the
    `scores` (k,) that it came to."""

    picture: Picture
    heat: Single
    scores: Single

    def problem(self) -> str | None:
        if wrong := _picture(self.picture):
            return wrong
        if self.heat.dtype != np.float32 or self.heat.ndim != 2 or self.heat.size == 0 or not self.heat.min() >= 0:
            return "attention must be a float32 array of two axes, at least 0"
        return None if np.isfinite(self.scores).all() else "attention's scores hold a number that is not finite"


@dataclass(frozen=True)
class Candidates:
    """Who it may be: `people` (name, score), best first; `threshold` is the score from which the best is let in. `box`
    is where that person was found. Nobody at all: no people."""

    people: tuple[tuple[str, float], ...]
    threshold: float = 0.0
    box: Box | None = None

    @property
    def opens(self) -> bool:
        return bool(self.people) and self.people[0][1] >= self.threshold

    def problem(self) -> str | None:
        scores = [score for _, score in self.people]
        if not all(math.isfinite(score) for score in (*scores, self.threshold)):
            return "a candidate's score is not finite"
        return None if scores == sorted(scores, reverse=True) else "candidates must come best first"

    def __str__(self) -> str:
        if not self.opens:
            return "unknown: stays shut"
        return f"{self.people[0][0].replace('_', ' ')}: opens"


KINDS: dict[str, type] = {
    "picture": np.ndarray,
    "boxes": Boxes,
    "cutting": Cutting,
    "embedding": Embedding,
    "attention": Attention,
    "candidates": Candidates,
}


def problem(kind: str, value: Any) -> str | None:
    """Why `value` is not of this kind, or None when it is."""
    if not isinstance(value, KINDS[kind]):
        return f"{kind} must be {KINDS[kind].__name__}, not {type(value).__name__}"
    if isinstance(value, np.ndarray):
        return _picture(value)
    found: str | None = value.problem()  # type: ignore[attr-defined]
    return found


def _picture(value: Any) -> str | None:
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] != 3:
        return "a picture must be a uint8 array of (height, width, 3)"
    return None if value.size else "a picture has no pixels"


class Enrols(Protocol):
    """An engine that compares with whoever is on file, so that people can be added to it without training."""

    people: tuple[str, ...]
    threshold: float

    def unfit(self, picture: Picture) -> str:
        """Why a picture will not do to enrol someone, one sentence, or "" when it will."""

    def enrol(self, name: str, pictures: Sequence[Picture]) -> Enrols:
        """A copy that also has `name` on file; nothing is written anywhere."""


class Learns(Protocol):
    """An engine that knows only whom it was trained on, and must be trained again for anybody else."""

    people: tuple[str, ...]
    threshold: float

    def again(
        self,
        data: TrainingData,
        people: Mapping[str, Sequence[Picture]],
        rng: np.random.Generator,
        progress: Progress = ...,
    ) -> Learns:
        """One trained on `data` and on the pictures of these `people` too; nothing of theirs is written anywhere."""


def rates(statistics: NDArray[np.floating[Any]], threshold: float) -> tuple[float, float]:
    """(FNIR, FPIR), as shares, of answers measured as (on file, right, score, ...) with 1 for yes: of those on file,
    how many did not come first with a score of at least `threshold`; of strangers, how many gave such a score. NaN
    where there were none.

    Source: the terms of NIST's Face Recognition Vendor Test, NISTIR 8271.
    """
    on_file, right, scores = statistics[:, 0] > 0, statistics[:, 1] > 0, statistics[:, 2]
    missed = ~(right & (scores >= threshold))[on_file]
    let_in = scores[~on_file] >= threshold
    return (float(missed.mean()) if missed.size else math.nan, float(let_in.mean()) if let_in.size else math.nan)
