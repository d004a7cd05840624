"""Frames of a camera at a gate, made from a photo of a face and a background; everything comes from a seed.

The mask that joins the two differs from frame to frame in form, size and softness, and head-shaped pieces of other
backgrounds are set in with the same masks: a seam says nothing about where the face is. Then comes what a camera does:
light, blur, noise and JPEG.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile.photos import FACE, SIDE
from engines.core.sighting import Box

HEIGHT, WIDTH = 240, 320  # pixels of a frame
SMALLEST, LARGEST = 24.0, 160.0  # pixels of a face
_TURN = 15.0  # degrees to either side


@dataclass(frozen=True)
class Recipe:
    """How frames come out: `height` and `width` in pixels; `sizes` of the face in pixels of a frame 240 high, drawn
    evenly on a logarithmic scale; up to `distractors` pieces without a face; `harm` scales light, blur and noise."""

    height: int = HEIGHT
    width: int = WIDTH
    sizes: tuple[float, float] = (SMALLEST, LARGEST)
    distractors: int = 3
    harm: float = 1.0


@dataclass(frozen=True)
class Placed:
    """Where a photo went: a similarity of `scale`, `turn` (radians) about the middle, and the middle (x, y)."""

    scale: float
    turn: float
    x: float
    y: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the photo, in pixels of the frame."""
        across, down = (x - SIDE / 2) * self.scale, (y - SIDE / 2) * self.scale
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return (float(self.x + cos * across + sin * down), float(self.y - sin * across + cos * down))

    def box(self, points: Sequence[tuple[float, float]] = ()) -> Box:
        """The face's true box, with the photo's own `points` carried over."""
        half = FACE * self.scale / 2
        return Box(
            self.x - half, self.y - half, self.x + half, self.y + half, 1.0, tuple(self.point(*p) for p in points)
        )


@dataclass(frozen=True)
class Frame:
    """A picture uint8 (HEIGHT, WIDTH, 3) as JPEG bytes, and where the face is in it (None: nobody is there)."""

    jpeg: bytes
    placed: Placed | None

    def pixels(self) -> NDArray[np.uint8]:
        return decoded(self.jpeg)


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        return np.array(picture)


def frame(
    photo: NDArray[np.uint8] | None,
    scenes: Sequence[NDArray[np.uint8]],
    rng: np.random.Generator,
    recipe: Recipe = Recipe(),
) -> Frame:
    """One frame as a camera saves it; with no photo, one that nobody is in."""
    picture, placed = painted(photo, scenes, rng, recipe)
    return Frame(_jpeg(picture, int(rng.integers(70, 96))), placed)


def painted(
    photo: NDArray[np.uint8] | None, scenes: Sequence[NDArray[np.uint8]], rng: np.random.Generator, recipe: Recipe
) -> tuple[NDArray[np.uint8], Placed | None]:
    """(uint8 (HEIGHT, WIDTH, 3), where the face is), before JPEG."""
    canvas = _scene(scenes, rng, recipe).astype(np.float32)
    spots: list[Placed] = []
    placed = None if photo is None else _place(rng, recipe, spots)
    if placed is not None:
        spots.append(placed)
    pieces = [_place(rng, recipe, spots) for _ in range(int(rng.integers(0, recipe.distractors + 1)))]
    # What lies behind is set in first; the face lies over the pieces.
    for spot in pieces:
        if spot is not None:
            _set_in(canvas, _piece(scenes, rng), spot, rng, recipe)
    if photo is not None and placed is not None:
        _set_in(canvas, photo, placed, rng, recipe)
    return _seen(canvas, rng, recipe), placed


def _scene(scenes: Sequence[NDArray[np.uint8]], rng: np.random.Generator, recipe: Recipe) -> NDArray[np.uint8]:
    """Part of a background, mirrored half of the time, as large as a frame."""
    from PIL import Image

    picture = scenes[int(rng.integers(len(scenes)))]
    height, width = picture.shape[:2]
    zoom = min(height / recipe.height, width / recipe.width) * rng.uniform(0.6, 1.0)
    across, down = recipe.width * zoom, recipe.height * zoom
    left, top = rng.uniform(0, width - across), rng.uniform(0, height - down)
    cut = (left, top, left + across, top + down)
    scene = Image.fromarray(picture).resize((recipe.width, recipe.height), Image.Resampling.BILINEAR, box=cut)
    made = np.asarray(scene)
    return made[:, ::-1] if rng.random() < 0.5 else made


