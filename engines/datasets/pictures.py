"""Archives of photographs to the columns of the catalogue: smaller, as JPEG, a row each."""

from __future__ import annotations

import io
import re
from pathlib import Path

from engines.datasets.convert import _members, _write

# Of the 5,749 people of the archive the 2,897 of the stored runs, so that a score means the same everywhere.
PEOPLE = Path(__file__).with_name("lfw_people.txt")
_PHOTO = re.compile(r"([^/]+)/\1_(\d{4})\.jpg$")
_SIDE = 150
_LONGEST = 400
_SCENE = re.compile(r"BSDS500/data/images/(?:train|val|test)/(\w+)\.jpg$")
_QUALITY = 90


def lfw(archives: list[Path], target: Path) -> None:
    """One row a photo of the chosen people, 250 x 250 made 150 x 150."""
    chosen = set(PEOPLE.read_text().split())
    rows = []
    for name, content in _members(archives[0]):
        found = _PHOTO.search(str(name))
        if found and found[1] in chosen:
            row = {"person": found[1], "take": int(found[2]), "width": _SIDE, "height": _SIDE}
            rows.append(row | {"image": _resized(content, (_SIDE, _SIDE))})
    if not rows:
        raise KeyError("photographs")
    _write(sorted(rows, key=lambda row: (row["person"], row["take"])), target)


def bsds500(archives: list[Path], target: Path) -> None:
    """One row a photograph, 481 x 321 or upright made 400 x 267; the drawn contours are left out."""
    rows = []
    for name, content in _members(archives[0]):
        if found := _SCENE.search(str(name)):
            width, height = _size(content)
            share = _LONGEST / max(width, height)
            size = (round(width * share), round(height * share))
            row = {"id": found[1], "width": size[0], "height": size[1]}
            rows.append(row | {"image": _resized(content, size)})
    if not rows:
        raise KeyError("images")
    _write(sorted(rows, key=lambda row: str(row["id"])), target)


def _size(content: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
        return picture.size


def _resized(content: bytes, size: tuple[int, int]) -> bytes:
    from PIL import Image

    packed = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
        picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(packed, "JPEG", quality=_QUALITY)
    return packed.getvalue()
