"""From a visitor's file to the input of a task: a radiograph at the working size, or a row of lengths.

A picture must say how large its pixels are. DICOM does; a PNG made here does too (as text beside the pixels); of any
other the name may: `hand_F_0.14mm.png` is a girl's hand with pixels of 0.14 mm. The sex may stay unknown.
"""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cases.bone_age import dicom
from engines.cases.bone_age.anatomy import LONG
from engines.cases.bone_age.simulate import HEIGHT, NOTE, WIDTH
from engines.core import Task, UserError
from engines.core.radiograph import Measures, Radiograph
from engines.ml import images
from engines.ml.filenames import short

ACCEPTS = ("png", "jpg", "jpeg", "tif", "tiff", "dcm", "csv")
LIMITS = (
    "a hand X-ray as PNG, JPEG or DICOM of at most 25 megapixels that says how large its pixels are (a name like "
    "hand_F_0.14mm.png will do), or a CSV of bone lengths"
)
_LIMITS = images.Limits(longest=1600, min_side=96)
_MM = re.compile(r"(\d+(?:\.\d+)?) ?mm", re.IGNORECASE)
_SEXES = {"": "", "f": "F", "female": "F", "girl": "F", "m": "M", "male": "M", "boy": "M"}
_SEX = re.compile(r"(?:^|[_\- .])([fm])(?=[_\- .])", re.IGNORECASE)


def decode(content: bytes, filename: str, task: Task) -> Radiograph | Measures:
    """What the task's engines take.

    Raises:
        UserError: the file cannot be used; the sentence says why and what to do.
    """
    if task.x.kind == "measures":
        return lengths(content, filename)
    from engines.cases.bone_age import check

    found = radiograph(content, filename)
    return check.checked(found, short(filename))


def radiograph(content: bytes, filename: str) -> Radiograph:
    """The picture at its own resolution, bone bright; nothing is asked yet of what it shows."""
    name = short(filename)
    if dicom.looks_like_dicom(content, filename):
        plate = dicom.read(content, name)
        return _sized(plate.pixels, plate.mm, plate.sex, "")
    if filename.lower().endswith(".csv"):
        raise UserError(f"{name} is a table, and this task takes pictures: choose the task of lengths for it.")
    pixels = images.decode_image(content, _LIMITS, name)
    if _colourful(pixels):
        raise UserError(f"{name} is a photograph in colour, not a radiograph: bring an X-ray of a hand.")
    told = _told(content)
    mm = _number(told.get("mm_per_pixel", "")) or _named_mm(filename)
    if mm is None:
        raise UserError(
            f"{name} does not say how large its pixels are, and lengths cannot be measured without: name it like "
            "hand_F_0.14mm.png, or bring DICOM with its pixel spacing."
        )
    sex = told.get("sex", "") or next((found.upper() for found in _SEX.findall(filename)), "")
    shrunk = _reduction(content, pixels)
    note = NOTE if told.get("simulated") else ""
    return _sized(pixels.mean(axis=2).astype(np.float32) / 255, mm * shrunk, sex if sex in ("F", "M") else "", note)


def lengths(content: bytes, filename: str) -> Measures:
    """A CSV with a header and one row: sex (or gender) and lengths in mm, columns named as the bones (MC1 … DP5)."""
    name = short(filename)
    if not filename.lower().endswith(".csv"):
        raise UserError(f"{name} is not a CSV of bone lengths, which is what this task takes: sex, MC1, …, DP5 in mm.")
    try:
        read = csv.DictReader(io.StringIO(content[:100_000].decode("utf-8-sig")))
        rows = [row for row in read if any(row.values())]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{name} is not a CSV that can be read: save it as text with commas.") from error
    if not rows:
        raise UserError(f"{name} holds no row of lengths: give a header and one row.")
    if len(rows) > 1:
        raise UserError(f"{name} holds {len(rows)} rows, and one child is looked at: leave one row below the header.")
    row = {(key or "").strip().lower(): value.strip() for key, value in rows[0].items() if isinstance(value, str)}
    found = [_number(row.get(bone.lower(), "")) for bone in LONG]
    if sum(value is not None for value in found) < 5:
        raise UserError(f"{name} names fewer than five bones: give columns like MC1 or PP2, in mm.")
    if any(value is not None and not 2 <= value <= 120 for value in found):
        raise UserError(f"{name} holds a length outside 2 to 120 mm, which no bone of a hand has: correct it.")
    sex = (row.get("sex") or row.get("gender") or "").lower()
    if sex not in _SEXES:
        raise UserError(f"{name} names a sex that is not read here: write F or M, or leave it empty.")
    values = np.array([np.nan if value is None else value for value in found], np.float32)
    return Measures(_SEXES[sex], LONG, values, ("mm",) * len(LONG))


def fitted(picture: NDArray[np.float32], mm: float, sex: str, note: str) -> Radiograph:
    """Any picture laid into the working size whole, the margin filled with the grey of its own edge."""
    height, width = picture.shape
    step = max(height / HEIGHT, width / WIDTH)
    size = (max(1, round(height / step)), max(1, round(width / step)))
    small = np.clip(resized(picture, size), 0, 1)
    edge = float(np.median(np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])))
    whole = np.full((HEIGHT, WIDTH), edge, np.float32)
    top, left = HEIGHT - size[0], (WIDTH - size[1]) // 2  # the forearm stays at the lower edge
    whole[top:, left : left + size[1]] = small
    whole = np.rint(whole * 255).astype(np.float32) / np.float32(255)
    return Radiograph(whole, mm * step, sex, note)


def resized(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    from PIL import Image

    made = Image.fromarray(np.ascontiguousarray(picture, np.float32)).resize(size[::-1], Image.Resampling.BOX)
    return np.asarray(made, np.float32)


def _sized(pixels: NDArray[np.float32], mm: float, sex: str, note: str) -> Radiograph:
    if pixels.shape == (HEIGHT, WIDTH):
        return Radiograph(np.ascontiguousarray(pixels), mm, sex, note)
    return Radiograph(np.clip(pixels, 0, 1), mm, sex, note)


def _colourful(pixels: NDArray[np.uint8]) -> bool:
    some = pixels[::4, ::4].astype(float)
    return float(np.quantile(some.max(axis=2) - some.min(axis=2), 0.9)) > 25


def _told(content: bytes) -> dict[str, str]:
    """Texts that a PNG carries under the names we write ourselves; all else in it stays unread."""
    from PIL import Image

    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return {}
    with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
        text: dict[str, Any] = dict(getattr(picture, "text", {}) or {})
    return {key: str(text[key])[:40] for key in ("mm_per_pixel", "sex", "simulated") if key in text}


def _reduction(content: bytes, pixels: NDArray[np.uint8]) -> float:
    """How many pixels of the file became one."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        return max(picture.size) / max(pixels.shape[:2])


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _named_mm(filename: str) -> float | None:
    found = _MM.search(filename)
    value = _number(found[1]) if found else None
    return value if value is not None and 0.02 <= value <= 5 else None


def encode(picture: Radiograph) -> bytes:
    """A PNG that says its pixel size and sex, and that it was simulated where it was: `decode` reads it back."""
    from PIL import Image, PngImagePlugin

    told = PngImagePlugin.PngInfo()
    told.add_text("mm_per_pixel", repr(float(picture.mm_per_pixel)))
    told.add_text("sex", picture.sex)
    if picture.note:
        told.add_text("simulated", picture.note)
    file = io.BytesIO()
    Image.fromarray(np.rint(picture.pixels * 255).astype(np.uint8)).save(file, "PNG", pnginfo=told, optimize=True)
    return file.getvalue()
