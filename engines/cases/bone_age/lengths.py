"""The task of real lengths: bones of 334 children, 84 of whom, drawn once with a fixed seed, are the test."""

from __future__ import annotations

import csv
from functools import lru_cache

import numpy as np

from engines import datasets
from engines.cases.bone_age.anatomy import LONG
from engines.core import Spec, Split, TaskData, UserError
from engines.core.radiograph import Age, Measures

TEST = 84
X = Spec("measures", "mm", (len(LONG),))


@lru_cache(maxsize=1)
def lengths() -> TaskData:
    """Lengths of 19 bones and the sex -> the age by the calendar, in whole years times twelve.

    Raises:
        UserError: the data are not on this machine, or not what they should be.
    """
    file = datasets.path("hand_bone_lengths")
    with file.open(newline="") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["id"])
    try:
        x = [
            Measures(row["sex"], LONG, np.array([float(row[bone]) for bone in LONG], np.float32), ("mm",) * len(LONG))
            for row in rows
        ]
        y = [Age(12 * float(row["age_years"])) for row in rows]
    except (KeyError, ValueError) as error:
        raise UserError(f"{file} is not the table of bone lengths ({error}): delete it and get it again.") from error
    whole = Split(x, y, np.ones(len(x)), [{"lengths": value} for value in x])
    order = np.random.default_rng(334).permutation(len(x))
    return TaskData(whole.take(np.sort(order[TEST:])), {"test": whole.take(np.sort(order[:TEST]))}, X)
