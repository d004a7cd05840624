"""The exposure: from what lies in the way to the grey values of one of several scanners, with all that happens to real
pictures: uneven beam, scatter, noise, sharpening, collimation, markers, plaster, rings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engines.cases.bone_age.anatomy import LONG
from engines.cases.bone_age.render import Frame, Map, Matter

# mm⁻¹: how fast rays of about 55 kV are absorbed
SOFT, CORTEX, PLASTER = 0.021, 0.105, 0.05


@dataclass(frozen=True)
class Scanner:
    """`blur` in mm of the detector and focus, `dose` in thousands of quanta a pixel, `gamma` of the display curve,
    `sharpen` how much of the detail is added, `scatter` share of rays that come from elsewhere, `heel` unevenness of
    the beam, `border` grey of what the collimator hides, `base` grey of air, `film` whether values saturate as film
    does."""

    blur: float
    dose: float
    gamma: float
    sharpen: float
    scatter: float
    heel: float
    border: float
    base: float
    film: bool


SCANNERS = (
    Scanner(0.35, 3.0, 0.90, 0.5, 0.10, 0.07, 0.0, 0.02, False),
    Scanner(0.55, 1.2, 1.15, 0.0, 0.20, 0.11, 1.0, 0.06, True),
    Scanner(0.30, 6.0, 0.75, 1.2, 0.06, 0.05, 0.0, 0.00, False),
    Scanner(0.70, 0.9, 1.00, 0.2, 0.28, 0.13, 0.1, 0.10, True),
    Scanner(0.45, 2.0, 1.30, 0.8, 0.15, 0.08, 0.0, 0.04, False),
)
# Never used for training: coarser grain, a harder curve, stronger sharpening than any of the others.
UNSEEN = Scanner(0.60, 0.7, 1.45, 1.6, 0.24, 0.16, 0.9, 0.12, True)

_LETTERS = {
    "L": ("1000", "1000", "1000", "1000", "1000", "1000", "1111"),
    "R": ("1110", "1001", "1001", "1110", "1010", "1001", "1001"),
}


def expose(matter: Matter, frame: Frame, scanner: Scanner, mirrored: bool, rng: np.random.Generator):
    """(grey values in [0, 1], bone bright, float32 (height, width); where rays fell at all, bool of the same shape)."""
    shape = matter.bone.shape
    mm = frame.mm_per_pixel
    soft = matter.soft * float(rng.uniform(0.85, 1.15)) + 1.5 * _clouds(shape, 9, rng) * (matter.soft > 2)
    bone = matter.bone * float(np.exp(rng.normal(0, 0.12)))  # how well mineralised
    extra = _plaster(matter, frame, rng) + _ring(matter, frame, rng)
    through = np.exp(-(SOFT * soft + CORTEX * bone + extra))
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    beam = 1 + scanner.heel * (np.cos(angle) * x + np.sin(angle) * y) * rng.uniform(0.5, 1.2)
    rays = beam * through
    rays = rays + scanner.scatter * ndimage.uniform_filter(rays, int(24 / mm) | 1)
    rays = ndimage.gaussian_filter(rays, scanner.blur / mm)
    quanta = 1000 * scanner.dose * float(np.exp(rng.normal(0, 0.35))) * np.maximum(rays, 0.01)
    rays = rays + rays / np.sqrt(quanta) * rng.standard_normal(shape).astype(np.float32) * 1.3
    dark = -np.log(np.maximum(rays, 0.005))
    inside, outline = _collimation(matter.labels, rng)
    low = np.quantile(dark[inside][::7], 0.02)
    high = np.quantile(dark[inside][::7], 0.995)
    window = rng.uniform(0.92, 1.12)
    grey = np.clip((dark - low) / max((high - low) * window, 1e-3), 0, 1.4)
    if scanner.sharpen:
        grey = grey + scanner.sharpen * (grey - ndimage.gaussian_filter(grey, 2.2))
    grey = np.clip(grey, 0, 1.15) ** (scanner.gamma * float(np.exp(rng.normal(0, 0.08))))
    if scanner.film:
        grey = 1.08 * grey / (0.25 + 0.85 * np.maximum(grey, 1e-6)) * (1 - np.exp(-2.2 * grey))
    grey = scanner.base + (1 - scanner.base) * grey
    grey = _marker(grey, frame, mirrored, inside, rng)
    border = scanner.border if rng.random() < 0.85 else rng.uniform(0, 1)
    grey = np.where(inside, grey, border * (1 - 0.1 * outline))
    return np.clip(grey, 0, 1).astype(np.float32), inside


def _clouds(shape: tuple[int, ...], size: float, rng: np.random.Generator) -> Map:
    """Smooth noise of about unit spread: drawn coarse, stretched."""
    coarse = rng.standard_normal((int(shape[0] / size) + 3, int(shape[1] / size) + 3)).astype(np.float32)
    zoomed = ndimage.zoom(coarse, size, order=1)
    return zoomed[: shape[0], : shape[1]]


def _collimation(labels: NDArray[np.uint8], rng: np.random.Generator) -> tuple[NDArray[np.bool_], Map]:
    """Where rays fell: a rectangle, often smaller than the picture and a little askew. The fingers lie within it but
    for one time in twenty: a radiograph without fingertips is taken again."""
    shape = labels.shape
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j].astype(np.float32)
    if rng.random() < 0.45:
        return np.ones(shape, bool), np.zeros(shape, np.float32)
    angle = np.deg2rad(rng.normal(0, 2.5))
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    left, right, top, bottom = 1 - 0.16 * rng.random(4) ** 1.5
    fingers = (labels > 0) & (labels <= len(LONG))
    if rng.random() < 0.95 and fingers.any():
        spare = 0.04
        left, right = max(left, spare - u[fingers].min()), max(right, spare + u[fingers].max())
        top = max(top, spare - v[fingers].min())
    inside = (u > -left) & (u < right) & (v > -top) & (v < bottom)
    return inside, np.abs(u)


def _marker(grey: Map, frame: Frame, mirrored: bool, inside: NDArray[np.bool_], rng: np.random.Generator) -> Map:
    """A lead letter for the side, and at times a strip of writing; neither lies on the hand."""
    if rng.random() < 0.75:
        letter = np.array([[c == "1" for c in row] for row in _LETTERS["R" if mirrored else "L"]], np.float32)
        size = int(rng.integers(2, 4))
        stamp = np.kron(letter, np.ones((size, size), np.float32))
        if rng.random() < 0.3:
            stamp = stamp[:, ::-1]
        grey = _place(grey, ndimage.gaussian_filter(np.pad(stamp, 2), 0.6), inside, rng, rng.uniform(0.75, 1.0))
    if rng.random() < 0.35:
        strip = (rng.random((5, int(rng.integers(18, 40)))) < 0.5).astype(np.float32)
        strip = np.kron(strip, np.ones((1, 1), np.float32))
        grey = _place(grey, ndimage.gaussian_filter(np.pad(strip, 1), 0.5), inside, rng, rng.uniform(0.5, 0.9))
    return grey


def _place(grey: Map, stamp: Map, inside: NDArray[np.bool_], rng: np.random.Generator, level: float) -> Map:
    """Puts a stamp into one of the corners; left out where all are taken up by the hand."""
    height, width = stamp.shape
    spots = [(6, 6), (6, grey.shape[1] - width - 6), (grey.shape[0] - height - 6, 6)]
    spots += [(grey.shape[0] - height - 6, grey.shape[1] - width - 6)]
    for spot in rng.permutation(4):
        top, left = spots[spot]
        top, left = top + int(rng.integers(-3, 12)), left + int(rng.integers(-3, 4))
        area = (slice(top, top + height), slice(left, left + width))
        if grey[area].shape == stamp.shape and inside[area].all() and np.median(grey[area]) < 0.25:
            grey = grey.copy()
            grey[area] = np.maximum(grey[area], stamp * level)
            break
    return grey


def _plaster(matter: Matter, frame: Frame, rng: np.random.Generator) -> Map:
    """One in twelve hands lies in a cast or a splint: a sleeve over wrist and palm with the weave of its bandage."""
    shape = matter.bone.shape
    if rng.random() > 0.08:
        return np.zeros(shape, np.float32)
    rows = np.flatnonzero((matter.labels > 0).any(axis=1))
    upper = rows[0] + rng.uniform(0.45, 0.75) * (rows[-1] - rows[0]) if len(rows) else shape[0] * 0.6
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    thick = ndimage.gaussian_filter(
        ndimage.maximum_filter((matter.soft > 4).astype(np.float32), int(7 / frame.mm_per_pixel) | 1), 1.5
    )
    weave = 1 + 0.25 * np.sin((x + 0.7 * y) * rng.uniform(0.7, 1.3)) * np.sin((x - 0.8 * y) * rng.uniform(0.7, 1.3))
    edge = 1 / (1 + np.exp(-(y - upper - 4 * np.sin(x / 17)) / 1.5))
    layers = float(rng.uniform(3, 9))
    return (PLASTER * layers * thick * edge * (weave + 0.25 * _clouds(shape, 11, rng))).clip(0).astype(np.float32)


def _ring(matter: Matter, frame: Frame, rng: np.random.Generator) -> Map:
    """One in thirty wears a ring: a bright band across a proximal phalanx."""
    extra = np.zeros(matter.bone.shape, np.float32)
    if rng.random() > 0.035:
        return extra
    label = int(rng.integers(7, 11))  # PP2 to PP5
    rows, columns = np.nonzero(matter.labels == label)
    if len(rows) < 20:
        return extra
    y, x = np.mgrid[0 : extra.shape[0], 0 : extra.shape[1]].astype(np.float32)
    cy, cx = rows.mean() + 2, columns.mean()
    radius = 6.5 / frame.mm_per_pixel
    band = (np.abs(y - cy) < 1.4 / frame.mm_per_pixel) & (np.abs(x - cx) < radius)
    extra[band] = 2.5
    return extra
