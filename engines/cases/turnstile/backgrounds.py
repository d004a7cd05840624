"""Photographs without people to set faces into; those of the test never appear in training.

The setting CROSSOVER_BACKGROUNDS names a folder of one's own pictures, which then take the place of the data set's.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines import datasets
from engines.cases.turnstile import photos
from engines.core import UserError
from engines.ml.images import ACCEPTS, Limits, decode_image

TEST_SHARE = 0.4
FEWEST = 10
# A background with a box surer than this is not used, whether it shows a person or only looks like one.
FACE_FROM = 0.85
_LIMITS = Limits(min_side=200, longest=480)


@dataclass(frozen=True)
class Backgrounds:
    """Pictures (height, width, 3) of several sizes."""

    train: tuple[NDArray[np.uint8], ...]
    test: tuple[NDArray[np.uint8], ...]


@cache
def backgrounds() -> Backgrounds:
    """The pictures, those in which the detector sees a face left out; which part one belongs to hangs on its content.

    Raises:
        UserError: there are none, or fewer than 10 for a part.
    """
    own = _own()
    files = [file.read_bytes() for file in own] if own else _dataset()
    keys = [hashlib.sha256(content).hexdigest() for content in files]
    good = _without_faces(dict(zip(keys, files, strict=True)), name())
    parts: tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]] = ([], [])
    for key in sorted(good):
        parts[int(key[:8], 16) / 16**8 < TEST_SHARE].append(decode_image(good[key], _LIMITS, "A background"))
    if min(len(part) for part in parts) < FEWEST:
        raise UserError(
            f"Only {len(good)} backgrounds without faces were found: put 50 or more into the folder that "
            "CROSSOVER_BACKGROUNDS names, or unset it."
        )
    return Backgrounds(tuple(parts[0]), tuple(parts[1]))


def name() -> str:
    """What tells these backgrounds from others."""
    if own := _own():
        told = [f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in own]
    else:
        told = [f" {datasets.path('bsds500_backgrounds').stat().st_size}"]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


def here() -> bool:
    """Whether this machine has some."""
    return bool(_own()) or datasets.find("bsds500_backgrounds") is not None


def _dataset() -> list[bytes]:
    found: list[bytes] = datasets.table(datasets.path("bsds500_backgrounds"))["image"].to_pylist()
    return found


def _own() -> list[Path]:
    """The files of the folder that the setting names; none where it is not set."""
    setting = os.environ.get("CROSSOVER_BACKGROUNDS")
    if not setting:
        return []
    path = Path(setting)
    if not path.is_dir():
        raise UserError(f"CROSSOVER_BACKGROUNDS names {path}, which is not a folder: correct the setting or unset it.")
    found = [file for file in sorted(path.iterdir()) if file.suffix.lower().lstrip(".") in ACCEPTS]
    if not found:
        raise UserError(
            f"CROSSOVER_BACKGROUNDS names {path}, which holds no picture: put 50 or more there, or unset it."
        )
    return found


def _without_faces(files: dict[str, bytes], called: str) -> dict[str, bytes]:
    """Those in which no face is detected; the finding is kept in the cache."""
    import pyarrow
    import pyarrow.parquet as pq

    from engines.cases.turnstile.detect import Detector

    kept = photos.folder() / f"backgrounds-{called}-{FACE_FROM}.parquet"
    if not kept.exists():
        detector, good = Detector(), []
        for key, content in files.items():
            picture = decode_image(content, _LIMITS, "A background")
            if not any(box.confidence >= FACE_FROM for box in detector.find(picture)):
                good.append(key)
        photos.write(pyarrow.table({"background": pyarrow.array(good, pyarrow.string())}), kept)
    return {key: files[key] for key in pq.read_table(kept)["background"].to_pylist()}
