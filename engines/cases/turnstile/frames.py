"""All frames of the case, made once from their seed and kept in the cache as a camera would keep them: as JPEG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines import datasets
from engines.cases.turnstile import backgrounds, compose, photos
from engines.cases.turnstile.compose import Placed
from engines.cases.turnstile.detect import Detector, Memory, digest

VERSION = 1  # of how frames are made
_SEED = 62_240_320
# part -> whether its backgrounds are those of the test, and a number of its own
PARTS: Mapping[str, tuple[bool, int]] = {
    "train": (False, 1),
    "callers": (False, 2),
    "test": (True, 3),
    "gate": (True, 4),
    "strangers": (True, 5),
}


@dataclass(frozen=True)
class Frames:
    """Frames of one part: of `photos` (n,) of `people` (n,), at `placed` (n,)."""

    people: tuple[str, ...]
    photos: tuple[int, ...]
    placed: tuple[Placed, ...]
    files: Any  # (n,) JPEG bytes

    def __len__(self) -> int:
        return len(self.people)

    def pixels(self, i: int) -> NDArray[np.uint8]:
        """Frame i, uint8 (240, 320, 3)."""
        return compose.decoded(self.files[int(i)].as_py())


def made() -> bool:
    """Whether the frames are in the cache, so that nobody waits the minute that making them takes."""
    return _file(create=False) is not None


@cache
def frames(part: str) -> Frames:
    """The frames of a part of PARTS, one a photo; "gate" shows the test's photos in other frames."""
    table = _table()
    rows = table.filter(np.asarray(table["part"]) == part)
    spots = zip(*(rows[name].to_pylist() for name in ("scale", "turn", "x", "y")), strict=True)
    return Frames(
        tuple(rows["person"].to_pylist()),
        tuple(rows["photo"].to_pylist()),
        tuple(Placed(*spot) for spot in spots),
        rows["jpeg"].combine_chunks(),
    )


@cache
def memory() -> Memory:
    """The boxes of the frames that every run looks at; of none where the frames have not been made here."""
    file = _file(create=False)
    if file is None:
        return Memory(None, None, Detector())
    import pyarrow.parquet as pq

    table = pq.read_table(file, columns=["part", "digest"])
    rows = zip(table["part"].to_pylist(), table["digest"].to_pylist(), strict=True)
    worth = frozenset(key for part, key in rows if part != "test")
    return Memory(file.with_name(f"boxes-{file.name}"), worth, Detector())


@cache
def of_photos() -> Memory:
    """The boxes of the photos themselves."""
    return Memory(photos.folder() / "boxes-photos.parquet", None, Detector())


def _file(create: bool) -> Path | None:
    if not create and (datasets.find("lfw") is None or not backgrounds.here()):
        return None
    size = datasets.path("lfw").stat().st_size
    file = photos.folder() / f"frames-{VERSION}-{size}-{backgrounds.name()}.parquet"
    return file if create or file.exists() else None


@cache
def _table() -> Any:
    import pyarrow.parquet as pq

    file = _file(create=True)
    assert file is not None
    if not file.exists():
        _make(file)
        memory.cache_clear()
    return pq.read_table(file)


def _make(file: Path) -> None:
    import pyarrow

    held, scenes, who = photos.photos(), backgrounds.backgrounds(), photos.parts()
    people = {"train": who.train, "callers": who.callers, "test": who.test, "gate": who.test}
    people["strangers"] = who.strangers
    rows = []
    for part, (tested, number) in PARTS.items():
        for person, index in sorted(people[part].items()):
            for i in index:
                rng = np.random.default_rng([_SEED, VERSION, number, i])
                made = compose.frame(held.pixels(i), scenes.test if tested else scenes.train, rng)
                assert made.placed is not None
                spot = made.placed
                place = {"scale": spot.scale, "turn": spot.turn, "x": spot.x, "y": spot.y}
                row = {"part": part, "person": person, "photo": i, "jpeg": made.jpeg, "digest": digest(made.pixels())}
                rows.append(row | place)
    photos.write(pyarrow.Table.from_pylist(rows), file)
