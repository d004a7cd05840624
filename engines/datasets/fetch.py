"""A data set from its official source to one ready file."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path

from engines.core import UserError, resolve
from engines.core.files import replacing
from engines.datasets import store
from engines.datasets.catalogue import Dataset, Source
from engines.datasets.download import download
from engines.datasets.verify import problem


def fetch(entry: Dataset, show: bool = True) -> Path:
    """The ready file, downloaded and converted unless this machine has one. It is written aside, checked and renamed:
    it is whole or it is not there.

    Raises:
        UserError: the project cannot fetch this data set, or one of the things that go wrong in a download did.
    """
    found = store.find(entry.name)
    if found is not None:
        return found
    if not entry.convert:
        raise UserError(f"{entry.title} cannot be fetched: {store.how_to_get(entry.name)}.")
    folder = store.cache_directory() / "datasets"
    sources = folder / "sources"
    target = folder / entry.file
    try:
        sources.mkdir(parents=True, exist_ok=True)
        with store.locked(folder / f"{entry.name}.lock"):
            if target.exists():  # made by whom this one waited for
                return target
            archives = [_archive(source, sources, show) for source in entry.sources]
            _convert(entry, archives, target)
    except OSError as error:
        raise UserError(
            f"{entry.title} could not be kept in {folder} ({error.strerror}): free some space there, "
            "or name another directory in CROSSOVER_CACHE."
        ) from error
    return target


def _archive(source: Source, folder: Path, show: bool) -> Path:
    """Two data sets may come out of one archive, and be fetched at once."""
    with store.locked(folder / f"{source.file}.lock"):
        return download(source, folder, show)


def _convert(entry: Dataset, archives: list[Path], target: Path) -> None:
    try:
        with replacing(target) as aside:
            resolve(entry.convert)(archives, aside)
            if wrong := problem(entry, aside):
                raise UserError(
                    f"What was downloaded of {entry.title} {wrong}: see {entry.page} whether the publisher has changed "
                    "it."
                )
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, KeyError, ValueError, RuntimeError) as error:
        for archive in archives:
            archive.unlink(missing_ok=True)
        raise UserError(
            f"What was downloaded of {entry.title} is damaged or not the archive expected, and was deleted: run "
            f"`python -m engines data fetch {entry.name}` again, and if it stays so look at {entry.page}."
        ) from error
