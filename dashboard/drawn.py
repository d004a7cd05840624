"""Figures and sentences made once for all visitors who look at the same, and redraws one at a time.

Making them takes longer than all else on a page. And visitors who are served at once contend for Python's lock: twenty
redraws side by side take three times the processor time of twenty in a row.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from engines.runs import Point

MOST = 192  # things kept, of all visitors together; a figure is about 100 KB
# A redraw that does nothing but draw takes its turn; it waits for no model, no browser and no other process meanwhile.
TURN = threading.RLock()

Made = TypeVar("Made")
_kept: OrderedDict[Hashable, Any] = OrderedDict()
_lock = threading.Lock()


def once(key: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` gives, once for each `key`, which names all that it depends on. It is shared: nobody changes it."""
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            found: Made = _kept[key]
            return found
    made = make()
    with _lock:
        _kept[key] = made
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return made


def of(points: Sequence[Point]) -> Hashable:
    """What can be shown of points: their runs say all the rest."""
    return tuple((p.engine, p.test, p.oracle, p.budget, p.mean, p.low, p.high, p.scores, p.runs) for p in points)
