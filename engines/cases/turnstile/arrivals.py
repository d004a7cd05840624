"""A picture that a visitor brings, as the gate's camera would have given it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile.compose import HEIGHT, WIDTH
from engines.core import Task
from engines.ml.images import Limits, decode_image

LIMITS = Limits(min_side=48, longest=1280)


def decode(content: bytes, filename: str, task: Task) -> NDArray[np.uint8]:
    """The picture, uint8 (240, 320, 3): whole, upright, and with bars of its mean colour where its form is another.

    Raises:
        UserError: it is no picture, or outside the limits.
    """
    return framed(decode_image(content, LIMITS, filename))


def framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture of any size laid into a frame, as large as it fits."""
    from PIL import Image

    height, width = picture.shape[:2]
    share = min(HEIGHT / height, WIDTH / width)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
    made = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    made[:] = picture.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    top, left = (HEIGHT - size[1]) // 2, (WIDTH - size[0]) // 2
    made[top : top + size[1], left : left + size[0]] = small
    return made
