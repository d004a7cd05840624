"""Values of cases that measure bodies on pictures: a radiograph, its regions, measures, a growth chart, an age.

All are compared by content, arrays included, and say themselves what is wrong with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.core.content import Content

Single = NDArray[np.float32]
SEXES = ("F", "M", "")


def _single(name: str, value: Any, axes: int, finite: bool = True) -> str | None:
    if not isinstance(value, np.ndarray) or value.dtype != np.float32 or value.ndim != axes:
        return f"{name} must be a float32 array of {axes} axes"
    if finite and not np.isfinite(value).all():
        return f"{name} holds a number that is not finite"
    return None


@dataclass(frozen=True, eq=False)
class Radiograph(Content):
    """A picture in which bone is bright: `pixels` float32 (height, width) in [0, 1], `mm_per_pixel` above 0, `sex` one
    of "F", "M" and "" (not known). `note` is shown wherever the picture is, for instance that it is simulated."""

    pixels: Single
    mm_per_pixel: float
    sex: str = ""
    note: str = ""

    def problem(self) -> str | None:
        if wrong := _single("a radiograph", self.pixels, 2):
            return wrong
        if self.pixels.size == 0 or self.pixels.min() < 0 or self.pixels.max() > 1:
            return "a radiograph's pixels must be in [0, 1]"
        if not self.mm_per_pixel > 0 or not math.isfinite(self.mm_per_pixel):
            return "a radiograph must say how many mm a pixel is"
        return None if self.sex in SEXES else f"sex must be F, M or nothing, not {self.sex!r}"


@dataclass(frozen=True, eq=False)
class Regions(Content):
    """What every pixel of `picture` belongs to: `labels` uint8 (height, width), places in the Spec's labels, 0 being
    none of them."""

    picture: Radiograph
    labels: NDArray[np.uint8]

    def problem(self) -> str | None:
        if not isinstance(self.labels, np.ndarray) or self.labels.dtype != np.uint8:
            return "regions must be a uint8 array"
        if self.labels.shape != self.picture.pixels.shape:
            return f"regions of shape {self.labels.shape} do not fit a picture of {self.picture.pixels.shape}"
        return self.picture.problem()


@dataclass(frozen=True, eq=False)
class Measures(Content):
    """Named numbers measured on one body: `values` float32 (k,), NaN where a measure could not be taken; `units` of
    each, "mm" or "" for ratios."""

    sex: str
    names: tuple[str, ...]
    values: Single
    units: tuple[str, ...]

    def problem(self) -> str | None:
        if wrong := _single("measures", self.values, 1, finite=False):
            return wrong
        if not len(self.names) == len(self.values) == len(self.units):
            return "measures, their names and their units differ in number"
        if np.isinf(self.values).any():
            return "a measure is infinite"
        return None if self.sex in SEXES else f"sex must be F, M or nothing, not {self.sex!r}"

    def lengths(self, names: tuple[str, ...]) -> Single:
        """The measures of these names, NaN where there is none; (len(names),)."""
        found = dict(zip(self.names, self.values, strict=True))
        return np.array([found.get(name, np.nan) for name in names], np.float32)


@dataclass(frozen=True, eq=False)
class Growth(Content):
    """A body laid over a table of averages by age.

    `ages` float32 (g,) in months and `chance` float32 (g,), how well each age fits, adding up to 1; `months` the best
    age with `low` and `high` of its 90 % interval. `size` is the body's size in per cent of the grown average,
    `average` and `spread` (g,) what is normal at each age, one standard deviation. `names`, `found`, `usual`, `z`
    (k,) the single measures in mm, the averages at the best age, and how many standard deviations lie between;
    `left_out` names what could not be measured.
    """

    months: float
    low: float
    high: float
    ages: Single
    chance: Single
    size: float
    average: Single
    spread: Single
    names: tuple[str, ...]
    found: Single
    usual: Single
    z: Single
    left_out: tuple[str, ...] = ()

    def problem(self) -> str | None:
        for name in ("ages", "chance", "average", "spread", "found", "usual", "z"):
            if wrong := _single(name, getattr(self, name), 1):
                return wrong
        if not len(self.ages) == len(self.chance) == len(self.average) == len(self.spread):
            return "the curves of a growth chart differ in length"
        if not len(self.names) == len(self.found) == len(self.usual) == len(self.z):
            return "the measures of a growth chart differ in number"
        return None if self.low <= self.months <= self.high else "the age lies outside its interval"


@dataclass(frozen=True, eq=False)
class Crops(Content):
    """Parts cut out of a picture: `patches` float32 (k, side, side) named `names`, all zero where a part was not found,
    and the `measures` taken beside."""

    names: tuple[str, ...]
    patches: Single
    measures: Measures

    def problem(self) -> str | None:
        if wrong := _single("crops", self.patches, 3):
            return wrong
        if len(self.names) != len(self.patches):
            return "crops and their names differ in number"
        return self.measures.problem()


@dataclass(frozen=True, eq=False)
class Saliency(Content):
    """Where a network looked: `heat` float32 (rows, columns) at least 0, laid over the whole of `picture`, and the
    number it came to."""

    picture: Radiograph
    heat: Single
    value: float

    def problem(self) -> str | None:
        if wrong := _single("saliency", self.heat, 2):
            return wrong
        if self.heat.size == 0 or self.heat.min() < 0:
            return "saliency must be at least 0"
        return self.picture.problem()


@dataclass(frozen=True)
class Age:
    """An age in months, with the ends of its 90 % interval where they are known. Of a true answer `chronological` is
    the age by the calendar, `months` that of the skeleton."""

    months: float
    low: float | None = None
    high: float | None = None
    chronological: float | None = None

    def problem(self) -> str | None:
        if not math.isfinite(self.months):
            return "an age must be finite"
        if self.low is not None and self.high is not None and not self.low <= self.months <= self.high:
            return "an age lies outside its interval"
        return None

    def __str__(self) -> str:
        between = "" if self.low is None or self.high is None else f" ({in_years(self.low)} to {in_years(self.high)})"
        return in_years(self.months) + between


KINDS: dict[str, type] = {
    "radiograph": Radiograph,
    "regions": Regions,
    "measures": Measures,
    "growth": Growth,
    "crops": Crops,
    "saliency": Saliency,
    "age": Age,
}


def in_years(months: float) -> str:
    """Months as people say an age: "7 y 4 mo"."""
    whole = round(months)
    return f"{whole // 12} y {whole % 12} mo"


def problem(kind: str, value: Any) -> str | None:
    """Why `value` is not of that kind, or None when it is."""
    if not isinstance(value, KINDS[kind]):
        return f"{kind} must be a {KINDS[kind].__name__}, not {type(value).__name__}"
    found: str | None = value.problem()  # type: ignore[attr-defined]
    return found
