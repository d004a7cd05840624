"""How long a piece of work took, what it owes to earlier work included.

What several runs have in common (a network that learns from side data alone, whatever the budget) is made once and
kept; the seconds that making it took count in every run that uses it, as if each had made it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engines.core.files import replacing

Made = TypeVar("Made")
SECONDS = "seconds.txt"  # beside what was kept: how long it took, and where if not on the processor


@dataclass
class Effort:
    """`seconds` of a block of work; final when the block has ended."""

    seconds: float = 0.0
    kept: float = 0.0  # those of them that were spent earlier
    device: str = "cpu"  # where they were spent; not "cpu" where any were spent elsewhere


_OPEN: ContextVar[Effort | None] = ContextVar("effort", default=None)


def device() -> str:
    """Where networks are trained: the setting CROSSOVER_DEVICE, "cpu" unless told."""
    return os.environ.get("CROSSOVER_DEVICE") or "cpu"


def clock() -> float:
    """Seconds: of the processor's own time, which other work does not lengthen, or of the wall where a GPU works."""
    return time.process_time() if device() == "cpu" else time.perf_counter()


@contextmanager
def counted() -> Iterator[Effort]:
    """What the block takes, and what went into the kept things that it uses."""
    effort = Effort(device=device())
    token, start = _OPEN.set(effort), clock()
    try:
        yield effort
    finally:
        _OPEN.reset(token)
        effort.seconds = clock() - start + effort.kept


def named(made: Sequence[object], arrays: Iterable[NDArray[Any]]) -> str:
    """A name for what follows from all that `made` holds (what JSON can) and from these arrays, in their order."""
    digest = hashlib.blake2b(json.dumps(made, sort_keys=True).encode(), digest_size=12)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def once(
    folder: Path, make: Callable[[], Made], save: Callable[[Made, Path], None], load: Callable[[Path], Made]
) -> Made:
    """What `make` makes, kept in `folder` by `save`; from there by `load` where it was made before. `folder` is named
    by all that it follows from (`named`), and `load` gives what `make` gave."""
    if (folder / SECONDS).exists():
        seconds, _, where = (folder / SECONDS).read_text().partition(" ")
        if effort := _OPEN.get():
            effort.kept += float(seconds)
            effort.device = where or effort.device
        return load(folder)
    start = clock()
    made = make()
    spent = clock() - start
    # Another process may be quicker with the same, or the cache full: then the next run makes it again.
    with suppress(OSError), replacing(folder) as aside:
        aside.mkdir()
        save(made, aside)
        (aside / SECONDS).write_text(repr(spent) if device() == "cpu" else f"{spent!r} {device()}")
    return made
