"""A learning curve as it was measured, and what can be said of it before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engines.core import UserError
from engines.curves.families import BY_NAME, fit
from engines.curves.kernels import Array

MOST_SIZES = 200  # more distinct sizes than this are merged into as many logarithmic bins
NOISE_FLOOR = 0.01  # relative noise that remains however small the reported standard error
NOISE_GUESS, SCATTERED = 0.02, 5  # that of a curve without repeats, of fewer sizes than tell their scatter
NOISE_MOST = 1.0  # of ln error: what is known of a rate when one error was counted, or none
PRIOR_SEEDS = 3.0  # how many seeds the pooled spread counts for in each size's own


@dataclass(frozen=True)
class Curve:
    """Scores of one approach at growing amounts of data.

    sizes: (n,) positive, in any unit; sorted, and equal sizes merged, when the curve is made.
    scores: (n,) or (n, seeds); NaN where a seed is missing.
    best: the score of a perfect answer. 0 for scores of which lower is better; otherwise 1, 100 or what is given.
    standard_errors: (n,) of the mean score due to the test examples (beside the seeds), or None if not known. The
        largest takes the place of those that are NaN, of which there were `lacking`.

    Raises:
        UserError: no points; sizes or scores that are not finite numbers; sizes of 0 or less; scores beyond `best`.
    """

    sizes: Array
    scores: Array
    lower_is_better: bool = True
    name: str = "curve"
    best: float | None = None
    standard_errors: Array | None = None
    errors: Array = field(init=False, repr=False)
    lacking: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        sizes = _numbers(self.sizes, "sizes", self.name)
        scores = _numbers(self.scores, "scores", self.name)
        scores = scores[:, None] if scores.ndim == 1 else scores
        if sizes.ndim != 1 or scores.ndim != 2 or len(sizes) != len(scores):
            raise UserError(f"{self.name}: give one row of scores for each of the {sizes.size} sizes.")
        kept = np.isfinite(sizes) & np.isfinite(scores).any(axis=1)
        if np.isinf(sizes).any() or np.isinf(scores).any():
            raise UserError(f"{self.name}: sizes and scores must be finite numbers.")
        if not kept.any():
            raise UserError(f"{self.name}: there is no point yet; give at least one size with its score.")
        if (sizes[kept] <= 0).any():
            raise UserError(f"{self.name}: every size must be more than 0, but one is {sizes[kept].min():g}.")
        standard = None
        if self.standard_errors is not None:
            standard = _numbers(self.standard_errors, "standard errors", self.name)
            if standard.shape != sizes.shape or (standard[kept] < 0).any():
                raise UserError(f"{self.name}: give one standard error of at least 0 for each size, or none.")
            unknown = np.isnan(standard[kept])
            object.__setattr__(self, "lacking", 0 if unknown.all() else int(unknown.sum()))
            standard = None if unknown.all() else np.where(np.isnan(standard), np.nanmax(standard[kept]), standard)
        best = _best(scores[kept], self.lower_is_better, self.best, self.name)
        sizes, scores, standard = _merge(sizes[kept], scores[kept], None if standard is None else standard[kept])
        errors = scores - best if self.lower_is_better else best - scores
        if np.nanmin(errors) < 0:
            side = "below" if self.lower_is_better else "above"
            raise UserError(f"{self.name}: a score lies {side} {best:g}, the score of a perfect answer; change one.")
        for name, value in {
            "sizes": sizes, "scores": scores, "standard_errors": standard, "best": best, "errors": errors,
        }.items():  # fmt: skip
            object.__setattr__(self, name, value)

    @classmethod
    def from_points(cls, sizes: ArrayLike, scores: ArrayLike, **options: Any) -> Curve:
        """One row a measurement: equal sizes are seeds of one point. `options` as the class's."""
        return cls(np.asarray(sizes), np.asarray(scores), **options)

    @classmethod
    def from_learning_curve(
        cls, train_sizes: ArrayLike, test_scores: ArrayLike, lower_is_better: bool = False, **options: Any
    ) -> Curve:
        """The arrays that `sklearn.model_selection.learning_curve` returns: (n,) sizes and (n, folds) test scores.

        scikit-learn's scores are better when higher; those of a "neg_..." scorer, all of them 0 or less, are turned
        into errors.
        """
        scores = _numbers(test_scores, "scores", str(options.get("name", "curve")))
        if not lower_is_better and "best" not in options and np.nanmax(scores, initial=-np.inf) <= 0:
            scores, lower_is_better = -scores, True
        return cls(np.asarray(train_sizes), scores, lower_is_better=lower_is_better, **options)

    def score(self, error: Array) -> Array:
        """Scores of these errors."""
        assert self.best is not None
        return np.asarray(self.best + error if self.lower_is_better else self.best - error)

    def error(self, score: Array | float) -> Array:
        """Errors of these scores."""
        assert self.best is not None
        gap = np.asarray(score, dtype=np.float64) - self.best
        return gap if self.lower_is_better else -gap

    @property
    def seeds(self) -> Array:
        """How many seeds each size has, (n,)."""
        return np.asarray(np.isfinite(self.errors).sum(axis=1), dtype=np.float64)

    @property
    def mean(self) -> Array:
        """The mean error over seeds, (n,); an error of 0 is half the smallest that is not."""
        mean = np.nanmean(self.errors, axis=1)
        floor = mean[mean > 0].min() / 2 if (mean > 0).any() else 1e-6
        return np.asarray(np.maximum(mean, floor))

    def noise(self) -> Array:
        """The standard deviation of ln of the mean error at each size, (n,): seeds, test examples, or the scatter
        about a flexible fit when the curve tells of neither."""
        mean, seeds = self.mean, self.seeds
        several = seeds > 1
        total = np.zeros(len(mean))
        if several.any():
            own = np.zeros(len(mean))
            own[several] = np.nanvar(self.errors[several], axis=1, ddof=1) / mean[several] ** 2
            freedom = np.maximum(seeds - 1, 0)
            pooled = float(np.sum(freedom * own) / np.sum(freedom))
            total = (PRIOR_SEEDS * pooled + freedom * own) / (PRIOR_SEEDS + freedom) / seeds
        if self.standard_errors is not None:
            total = total + (self.standard_errors / mean) ** 2
        if several.any() or self.standard_errors is not None:
            return np.minimum(np.sqrt(total + NOISE_FLOOR**2), NOISE_MOST)
        return np.full(len(mean), _scatter(self.sizes, np.log(mean)))


