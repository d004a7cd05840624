"""A table of average bone lengths by age and sex, and the age at which a hand fits it best.

Log lengths are a curve of overall size by age and sex, plus what each bone has of its own:

    log length[b] = size(age, sex) + offset[b] + slope[b] * t + lean[b] * sex + stature + noise[b]

The curve is a P-spline (Eilers and Marx 1996) whose smoothness is chosen by leave-one-out error, made to rise, since
nobody shrinks; offsets, slopes and leans are ridge regressions. Looking a hand up is Bayes' rule over a grid of ages,
flat beforehand, with the spread of stature (common to all bones), of single bones, and of the curve itself, which is
unsure where few children were seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from engines.core.radiograph import Growth, Measures

Array = NDArray[np.float64]
KNOTS = 9
STEP = 3.0  # months between ages of a table
# Spread of size and of single bones, in log units, believed before any child is seen, and for how many children's
# worth: people of one age differ by about a twentieth in size.
USUAL_SIZE, USUAL_BONE, BELIEF = 0.05, 0.04, 4.0
SMOOTH = (0.03, 0.3, 3.0, 30.0, 300.0)
INTERVAL = (0.05, 0.95)


@dataclass(frozen=True)
class GrowthTable:
    """Average log lengths (mm) of `names` at `ages` (g,) in months: `size` (2, g) for girls and boys with its own
    variance `unsure` (2, g), `offset`, `slope` (per ten years from 12 y), `lean` (boys +1/2, girls -1/2), `noise` (k,)
    the standard deviation of a bone, `stature` that of size."""

    names: tuple[str, ...]
    ages: Array
    size: Array
    unsure: Array
    offset: Array
    slope: Array
    lean: Array
    noise: Array
    stature: float

    @classmethod
    def fit(cls, names: tuple[str, ...], lengths: Array, ages: Array, boys: Array, span: tuple[float, float]):
        """From `lengths` (n, k) in mm, NaN where missing, `ages` (n,) in months and `boys` (n,) in {0, 1}; the table
        covers the ages of `span`."""
        logs, side, t = np.log(lengths), boys - 0.5, _scaled(ages)
        known = ~np.isnan(logs)
        count = known.sum(axis=0)
        middle = np.divide(np.nansum(logs, axis=0), count, out=np.full(logs.shape[1], np.log(25.0)), where=count > 0)
        own = np.tile(np.stack([middle, 0 * middle, 0 * middle]), (1, 1))  # rows: offset, slope, lean
        design = np.column_stack([np.ones_like(t), t, side])
        grid = np.arange(span[0], span[1] + STEP / 2, STEP)
        for _ in range(3):  # size without missing bones needs what bones have of their own, and the other way round
            rest = logs - design @ own
            child = np.array([np.mean(r[k]) if k.any() else 0.0 for r, k in zip(rest, known, strict=True)])
            size, unsure, curve, spread = _curve(child, ages, side, grid, span)
            left = logs - curve[:, None]
            for b in range(logs.shape[1]):
                rows = known[:, b]
                if rows.sum() == 0:
                    continue
                # A common size beyond the curve is no trait of the bone.
                target = left[rows, b] - (child - curve)[rows]
                own[:, b] = _ridge(design[rows], target, np.array([1e-6, 4.0, 4.0]))
            own[1:] -= own[1:].mean(axis=1, keepdims=True)
        size = np.stack([isotonic_regression(c, weights=1 / u).x for c, u in zip(size, unsure, strict=True)])
        rest = logs - curve[:, None] - design @ own - (child - curve)[:, None]
        freedom = np.maximum(known.sum(axis=0) - 2.0, 0.0)
        squares = np.nansum(rest**2, axis=0)
        noise = np.sqrt((squares + BELIEF * USUAL_BONE**2) / (freedom + BELIEF))
        return cls(names, grid, size, unsure, own[0], own[1], own[2], noise, spread)

    def average(self, sex: str) -> Array:
        """(k, g): the average log length of every bone at every age; of both sexes together where `sex` is ""."""
        side = {"F": -0.5, "M": 0.5}.get(sex, 0.0)
        size = self._of(self.size, sex)
        own = self.offset[:, None] + self.slope[:, None] * _scaled(self.ages)[None] + self.lean[:, None] * side
        return size[None] + own

    def look_up(self, measured: Measures) -> Growth:
        """The age at which the measured lengths fit best (the median of the chances), its 90 % interval, z-scores.
        Bones that were not measured are left out; without any, every age of the table is as likely."""
        logs = np.log(np.maximum(measured.lengths(self.names).astype(float), 1e-3))
        have = ~np.isnan(logs)
        mean, unsure = self.average(measured.sex), self._of(self.unsure, measured.sex)
        chance = np.full(len(self.ages), 1 / len(self.ages))
        if have.any():
            chance = self._chances(logs[have], mean[have], self.noise[have], unsure)
        low, middle, high = (_quantile(self.ages, chance, q) for q in (INTERVAL[0], 0.5, INTERVAL[1]))
        best = int(np.argmin(np.abs(self.ages - middle)))
        deviation = np.sqrt(self.noise**2 + self.stature**2 + unsure[best])
        whole = self._of(self.size, measured.sex)
        size = float(np.mean((logs - mean[:, best])[have]) + whole[best]) if have.any() else float(whole[best])
        grown = whole[-1]
        single = np.float32
        return Growth(
            months=middle,
            low=low,
            high=high,
            ages=self.ages.astype(single),
            chance=chance.astype(single),
            size=100 * float(np.exp(size - grown)),
            average=(100 * np.exp(whole - grown)).astype(single),
            spread=(100 * np.exp(whole - grown) * np.sqrt(self.stature**2 + unsure)).astype(single),
            names=tuple(name for name, had in zip(self.names, have, strict=True) if had),
            found=np.exp(logs[have]).astype(single),
            usual=np.exp(mean[have, best]).astype(single),
            z=((logs - mean[:, best]) / deviation)[have].astype(single),
            left_out=tuple(name for name, had in zip(self.names, have, strict=True) if not had),
        )

    def _chances(self, logs: Array, mean: Array, noise: Array, unsure: Array) -> Array:
        """Gaussian likelihood with covariance diag(noise²) + (stature² + unsure) 1 1ᵀ, by Sherman and Morrison; bones
        far off the rest count less (a Student's t of few degrees in their place: a misread bone is not a short one)."""
        weight = 1 / noise**2
        common = self.stature**2 + unsure  # (g,)
        rest = logs[:, None] - mean
        centre = np.median(rest, axis=0)
        doubt = 5.0 / (4.0 + ((rest - centre) / noise[:, None]) ** 2)  # weights of a t with 4 degrees of freedom
        w = weight[:, None] * np.minimum(doubt, 1.0)
        total, first = w.sum(axis=0), (w * rest).sum(axis=0)
        squares = (w * rest**2).sum(axis=0) - common * first**2 / (1 + common * total)
        log = -0.5 * (squares + np.log1p(common * total) - np.log(w).sum(axis=0))
        chance = np.exp(log - log.max())
        return chance / chance.sum()

    def _of(self, curves: Array, sex: str) -> Array:
        return curves.mean(axis=0) if sex not in ("F", "M") else curves[int(sex == "M")]

    @property
    def parameters(self) -> int:
        return 2 * (KNOTS + 1) + 4 * len(self.names) + 1

    def rounded(self) -> GrowthTable:
        """The same in the precision that `arrays` keeps."""
        return GrowthTable.of(self.names, self.arrays())

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        kept = {
            name: getattr(self, name) for name in ("ages", "size", "unsure", "offset", "slope", "lean", "noise")
        } | {"stature": np.array([self.stature])}
        return {name: np.ascontiguousarray(value, np.float32) for name, value in kept.items()}

    @classmethod
    def of(cls, names: tuple[str, ...], arrays: dict[str, NDArray[np.float32]]) -> GrowthTable:
        wide = {name: value.astype(float) for name, value in arrays.items()}
        return cls(names, **{**wide, "stature": float(wide["stature"][0])})


def _scaled(ages: Array) -> Array:
    return (ages - 144.0) / 120.0


def _quantile(ages: Array, chance: Array, q: float) -> float:
    reached = np.cumsum(chance) - chance / 2
    return float(np.interp(q, reached, ages))


def _ridge(design: Array, target: Array, penalty: Array) -> Array:
    return np.linalg.solve(design.T @ design + np.diag(penalty), design.T @ target)


def _basis(ages: Array, span: tuple[float, float]) -> Array:
    """(n, KNOTS): linear hats over `span`, so that a curve is its values at the knots."""
    knots = np.linspace(*span, KNOTS)
    at = np.clip(ages, *span)
    return np.stack([np.interp(at, knots, row) for row in np.eye(KNOTS)], axis=1)


def _curve(child: Array, ages: Array, side: Array, grid: Array, span: tuple[float, float]):
    """Size by age for girls and boys on `grid`, its variance (2, g), the fit at the children (n,), and the spread of
    sizes around it. The sexes share a curve and differ by a smoother one."""
    common = _basis(ages, span)
    design = np.concatenate([common, side[:, None] * common], axis=1)
    second = np.diff(np.eye(KNOTS), 2, axis=0)
    first = np.diff(np.eye(KNOTS), 1, axis=0)
    bend, tilt = second.T @ second, first.T @ first
    # A straight rise of the usual pace (a quarter of the size in ten years) is believed a little, sexes alike.
    pace = 0.25 * np.linspace(0, 1, KNOTS) * (span[1] - span[0]) / 120
    best = None
    for smooth in SMOOTH:
        penalty = np.zeros((2 * KNOTS, 2 * KNOTS))
        penalty[:KNOTS, :KNOTS] = smooth * bend + 0.02 * tilt
        penalty[KNOTS:, KNOTS:] = 3 * smooth * bend + 0.3 * tilt + 0.05 * np.eye(KNOTS)
        start = np.concatenate([pace, np.zeros(KNOTS)])
        inverse = np.linalg.inv(design.T @ design + penalty + 1e-9 * np.eye(2 * KNOTS))
        middle = float(np.mean(child - design @ start))
        start[:KNOTS] += middle
        weights = start + inverse @ design.T @ (child - design @ start)
        lever = np.einsum("ij,jk,ik->i", design, inverse, design)
        rest = child - design @ weights
        left_out = float(np.mean((rest / np.maximum(1 - lever, 0.05)) ** 2))
        if best is None or left_out < best[0]:
            best = (left_out, weights, inverse, rest, float(lever.sum()))
    assert best is not None
    _, weights, inverse, rest, freedom = best
    dof = max(len(child) - freedom, 0.0)
    spread = float(np.sqrt((np.sum(rest**2) + BELIEF * USUAL_SIZE**2) / (dof + BELIEF)))
    at = _basis(grid, span)
    size, unsure = [], []
    for s in (-0.5, 0.5):
        rows = np.concatenate([at, s * at], axis=1)
        size.append(rows @ weights)
        unsure.append(spread**2 * np.einsum("ij,jk,ik->i", rows, inverse, rows))
    return np.stack(size), np.stack(unsure), child - rest, spread
