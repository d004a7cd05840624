"""How a gate is scored: who was recognised, and at what threshold strangers are kept out.

NIST's terms (Grother, Ngan and Hanaoka, Face Recognition Vendor Test, NISTIR 8271): FNIR, the share of searches for
someone on file of whom the right person does not come first with a score above the threshold; FPIR, the share of
searches for strangers that give a score above it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.core import Floats
from engines.core.sighting import Candidates

LIMIT = 0.01  # FPIR at which a gate is compared where strangers come to it
NOBODY = -1e6  # the score where nobody was seen at all
COLUMNS = ("on file", "right", "score", "overlap", "opened")


def measure(answer: Candidates, truth: Candidates) -> list[float]:
    """(5,), named in COLUMNS: 1 for someone on file, 0 for a stranger; 1 where the right person came first; the best
    score; intersection over union of the box with the true one, -1 where there is no box; 1 where the gate opened.

    Scores keep three digits and overlaps 1/64, as binary fractions, so that runs stay small on disk."""
    on_file = bool(truth.people)
    name, score = answer.people[0] if answer.people else ("", NOBODY)
    right = on_file and name == truth.people[0][0]
    overlap = -1.0 if answer.box is None or truth.box is None else answer.box.overlap(truth.box)
    fraction, exponent = math.frexp(score)
    brief = math.ldexp(round(fraction * 1024) / 1024, exponent)
    return [float(on_file), float(right), brief, round(overlap * 64) / 64, float(answer.opens)]


def combine(statistics: NDArray[np.floating[Any]]) -> float:
    """Miss rate in per cent. With nobody but people on file it is that at rank 1, a threshold of none at all ("who of
    the employees is this?"); with strangers among them it is FNIR at the threshold that lets in LIMIT of these."""
    return 100 * fnir(statistics, LIMIT)


def fnir(statistics: NDArray[np.floating[Any]], limit: float) -> float:
    """FNIR at the lowest threshold that lets in at most `limit` of the strangers; 0 where nobody is on file."""
    on_file = statistics[:, 0] > 0
    if not on_file.any():
        return 0.0
    right, scores = statistics[on_file, 1] > 0, statistics[on_file, 2]
    return float(np.mean(~right | (scores <= threshold(statistics[~on_file, 2], limit))))


def threshold(strangers: Floats, limit: float) -> float:
    """The lowest score that at most `limit` of the strangers' scores exceed; minus infinity where there are none."""
    if not len(strangers):
        return -np.inf
    return float(np.sort(strangers)[::-1][min(int(limit * len(strangers) + 1e-9), len(strangers) - 1)])


def curve(statistics: NDArray[np.floating[Any]], limits: Floats) -> Floats:
    """FNIR at every FPIR of `limits` (k,): a DET curve, shape (k,)."""
    return np.array([fnir(statistics, float(limit)) for limit in limits])


def found(statistics: NDArray[np.floating[Any]], overlap: float = 0.3) -> float:
    """The share of frames in which a face was found where it is. The detector's boxes are four fifths as wide as the
    data set's, so that the best possible overlap is about 0.7."""
    return float(np.mean(statistics[:, 3] >= overlap))
