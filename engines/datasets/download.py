"""One file from the network: resumed where it was cut, checked, and either whole or not there."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from engines.core import UserError
from engines.datasets.catalogue import Source

ATTEMPTS = 4
TIMEOUT = 30
_CHUNK = 1 << 18


class _Cut(Exception):
    """The connection ended before the file did."""


def download(source: Source, folder: Path, show: bool = True) -> Path:
    """The source's file in `folder`, downloaded unless it is there. What has arrived when the connection is cut stays
    as *.partial, and the next attempt goes on from there; nothing else is left behind.

    Raises:
        UserError: no network, refused, cut several times, wrong checksum, or no space.
    """
    target = folder / source.file
    if target.exists():
        return target
    partial = folder / f"{source.file}.partial"
    _check_space(folder, max(0, source.bytes - _size(partial)))
    problems = []
    for url in source.urls:
        try:
            _fetch(url, partial, show)
            break
        except urllib.error.HTTPError as error:
            problems.append(f"{url} answers {error.code} {error.reason}")
        except _Cut:
            problems.append(f"{url} was cut after {_size(partial) / 1e6:.1f} MB")
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            problems.append(f"{url} cannot be reached ({getattr(error, 'reason', error)})")
    else:
        kept = "the same command goes on from there" if _size(partial) else "check the network and try again"
        raise UserError(f"{source.file} could not be downloaded: {'; '.join(problems)}; {kept}.")
    _check_sum(source, partial)
    os.replace(partial, target)
    return target


def _fetch(url: str, partial: Path, show: bool) -> None:
    """Brings `partial` to its full length, starting over a cut connection as long as each attempt brings something."""
    for attempt in range(ATTEMPTS):
        before = _size(partial)
        try:
            return _transfer(url, partial, show)
        except (http.client.IncompleteRead, ConnectionError, TimeoutError, _Cut) as error:
            if attempt == ATTEMPTS - 1 or _size(partial) <= before:
                raise _Cut from error


def _transfer(url: str, partial: Path, show: bool) -> None:
    have = _size(partial)
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity", "User-Agent": "crossover"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        # 416: what is there is all there is, or is not a part of this file.
        if error.code != 416 or not have:
            raise
        if error.headers.get("Content-Range", "") == f"bytes */{have}":
            return
        partial.unlink()
        return _transfer(url, partial, show)
    with answer:
        resumed = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        length = answer.headers.get("Content-Length")
        expected = None if length is None else int(length) + (have if resumed else 0)
        _write(answer, partial, have if resumed else 0, expected, show)
    if expected is not None and _size(partial) < expected:
        raise _Cut


def _write(answer: Any, partial: Path, have: int, expected: int | None, show: bool) -> None:
    from tqdm import tqdm

    with (
        tqdm(total=expected, initial=have, unit="B", unit_scale=True, desc=partial.stem, disable=not show) as bar,
        partial.open("r+b" if have else "wb", buffering=0) as file,
    ):
        file.seek(have)
        while chunk := _read(answer):
            try:
                file.write(chunk)
            except OSError as error:
                # The room is given back at once.
                partial.unlink()
                raise _no_space(partial.parent, expected or 0, error) from error
            bar.update(len(chunk))


def _read(answer: Any) -> bytes:
    try:
        chunk: bytes = answer.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _Cut from error
    return chunk


def _check_space(folder: Path, wanted: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _no_space(folder, wanted, error) from error
    if free < wanted:
        raise UserError(
            f"{folder} has {free / 1e6:.0f} MB free and {wanted / 1e6:.0f} MB are needed: free some space, "
            "or name another directory in CROSSOVER_CACHE."
        )


def _no_space(folder: Path, wanted: int, error: OSError) -> UserError:
    return UserError(
        f"Nothing could be written to {folder} ({error.strerror}), {wanted / 1e6:.0f} MB are needed: free some space, "
        "or name another directory in CROSSOVER_CACHE."
    )


def _check_sum(source: Source, file: Path) -> None:
    if source.sha256 is None:
        return
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != source.sha256:
        file.unlink()
        raise UserError(
            f"{source.file} arrived with checksum {found[:12]}... instead of {source.sha256[:12]}... and was deleted: "
            "try again, and if it stays so the publisher has changed the file."
        )


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
