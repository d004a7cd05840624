"""What a forecast averages over: weights that follow the hold-out, a remainder that fades, a lead that is kept."""

import numpy as np
import pytest

from engines.curves import averaging
from engines.curves.crossover import KEPT, Crossover, lead_taken
from engines.curves.families import FAMILIES

SIZES = np.geomspace(1, 1024, 21)
NOISE = np.full(len(SIZES), 0.002)


def share(weights, name):
    return sum(weight for weight, (family, _) in zip(weights, averaging.CANDIDATES, strict=True) if family.name == name)


def test_the_constants_name_every_family_and_add_up():
    assert set(averaging.CONSTANTS["families"]) == {family.name for family in FAMILIES}
    for name in ("families", "recencies"):
        assert sum(averaging.CONSTANTS[name].values()) == pytest.approx(1, abs=0.01)
    assert sum(family.name == "last" for family, _ in averaging.CANDIDATES) == 1


def test_families_that_miss_the_last_octave_lose_their_weight():
    falling, missed = averaging.weights(SIZES, np.log(3 * SIZES**-0.7), NOISE)
    assert falling.sum() == pytest.approx(1)
    assert missed < 0.02
    assert share(falling, "last") < 1e-4
    flat, _ = averaging.weights(SIZES, np.log(np.full(len(SIZES), 0.3)), NOISE)
    assert share(flat, "last") > share(falling, "last")


def test_only_the_last_octave_is_held_out():
    left = averaging.held_out(SIZES, np.log(3 * SIZES**-0.7), NOISE)
    assert left.shape == (len(averaging.MIXED), int((SIZES > 512 * 1.000002).sum()))
    sparse = np.array([1.0, 10, 100, 1000])
    assert averaging.held_out(sparse, -np.log(sparse), np.full(4, 0.01)).shape[1] == 1
    assert averaging.held_out(sparse[:3], -np.log(sparse[:3]), np.full(3, 0.01)) is None
    assert np.isnan(averaging.weights(sparse[:3], -np.log(sparse[:3]), np.full(3, 0.01))[1])


def test_what_the_average_leaves_over_at_the_last_size_fades():
    count = len(averaging.MIXED)
    weights, distance = np.full(count, 1 / count), np.array([0.0, 3.0, 30.0])
    values = np.zeros((count, 3))

    def middle(left, noise):
        made = averaging.CONSTANTS
        return averaging.central(weights, values, np.array(left), np.array(noise), distance, np.array(3.0), made)

    much = middle(0.5, 0.001)
    assert much[0] == pytest.approx(0.5, rel=0.01)
    assert 0 < much[2] < 0.01 * much[1] < much[0]
    assert abs(middle(0.01, 0.1)[0]) < 0.001  # a remainder within the noise is noise
    np.testing.assert_array_equal(middle(0.0, 0.0), 0)


def test_far_out_families_whose_fall_lies_ahead_gain_and_the_sooner_the_less_was_measured():
    count = len(averaging.MIXED)
    weights, distance = np.full(count, 1 / count), np.log([1.0, 2.0, 8.0, 64.0])
    falls = np.array([family.name == "pow2" for family in averaging.MIXED])
    settles = np.array([family.name == "M3" for family in averaging.MIXED])
    values = np.repeat((falls * -1.0 + settles * 1.0)[:, None], 4, axis=1)

    def middle(span):
        return averaging.central(
            weights, values, np.array(0.0), np.array(0.01), distance, np.array(span), averaging.CONSTANTS
        )

    long, short = middle(6.0), middle(0.5)
    np.testing.assert_allclose(long[:2], 0, atol=1e-12)  # within an octave the weights are those of the hold-out
    np.testing.assert_allclose(short[:2], 0, atol=1e-12)
    assert 0 > long[2] > long[3] > -1
    assert (short[2:] < long[2:]).all()
    assert averaging.span(np.array([5.0])) == averaging.span(np.array([5.0, 5.5])) < averaging.span(SIZES)


def test_a_lead_that_is_lost_again_is_no_crossover():
    sizes = 2.0 ** np.arange(10)
    short, long = np.ones(10), np.ones(10)
    short[2:4] = -1
    long[4:] = -1
    twice = np.minimum(short, long)
    points = lead_taken(sizes, np.array([short, long, twice]), 0, KEPT)
    assert np.isinf(points[0])
    assert 8 < points[1] < 16
    assert 2 < points[2] < 4
    once = np.ones(10)
    once[2:4], once[5:] = -1, -1
    assert 16 < lead_taken(sizes, once[None], 0, KEPT)[0] < 32
    assert 2 < lead_taken(sizes, once[None], 0)[0] < 4
    assert 2 < lead_taken(sizes, once[None], 3, KEPT)[0] < 4  # a lead held now counts from where it was taken


def test_an_interval_misses_less_below_than_above():
    points = np.arange(1.0, 1001)
    made = Crossover("a", ("b",), np.array([1.0, 1000]), np.zeros((1000, 2)), points, 1.0)
    for level in (0.5, 0.9):
        within = made.interval(level)
        held = np.mean([within.holds(point) for point in points])
        assert held == pytest.approx(level, abs=0.003)
        assert np.mean(points < within.low) < 0.8 * np.mean(points > within.high)