def _scatter(sizes: Array, logs: Array) -> float:
    """The noise of a curve without repeats: what the best of some flexible families leaves over (n - parameters
    degrees of freedom), held towards 0.003 by three of its own."""
    n = len(sizes)
    if n < SCATTERED:
        return NOISE_GUESS
    names = ("pow3", "pow4", "mmf4", "broken") if n > 9 else ("pow3", "mmf4")
    families = [BY_NAME[name] for name in names]
    left = fit(sizes, logs, np.full(n, 0.02), families, priors=True, steps=60).log(sizes) - logs
    freedom = np.maximum(n - np.array([family.parameters for family in families]), 0)
    return float(np.sqrt(np.min((np.sum(left**2, axis=1) + 3 * 0.003**2) / (freedom + 3))))


def _numbers(values: ArrayLike, what: str, name: str) -> Array:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name}: the {what} must all be numbers.") from error


def _best(scores: Array, lower_is_better: bool, given: float | None, name: str) -> float:
    if given is not None:
        if not np.isfinite(given):
            raise UserError(f"{name}: the score of a perfect answer must be a finite number.")
        return float(given)
    if lower_is_better:
        return 0.0
    highest = float(np.nanmax(scores))
    if highest > 100:
        raise UserError(f"{name}: a score is {highest:g}; say what score a perfect answer has (`best`).")
    return 1.0 if highest <= 1 else 100.0


def _merge(sizes: Array, scores: Array, standard: Array | None) -> tuple[Array, Array, Array | None]:
    """Growing sizes; rows of equal size (or of one logarithmic bin, when there are too many) side by side as seeds."""
    order = np.argsort(sizes, kind="stable")
    sizes, scores = sizes[order], scores[order]
    standard = None if standard is None else standard[order]
    key = sizes
    if len(np.unique(sizes)) > MOST_SIZES:
        edges = np.geomspace(sizes[0], sizes[-1], MOST_SIZES + 1)[1:-1]
        key = np.searchsorted(edges, sizes).astype(np.float64)
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    if count.max() == 1:
        return sizes, scores, standard
    wide = np.full((len(first), int(count.max()) * scores.shape[1]), np.nan)
    group = np.repeat(np.arange(len(first)), count)
    within = np.arange(len(sizes)) - first[group]
    for seed in range(scores.shape[1]):
        wide[group, within * scores.shape[1] + seed] = scores[:, seed]
    mean_size = np.exp(np.add.reduceat(np.log(sizes), first) / count)
    mean_size = np.where(sizes[first] == sizes[first + count - 1], sizes[first], mean_size)
    if standard is not None:
        standard = np.sqrt(np.add.reduceat(standard**2, first) / count)
    return mean_size, wide, standard


def flags(curve: Curve) -> tuple[str, ...]:
    """Ways in which a curve does not fall as learning curves do: "peak", "dip", "plateau", "rising"; often none.

    A rise counts when it is more than three times its noise and more than 5 %: "rising" at the end of the curve,
    a "peak" when the error falls below it again (sample-wise double descent, Loog & Viering 2022), else a "dip". A
    "plateau" is a last half (of the logarithmic range, three points or more) that falls by under 1 % an octave.
    """
    logs, noise, size = np.log(curve.mean), curve.noise(), np.log2(curve.sizes)
    if len(logs) > 4:  # where no family fits, the scatter about one is no noise: neighbours tell better
        share = (size[1:-1] - size[:-2]) / (size[2:] - size[:-2])
        middle = logs[1:-1] - (1 - share) * logs[:-2] - share * logs[2:]
        noise = np.minimum(noise, 1.4826 * float(np.median(np.abs(middle))) / np.sqrt(1.5) + 0.003)
    found = []
    low = np.minimum.accumulate(logs)
    where = np.array([int(np.argmin(logs[: i + 1])) for i in range(len(logs))])
    rise = logs - low
    significant = rise > np.maximum(3 * np.hypot(noise, noise[where]), 0.05)
    if significant.any():
        top = int(np.argmax(np.where(significant, rise, 0)))
        if logs[-1] <= low[top]:
            found.append("peak")
        elif significant[-1]:
            found.append("rising")
        else:
            found.append("dip")
    late = size >= (size[0] + size[-1]) / 2
    if late.sum() >= 3 and size[-1] - size[0] >= 2:
        slope = np.polyfit(size[late], logs[late], 1, w=1 / noise[late])[0]
        if abs(slope) < 0.01:
            found.append("plateau")
    return tuple(found)


def together(curves: Sequence[Curve]) -> None:
    """Check that curves can be compared.

    Raises:
        UserError: they differ in direction or in the score of a perfect answer.
    """
    if len({(curve.lower_is_better, curve.best) for curve in curves}) > 1:
        raise UserError("Curves can be compared only if they share one metric, its direction and its best score.")
