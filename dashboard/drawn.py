"""Figures built once for all visitors who look at the same: building one takes longer than all else on the page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

import plotly.graph_objects as go

from engines.runs import Point

MOST = 96  # figures kept, of all visitors together; one is about 100 KB

_kept: OrderedDict[Hashable, go.Figure | None] = OrderedDict()
_lock = threading.Lock()


def figure(key: Hashable, make: Callable[[], go.Figure | None]) -> go.Figure | None:
    """What `make` gives, once for each `key`, which names all that it depends on. It is shared: nobody changes it."""
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = make()
    with _lock:
        _kept[key] = made
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return made


def of(points: Sequence[Point]) -> Hashable:
    """What a figure shows of points: their runs say all the rest."""
    return tuple((p.engine, p.test, p.oracle, p.budget, p.mean, p.low, p.high, p.scores, p.runs) for p in points)
