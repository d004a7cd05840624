"""From bones laid out in mm to what X-rays pass through: a map of bone, a map of soft tissue, and the true mask.

Every bone is drawn on its own small window, twice as fine as the picture. A tubular bone is a tube of cortex around
marrow (chords of elliptic cylinders), its ends filled with spongy bone, its growth plate a gap that bridges from the
middle outwards; a carpal is a ball of spongy bone with a rim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engines.cases.bone_age.anatomy import BONES, EPIPHYSIS, TUBULAR
from engines.cases.bone_age.hand import Hand, Round, Tube

Map = NDArray[np.float32]
FINE = 2  # subpixels a pixel along each side
DEPTH = 0.8  # thickness of a bone towards the viewer against its width
RADIUS_DEPTH = 0.55  # the same of the radius, whose end is broad and flat
SPONGE = 0.34  # density of spongy bone against cortex
_NUMBER = {name: number for number, name in enumerate(BONES, 1)}
_PLATE = {name: EPIPHYSIS + number for number, name in enumerate(TUBULAR)}


@dataclass(frozen=True)
class Frame:
    """Which part of the plane the picture shows: `left` and `top` in mm of its upper left corner."""

    height: int
    width: int
    mm_per_pixel: float
    left: float
    top: float


@dataclass(frozen=True)
class Matter:
    """`bone` and `soft` float32 (height, width): mm of cortical bone and of soft tissue; `labels` uint8, places in
    anatomy.LABELS."""

    bone: Map
    soft: Map
    labels: NDArray[np.uint8]


class _Canvas:
    """Maps at FINE times the resolution, and windows of them in mm."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self.step = frame, frame.mm_per_pixel / FINE
        shape = (frame.height * FINE, frame.width * FINE)
        self.bone = np.zeros(shape, np.float32)
        self.labels = np.zeros(shape, np.uint8)

    def window(self, low: NDArray[np.float64], high: NDArray[np.float64]):
        """(slices, x, y) of the part between two corners in mm, or None where it lies outside."""
        left = max(0, int((low[0] - self.frame.left) / self.step))
        right = min(self.bone.shape[1], int((high[0] - self.frame.left) / self.step) + 2)
        top = max(0, int((self.frame.top - high[1]) / self.step))
        bottom = min(self.bone.shape[0], int((self.frame.top - low[1]) / self.step) + 2)
        if left >= right or top >= bottom:
            return None
        x = self.frame.left + (np.arange(left, right, dtype=np.float32) + 0.5) * self.step
        y = self.frame.top - (np.arange(top, bottom, dtype=np.float32) + 0.5) * self.step
        return (slice(top, bottom), slice(left, right)), x[None], y[:, None]


def draw(hand: Hand, frame: Frame, rng: np.random.Generator) -> Matter:
    """What lies in the way of the rays."""
    canvas = _Canvas(frame)
    grain = _grain(rng)
    for bone in hand.rounds:
        _draw_round(canvas, bone, grain)
    for tube in hand.tubes:
        _draw_tube(canvas, tube, grain, hand.scale)
    coarse = canvas.bone.reshape(frame.height, FINE, frame.width, FINE).mean(axis=(1, 3))
    # A pixel belongs to what its upper left subpixel belongs to: no label is made up between two others.
    return Matter(coarse, _soft(hand, frame), np.ascontiguousarray(canvas.labels[::FINE, ::FINE]))


def _grain(rng: np.random.Generator) -> Map:
    """Texture of spongy bone: smoothed noise around 1 that windows are cut from."""
    noise = ndimage.gaussian_filter(rng.standard_normal((96, 96)).astype(np.float32), 1.3, mode="wrap")
    return 1 + 0.16 * noise / noise.std()


def _texture(grain: Map, where: tuple[slice, slice], shape: tuple[int, ...]) -> Map:
    rows = (where[0].start + np.arange(shape[0])) % grain.shape[0]
    columns = (where[1].start + np.arange(shape[1])) % grain.shape[1]
    return grain[rows[:, None], columns[None]]


