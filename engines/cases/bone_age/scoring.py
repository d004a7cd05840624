"""Mean absolute error in months. The error against the age of the skeleton is the score; the error against the age by
the calendar is kept beside it, since published figures mix the two."""

from __future__ import annotations

import numpy as np

from engines.core import Floats
from engines.core.radiograph import Age


def measure(answer: Age, truth: Age) -> Floats:
    """(2,): absolute error in months against the skeletal and the chronological age, the same where only one is
    known."""
    calendar = truth.months if truth.chronological is None else truth.chronological
    return np.array([abs(answer.months - truth.months), abs(answer.months - calendar)])


def combine(statistics: Floats) -> float:
    return float(np.mean(statistics[:, 0]))
