"""Is it a hand, whole and the right way up? Asked of what visitors bring, never of the data of a task.

The largest kept pipeline looks for the bones; the picture is tried as it is, in inverted greys and upside down, and cut
to the hand where that is small in it. Where no pipeline is kept yet, the picture is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from engines.cases.bone_age import decode, reading
from engines.cases.bone_age.anatomy import LONG
from engines.cases.bone_age.simulate import HEIGHT, WIDTH
from engines.core import UserError
from engines.core.radiograph import Radiograph
from engines.runs import RunStore, kept_models, opened

ENOUGH = 13  # of the 19 bones
SOME = 8  # more than chance finds in what is no hand
FAR = 0.25  # log units that a bone may lie off what the others let expect


@dataclass(frozen=True)
class Seen:
    """`picture` at the working size, how many long bones were found in a sensible size, and which were not."""

    picture: Radiograph
    count: int
    missing: tuple[str, ...]
    box: tuple[float, float, float, float]  # top, bottom, left, right of the bones, as shares of the picture


def checked(found: Radiograph, name: str) -> Radiograph:
    """The picture at the working size, greys and cut put right.

    Raises:
        UserError: it shows no hand, one upside down, or one that is cut off.
    """
    segmenter = _segmenter()
    whole = _laid(found)
    if segmenter is None:
        return whole
    seen = look(segmenter, whole)
    inverted = look(segmenter, _laid(replace(found, pixels=1 - found.pixels)))
    if inverted.count > seen.count + 2 and inverted.count >= SOME:
        found, seen = replace(found, pixels=1 - found.pixels), inverted
    if seen.count >= 6 and found.pixels.shape != (HEIGHT, WIDTH) and _small(seen):
        closer = _cut(found, seen)
        again = look(segmenter, _laid(closer))
        if again.count >= seen.count:
            seen = again
    if seen.count < ENOUGH:
        if max(look(segmenter, one).count for one in _turned(seen.picture)) >= max(SOME, seen.count + 4):
            raise UserError(f"{name} shows a hand upside down: turn it so that the fingers point up.")
        if seen.count >= SOME:
            lost = ", ".join(seen.missing[:4])
            raise UserError(f"{name} shows a part of a hand at most ({lost} were not found): bring all of a hand.")
        raise UserError(f"{name} does not look like an X-ray of a hand: bring one, seen from the back or the palm.")
    tips = [bone for bone in ("DP2", "DP3", "DP4", "DP5") if bone in seen.missing]
    if len(tips) >= 2:
        raise UserError(f"{name} shows a hand whose fingertips are cut off: bring all of the hand.")
    return seen.picture


def look(segmenter: Any, picture: Radiograph) -> Seen:
    """What of a hand is to be seen in a picture of the working size."""
    from engines.cases.bone_age.geometry import measures

    regions = segmenter(picture)
    measured = measures(regions).lengths(LONG).astype(float)
    table = reading.given_table()
    shape = table.average(picture.sex).mean(axis=1)
    rest = np.log(np.maximum(measured, 1e-3)) - shape
    middle = float(np.nanmedian(rest)) if np.isfinite(rest).any() else 0.0
    sensible = np.isfinite(rest) & (np.abs(rest - middle) < FAR)
    rows, columns = np.nonzero(regions.labels)
    box = (0.0, 1.0, 0.0, 1.0)
    if len(rows):
        box = (
            float(rows.min() / HEIGHT),
            float((rows.max() + 1) / HEIGHT),
            float(columns.min() / WIDTH),
            float((columns.max() + 1) / WIDTH),
        )
    missing = tuple(name for name, good in zip(LONG, sensible, strict=True) if not good)
    return Seen(picture, int(sensible.sum()), missing, box)


def _laid(found: Radiograph) -> Radiograph:
    if found.pixels.shape == (HEIGHT, WIDTH):
        return found
    return decode.fitted(found.pixels, found.mm_per_pixel, found.sex, found.note)


def _turned(picture: Radiograph) -> tuple[Radiograph, Radiograph]:
    """Upside down, in both greys."""
    pixels = np.ascontiguousarray(picture.pixels[::-1, ::-1])
    return replace(picture, pixels=pixels), replace(picture, pixels=1 - pixels)


def _small(seen: Seen) -> bool:
    top, bottom, left, right = seen.box
    return max(bottom - top, right - left) < 0.7


def _cut(found: Radiograph, seen: Seen) -> Radiograph:
    """The part of the original around the bones, with a margin."""
    height, width = found.pixels.shape
    step = max(height / HEIGHT, width / WIDTH)
    size = (round(height / step), round(width / step))
    top, left = HEIGHT - size[0], (WIDTH - size[1]) // 2
    rows = [int((share * HEIGHT - top) * step) for share in seen.box[:2]]
    columns = [int((share * WIDTH - left) * step) for share in seen.box[2:]]
    margin = int(0.08 * (rows[1] - rows[0]))
    area = found.pixels[
        max(0, rows[0] - margin) : rows[1] + margin, max(0, columns[0] - margin) : max(1, columns[1] + margin)
    ]
    return found if min(area.shape) < 48 else replace(found, pixels=np.ascontiguousarray(area))


def _segmenter() -> Any:
    """That of the kept pipeline with the most data, or None."""
    from engines.cases.bone_age import CASE

    store = RunStore()
    kept = kept_models(CASE, CASE.task("simulated"), store).get("pipeline", {})
    if not kept:
        return None
    return _loaded(str(store.model(kept[max(kept)])))


@lru_cache(maxsize=2)
def _loaded(model: str) -> Any:
    from engines.cases.bone_age.pipeline import ALL
    from engines.cases.bone_age.segment import Segmenter

    with opened(Path(model)) as folder:
        return Segmenter.load(folder / ALL)