def _draw_tube(canvas: _Canvas, tube: Tube, grain: Map, scale: float) -> None:
    m = tube.maturity
    wide = max(tube.widths)
    ends = np.stack([tube.start, tube.start + tube.length * tube.axis])
    window = canvas.window(ends.min(axis=0) - 1.3 * wide, ends.max(axis=0) + 1.3 * wide)
    if window is None:
        return
    where, x, y = window
    dx, dy = x - tube.start[0], y - tube.start[1]
    along = dx * tube.axis[0] + dy * tube.axis[1]
    across = dx * tube.axis[1] - dy * tube.axis[0]
    # From here on `along` counts from the end that does not grow: 0 there, `whole` at the growing end.
    if tube.grows < 0:
        along = tube.length - along
    along = along - tube.joint
    whole = tube.length - 2 * tube.joint
    if whole <= 1:
        return
    fixed, waist, growing = (tube.widths[2], tube.widths[1], tube.widths[0])
    if tube.grows > 0:
        fixed, growing = tube.widths[0], tube.widths[2]
    depth = RADIUS_DEPTH if tube.name == "radius" else DEPTH
    is_metacarpal = tube.name.startswith("MC")
    head = (0.85 if is_metacarpal else 0.5) if tube.name not in ("radius", "ulna") else 0.55
    cap_height = head * growing * min(1.0, 0.35 + 0.75 * m.centre)  # of the epiphysis along the bone
    plate = (0.9 + 2.0 * m.gap) * min(1.0, scale + 0.2) * 0.8
    cartilage = head * growing + plate if m.centre == 0 else cap_height + plate
    shaft_end = whole - cartilage
    density = _shaft(along, across, shaft_end, fixed, waist, growing * 0.97, m.fused, whole, depth)
    number = np.uint8(_NUMBER[tube.name])
    labels = canvas.labels[where]
    sponge = _texture(grain, where, density.shape)
    if m.fused < 1 and m.centre > 0:
        half = growing * (0.2 + 0.8 * m.centre) * (1 + 0.07 * m.cap)
        middle = whole - cap_height / 2
        if m.fused > 0:  # bridged from the middle outwards
            bridge = (np.abs(across) < growing * m.fused) & (along > shaft_end - 0.5) & (along < whole - cap_height / 2)
            density = np.maximum(density, np.where(bridge, 2 * depth * SPONGE * growing * 0.85, 0))
        power = 2.2 + 1.2 * m.centre
        bow = along + m.cap * 0.25 * cap_height * (across / max(half, 0.1)) ** 2
        inside = (np.abs(across) / half) ** power + (np.abs(bow - middle) / (cap_height / 2 + 0.05)) ** power
        body = np.sqrt(np.clip(1 - inside, 0, 1)) * half * 2 * depth * SPONGE * 0.95
        rim = np.where((inside < 1) & (inside > 0.62), 0.7, 0.0)
        cap = np.where(inside < 1, body + rim, 0).astype(np.float32)
        labels[density > 0] = number
        labels[inside < 1] = np.uint8(_PLATE[tube.name])
        # A plate that is partly bridged belongs to neither side's mask alone: the bridge is the shaft's.
        density = np.maximum(density, cap)
    else:
        labels[density > 0] = number
    canvas.bone[where] += density * sponge


def _shaft(
    along: Map,
    across: Map,
    end: float,
    fixed: float,
    waist: float,
    growing: float,
    fused: float,
    whole: float,
    depth: float,
) -> Map:
    """mm of cortex through the shaft; it reaches the growing end once the plate is gone."""
    if fused >= 1:
        end = whole
    u = along / max(end, 1.0)
    flare = np.where(u < 0.52, (0.52 - u) / 0.52, (u - 0.52) / 0.48)
    target = np.where(u < 0.52, fixed, growing)
    width = waist + (target - waist) * np.clip(flare, 0, 1) ** 2.3
    # Round corners: more at the head that does not grow, little at a growth plate.
    for distance, radius in ((along, 0.75 * fixed), (end - along, (0.7 if fused >= 1 else 0.3) * growing)):
        short = np.clip(1 - distance / radius, 0, 1)
        width = width * np.sqrt(np.maximum(1 - 0.85 * short**2, 0.02))
    inside = (np.abs(across) < width) & (along > 0) & (along < end)
    middle = np.clip(1 - np.abs(u - 0.5) / 0.42, 0, 1)
    cortex = np.minimum(0.14 * width + 0.34 * waist * middle, 0.7 * width)
    outer = np.sqrt(np.maximum(width**2 - across**2, 0))
    inner = np.sqrt(np.maximum((width - cortex) ** 2 - across**2, 0))
    spongy = SPONGE * (0.35 + 0.65 * (1 - middle))
    density = 2 * depth * (outer - inner + spongy * inner)
    # The zone of provisional calcification is a white line; after fusion a faint scar stays for a while.
    line = np.where(np.abs(along - (end - 0.45)) < 0.45, 1.0 if fused < 1 else 0.0, 0.0)
    return np.where(inside, density + line, 0).astype(np.float32)


