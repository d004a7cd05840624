"""The numbers behind `families`: each family's logarithm with its analytic gradient, and where its fit starts.

Every function works in scaled logarithms: u = ln(size / reference size), and ln of an error that was divided by the
curve's own level, so that units of size or error cannot change a fit. Parameters are unconstrained reals; a positive
one is the exponential of its parameter, and an asymptote is a = top * logistic(parameter), which keeps 0 <= a <= top
where `top` is the smallest error that was fitted.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

LAST, POW2, POW3, POW4, MMF4, WBL4, EXP3, ILOG2, M3, M4, BNSL = range(11)
PARAMETERS = np.array([1, 2, 3, 4, 4, 4, 3, 2, 4, 5, 6])
WIDTH = 6
STARTS = 3
LIMIT = 25.0  # an unconstrained parameter stays within +-LIMIT, where its exponential is as good as 0 or infinity
ASYMPTOTES = (0.1, 0.6, 0.95)  # shares of `top` from which the starts assume that the curve falls
WEAK = 1e-3  # precision of the prior that keeps parameters which the points do not determine from running away


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def log_value(  # noqa: PLR0915  one branch a family, so that it compiles to one jump
    code: int, p: Array, u: float, top: float, first: float, g: Array
) -> float:
    """ln f(u) of family `code`; writes d ln f / d p into g (6,). `first` is u of the curve's smallest size."""
    for j in range(6):
        g[j] = 0.0
    if code == 0:  # f = exp(p0)
        g[0] = 1.0
        return float(p[0])
    if code == 1:  # f = exp(p0) t^-c
        c = math.exp(min(p[1], 25.0))
        g[0] = 1.0
        g[1] = -c * u
        return float(p[0] - c * u)
    share = 1.0 / (1.0 + math.exp(-p[0]))
    a = top * share
    da = a * (1.0 - share)
    if code == 2:  # a + b t^-c
        c = math.exp(p[2])
        e = math.exp(min(max(p[1] - c * u, -60.0), 60.0))
        f = a + e
        g[0] = da / f
        g[1] = e / f
        g[2] = -e * c * u / f
    elif code == 3:  # a + b (t + d)^-c
        c = math.exp(p[2])
        d = math.exp(p[3])
        t = math.exp(u) + d
        lt = math.log(t)
        e = math.exp(min(max(p[1] - c * lt, -60.0), 60.0))
        f = a + e
        g[0] = da / f
        g[1] = e / f
        g[2] = -e * c * lt / f
        g[3] = -e * c * d / t / f
    elif code == 4:  # a + h / (1 + (t/k)^d)
        d = math.exp(p[3])
        z = min(max(d * (u - p[2]), -60.0), 60.0)
        s = 1.0 / (1.0 + math.exp(z))
        e = math.exp(min(p[1], 60.0)) * s
        f = a + e
        slope = -e * (1.0 - s)
        g[0] = da / f
        g[1] = e / f
        g[2] = -slope * d / f
        g[3] = slope * z / f
    elif 5 <= code <= 6:  # a + h exp(-(t/k)^d), d = 1 for exp3
        d = math.exp(p[3]) if code == 5 else 1.0
        z = min(max(d * (u - p[2]), -60.0), 5.0)
        q = math.exp(z)
        e = math.exp(min(max(p[1] - q, -200.0), 60.0))
        f = a + e + 1e-80
        g[0] = da / f
        g[1] = e / f
        g[2] = e * q * d / f
        if code == 5:
            g[3] = -e * q * z / f
    elif code == 7:  # a + b / ln(e x / smallest size)
        e = math.exp(min(p[1], 60.0)) / (1.0 + max(u - first, 0.0))
        f = a + e
        g[0] = da / f
        g[1] = e / f
    elif code == 8:  # a + b (1/t + d)^c
        c = math.exp(p[2])
        d = math.exp(p[3])
        t = math.exp(-u) + d
        lt = math.log(t)
        e = math.exp(min(max(p[1] + c * lt, -60.0), 60.0))
        f = a + e
        g[0] = da / f
        g[1] = e / f
        g[2] = e * c * lt / f
        g[3] = e * c * d / t / f
    elif code == 9:  # (f - a) / (a + h - f)^alpha = b t^-c, solved for f = a + h logistic(w)
        h = math.exp(min(p[1], 60.0))
        c = math.exp(p[2])
        alpha = math.exp(p[3])
        right = p[4] - c * u + (alpha - 1.0) * p[1]
        w = min(max(right if right < 0.0 else right / alpha, -60.0), 60.0)
        for _ in range(50):
            s = 1.0 / (1.0 + math.exp(-w))
            low = -math.log1p(math.exp(-w)) if w > -30.0 else w
            high = -math.log1p(math.exp(w)) if w < 30.0 else -w
            step = (low - alpha * high - right) / ((1.0 - s) + alpha * s)
            step = min(max(step, -4.0), 4.0)
            w -= step
            if abs(step) < 1e-10:
                break
        w = min(max(w, -200.0), 200.0)
        s = 1.0 / (1.0 + math.exp(-w))
        high = -math.log1p(math.exp(w)) if w < 30.0 else -w
        e = h * s
        f = a + e
        by_w = e * (1.0 - s) / ((1.0 - s) + alpha * s)  # d e / d right
        g[0] = da / f
        g[1] = (e + by_w * (alpha - 1.0)) / f
        g[2] = -by_w * c * u / f
        g[3] = by_w * alpha * (p[1] + high) / f
        g[4] = by_w / f
    else:  # a + b t^-c0 (1 + (t/k)^(1/s))^(-(c1 - c0) s): slope c0 before the break at k, c1 after it
        c1 = math.exp(p[3])
        s = math.exp(p[5])
        z = (u - p[4]) / s
        soft = z if z > 30.0 else math.log1p(math.exp(z))
        gate = 1.0 / (1.0 + math.exp(-min(max(z, -60.0), 60.0)))
        change = c1 - p[2]
        e = math.exp(min(max(p[1] - p[2] * u - change * s * soft, -60.0), 60.0))
        f = a + e
        g[0] = da / f
        g[1] = e / f
        g[2] = e * (s * soft - u) / f
        g[3] = -e * c1 * s * soft / f
        g[4] = e * change * gate / f
        g[5] = e * change * s * (gate * z - soft) / f
    return math.log(f)


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def start(  # noqa: PLR0915  one branch a family, as above
    code: int, which: int, u: Array, y: Array, w: Array, top: float, first: float, p: Array
) -> None:
    """Parameters from which the fit begins: a straight line through ln(y - a) for an assumed asymptote a."""
    share = ASYMPTOTES[which]
    a = top * share if code > 1 else 0.0
    sw = su = sy = suu = suy = 0.0
    last_u = -1e300
    first_u = 1e300
    for i in range(len(u)):
        if w[i] > 0.0:
            e = math.log(max(math.exp(y[i]) - a, 0.02 * top))
            sw += w[i]
            su += w[i] * u[i]
            sy += w[i] * e
            suu += w[i] * u[i] * u[i]
            suy += w[i] * u[i] * e
            last_u = max(last_u, u[i])
            first_u = min(first_u, u[i])
    mean_u = su / sw
    var = suu / sw - mean_u * mean_u
    slope = (suy / sw - mean_u * sy / sw) / var if var > 1e-12 else 0.0
    c = min(max(-slope, 0.02), 5.0)
    level = sy / sw + c * mean_u
    for j in range(6):
        p[j] = 0.0
    p[0] = math.log(share / (1.0 - share))
    p[1] = level
    lc = math.log(c)
    span = max(last_u - first_u, 0.5)
    if code == 0:
        p[0] = sy / sw
    elif code == 1:
        p[0] = level
        p[1] = lc
    elif code == 2:
        p[2] = lc
    elif code == 3:
        p[2] = lc
        p[3] = first_u - 1.0
    elif code == 8:
        p[2] = lc
        p[3] = -last_u - 2.0
    elif code == 4:
        p[2] = first_u + span * 0.3
        p[3] = math.log(2.0 * c)
        p[1] = level - c * p[2] + 0.7
    elif 5 <= code <= 6:
        p[2] = first_u + span * 0.5
        p[3] = math.log(max(c, 0.1))
        p[1] = level - c * p[2] + 1.0
    elif code == 7:
        p[1] = sy / sw + math.log(1.0 + max(mean_u - first, 0.0))
    elif code == 9:
        p[1] = max(level - c * first_u, math.log(top)) + 0.7
        p[2] = lc
        p[3] = -0.7
        p[4] = level - math.exp(-0.7) * p[1]
    elif code == 10:
        p[2] = 0.5 * c if which == 0 else c
        p[3] = lc if which != 2 else lc + 0.5
        p[4] = first_u + span * (0.3 + 0.3 * which)
        p[5] = -0.7


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def values_into(code: int, p: Array, u: Array, top: float, first: float, out: Array, slopes: Array) -> None:
    """ln f at u (n,) into out (n,), and its gradient into slopes (n, 6)."""
    for i in range(len(u)):
        out[i] = log_value(code, p, u[i], top, first, slopes[i])


@njit(cache=True, error_model="numpy", nogil=True)  # type: ignore[untyped-decorator]
def values(codes: Ints, p: Array, tops: Array, u: Array, first: float) -> Array:
    """ln f of K fitted curves (codes (K,), p (K, 6), tops (K,)) at u (M,): shape (K, M)."""
    out = np.zeros((len(codes), len(u)))
    slopes = np.zeros((len(u), WIDTH))
    for k in range(len(codes)):
        values_into(codes[k], p[k], u, tops[k], first, out[k], slopes)
    return out


def gradients(code: int, p: Array, u: Array, top: float, first: float) -> tuple[Array, Array]:
    """ln f (M,) and its gradient (M, parameters) at u (M,)."""
    out, slopes = np.zeros(len(u)), np.zeros((len(u), WIDTH))
    values_into(code, p, u, top, first, out, slopes)
    return out, slopes[:, : PARAMETERS[code]]
