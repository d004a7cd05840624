"""Shards of synthetic speech in the cache: rendered when first asked for, shared by all processes.

A shard is one .npy file of 16-bit samples, the utterances one after another. Its name holds a hash of its plan, so that
a changed grammar or voice never meets old sound. It is rendered by a process of its own (espeak-ng keeps state between
utterances: only a fresh process speaks a shard the same way every time), written aside and renamed; a lock keeps two
processes from rendering the same shard.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from engines.cases.speech import espeak
from engines.cases.speech.plans import shard_plans
from engines.core import Floats, UserError
from engines.datasets import cache_directory, locked

# Raise it when render.py makes other sound of the same plan.
VERSION = 1


def utterance(pool: str, shard: int, position: int) -> Floats:
    """Utterance `position` of a shard, float32 in [-1, 1], shape (samples,), 16 kHz."""
    samples, starts = _open(cache_directory(), pool, shard)
    waveform: Floats = samples[starts[position] : starts[position + 1]].astype(np.float32) / 32768
    return waveform


def path(pool: str, shard: int) -> Path:
    plans = repr((VERSION, shard_plans(pool, shard)))
    name = f"{pool}-{shard:05d}-{hashlib.sha256(plans.encode()).hexdigest()[:12]}.npy"
    return cache_directory() / "espeak_commands" / name


@lru_cache(maxsize=4096)
def _open(cache: Path, pool: str, shard: int) -> tuple[Any, Any]:
    file = ensure(pool, shard)
    starts = np.cumsum([0, *(plan.samples for plan in shard_plans(pool, shard))])
    return np.load(file, mmap_mode="r", allow_pickle=False), starts


def ensure(pool: str, shard: int) -> Path:
    """The file of a shard, rendered now if it is not there.

    Raises:
        UserError: espeak-ng is not installed, or the shard could not be written.
    """
    file = path(pool, shard)
    if file.exists():
        return file
    if not espeak.installed():
        missing = ModuleNotFoundError("espeakng_loader")
        raise UserError(
            "Synthetic commands are voiced by espeak-ng: run `pip install espeakng-loader` first."
        ) from missing
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file.with_suffix(".lock")):
            if not file.exists():
                for left in file.parent.glob(f"{file.name}.*.partial"):
                    # Of a renderer that was killed.
                    left.unlink(missing_ok=True)
                _render(pool, shard, file)
    except OSError as error:
        raise UserError(
            f"Synthetic speech could not be kept in {file.parent} ({error.strerror}): free some space there, "
            "or name another directory in CROSSOVER_CACHE."
        ) from error
    return file


def _render(pool: str, shard: int, file: Path) -> None:
    root = str(Path(__file__).resolve().parents[3])
    command = [sys.executable, "-m", "engines.cases.speech.render", pool, str(shard), str(file)]
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise UserError(
            f"Synthetic speech could not be made ({reason}): check the space in {file.parent} and that "
            "`pip install espeakng-loader` has run, then try again."
        )
