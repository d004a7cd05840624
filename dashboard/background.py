"""Forecasts computed beside the pages, in one thread of the server: a page asks, shows what it has, and asks again.

The first forecast of a process loads compiled code, and on a new installation compiles it (about 20 s); `warm` has that
done before anybody asks. A forecast then takes milliseconds, so a page waits `PATIENCE` for it before it goes on
without.
"""

from __future__ import annotations

import atexit
import gc
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")

PATIENCE = 0.25  # seconds that a page waits for what is nearly ready
LULL = 3.0  # seconds at most that the first work waits for the first page to be drawn, which it would slow down
MOST = 64  # results kept, of all visitors together
# Seconds for which an error is told before the work is tried again: a page that waits for an answer asks every half
# second, and must be told the same error when it is drawn anew to show it.
RETRY = 10.0


@dataclass
class _Asked:
    """Work that was asked for; `failed` is when its error was first told."""

    future: Future[Any]
    failed: float = math.inf


_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forecast")
_kept: OrderedDict[str, _Asked] = OrderedDict()
_lock = threading.Lock()
_warm: Future[None] | None = None
_drawn = threading.Event()


def ask(key: str, work: Callable[[], Result], patience: float | None = None) -> Result | None:
    """What `work` returns, computed once for each `key`; None while it is not ready.

    Raises:
        Whatever `work` raised, for RETRY seconds; whoever asks later has it done again.
    """
    with _lock:
        asked = _kept.get(key)
        if asked is None or time.monotonic() - asked.failed > RETRY:
            asked = _kept[key] = _Asked(_worker.submit(work))
        _kept.move_to_end(key)
        while len(_kept) > MOST:
            _kept.popitem(last=False)[1].future.cancel()
    wait([asked.future], PATIENCE if patience is None else patience)
    if not asked.future.done():
        return None
    if asked.future.exception() is not None:
        asked.failed = min(asked.failed, time.monotonic())
    result: Result = asked.future.result()
    return result


def warm() -> None:
    """Load (or compile) what forecasts need, once a process, as soon as the first page is `drawn`; returns at once."""
    global _warm  # noqa: PLW0603  one thread serves all visitors of a process
    with _lock:
        if _warm is None:
            _warm = _worker.submit(_first)


def drawn() -> None:
    """A page is there: work that slows others down may begin."""
    _drawn.set()


def _first() -> None:
    _drawn.wait(LULL)
    import numpy as np

    from engines.curves import Curve, crossover, forecasts

    sizes = np.geomspace(1.0, 100.0, 8)
    pair = [Curve(sizes, 5 + 80 * sizes**-power, name=str(power)) for power in (0.4, 0.6)]
    crossover(*forecasts(pair, np.random.default_rng(0), 10))
    # Streamlit collects garbage after every script; what is loaded by now stays, and need not be looked through again.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)
