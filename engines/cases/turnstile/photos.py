"""The photographs of people: who is in them, which show the same moment, and who plays which part.

A part is a role in the experiment: employees, whose frames are the budget and the test; "others", whose photos train
the comparing network; "unseen", who test it; "strangers" at the gate, and "callers", strangers too, by whom thresholds
are set. Nobody plays two parts.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines import datasets
from engines.core import UserError
from engines.core.files import replacing

SIDE = 150  # pixels of a photo
FACE = SIDE / 2.2  # pixels of the face's box, in the middle of the photo
EMPLOYED_FROM = 20  # photos
MOST = 30  # training photos of any one person
TESTED = 8  # photos a person kept for the test
STRANGERS, CALLERS, UNSEEN = 1000, 250, 150
# Near duplicates: 64-bit hashes that differ in at most so many bits, or thumbnails that correlate at least so much.
# Of 179,700 pairs of different people none are nearer than 10 bits, and none of their thumbnails correlate above 0.9;
# of pairs of one person at 8 bits about half are from one occasion, so that as many are dropped for nothing.
BITS, CORRELATION = 8, 0.95
_SPLIT_SEED = 20_02_2001


@dataclass(frozen=True)
class Photos:
    """All photos of the data set: `names` (n,) of the person, `takes` (n,), `files` (n,) JPEG bytes."""

    names: tuple[str, ...]
    takes: NDArray[np.int64]
    files: Sequence[Any]

    def pixels(self, i: int) -> NDArray[np.uint8]:
        """Photo i, uint8 (SIDE, SIDE, 3)."""
        from PIL import Image

        with Image.open(io.BytesIO(self.files[int(i)].as_py()), formats=("JPEG",)) as picture:
            return np.array(picture.convert("RGB"))


@dataclass(frozen=True)
class Parts:
    """Who plays which part, as indices of photos by person. Near duplicates are left out of every part."""

    train: Mapping[str, tuple[int, ...]]
    test: Mapping[str, tuple[int, ...]]
    others: Mapping[str, tuple[int, ...]]
    unseen: Mapping[str, tuple[int, ...]]
    strangers: Mapping[str, tuple[int, ...]]
    callers: Mapping[str, tuple[int, ...]]

    @property
    def employees(self) -> tuple[str, ...]:
        return tuple(sorted(self.train))


@cache
def photos() -> Photos:
    """The photos.

    Raises:
        UserError: they are not on this machine, or are not the photos expected.
    """

    table = datasets.table(datasets.path("lfw"))
    if not len(table) or table["width"][0].as_py() != SIDE:
        raise UserError("The photos of faces are not 150 pixels wide: run `python -m engines data verify lfw`.")
    return Photos(tuple(table["person"].to_pylist()), np.asarray(table["take"]), table["image"])


@cache
def parts() -> Parts:
    """The parts, the same on every machine that has the same photos."""
    held = photos()
    by_person: dict[str, list[int]] = {}
    for i, name in enumerate(held.names):
        by_person.setdefault(name, []).append(i)
    kept = distinct(held, by_person)
    rng = np.random.default_rng(_SPLIT_SEED)
    employees = {name: kept[name] for name, all_of in sorted(by_person.items()) if len(all_of) >= EMPLOYED_FROM}
    if not employees:
        raise UserError("No person has 20 photos or more: run `python -m engines data verify lfw`.")
    train, test = {}, {}
    for name, index in employees.items():
        order = rng.permutation(index)
        test[name] = tuple(int(i) for i in order[:TESTED])
        train[name] = tuple(int(i) for i in order[TESTED : TESTED + MOST])
    rest = sorted(name for name in by_person if name not in employees)
    rest = [rest[i] for i in rng.permutation(len(rest))]
    single = [name for name in rest if len(by_person[name]) == 1]
    several = [name for name in rest if len(kept[name]) >= 2]
    away = STRANGERS + CALLERS
    strangers, callers = single[:STRANGERS], single[STRANGERS:away]
    unseen = several[:UNSEEN]
    taken = {*strangers, *callers, *unseen}
    others = [name for name in rest if name not in taken]

    def of(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
        return {name: tuple(kept[name][:MOST]) for name in names}

    return Parts(train, test, of(others), of(unseen), of(strangers), of(callers))


def distinct(held: Photos, by_person: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Of every person's photos those that are no near duplicate of an earlier one; kept in the cache, since looking at
    all of them takes seconds."""
    import pyarrow
    import pyarrow.parquet as pq

    source = datasets.path("lfw").stat()
    file = folder() / f"distinct-{source.st_size}-{len(held.names)}-{BITS}-{CORRELATION}.parquet"
    if file.exists():
        good = set(pq.read_table(file)["photo"].to_pylist())
        return {name: [i for i in index if i in good] for name, index in by_person.items()}
    kept = {name: first_of_each([held.pixels(i) for i in index], index) for name, index in by_person.items()}
    write(pyarrow.table({"photo": [i for index in kept.values() for i in index]}), file)
    return kept


def first_of_each(pictures: Sequence[NDArray[np.uint8]], names: Sequence[int]) -> list[int]:
    """The `names` of those pictures that are no near duplicate of an earlier one in the list."""
    if len(pictures) < 2:
        return list(names)
    hashes = np.stack([perceptual_hash(picture) for picture in pictures])
    small = np.stack([thumbnail(picture) for picture in pictures])
    alike = (hashes[:, None] != hashes[None]).sum(axis=2) <= BITS
    alike |= small @ small.T >= CORRELATION
    first: list[int] = []
    for i in range(len(pictures)):
        if not any(alike[i, j] for j in first):
            first.append(i)
    return [names[i] for i in first]


def perceptual_hash(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """64 bits: whether each low frequency of the 32 x 32 grey picture is above their median. Scale, light, contrast and
    compression change few of them. Source: Zauner 2010, "Implementation and benchmarking of perceptual image hash
    functions"."""
    from scipy.fft import dctn

    low = dctn(_grey(picture, 32))[:8, :8].ravel()
    return np.asarray(low > np.median(low[1:]))


def thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The middle of the picture, 20 x 20 grey, of mean 0 and length 1; products of two are correlations."""
    cut = picture.shape[0] // 5
    grey = _grey(picture[cut:-cut, cut:-cut], 20).ravel()
    grey = grey - grey.mean()
    return np.asarray(grey / max(float(np.linalg.norm(grey)), 1e-9))


def _grey(picture: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
    from PIL import Image

    return np.asarray(Image.fromarray(picture).convert("L").resize((side, side), Image.Resampling.BOX), np.float64)


def folder() -> Path:
    """Where this case keeps what it would otherwise work out again.

    Raises:
        UserError: nothing can be written there.
    """
    found = datasets.cache_directory() / "turnstile"
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{found} cannot be written ({error.strerror}): set CROSSOVER_CACHE.") from error
    return found


def write(table: Any, file: Path) -> None:
    """A Parquet file, written aside and renamed."""
    import pyarrow.parquet as pq

    try:
        with replacing(file) as aside:
            pq.write_table(table, aside)
    except OSError as error:
        raise UserError(f"{file.parent} cannot be written ({error.strerror}): set CROSSOVER_CACHE.") from error
