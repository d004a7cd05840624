"""From regions to measures, by geometry alone: lengths in mm along each bone's axis, and signs of maturity.

Each bone is its largest connected piece, its axis the principal axis of its shaft. A length reaches from joint to
joint, a joint being the middle between the ends of two bones, as the landmarks of the growth table have it. Signs
of maturity, all without a unit: how large the carpals are against the palm, how wide an epiphysis is against its shaft,
and the greys along the axis through the growth plate, as a share of the shaft's grey. Signs of a row of bones are
averaged over the fingers. What could not be measured is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engines.cases.bone_age.anatomy import BONES, CARPALS, EPIPHYSIS, LONG, TUBULAR
from engines.core.radiograph import Measures, Regions

Array = NDArray[np.float64]
FEWEST = 8  # pixels of a bone that is believed
SAMPLES = 9  # of the greys through a plate, over DEEP widths of the bone
DEEP = 1.6
GROUPS = ("DP", "MP", "PP", "MC", "radius", "ulna")
SIGNS = ("epiphysis width", "epiphysis height", *(f"plate {i + 1}" for i in range(SAMPLES)))
NAMES = (
    *LONG,
    "carpals found",
    "carpal area",
    *(f"{name} area" for name in CARPALS),
    *(f"{group} {sign}" for group in GROUPS for sign in SIGNS),
)
UNITS = tuple("mm" if name in LONG else "" for name in NAMES)


@dataclass(frozen=True)
class Axis:
    """A tubular bone in pixels (x, y; y downwards): `middle` of its shaft, `along` a unit vector from its proximal to
    its distal end, where it begins and ends along it, the same with its epiphysis, and the shaft's half width at its
    growing end."""

    middle: Array
    along: Array
    low: float
    high: float
    width: float
    grows: int
    epiphysis: NDArray[np.int64] | None  # (n, 2) pixels

    @property
    def proximal(self) -> Array:
        return self.middle + self.low * self.along

    @property
    def distal(self) -> Array:
        return self.middle + self.high * self.along


def axes(labels: NDArray[np.uint8]) -> dict[str, Axis]:
    """The axes of the tubular bones that were found."""
    boxes = ndimage.find_objects(labels, max_label=EPIPHYSIS + len(TUBULAR) - 1)
    pieces = {i: _largest(labels, i, box) for i, box in enumerate(boxes, 1) if box is not None}
    middles = {i: piece.mean(axis=0) for i, piece in pieces.items() if len(piece) >= FEWEST}
    found = {}
    for place, bone in enumerate(TUBULAR):
        shaft, number = pieces.get(1 + BONES.index(bone)), 1 + BONES.index(bone)
        if number not in middles or shaft is None:
            continue
        up = _direction(bone, middles)
        axis = _axis(bone, shaft, pieces.get(EPIPHYSIS + place), up)
        if axis is not None:
            found[bone] = axis
    return found


def _largest(labels: NDArray[np.uint8], number: int, box: tuple[slice, slice]) -> NDArray[np.int64]:
    """(n, 2) pixels (x, y) of the largest connected piece of a label."""
    pieces, count = ndimage.label(labels[box] == number, np.ones((3, 3)))
    if count > 1:
        pieces = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    rows, columns = np.nonzero(pieces)
    return np.stack([columns + box[1].start, rows + box[0].start], axis=1)


def _direction(bone: str, middles: dict[int, Array]) -> Array:
    """Roughly where the fingertip lies from this bone, (0, 0) where nothing tells."""
    number = {name: 1 + BONES.index(name) for name in TUBULAR}
    if bone in ("radius", "ulna"):
        far = [middles[number[f"MC{f}"]] for f in (2, 3, 4) if number[f"MC{f}"] in middles]
        return np.mean(far, axis=0) - middles[number[bone]] if far else np.array([0.0, -1.0])
    chain = [f"{row}{bone[-1]}" for row in ("MC", "PP", "MP", "DP") if f"{row}{bone[-1]}" in number]
    spots = [middles[number[name]] for name in chain if number[name] in middles]
    return spots[-1] - spots[0] if len(spots) > 1 else np.array([0.0, -1.0])


def _axis(bone: str, shaft: NDArray[np.int64], epiphysis: NDArray[np.int64] | None, up: Array) -> Axis | None:
    middle = shaft.mean(axis=0)
    rest = shaft - middle
    spread = rest.T @ rest / len(rest)
    values, vectors = np.linalg.eigh(spread)
    along = vectors[:, 1]
    if values[1] < 1.5 * values[0]:  # as wide as long: the fingers tell where it points
        along = up / max(float(np.hypot(*up)), 1e-6)
    along = along if along @ up >= 0 else -along
    t = rest @ along
    low, high = _ends(t)
    grows = 1 if bone in ("radius", "ulna") or (bone.startswith("MC") and bone != "MC1") else -1
    end = high if grows > 0 else low
    near = np.abs(t - end) < 0.25 * (high - low)
    across = rest[near] @ np.array([-along[1], along[0]])
    if len(across) < 3:
        return None
    width = _quantiles(np.abs(across), 0.92)[0] + 0.3
    if epiphysis is not None and len(epiphysis) >= 3:
        s = (epiphysis - middle) @ along
        if abs(float(s.mean()) - end) < 2.2 * width + 4:
            low, high = (low, max(high, _ends(s)[1])) if grows > 0 else (min(low, _ends(s)[0]), high)
        else:
            epiphysis = None
    else:
        epiphysis = None
    return Axis(middle, along, low, high, width, grows, epiphysis)


def _ends(t: Array) -> tuple[float, float]:
    """First and last pixel along an axis, half a pixel further out, a few stragglers left out."""
    low, high = _quantiles(t, 0.01, 0.99)
    return low - 0.5, high + 0.5


def _quantiles(values: Array, *shares: float) -> list[float]:
    """As np.quantile gives them, whose overhead would be half the time that a hand takes to be measured."""
    ordered = np.sort(values)
    found = []
    for share in shares:
        place = share * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        found.append(float(ordered[below] + (place - below) * (ordered[above] - ordered[below])))
    return found


def measures(found: Regions) -> Measures:
    """All measures of a hand whose bones were found; NaN where one could not be taken."""
    bones = axes(found.labels)
    values = dict.fromkeys(NAMES, np.nan)
    mm = found.picture.mm_per_pixel
    for finger in range(1, 6):
        chain = [f"{row}{finger}" for row in ("MC", "PP", "MP", "DP") if (row, finger) != ("MP", 1)]
        for place, name in enumerate(chain):
            # A bone whose ends a bad mask has swapped was not measured.
            if name in bones and (length := _length(bones, chain, place)) > 0:
                values[name] = mm * length
    _carpal_signs(found.labels, bones, values)
    smooth = ndimage.uniform_filter(found.picture.pixels, 3)
    air = float(np.quantile(found.picture.pixels[::3, ::3], 0.05))
    signs: dict[str, list[Array]] = {group: [] for group in GROUPS}
    for name, axis in bones.items():
        signs[name if name in GROUPS else name[:2]].append(_plate(axis, smooth, air))
    for group, rows in signs.items():
        if rows:
            for sign, value in zip(SIGNS, np.mean(rows, axis=0), strict=True):
                values[f"{group} {sign}"] = float(value)
    return Measures(found.picture.sex, NAMES, np.array([values[name] for name in NAMES], np.float32), UNITS)


def _length(bones: dict[str, Axis], chain: list[str], place: int) -> float:
    """Pixels from joint to joint; an end without a neighbour is the bone's own."""
    here = bones[chain[place]]
    start, end = here.proximal, here.distal
    if place and chain[place - 1] in bones:
        start = (start + bones[chain[place - 1]].distal) / 2
    if place + 1 < len(chain) and chain[place + 1] in bones:
        end = (end + bones[chain[place + 1]].proximal) / 2
    return float((end - start) @ here.along)


