"""The families of learning curves that a forecast averages over, and the fit that they share.

An error f falls with the amount of data x; t = x / largest fitted size. What is fitted is ln f (errors of a learning
curve are multiplicative: 30 % at 1 hour and 3 % at 100 are equally well known), with 0 <= a <= smallest fitted error,
by one batched Levenberg-Marquardt (`kernels`) over all families, recencies, draws and starts at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engines.curves import kernels, levenberg
from engines.curves.kernels import Array, Ints

VIERING = "Viering & Loog 2022, The shape of learning curves: a review, table 1"
SCALING = "Alabdulmohsin, Neyshabur & Zhai 2022, Revisiting neural scaling laws"
WEAK = 1 / kernels.WEAK**0.5


@dataclass(frozen=True)
class Family:
    """A shape of f with `parameters` unconstrained parameters.

    `prior` gives (mean, spread) of each, wide normal priors in scaled units that keep a fit to few points sane; a
    family without an opinion on a parameter has (0, 32).
    """

    name: str
    code: int
    formula: str
    source: str
    prior: tuple[tuple[float, float], ...]

    @property
    def parameters(self) -> int:
        return int(kernels.PARAMETERS[self.code])


FREE = (0.0, WEAK)
ASYMPTOTE = (0.0, 3.0)  # logit of a / smallest error
EXPONENT = (-0.5, 1.0)  # ln c: exponents of 0.2 to 1.6
FAMILIES = (
    Family("last", kernels.LAST, "b", "the last measured value; the baseline of " + VIERING, (FREE,)),
    Family("pow2", kernels.POW2, "b t^-c", VIERING + "; M1 of " + SCALING, (FREE, (-1.2, 1.0))),
    Family("pow3", kernels.POW3, "a + b t^-c", VIERING + "; M2 of " + SCALING, (ASYMPTOTE, FREE, EXPONENT)),
    Family("pow4", kernels.POW4, "a + b (t + d)^-c", VIERING, (ASYMPTOTE, FREE, EXPONENT, (-3.0, 2.0))),
    Family("mmf4", kernels.MMF4, "a + h / (1 + (t/k)^d)", "Morgan, Mercer & Flodin 1975, in " + VIERING,
           (ASYMPTOTE, FREE, (-1.0, 3.0), (-0.3, 0.7))),
    Family("wbl4", kernels.WBL4, "a + h exp(-(t/k)^d)", "Weibull, in " + VIERING,
           (ASYMPTOTE, FREE, (-1.0, 3.0), (-0.7, 0.7))),
    Family("exp3", kernels.EXP3, "a + h exp(-t/k)", VIERING, (ASYMPTOTE, FREE, (-1.0, 2.0))),
    Family("ilog2", kernels.ILOG2, "a + b / ln(e x / smallest size)", VIERING, (ASYMPTOTE, FREE)),
    Family("M3", kernels.M3, "a + b (1/t + d)^c", SCALING, (ASYMPTOTE, FREE, EXPONENT, (-3.0, 2.0))),
    Family("M4", kernels.M4, "(f - a) / (a + h - f)^alpha = b t^-c", SCALING,
           (ASYMPTOTE, FREE, EXPONENT, (-1.0, 1.0), FREE)),
    Family("broken", kernels.BNSL, "a + b t^-c0 (1 + (t/k)^(1/s))^((c0 - c1) s)",
           "Caballero et al. 2023, Broken neural scaling laws, one break",
           (ASYMPTOTE, FREE, (0.3, 0.5), (-0.7, 0.7), (-1.5, 1.5), (-0.7, 0.7))),
)  # fmt: skip
BY_NAME = {family.name: family for family in FAMILIES} | {"M1": FAMILIES[1], "M2": FAMILIES[2]}
PRIOR = np.zeros((len(FAMILIES), kernels.WIDTH))
SPREAD = np.full((len(FAMILIES), kernels.WIDTH), WEAK)
for _family in FAMILIES:
    for _place, (_mean, _spread) in enumerate(_family.prior):
        PRIOR[_family.code, _place] = _mean
        SPREAD[_family.code, _place] = _spread


@dataclass(frozen=True)
class Fit:
    """Fitted curves: codes (K,), parameters (K, 6), asymptote bounds `tops` (K,), costs (K,), and their scale.

    A cost is sum of weight * (residual of ln f / its noise)^2 plus the prior's penalty.
    """

    codes: Ints
    parameters: Array
    tops: Array
    costs: Array
    size: float
    level: float
    first: float

    def log(self, sizes: Array) -> Array:
        """ln f of each fitted curve at `sizes` (M,): shape (K, M)."""
        u = np.log(np.asarray(sizes, dtype=np.float64) / self.size)
        return np.asarray(kernels.values(self.codes, self.parameters, self.tops, u, self.first) + self.level)


def fit(
    sizes: Array,
    logs: Array,
    noise: Array,
    families: Sequence[Family],
    recencies: Array | None = None,
    *,
    priors: bool = True,
    smallest: float | None = None,
    steps: int = 40,
) -> Fit:
    """Fit each family, at its recency, to ln errors `logs` (n,) at growing `sizes` (n,).

    `noise` (n,) is the standard deviation of each log. A recency q weighs a point by (x / largest)^q: windows with
    a soft left edge, 0 for all points alike (the default), 2 for little more than the last two octaves. Without
    `priors` the fit is the plain least-squares one of the literature. `smallest` is the curve's smallest size where
    it is not among those fitted.
    """
    different, place = np.unique(np.zeros(len(families)) if recencies is None else recencies, return_inverse=True)
    windows = (sizes / sizes[-1]) ** different[:, None] / noise**2
    codes = np.array([family.code for family in families])
    precision = 1 / SPREAD**2 if priors else np.full_like(SPREAD, kernels.WEAK)
    level = float(logs[-1])
    first = float(np.log((smallest or sizes[0]) / sizes[-1]))
    codes, place = codes.astype(np.int64), place.astype(np.int64)
    parameters, costs, tops = levenberg.fit_all(
        codes, place, np.log(sizes / sizes[-1]), logs[None] - level, windows, first, PRIOR[None], precision,
        np.empty((0, kernels.WIDTH)), steps, 1e-4,
    )  # fmt: skip
    return Fit(codes, parameters, tops, costs, float(sizes[-1]), level, first)


def refit(
    found: Fit, chosen: Ints, sizes: Array, logs: Array, noise: Array, recency: Array, rng: np.random.Generator
) -> Fit:
    """Fit curve chosen[k] of `found` again to the k-th draw logs[k] (K, n), each with a prior drawn anew.

    Perturbing data and prior and then maximising gives draws of the posterior, exactly so for a linear model
    (randomised maximum a posteriori; Oliver, He & Reynolds 1996). Starts from the fit to the means, so few steps do.
    `recency` (K,) is that of each chosen curve.
    """
    recencies, place = np.unique(recency, return_inverse=True)
    windows = (sizes / sizes[-1]) ** recencies[:, None] / noise**2
    spread = np.where(SPREAD < WEAK, SPREAD, 0.0)
    shift = rng.standard_normal((len(chosen), kernels.WIDTH)) * spread[found.codes[chosen]]
    prior = PRIOR[found.codes[chosen]] + shift
    u = np.log(sizes / found.size)
    parameters, costs, tops = levenberg.fit_all(
        found.codes[chosen], place.astype(np.int64), u, logs - found.level, windows, found.first, prior[:, None],
        1 / SPREAD**2, found.parameters[chosen], 8, 1e-3,
    )  # fmt: skip
    return Fit(found.codes[chosen], parameters, tops, costs, found.size, found.level, found.first)
