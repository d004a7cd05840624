"""The task of real radiographs: the RSNA Pediatric Bone Age set, which its users bring themselves.

Expected under a folder named in CROSSOVER_DATA, as the published archives unpack:

    rsna_bone_age/boneage-training-dataset.csv          id, boneage (months), male (True or False)
    rsna_bone_age/boneage-training-dataset/<id>.png     (one more folder of that name in between is fine)

Of a thousand pictures 79 are the test (about 1,000 of 12,611), by a checksum of the name. The set does not say how
large its pixels are: every hand is laid into the working size as it is and pixels are taken to be of a usual size, so
that lengths are right but for one factor a picture. Its bones were never outlined: masks are those of simulated hands.
"""

from __future__ import annotations

import csv
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines import datasets
from engines.cases.bone_age import decode, simulated
from engines.cases.bone_age.simulate import MIDDLE_MM
from engines.core import Split, TaskData, UserError
from engines.core.radiograph import Age, Radiograph
from engines.ml import images
from engines.ml.lazy import Lazy

TEST_SHARE = 79  # of a thousand
NOTE = "RSNA Pediatric Bone Age; not for clinical use"
_LIMITS = images.Limits(max_bytes=60_000_000, longest=1200, min_side=96)


@lru_cache(maxsize=1)
def rsna() -> TaskData:
    """Radiographs -> bone age in months as read by radiologists.

    Raises:
        UserError: the data are not on this machine, or not laid out as expected.
    """
    table = datasets.path("rsna_bone_age")
    rows = _rows(table)
    folder = _folder(table)
    known = [row for row in rows if (folder / f"{row[0]}.png").is_file()]
    if not known:
        raise UserError(f"{folder} holds none of the pictures that {table.name} names: unpack the archive of pictures.")
    train = [row for row in known if not _is_test(row[0])]
    test = [row for row in known if _is_test(row[0])]
    if not train or not test:
        raise UserError(f"{folder} holds too few of the pictures that {table.name} names: unpack the whole archive.")
    side = {"masks": Lazy(simulated.MASKS, simulated.mask)}
    return TaskData(
        _split(folder, sorted(train)),
        {"test": _split(folder, sorted(test))},
        simulated.X,
        side,
        simulated.masks_of,
    )


def _is_test(name: str) -> bool:
    """By the name alone: whether a picture is of the test never depends on which others are there."""
    return zlib.crc32(name.encode()) % 1000 < TEST_SHARE


def _rows(table: Path) -> list[tuple[str, float, str]]:
    """(name, months, sex) of every picture."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
        return [
            (str(int(row["id"])), float(row["boneage"]), "M" if row["male"].strip().lower() == "true" else "F")
            for row in rows
        ]
    except (KeyError, ValueError, AttributeError, UnicodeDecodeError) as error:
        raise UserError(f"{table} is not the table of the RSNA set (id, boneage, male): take the original.") from error


def _folder(table: Path) -> Path:
    outer = table.parent / "boneage-training-dataset"
    inner = outer / "boneage-training-dataset"
    return inner if inner.is_dir() else outer


def _split(folder: Path, rows: list[tuple[str, float, str]]) -> Split:
    return Split(
        Lazy(len(rows), lambda i: picture(folder / f"{rows[i][0]}.png", rows[i][2])),
        Lazy(len(rows), lambda i: Age(rows[i][1])),
        np.ones(len(rows)),
        Lazy(len(rows), lambda i: {}),
    )


def picture(file: Path, sex: str) -> Radiograph:
    """A picture of the set at the working size, bone bright."""
    grey = _grey(file).astype(np.float32) / 255
    # The few inverted pictures have a bright rim and a dark hand.
    rim = np.concatenate([grey[:8].ravel(), grey[-8:].ravel(), grey[:, :8].ravel(), grey[:, -8:].ravel()])
    if np.median(rim) > 0.6 and np.median(rim) > np.median(grey[40:-40, 30:-30]) + 0.1:
        grey = 1 - grey
    return Radiograph(grey, MIDDLE_MM, sex, NOTE)


@lru_cache(maxsize=16384)
def _grey(file: Path) -> NDArray[np.uint8]:
    """Read once a process: 28 kB a picture."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): unpack the archive again.") from error
    pixels = images.decode_image(content, _LIMITS, file.name).mean(axis=2).astype(np.float32) / 255
    laid = decode.fitted(pixels, 1.0, "", "").pixels
    return np.rint(laid * 255).astype(np.uint8)