def _draw_round(canvas: _Canvas, bone: Round, grain: Map) -> None:
    reach = 1.25 * max(bone.half)
    window = canvas.window(bone.centre - reach, bone.centre + reach)
    if window is None:
        return
    where, x, y = window
    dx, dy = x - bone.centre[0], y - bone.centre[1]
    a = (dx * bone.frame[0, 0] + dy * bone.frame[1, 0]) / bone.half[0]
    b = (dx * bone.frame[0, 1] + dy * bone.frame[1, 1]) / bone.half[1]
    angle = np.arctan2(b, a)
    radius = (
        1 + bone.bumps[0] * np.cos(2 * angle + 1) + bone.bumps[1] * np.cos(3 * angle) + bone.bumps[2] * np.sin(angle)
    )
    power = 2.4
    inside = (np.abs(a) ** power + np.abs(b) ** power) / radius**power
    half = min(bone.half)
    body = 2 * DEPTH * SPONGE * 0.95 * half * np.sqrt(np.clip(1 - inside, 0, 1))
    rim = np.where(inside > 0.72, 0.8, 0.0) * min(1.0, half / 4)
    density = np.where(inside < 1, body + rim, 0).astype(np.float32)
    canvas.bone[where] += density * _texture(grain, where, density.shape)
    canvas.labels[where][inside < 1] = np.uint8(_NUMBER[bone.name])


def _soft(hand: Hand, frame: Frame) -> Map:
    """mm of soft tissue: fingers, palm and wrist as rounded tubes that melt into one another, at half resolution."""
    step = 2
    x = frame.left + (np.arange(0, frame.width, step, dtype=np.float32) + 1) * frame.mm_per_pixel
    y = frame.top - (np.arange(0, frame.height, step, dtype=np.float32) + 1) * frame.mm_per_pixel
    square = np.zeros((len(y), len(x)), np.float32)
    by_name = {tube.name: tube for tube in hand.tubes}
    for start, end, first, last in _capsules(by_name, hand.scale):
        low = np.minimum(start, end) - max(first, last)
        high = np.maximum(start, end) + max(first, last)
        columns = slice(int(np.searchsorted(x, low[0])), int(np.searchsorted(x, high[0])))
        rows = slice(int(np.searchsorted(-y, -high[1])), int(np.searchsorted(-y, -low[1])))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            continue
        dx, dy = x[None, columns] - start[0], y[rows, None] - start[1]
        line = end - start
        length = float(line @ line) or 1.0
        t = np.clip((dx * line[0] + dy * line[1]) / length, 0, 1)
        distance = (dx - t * line[0]) ** 2 + (dy - t * line[1]) ** 2
        radius = first + t * (last - first)
        np.maximum(square[rows, columns], radius**2 - distance, out=square[rows, columns])
    thick = np.minimum(2 * np.sqrt(square), 30 * hand.scale)
    thick = ndimage.gaussian_filter(thick, 1.2 * hand.scale / frame.mm_per_pixel / step)
    fine = np.repeat(np.repeat(thick, step, axis=0), step, axis=1)[: frame.height, : frame.width]
    return ndimage.uniform_filter(fine, 3)


def _capsules(tubes: dict[str, Tube], scale: float):
    """(start, end, radius at the start, radius at the end) in mm of the parts of the hand."""
    tip = {1: 8.8, 2: 7.2, 3: 7.6, 4: 7.2, 5: 6.4}
    for finger in range(1, 6):
        rows = ("PP", "DP") if finger == 1 else ("PP", "MP", "DP")
        for place, row in enumerate(rows):
            tube = tubes[f"{row}{finger}"]
            radius = scale * tip[finger]
            end = tube.start + tube.axis * tube.length
            end = end + (tube.axis * -0.1 * radius if row == "DP" else 0)
            yield tube.start, end, radius * (1.22 - 0.1 * place), radius * (1.12 - 0.1 * place)
        metacarpal = tubes[f"MC{finger}"]
        end = metacarpal.start + metacarpal.axis * metacarpal.length
        yield metacarpal.start, end, scale * 15.5, scale * (13.0 if finger > 1 else 12.0)
    # Webs between the knuckles, the ball of the thumb, the heel of the hand, wrist and forearm.
    knuckle = {f: tubes[f"PP{f}"].start for f in range(1, 6)}
    for one, other in ((2, 3), (3, 4), (4, 5)):
        yield knuckle[one], knuckle[other], scale * 12.0, scale * 12.0
    for share, radius in ((0.25, 13.0), (0.5, 10.5), (0.75, 7.0)):
        first = tubes["MC1"].start + share * tubes["MC1"].axis * tubes["MC1"].length
        second = tubes["MC2"].start + share * tubes["MC2"].axis * tubes["MC2"].length
        yield first, second, scale * radius, scale * radius
    yield tubes["MC5"].start, knuckle[5], scale * 16.5, scale * 13.5
    tips = {name: tubes[name].start + tubes[name].axis * tubes[name].length for name in ("radius", "ulna")}
    for name, radius in (("radius", 17.0), ("ulna", 13.0)):
        yield tubes[name].start, tips[name], scale * radius * 1.2, scale * radius
    middle = (tips["radius"] + tips["ulna"]) / 2
    yield (tubes["radius"].start + tubes["ulna"].start) / 2, middle, scale * 20.0, scale * 21.0
    yield tips["radius"], tubes["MC2"].start, scale * 17.0, scale * 17.0
    yield middle, tubes["MC4"].start, scale * 22.0, scale * 21.0
