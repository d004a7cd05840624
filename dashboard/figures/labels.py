"""Labels that do not cover one another."""

from __future__ import annotations

import numpy as np

from engines.core import Floats


def spread(places: Floats, heights: Floats, room: float) -> Floats:
    """Centres near `places` (growing, shape (n,)) for labels of these `heights`, so that none overlaps another and, if
    all fit, none leaves [0, room]: groups that touch are moved as one, to where their members would be on average (the
    pool-adjacent-violators algorithm of Barlow et al. 1972, applied to what is left of each place after the labels
    below it)."""
    if not len(places):
        return places
    below = np.concatenate([[0.0], np.cumsum((heights[:-1] + heights[1:]) / 2)])[: len(places)]
    groups: list[tuple[float, int]] = []
    for wanted in places - below:
        mean, count = float(wanted), 1
        while groups and groups[-1][0] > mean:
            before, members = groups.pop()
            mean, count = (before * members + mean * count) / (members + count), members + count
        groups.append((mean, count))
    means = np.array([mean for mean, count in groups for _ in range(count)], dtype=np.float64)
    placed: Floats = np.clip(means, 0.0, max(0.0, room - float(below[-1]))) + below
    return placed
