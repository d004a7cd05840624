"""Families: gradients against finite differences, planted parameters found again, and the fit's invariances."""

import numpy as np
import pytest

from engines.curves import kernels
from engines.curves.families import BY_NAME, FAMILIES, fit, refit

SIZES = np.geomspace(10, 5000, 14)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_gradients_are_those_of_finite_differences(family):
    rng = np.random.default_rng(family.code)
    for _ in range(10):
        p = np.zeros(kernels.WIDTH)
        p[: family.parameters] = rng.normal(0, 1, family.parameters)
        u = rng.uniform(-5, 5, 6)
        slopes = kernels.gradients(family.code, p, u, 0.7, -6.0)[1]
        for place in range(family.parameters):
            step = np.zeros(kernels.WIDTH)
            step[place] = 1e-5
            up = kernels.gradients(family.code, p + step, u, 0.7, -6.0)[0]
            down = kernels.gradients(family.code, p - step, u, 0.7, -6.0)[0]
            np.testing.assert_allclose(slopes[:, place], (up - down) / 2e-5, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_planted_curve_is_found_again(family):
    rng = np.random.default_rng(10 + family.code)
    planted = np.zeros(kernels.WIDTH)
    planted[: family.parameters] = [mean if spread < 30 else 0.2 for mean, spread in family.prior]
    planted[: family.parameters] += 0.2 * rng.normal(size=family.parameters)
    u = np.log(SIZES / SIZES[-1])
    logs = kernels.gradients(family.code, planted, u, 0.1, u[0])[0]
    found = fit(SIZES, logs, np.full(len(SIZES), 0.001), [family], priors=False, steps=300)
    np.testing.assert_allclose(found.log(SIZES)[0], logs, atol=5e-3)


def test_planted_parameters_of_a_power_law_are_found_again():
    logs = np.log(0.05 + 2.0 * SIZES**-0.7)
    found = fit(SIZES, logs, np.full(len(SIZES), 1e-4), [BY_NAME["pow3"]], priors=False, steps=200)
    share, level, exponent = found.parameters[0, :3]
    scale = np.exp(found.level)
    np.testing.assert_allclose(scale * found.tops[0] / (1 + np.exp(-share)), 0.05, rtol=1e-3)
    np.testing.assert_allclose(scale * np.exp(level) * SIZES[-1] ** np.exp(exponent), 2.0, rtol=1e-2)
    np.testing.assert_allclose(np.exp(exponent), 0.7, rtol=1e-3)


def test_the_asymptote_stays_between_nothing_and_the_smallest_error():
    rng = np.random.default_rng(0)
    logs = np.log(0.2 + SIZES**-0.5) + 0.05 * rng.normal(size=len(SIZES))
    found = fit(SIZES, logs, np.full(len(SIZES), 0.05), FAMILIES)
    far = np.exp(found.log(np.array([1e30])))[:, 0]
    assert (far >= 0).all()
    assert (far <= np.exp(logs.min()) * (1 + 1e-9))[2:].all()


def test_units_of_size_and_error_cannot_change_a_fit():
    rng = np.random.default_rng(0)
    logs = np.log(0.2 + SIZES**-0.5) + 0.02 * rng.normal(size=len(SIZES))
    noise = np.full(len(SIZES), 0.02)
    one = fit(SIZES, logs, noise, FAMILIES).log(SIZES * 3)
    other = fit(SIZES * 60, logs + np.log(100), noise, FAMILIES).log(SIZES * 180)
    np.testing.assert_allclose(one + np.log(100), other, atol=1e-8)


def test_every_draw_is_fitted_to_its_own_points():
    rng = np.random.default_rng(0)
    noise = np.full(len(SIZES), 0.02)
    mean = fit(SIZES, np.log(0.1 + SIZES**-0.5), noise, [BY_NAME["pow3"]])
    shifts = np.array([-0.5, 0.0, 0.5])
    logs = np.log(0.1 + SIZES**-0.5) + shifts[:, None]
    draws = refit(mean, np.zeros(3, dtype=np.int64), SIZES, logs, noise, np.zeros(3), rng)
    np.testing.assert_allclose(draws.log(SIZES) - logs, 0, atol=0.1)
