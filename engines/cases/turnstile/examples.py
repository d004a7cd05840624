"""Frames that a visitor can pick: of the test where a sweep has made them on this machine, else none.

They are written into the cache and never committed: the photographs are their photographers'.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from engines.cases.turnstile.frames import Frames, frames, made
from engines.core import Example, Task, UserError
from engines.core.files import replacing
from engines.datasets import cache_directory

_SOURCE = "Labeled Faces in the Wild and BSDS500: a frame of the test"


def examples(task: Task) -> tuple[Example, ...]:
    """Two employees near the gate, one far away, and two strangers."""
    try:
        # A page does not wait for frames to be made.
        return _examples(cache_directory()) if made() else ()
    except UserError:
        # The data is not on this machine.
        return ()


@lru_cache(maxsize=2)
def _examples(cache: Path) -> tuple[Example, ...]:
    folder = cache / "examples"
    test, strangers = frames("test"), frames("strangers")
    near = [i for i in range(len(test)) if test.placed[i].scale > 1.2]
    far = [i for i in range(len(test)) if 0.5 < test.placed[i].scale < 0.6]
    known = [i for i in range(len(strangers)) if strangers.placed[i].scale > 1.0]
    found = []
    for number, i in enumerate((near[0], near[len(near) // 2], far[len(far) // 3]), 1):
        where = "far away" if i in far else "near"
        title = f"{test.people[i].replace('_', ' ')}, {where}"
        found.append(Example(title, _keep(folder, f"gate-{number}.jpg", test, i), test.people[i], _SOURCE))
    for number, i in enumerate((known[0], known[len(known) // 2]), 1):
        file = _keep(folder, f"gate-stranger-{number}.jpg", strangers, i)
        found.append(Example(f"A stranger ({number})", file, "", f"{_SOURCE}, of someone who is not on file"))
    return tuple(found)


def _keep(folder: Path, name: str, held: Frames, i: int) -> str:
    """Written aside and renamed."""
    file = folder / name
    try:
        with replacing(file) as aside:
            aside.write_bytes(held.files[i].as_py())
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}): set CROSSOVER_CACHE.") from error
    return str(file)