def _carpal_signs(labels: NDArray[np.uint8], bones: dict[str, Axis], values: dict[str, float]) -> None:
    """Areas against the square of the palm's size, which is the mean length of the metacarpal shafts."""
    palm = [axis.high - axis.low for name, axis in bones.items() if name in ("MC2", "MC3", "MC4", "MC5")]
    if not palm:
        return
    counts = np.bincount(labels.ravel(), minlength=len(BONES) + 1)
    areas = np.array([counts[1 + BONES.index(name)] for name in CARPALS]) / float(np.mean(palm)) ** 2
    values["carpals found"] = float(np.sum(areas > 0.003))
    values["carpal area"] = float(np.sqrt(areas.sum()))
    for name, area in zip(CARPALS, areas, strict=True):
        values[f"{name} area"] = float(np.sqrt(area))


def _plate(axis: Axis, smooth: NDArray[np.float32], air: float) -> Array:
    """(len(SIGNS),): the epiphysis against the shaft, then greys from the growing end inwards."""
    wide, high = 0.0, 0.0
    normal = np.array([-axis.along[1], axis.along[0]])
    if axis.epiphysis is not None:
        rest = axis.epiphysis - axis.middle
        low, top = _ends(rest @ normal)
        wide = (top - low) / (2 * axis.width)
        low, top = _ends(rest @ axis.along)
        high = (top - low) / (2 * axis.width)
    end = axis.high if axis.grows > 0 else axis.low
    depths = np.linspace(-0.15, DEEP, SAMPLES) * 2 * axis.width
    inner = np.linspace(DEEP, DEEP + 0.8, 3) * 2 * axis.width
    sideways = np.array([-0.4, 0.0, 0.4]) * axis.width
    along = end - axis.grows * np.concatenate([depths, inner])
    points = axis.middle + along[:, None, None] * axis.along + sideways[None, :, None] * normal
    columns = np.clip(np.rint(points[..., 0]).astype(int), 0, smooth.shape[1] - 1)
    rows = np.clip(np.rint(points[..., 1]).astype(int), 0, smooth.shape[0] - 1)
    grey = smooth[rows, columns].mean(axis=1) - air
    shaft = max(float(grey[SAMPLES:].mean()), 0.02)
    return np.concatenate([[wide, high], np.clip(grey[:SAMPLES] / shaft, -1, 3)])
