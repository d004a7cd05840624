"""A face cut out and turned upright by its landmarks: eyes, nose and mouth always lie in the same places.

Source: the similarity of least squares, Umeyama 1991, "Least-squares estimation of transformation parameters between
two point patterns"; the places are those in wide use since SphereFace (Liu et al. 2017), with a wider margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile import frames, photos
from engines.cases.turnstile.compose import Placed
from engines.core.sighting import Box, Boxes, Cutting

SIDE = 80  # pixels of a cutting; networks look at the middle 64, augmentation at what lies around it too
# Eyes, nose, corners of the mouth in a picture of 112 x 112.
_PLACES = np.array([(38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20)])
_ZOOM = 0.5  # a face is about 56 of the 80 pixels
TEMPLATE = (_PLACES - 56) * _ZOOM + SIDE / 2
NOTHING = np.zeros((0, 0, 3), np.uint8)


def similarity(points: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (2, 3) matrix of scale, turn and shift that brings `points` (k, 2) nearest to `targets` (k, 2)."""
    middle, aim = points.mean(axis=0), targets.mean(axis=0)
    here, there = points - middle, targets - aim
    norm = max(float((here**2).sum()), 1e-9)
    a = float((here * there).sum()) / norm
    b = float((here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]).sum()) / norm
    turn = np.array([[a, -b], [b, a]])
    return np.hstack([turn, (aim - turn @ middle)[:, None]])


def cut(picture: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The face of a box, uint8 (SIDE, SIDE, 3); by the box alone where it has no points."""
    from PIL import Image

    points = np.array(box.points) if len(box.points) == len(TEMPLATE) else _guessed(box)
    turn = similarity(points, TEMPLATE)
    scale = float(np.hypot(turn[0, 0], turn[1, 0]))
    if not np.isfinite(scale) or scale < 1e-3:
        return NOTHING
    image, shrunk = Image.fromarray(picture), 1
    if scale < 0.5:
        # Averaged first where many pixels become one.
        shrunk = int(min(1 / scale, 16))
        image = image.reduce(shrunk)
    linear = np.linalg.inv(turn[:, :2])
    back = np.hstack([linear, (-linear @ turn[:, 2])[:, None]]) / shrunk
    cutting = image.transform((SIDE, SIDE), Image.Transform.AFFINE, tuple(back.ravel()), Image.Resampling.BILINEAR)
    return np.array(cutting)


def _guessed(box: Box) -> NDArray[np.float64]:
    """Where eyes, nose and mouth lie in the box of an upright face."""
    shares = np.array([(0.33, 0.38), (0.67, 0.38), (0.5, 0.58), (0.36, 0.75), (0.64, 0.75)])
    return np.array([box.left, box.top]) + shares * np.array([box.right - box.left, box.bottom - box.top])


def cutting(found: Boxes) -> Cutting:
    """The stage: the box that counts, cut out; nothing where there is none."""
    if not found.boxes:
        return Cutting(NOTHING)
    return Cutting(cut(found.picture, found.boxes[0]), found.boxes[0])


def true_box(photo: int, placed: Placed) -> Box:
    """The box that a photo's face has in a frame, with the landmarks that are seen in the photo itself."""
    return placed.box(landmarks(photo).points)


def true_cut(photo: int) -> NDArray[np.uint8]:
    """The face of a photo as it was before it became part of a frame."""
    return cut(photos.photos().pixels(photo), landmarks(photo))


def usual(shown: Sequence[int]) -> NDArray[np.float64]:
    """Where eyes, nose and mouth lie in the mean of these photos, (5, 2) in a photo's own pixels."""
    return np.asarray(np.mean([landmarks(photo).points for photo in shown], axis=0))


def landmarks(photo: int) -> Box:
    """The face in the middle of a photo: what the detector sees there, or the box that the data set declares."""
    low, high = (photos.SIDE - photos.FACE) / 2, (photos.SIDE + photos.FACE) / 2
    declared = Box(low, low, high, high)
    seen = frames.of_photos().find(photos.photos().pixels(photo))
    best = max(seen, key=declared.overlap, default=declared)
    return best if declared.overlap(best) > 0.2 else Box(low, low, high, high, points=_points(declared))


def _points(box: Box) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in _guessed(box))


@cache
def cuttings(chosen: tuple[int, ...]) -> NDArray[np.uint8]:
    """The faces of photos, uint8 (n, SIDE, SIDE, 3)."""
    made = np.stack([true_cut(i) for i in chosen])
    frames.of_photos().keep()
    return made