def _place(rng: np.random.Generator, recipe: Recipe, others: Sequence[Placed]) -> Placed | None:
    """A spot whose box lies in the frame and does not touch that of an other; None where there is no room."""
    for _ in range(8):
        size = float(np.exp(rng.uniform(*np.log(recipe.sizes)))) * recipe.height / HEIGHT
        x, y = (float(rng.uniform(size / 2, length - size / 2)) for length in (recipe.width, recipe.height))
        turn = float(np.clip(rng.normal(0, _TURN / 2), -_TURN, _TURN))
        spot = Placed(size / FACE, np.deg2rad(turn), x, y)
        if all(max(abs(x - o.x), abs(y - o.y)) > 0.75 * (size + o.scale * FACE) for o in others):
            return spot
    return None


def _piece(scenes: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A square of a background, as large as a photo."""
    from PIL import Image

    picture = scenes[int(rng.integers(len(scenes)))]
    side = float(rng.uniform(0.25, 0.9) * min(picture.shape[:2]))
    left, top = (float(rng.uniform(0, length - side)) for length in (picture.shape[1], picture.shape[0]))
    piece = Image.fromarray(picture).resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR, (left, top, left + side, top + side)
    )
    return np.asarray(piece)


def _set_in(
    canvas: NDArray[np.float32], photo: NDArray[np.uint8], spot: Placed, rng: np.random.Generator, recipe: Recipe
) -> None:
    """Lay a photo (SIDE, SIDE, 3) over the canvas, in place."""
    from PIL import Image

    side = max(8, round(SIDE * spot.scale))
    degrees = float(np.rad2deg(spot.turn))
    small = (
        Image.fromarray(photo).resize((side, side), Image.Resampling.LANCZOS).rotate(degrees, Image.Resampling.BILINEAR)
    )
    patch = np.asarray(small, np.float32)
    light = rng.normal(1.0, 0.12 * recipe.harm) * (1 + rng.normal(0, 0.04 * recipe.harm, 3))
    patch = patch * light + rng.normal(0, 8 * recipe.harm)
    cover = mask(side, spot.turn, rng)[:, :, None]
    left, top = round(spot.x - side / 2), round(spot.y - side / 2)
    rows = slice(max(0, top), min(recipe.height, top + side))
    columns = slice(max(0, left), min(recipe.width, left + side))
    inner = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    canvas[rows, columns] += cover[inner] * (patch[inner] - canvas[rows, columns])


def mask(side: int, turn: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side, side) in [0, 1]: a superellipse with a wavy, more or less soft rim, turned with the photo. It covers the
    face's box and stays within the photo."""
    from PIL import Image

    # A smooth thing: drawn small, then enlarged.
    drawn = min(side, 64)
    half = (np.arange(drawn, dtype=np.float32) + 0.5) / drawn * 2 - 1
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    x = cos * half[None] - sin * half[:, None]
    y = sin * half[None] + cos * half[:, None]
    wide, high = rng.uniform(0.58, 0.86), rng.uniform(0.66, 0.9)
    power = float(rng.uniform(1.8, 4.0))
    radius = (np.abs(x / wide) ** power + np.abs(y / high) ** power) ** (1 / power)
    angle = np.arctan2(y, x)
    for wave in (2, 3, 5):
        radius += rng.normal(0, 0.025) * np.sin(wave * angle + rng.uniform(0, 2 * np.pi)).astype(np.float32)
    soft = float(np.exp(rng.uniform(np.log(0.01), np.log(0.25))))
    if drawn < side:
        radius = np.asarray(Image.fromarray(radius.astype(np.float32)).resize((side, side), Image.Resampling.BILINEAR))
    return np.clip((1 + soft / 2 - radius) / soft, 0, 1).astype(np.float32)


def _seen(canvas: NDArray[np.float32], rng: np.random.Generator, recipe: Recipe) -> NDArray[np.uint8]:
    """What a camera makes of a scene: uneven light, its colour, blur, noise."""
    from PIL import Image, ImageFilter

    harm = recipe.harm
    slope = rng.normal(0, 0.12 * harm, 2)
    height, width = canvas.shape[:2]
    light = 1 + slope[0] * np.linspace(-1, 1, width)[None] + slope[1] * np.linspace(-1, 1, height)[:, None]
    gain = np.exp(rng.normal(0, 0.12 * harm)) * (1 + rng.normal(0, 0.03 * harm, 3))
    canvas = canvas * light[:, :, None].astype(np.float32) * gain.astype(np.float32)
    blur = harm * float(rng.gamma(1.2, 0.35)) * height / HEIGHT
    if blur > 0.25:
        picture = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
        canvas = np.asarray(picture.filter(ImageFilter.GaussianBlur(min(blur, 2.0))), np.float32)
    noise = harm * float(rng.uniform(0.5, 7.0))
    # Grain of one brightness for all colours, which is most of what is seen, at a third of the cost.
    canvas = canvas + noise * rng.standard_normal((height, width, 1), dtype=np.float32)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _jpeg(picture: NDArray[np.uint8], quality: int) -> bytes:
    from PIL import Image

    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, "JPEG", quality=quality)
    return packed.getvalue()
