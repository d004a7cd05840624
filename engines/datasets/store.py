"""Where ready files are: a directory of them named by the setting CROSSOVER_DATA, then the download cache."""

from __future__ import annotations

import os
from pathlib import Path

from engines.core import UserError
from engines.datasets.catalogue import dataset


def cache_directory() -> Path:
    """Where downloads and generated data are kept: the setting CROSSOVER_CACHE, or ~/.cache/crossover."""
    return Path(os.environ.get("CROSSOVER_CACHE") or Path.home() / ".cache" / "crossover")


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
        UserError: there is no such data set, or it has not been fetched yet.
    """
    found = find(name)
    if found is None:
        entry = dataset(name)
        if entry.generated:
            raise UserError(f"{entry.title} is made on the fly: there is no file of it to fetch.")
        raise UserError(f"{entry.title} is not on this machine yet: run `python -m engines data fetch {name}` first.")
    return found
