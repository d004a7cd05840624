"""What pipeline and hybrid have in common: find the face, cut it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile import crop, frames, metric
from engines.cases.turnstile.detect import SUREST
from engines.core import Progress, Spec, Split, Stage
from engines.core.sighting import Box, Boxes, Candidates, Cutting

SHOWN = 10  # candidates
PEOPLE = Spec("candidates", "score")
Find = Callable[[NDArray[np.uint8]], tuple[Box, ...]]


def find(picture: NDArray[np.uint8]) -> tuple[Box, ...]:
    """The faces that the detector of others finds, the nearest first."""
    return frames.memory().find(picture)


def stages(find: Find = find) -> tuple[Stage, ...]:
    """Frame -> boxes, the nearest face first -> that face, upright."""
    return (
        Stage("faces", Spec("boxes", "pixels"), lambda x: Boxes(x, find(x))),
        Stage("crop", Spec("cutting", "pixels", (crop.SIDE, crop.SIDE, 3)), crop.cutting),
    )


def truths(x: NDArray[np.uint8], gold: Mapping[str, Any]) -> Mapping[str, Any]:
    """The true box, and the face as it was in the photo before the camera blurred and shrank it."""
    box = crop.true_box(gold["photo"], gold["placed"])
    return {"faces": Boxes(x, (box,)), "crop": Cutting(crop.true_cut(gold["photo"]), box)}


def cuttings(x: Any, progress: Progress, what: str, find: Find = find) -> NDArray[np.uint8]:
    """The faces found in frames, uint8 (n, SIDE, SIDE, 3); the middle of the frame where none is found."""
    made = []
    for i in range(len(x)):
        picture = x[i]
        cut = crop.cutting(Boxes(picture, find(picture))).picture
        made.append(cut if cut.size else crop.cut(picture, _middle(picture)))
        if i % 50 == 49:
            progress(i / len(x), f"found the face of {i + 1} of {len(x)} {what}")
    frames.memory().keep()
    return np.stack(made)


def _middle(picture: NDArray[np.uint8]) -> Box:
    height, width = picture.shape[:2]
    return Box(width / 3, height / 3, 2 * width / 3, 2 * height / 3)


def labels(train: Split) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The people of a budget, in order of name, and the place of each example's."""
    found = [train.gold[i]["name"] for i in range(len(train))]
    people = tuple(sorted(set(found)))
    return people, np.array([people.index(name) for name in found], np.int64)


def ranked(people: tuple[str, ...], scores: NDArray[np.floating[Any]], threshold: float, box: Box | None) -> Candidates:
    """The best of the people by score (k,)."""
    best = np.argsort(-scores, kind="stable")[:SHOWN]
    return Candidates(tuple((people[i], float(scores[i])) for i in best), threshold, box)


def calibrated(scores: NDArray[np.floating[Any]]) -> float:
    """The threshold that lets in `metric.LIMIT` of the callers, whose best scores are given, (n,)."""
    above = np.nextafter(metric.threshold(scores.astype(np.float64), metric.LIMIT), np.inf)
    return float(above) if np.isfinite(above) else 0.0


# What a picture must show to enrol someone: a face so large, alone, and so sharp. Sharpness is the mean square of the
# Laplacian of the grey cutting (Pech-Pacheco et al. 2000); of the training frames a tenth lie below SHARP.
LARGE, ALONE, SHARP = 36.0, 0.5, 125.0


def unfit(picture: NDArray[np.uint8]) -> str:
    """Why a picture will not do to enrol someone: one sentence, or "" when it will."""
    found = [box for box in find(picture) if box.confidence >= SUREST]
    if not found:
        return "No face can be seen: look into the camera, with light from the front."
    if len(found) > 1 and found[1].area > ALONE * found[0].area:
        return f"{len(found)} faces can be seen, and it is not clear whose is meant: be alone in the picture."
    if found[0].right - found[0].left < LARGE:
        return "The face is too small: come nearer."
    cut = crop.cut(picture, found[0]).astype(np.float64).mean(axis=2)
    laplacian = 4 * cut[1:-1, 1:-1] - cut[:-2, 1:-1] - cut[2:, 1:-1] - cut[1:-1, :-2] - cut[1:-1, 2:]
    if float(np.mean(laplacian**2)) < SHARP:
        return "The picture is blurred: hold still, or clean the lens."
    return ""
