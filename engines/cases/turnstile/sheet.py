"""A sheet of frames to look at: `python -m engines.cases.turnstile.sheet frames.png`.

Frames of the training part where the photographs are on this machine. With `--drawn` the same code sets drawn heads
into drawn rooms, so that the sheet can be passed on: the photographs are their photographers'.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile import compose
from engines.cases.turnstile.compose import Placed
from engines.cases.turnstile.photos import SIDE
from engines.core import UserError

ROWS, COLUMNS = 2, 4
_BOX = (18, 184, 134)


def sheet(pictures: list[tuple[NDArray[np.uint8], Placed]]) -> NDArray[np.uint8]:
    """Frames side by side, the true box drawn on every second one."""
    from PIL import Image, ImageDraw

    high, wide = compose.HEIGHT, compose.WIDTH
    made = Image.new("RGB", (COLUMNS * wide, ROWS * high))
    for i, (picture, placed) in enumerate(pictures[: ROWS * COLUMNS]):
        frame = Image.fromarray(picture)
        if i % 2:
            box = placed.box()
            ImageDraw.Draw(frame).rectangle((box.left, box.top, box.right, box.bottom), outline=_BOX, width=2)
        made.paste(frame, (i % COLUMNS * wide, i // COLUMNS * high))
    return np.asarray(made)


def photographed() -> list[tuple[NDArray[np.uint8], Placed]]:
    """Training frames, of other people each."""
    from engines.cases.turnstile.frames import frames

    held = frames("train")
    chosen = np.linspace(0, len(held) - 1, ROWS * COLUMNS).astype(int)
    return [(held.pixels(i), held.placed[i]) for i in chosen]


def drawn(rng: np.random.Generator) -> list[tuple[NDArray[np.uint8], Placed]]:
    """The same with drawn heads and rooms."""
    rooms = [_room(rng) for _ in range(12)]
    made = []
    while len(made) < ROWS * COLUMNS:
        picture, placed = compose.painted(_head(rng), rooms, rng, compose.Recipe())
        if placed is not None:
            made.append((picture, placed))
    return made


def _head(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A drawn head and shoulders, as large as a photo."""
    from PIL import Image, ImageDraw

    skin = tuple(int(v) for v in np.array([225, 180, 150]) * rng.uniform(0.45, 1.05))
    hair, shirt, wall = (tuple(int(v) for v in rng.integers(20, 200, 3)) for _ in range(3))
    image = Image.new("RGB", (SIDE, SIDE), wall)
    pen, middle = ImageDraw.Draw(image), SIDE // 2
    pen.ellipse((15, 118, SIDE - 15, 230), fill=shirt)
    pen.ellipse((middle - 36, middle - 50, middle + 36, middle + 30), fill=hair)
    pen.ellipse((middle - 30, middle - 38, middle + 30, middle + 44), fill=skin)
    for side in (-1, 1):
        pen.ellipse((middle + 13 * side - 6, middle - 12, middle + 13 * side + 6, middle - 4), fill="white")
        pen.ellipse((middle + 13 * side - 3, middle - 11, middle + 13 * side + 3, middle - 5), fill="black")
    pen.line((middle, middle - 2, middle - 4, middle + 14, middle + 3, middle + 15), fill=(110, 70, 60), width=2)
    pen.arc((middle - 14, middle + 12, middle + 14, middle + 30), 20, 160, fill=(150, 60, 60), width=3)
    return np.asarray(image)


def _room(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A drawn background of blocks and soft colours."""
    from PIL import Image, ImageDraw

    rough = rng.integers(30, 226, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(rough).resize((481, 321), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(14):
        left, top = (int(v) for v in rng.integers(0, (440, 290)))
        wide, high = (int(v) for v in rng.integers(12, 110, 2))
        pen.rectangle((left, top, left + wide, top + high), fill=tuple(int(v) for v in rng.integers(20, 236, 3)))
    return np.asarray(image)


def main(words: list[str]) -> None:
    """Write the sheet.

    Raises:
        UserError: no file is named, or the photographs are not here.
    """
    from PIL import Image

    files = [word for word in words if not word.startswith("--")]
    if len(files) != 1:
        raise UserError("Name one file: python -m engines.cases.turnstile.sheet frames.png [--drawn]")
    pictures = drawn(np.random.default_rng(3)) if "--drawn" in words else photographed()
    Image.fromarray(sheet(pictures)).save(Path(files[0]), optimize=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
