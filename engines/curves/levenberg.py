"""One Levenberg-Marquardt for all the fits of a call: every family, recency, start and draw in one compiled loop."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from engines.curves.kernels import PARAMETERS, STARTS, WIDTH, Array, Ints, start, values_into


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def solve(h: Array, b: Array, n: int, damping: float, m: Array, d: Array) -> bool:
    """d such that (h + damping * diagonal(h)) d = b, by Cholesky in m; False where h is not positive definite."""
    for j in range(n):
        for k in range(j + 1):
            value = h[j, k]
            if j == k:
                value = value * (1.0 + damping) + 1e-12
            for q in range(k):
                value -= m[j, q] * m[k, q]
            if j == k:
                if not value > 0.0:
                    return False
                m[j, j] = math.sqrt(value)
            else:
                m[j, k] = value / m[k, k]
    for j in range(n):
        value = b[j]
        for k in range(j):
            value -= m[j, k] * d[k]
        d[j] = value / m[j, j]
    for j in range(n - 1, -1, -1):
        value = d[j]
        for k in range(j + 1, n):
            value -= m[k, j] * d[k]
        d[j] = value / m[j, j]
    return True


@njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def levenberg(
    code: int,
    p: Array,
    u: Array,
    y: Array,
    w: Array,
    top: float,
    first: float,
    prior: Array,
    precision: Array,
    steps: int,
    tolerance: float,
) -> float:
    """Minimise sum w (y - ln f)^2 + sum precision (p - prior)^2 from p, in place; the cost reached.

    Marquardt's damping (1963): in units of the curvature's diagonal, divided by 4 after a step that helps, times 5
    after one that does not. Stops when a step gains less than `tolerance` of the cost.
    """
    n = PARAMETERS[code]
    trial = p.copy()
    value = np.empty(len(u))
    g = np.empty((len(u), WIDTH))
    h = np.zeros((WIDTH, WIDTH))
    m = np.zeros((WIDTH, WIDTH))
    b = np.zeros(WIDTH)
    d = np.zeros(WIDTH)
    damping = 1e-2
    cost = math.inf
    for _ in range(steps + 1):
        values_into(code, trial, u, top, first, value, g)
        reached = 0.0
        for i in range(len(u)):
            reached += w[i] * (y[i] - value[i]) ** 2
        for j in range(n):
            reached += precision[j] * (trial[j] - prior[j]) ** 2
        if reached < cost:
            gained = cost - reached
            cost = reached
            damping = max(damping * 0.25, 1e-9)
            for j in range(n):
                p[j] = trial[j]
                b[j] = precision[j] * (prior[j] - p[j])
                for k in range(j + 1):
                    h[j, k] = 0.0
                h[j, j] = precision[j]
            if gained < tolerance * (1.0 + cost):
                break
            for i in range(len(u)):
                r = y[i] - value[i]
                for j in range(n):
                    weighted = w[i] * g[i, j]
                    b[j] += weighted * r
                    for k in range(j + 1):
                        h[j, k] += weighted * g[i, k]
        else:
            damping *= 5.0
        while not solve(h, b, n, damping, m, d):
            damping *= 5.0
            if not damping < 1e12:
                return cost
        largest = 0.0
        for j in range(n):
            trial[j] = min(max(p[j] + min(max(d[j], -3.0), 3.0), -25.0), 25.0)
            largest = max(largest, abs(trial[j] - p[j]))
        if largest < 1e-9 or damping > 1e9:
            break
    return cost


@njit(cache=True, error_model="numpy", nogil=True)  # type: ignore[untyped-decorator]
def fit_all(
    codes: Ints,
    places: Ints,
    u: Array,
    ys: Array,
    weights: Array,
    first: float,
    prior: Array,
    precision: Array,
    begin: Array,
    steps: int,
    tolerance: float,
) -> tuple[Array, Array, Array]:
    """Fit curve k of family codes[k] with the weights weights[places[k]] (W, n) to its draw ys[k] (K or 1, n).

    u has shape (n,), prior (K or 1, families or 1, 6), precision (families, 6). Starts from begin[k] (K, 6), or from
    several starts when `begin` is empty. Returns parameters (K, 6), costs (K,), asymptotes' bounds (K,).
    """
    count = len(codes)
    given = len(begin) > 0
    found = np.zeros((count, WIDTH))
    costs = np.full(count, np.inf)
    tops = np.zeros(count)
    p = np.zeros(WIDTH)
    for k in range(count):
        code = codes[k]
        y = ys[k if len(ys) > 1 else 0]
        w = weights[places[k]]
        tops[k] = math.exp(y.min())
        centre = prior[k if len(prior) > 1 else 0, code if prior.shape[1] > 1 else 0]
        for s in range(1 if given or code < 2 else STARTS):
            if given:
                p[:] = begin[k]
            else:
                start(code, s, u, y, w, tops[k], first, p)
            cost = levenberg(code, p, u, y, w, tops[k], first, centre, precision[code], steps, tolerance)
            if cost < costs[k] or s == 0:
                costs[k] = cost
                found[k] = p
    return found, costs, tops
