"""The simulated task: hands made from a seed, as many as are asked for, and masks of others.

Pictures are made when they are asked for and stay in memory for the process: 13 ms and 28 kB each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cases.bone_age import exposure, hand, simulate
from engines.cases.bone_age.simulate import HEIGHT, WIDTH, Shot
from engines.core import Budget, Spec, Split, TaskData, UserError
from engines.core.radiograph import Age, Radiograph, Regions
from engines.ml.lazy import Lazy

X = Spec("radiograph", "mm", (HEIGHT, WIDTH))
TRAIN, TEST, NEW_SCANNER = 5000, 320, 160
MASKS = 160
FULL_FROM = 20  # X-rays: the smallest budget of a sweep; a test that asks for less pays for less
# A quarter of the test comes from a scanner that no training picture came from.
UNSEEN_EVERY = 4
_POOLS = ("train", "test", "new_scanner", "masks")


def _rng(pool: str, i: int) -> np.random.Generator:
    return np.random.default_rng([20, _POOLS.index(pool), i])


def shot(pool: str, i: int) -> Shot:
    """Picture i of a pool, with all that is true of it."""
    unseen = pool == "new_scanner" or (pool == "test" and i % UNSEEN_EVERY == 0)
    return simulate.shoot(_rng(pool, i), scanner=exposure.UNSEEN if unseen else None)


@lru_cache(maxsize=8192)
def _pixels(pool: str, i: int) -> tuple[NDArray[np.uint8], float, str]:
    made = shot(pool, i).radiograph
    return np.rint(made.pixels * 255).astype(np.uint8), made.mm_per_pixel, made.sex


def picture(pool: str, i: int) -> Radiograph:
    grey, mm, sex = _pixels(pool, i)
    return Radiograph(grey.astype(np.float32) / np.float32(255), mm, sex, simulate.NOTE)


@lru_cache(maxsize=8192)
def age(pool: str, i: int) -> Age:
    """The truth of picture i: nobody has to be drawn for it."""
    child = hand.draw_child(_rng(pool, i))
    return Age(child.skeletal, chronological=child.chronological)


def gold(pool: str, i: int) -> Mapping[str, Any]:
    """True outputs of stages, made when they are called."""
    return {
        "regions": lambda: regions(pool, i),
        "lengths": lambda: hand.draw_child(_rng(pool, i)).measures,
    }


def regions(pool: str, i: int) -> Regions:
    made = shot(pool, i)
    return Regions(made.radiograph, made.labels)


def _split(pool: str, count: int, chronological: bool = False) -> Split:
    def truth(i: int) -> Age:
        known = age(pool, i)
        return Age(float(known.chronological or 0.0), chronological=known.chronological) if chronological else known

    return Split(
        Lazy(count, lambda i: picture(pool, i)),
        Lazy(count, truth),
        np.ones(count),
        Lazy(count, lambda i: gold(pool, i)),
    )


@lru_cache(maxsize=1)
def simulated() -> TaskData:
    """Radiographs of simulated hands -> skeletal age. `chronological` asks the same pictures for the age by the
    calendar."""
    tests = {
        "test": _split("test", TEST),
        "new_scanner": _split("new_scanner", NEW_SCANNER),
        "chronological": _split("test", TEST, chronological=True),
    }
    side = {"masks": Lazy(MASKS, mask)}
    return TaskData(_split("train", TRAIN), tests, X, side, masks_of)


@lru_cache(maxsize=MASKS)
def mask(i: int) -> Regions:
    return regions("masks", i)


def masks_of(side: Mapping[str, Any], budget: Budget, seed: int) -> Mapping[str, Any]:
    """The masks that a budget's side amount "masks" buys; where it names none, all of them, but no more than there are
    X-rays where these are fewer than twenty. Those of one seed nest.

    Raises:
        UserError: there are not as many, or none was asked for.
    """
    masks = side["masks"]
    usual = len(masks) if budget.pairs >= FULL_FROM else max(1, budget.pairs)
    count = int(budget.side.get("masks", usual))
    if not 0 < count <= len(masks):
        raise UserError(f"A budget of masks must be 1 to {len(masks)}, but {count} were asked for.")
    order = np.random.default_rng([seed, 2]).permutation(len(masks))[:count]
    return {"masks": [masks[int(i)] for i in order]}
