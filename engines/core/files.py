"""Files that are whole or not there at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside `target`, to be written in the block as a file or made into a folder; renamed to `target` when the
    block ends well, removed when it does not. Its folder is made. Several processes may write the same target at once.

    Raises:
        OSError: it cannot be written or renamed; a folder cannot take the place of one that holds something.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
    try:
        yield aside
        os.replace(aside, target)
    except BaseException:
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        with suppress(OSError):
            aside.unlink()
        raise
