"""How far families of curves are from real curves: constants learned from LCDB.

ln(true error) - ln(forecast) at the distance d = ln(size / largest measured size) is taken to be

- as a rule, centred on 0 and distributed as Student's t with `freedom` degrees of freedom and the scale
  sqrt((spread * standard deviation of the fitted draws)^2 + s^2),   s = exp(intercept + sum w_i * trait_i) * d^power;
- after a jump, which comes at the rate exp(rate + sum r_i * trait_i) per unit of d, exponentially distributed: with
  the probability `share` a fall of mean `fall`, else a rise of mean `rise`. Some learners fail until they have some
  amount of data and then do not; nothing in their curve says when.

Jumps are taken to come `caution` times as often: a pair that is about to cross is one whose curves surprise. Of 1, 2
and 4 times, 2 gave the best calibrated probabilities on the learning half (`curves_crossovers --learning-half`; they
were compared before `averaging.central` told far from near, and 2 was kept).

`discrepancy.json` holds the constants and the command that learned them by maximum likelihood, from one half of
LCDB's data sets; the other half judges them (tests/benchmarks).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engines.curves.families import Fit
from engines.curves.kernels import Array

CONSTANTS: dict[str, Any] = json.loads((Path(__file__).parent / "discrepancy.json").read_text())
FREEDOM = float(CONSTANTS["freedom"])
SPREAD = float(CONSTANTS["spread"])
CORRELATION = float(CONSTANTS["correlation"])
FALL, RISE, SHARE = (float(CONSTANTS["jump"][name]) for name in ("fall", "rise", "share"))
MOST_JUMPS = 1.0  # ln of the most jumps per unit of d
MISSED = 0.05  # what a curve too short for an inner hold-out is taken to have missed it by


@dataclass(frozen=True)
class Traits:
    """What a curve tells about how far to trust its forecast.

    noise: median noise of ln error. span: ln of largest over smallest size. slope: magnitude of the forecast's
    d ln error / d ln size at the largest size. missed: root mean square error of the inner hold-out in ln error.
    disagreement: the candidates' weighted standard deviation of ln error at e times the largest size. ill: whether
    the curve is flagged as ill-behaved.
    """

    noise: float
    span: float
    slope: float
    missed: float
    disagreement: float
    ill: bool

    def logs(self) -> dict[str, float]:
        """The traits as `scale` weighs them."""
        missed = MISSED if math.isnan(self.missed) else self.missed
        return {
            "noise": math.log(self.noise + 0.001),
            "span": math.log(self.span + 0.3),
            "slope": math.log(self.slope + 0.02),
            "missed": math.log(missed + 0.01),
            "disagreement": math.log(self.disagreement + 0.01),
            "ill": float(self.ill),
        }


def traits(sizes: Array, noise: Array, mixture: Fit, weights: Array, missed: float, ill: bool) -> Traits:
    at = mixture.log(sizes[-1] * np.exp(np.array([0.0, 0.1, 1.0])))
    middle = weights @ at
    return Traits(
        noise=float(np.median(noise)),
        span=float(np.log(sizes[-1] / sizes[0])),
        slope=float(abs(middle[1] - middle[0]) / 0.1),
        missed=missed,
        disagreement=float(np.sqrt(weights @ (at[:, 2] - middle[2]) ** 2)),
        ill=ill,
    )


def scale(distance: Array, of: Traits) -> Array:
    """s at `distance` (m,), each 0 or more."""
    level = _level(CONSTANTS["intercept"], CONSTANTS["weights"], of)
    return np.asarray(math.exp(level) * np.maximum(distance, 0.0) ** CONSTANTS["power"])


def jumps(of: Traits, draws: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Where each draw jumps (distance d beyond the last size) and by how much (of ln error): (draws,) each."""
    rate = math.exp(min(_level(CONSTANTS["jump"]["rate"], CONSTANTS["jump"]["weights"], of), MOST_JUMPS))
    where = rng.standard_exponential(draws) / (CONSTANTS["caution"] * rate)
    falls = rng.random(draws) < SHARE
    return where, rng.standard_exponential(draws) * np.where(falls, -FALL, RISE)


def _level(intercept: float, weights: dict[str, float], of: Traits) -> float:
    logs = of.logs()
    return float(intercept + sum(weights[name] * value for name, value in logs.items()))
