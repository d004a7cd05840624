"""Where ready files are: a directory of them named by the setting CROSSOVER_DATA, then the download cache."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engines.core import UserError
from engines.datasets.entries import dataset


def cache_directory() -> Path:
    """Where downloads and generated data are kept: the setting CROSSOVER_CACHE, or ~/.cache/crossover."""
    return Path(os.environ.get("CROSSOVER_CACHE") or Path.home() / ".cache" / "crossover").absolute()


def find(name: str) -> Path | None:
    """The ready file of a data set, or None when this machine has none."""
    file = dataset(name).file
    if not file:
        return None
    folders = [Path(setting)] if (setting := os.environ.get("CROSSOVER_DATA")) else []
    for folder in [*folders, cache_directory() / "datasets"]:
        if (folder / file).is_file():
            return folder / file
    return None


def path(name: str) -> Path:
    """The ready file of a data set.

    Raises:
        UserError: there is no such data set, or it is not on this machine yet.
    """
    found = find(name)
    if found is None:
        raise UserError(f"{dataset(name).title} is not on this machine yet: {how_to_get(name)}.")
    return found


def table(file: Path, columns: Sequence[str] | None = None) -> Any:
    """The pyarrow table in a ready file.

    Raises:
        UserError: it cannot be read.
    """
    import pyarrow
    import pyarrow.parquet as pq

    try:
        return pq.read_table(file, columns=columns)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(
            f"{file} is damaged: delete it and get it again, as `python -m engines data list` says."
        ) from error


def how_to_get(name: str) -> str:
    """What to do for a data set that is not here: half a sentence."""
    entry = dataset(name)
    if entry.generated:
        return "it is made on the fly, there is no file of it to fetch"
    if entry.convert:
        return (
            f"run `python -m engines data fetch {name}`, or name a directory that holds {entry.file} in CROSSOVER_DATA"
        )
    return entry.by_hand.format(file=entry.file, page=entry.page)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Holds a lock that ends with the process, however it ends. Without fcntl (Windows) there is none: two processes
    may then make the same file, and the second replaces an equal first."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Whoever still waits for this lock looks for what it guards once it gets it.
            file.unlink(missing_ok=True)
