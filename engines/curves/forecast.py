"""What a curve will do beyond its points: an average over families and recencies, and a spread that holds.

A forecast is a set of draws. Each draw picks a family and a recency by weight, perturbs the points by their noise and
the prior by its spread, fits again, and adds a model discrepancy that grows with the distance extrapolated, and now and
then a jump, both learned from LCDB (`discrepancy`). The weights come from an inner hold-out of the last octave
(`averaging`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, stdtrit

from engines.core import UserError
from engines.curves import averaging, discrepancy
from engines.curves.curve import Curve, flags, together
from engines.curves.families import FAMILIES, Fit, refit
from engines.curves.kernels import Array, Ints

OUTERMOST = 20.0  # scales of the discrepancy beyond which no draw goes


@dataclass(frozen=True)
class Forecast:
    """Draws of a curve. Any size may be asked for: among the measured ones the draws follow the measurements, with
    their noise; the last of them and everything beyond follow the fitted families.

    fits: one fitted curve a draw; weights, mixture: those of the candidates, and their fits to the means.
    noise: (draws, n) perturbations of ln error; last_noise: their standard deviation at the last size.
    normal: (draws,) the standard normal behind each draw's discrepancy.
    jump_at, jump: (draws,) ln(size / last size) from which a draw is off by `jump` more, in ln error.
    flags: how the curve is ill-behaved (`curve.flags`).
    """

    curve: Curve
    mixture: Fit
    weights: Array
    fits: Fit
    noise: Array
    normal: Array
    jump_at: Array
    jump: Array
    traits: discrepancy.Traits
    last_noise: float = 0.0
    flags: tuple[str, ...] = ()

    def central_log(self, sizes: Array) -> Array:
        """ln of the error in the middle of the forecast at `sizes` (m,), from the last measured one on.

        The candidates' average, and what it leaves over at the last measured size as far as that is more than noise
        (`averaging.central`).
        """
        sizes = np.asarray(sizes, dtype=np.float64)
        last = self.curve.sizes[-1:]
        left = np.log(self.curve.mean[-1]) - (self.weights @ self.mixture.log(last))[0]
        return averaging.central(
            self.weights,
            self.mixture.log(sizes),
            np.asarray(left),
            np.asarray(self.last_noise),
            np.log(sizes / last),
            np.asarray(averaging.span(self.curve.sizes)),
            averaging.CONSTANTS,
        )

    def log_draws(self, sizes: Array) -> Array:
        """ln of the error at `sizes` (m,), for every draw: (draws, m)."""
        sizes = np.atleast_1d(np.asarray(sizes, dtype=np.float64))
        known = self.curve.sizes
        out = np.empty((len(self.normal), len(sizes)))
        logs = np.log(self.curve.mean) + self.noise
        beyond = sizes >= known[-1]
        if (~beyond).any():
            out[:, ~beyond] = self._within(logs, sizes[~beyond])
        if beyond.any():
            out[:, beyond] = self._beyond(sizes[beyond])
        return out

    def _beyond(self, sizes: Array) -> Array:
        fitted = self.fits.log(sizes)
        middle = self.central_log(sizes)
        distance = np.log(sizes / self.curve.sizes[-1])
        scale = discrepancy.scale(distance, self.traits)
        spread = discrepancy.SPREAD * (fitted - fitted.mean(axis=0))
        jumped = np.where(distance > self.jump_at[:, None], self.jump[:, None], 0.0)
        return np.asarray(middle + spread + self.heavy[:, None] * scale + jumped)

    def _within(self, logs: Array, sizes: Array) -> Array:
        known = np.log(self.curve.sizes)
        if len(known) == 1:
            return np.repeat(logs, len(sizes), axis=1)
        logs = logs.copy()
        logs[:, -1] = self._beyond(self.curve.sizes[-1:])[:, 0]
        at = np.clip(np.log(sizes), known[0], known[-1])
        left = np.clip(np.searchsorted(known, at, side="right") - 1, 0, len(known) - 2)
        share = (at - known[left]) / (known[left + 1] - known[left])
        return np.asarray(logs[:, left] * (1 - share) + logs[:, left + 1] * share)

    @cached_property
    def heavy(self) -> Array:
        """Each draw's discrepancy in units of its scale: Student's t with the learned degrees of freedom, (draws,)."""
        heavy = stdtrit(discrepancy.FREEDOM, ndtr(self.normal))
        return np.asarray(np.clip(heavy, -OUTERMOST, OUTERMOST))

    def draws(self, sizes: Array) -> Array:
        """Scores at `sizes` (m,), for every draw: (draws, m)."""
        return self.curve.score(np.exp(self.log_draws(sizes)))

    def quantiles(self, sizes: Array, levels: Sequence[float] = (0.05, 0.5, 0.95)) -> Array:
        """Score quantiles at `sizes` (m,): (levels, m), of the mean over seeds, not of one run."""
        return np.asarray(np.quantile(self.draws(sizes), levels, axis=0))

    def median(self, sizes: Array) -> Array:
        """The score expected at `sizes` (m,)."""
        sizes = np.atleast_1d(np.asarray(sizes, dtype=np.float64))
        out = np.median(self.log_draws(sizes), axis=0)
        beyond = sizes >= self.curve.sizes[-1]
        out[beyond] = self.central_log(sizes[beyond])
        return self.curve.score(np.exp(out))

    def family_weights(self) -> dict[str, float]:
        """The weight of each family, over all recencies."""
        return {family.name: float(self.weights[self.mixture.codes == family.code].sum()) for family in FAMILIES}


def forecast(curve: Curve, rng: np.random.Generator, draws: int = 1000) -> Forecast:
    """The forecast of one curve. Time grows linearly with `draws`."""
    return _forecast(curve, rng, rng.standard_normal(_checked(draws)))


def forecasts(curves: Sequence[Curve], rng: np.random.Generator, draws: int = 1000) -> list[Forecast]:
    """Forecasts of curves that share their task: draw k of one belongs to draw k of the others, since what surprises
    one approach on a task tends to surprise the others too (a correlation learned from LCDB).

    Raises:
        UserError: the curves differ in metric direction or best score.
    """
    together(curves)
    shared = rng.standard_normal(_checked(draws))
    alike = discrepancy.CORRELATION
    return [
        _forecast(curve, rng, np.sqrt(alike) * shared + np.sqrt(1 - alike) * rng.standard_normal(draws))
        for curve in curves
    ]


def _checked(draws: int) -> int:
    if not 2 <= draws <= 1_000_000:
        raise UserError(f"Ask for 2 to 1,000,000 draws, not {draws}.")
    return draws


def _forecast(curve: Curve, rng: np.random.Generator, normal: Array) -> Forecast:
    logs, noise = np.log(curve.mean), curve.noise()
    mixture = averaging.candidates(curve.sizes, logs, noise)
    weights, missed = averaging.weights(curve.sizes, logs, noise)
    count = len(normal)
    chosen = _stratified(weights, count, rng)
    perturbation = rng.standard_normal((count, len(logs))) * noise
    fits = refit(mixture, chosen, curve.sizes, logs + perturbation, noise, averaging.RECENCIES[chosen], rng)
    ill = flags(curve)
    traits = discrepancy.traits(curve.sizes, noise, mixture, weights, missed, bool(ill))
    jumps = discrepancy.jumps(traits, count, rng)
    return Forecast(curve, mixture, weights, fits, perturbation, normal, *jumps, traits, float(noise[-1]), ill)


def _stratified(weights: Array, count: int, rng: np.random.Generator) -> Ints:
    """`count` candidates, each as often as its weight says (systematic resampling), in random order."""
    at = (np.arange(count) + rng.random()) / count
    picked = np.minimum(np.searchsorted(np.cumsum(weights), at), len(weights) - 1)
    return rng.permutation(picked).astype(np.int64)
