"""Forecasts and crossovers: planted answers, intervals that widen, draws that can be made again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.core import UserError
from engines.curves import Curve, best_of, crossover, flags, forecast, forecasts

SIZES = np.geomspace(1, 512, 10)


def curve(asymptote, slope, exponent, noise=0.01, name="curve", sizes=SIZES, seed=0, factor=1.0, **options):
    rng = np.random.default_rng([seed, int(1000 * exponent)])
    errors = (asymptote + slope * sizes**-exponent)[:, None] * np.exp(noise * rng.normal(size=(len(sizes), 3)))
    return Curve(sizes, factor * errors, name=name, **options)


def width(made, size):
    low, high = made.quantiles(np.array([size]), (0.05, 0.95))[:, 0]
    return np.log(high / low)


def test_a_planted_curve_is_forecast():
    made = forecast(curve(5, 80, 0.5), np.random.default_rng(0), 500)
    at = np.array([700.0, 2000.0])
    truth = 5 + 80 * at**-0.5
    np.testing.assert_allclose(made.median(at), truth, rtol=0.05)
    low, high = made.quantiles(np.array([700.0, 2000, 20000]), (0.05, 0.95))
    assert (low < 5 + 80 * np.array([700.0, 2000, 20000]) ** -0.5).all()
    assert (high > 5 + 80 * np.array([700.0, 2000, 20000]) ** -0.5).all()
    assert sum(made.family_weights().values()) == pytest.approx(1)


def test_intervals_widen_with_noise_and_with_distance():
    calm, wild = (forecast(curve(5, 80, 0.5, noise), np.random.default_rng(0), 500) for noise in (0.01, 0.15))
    widths = [width(calm, size) for size in (600.0, 1200, 5000, 50000)]
    assert widths == sorted(widths)
    assert width(wild, 1200) > width(calm, 1200)
    assert width(wild, 64) > width(calm, 64)


def test_an_ill_behaved_curve_is_flagged_and_widened():
    tame = curve(5, 80, 0.5)
    scores = tame.scores.copy()
    scores[5:7] *= 1.6
    peaked = Curve(SIZES, scores)
    assert flags(tame) == ()
    assert flags(peaked) == ("peak",)
    assert flags(Curve(SIZES, np.r_[np.linspace(50, 20, 5), [20.0, 20.01, 20, 19.99, 20]])) == ("plateau",)
    assert "rising" in flags(Curve(SIZES, np.r_[np.linspace(50, 20, 7), [24.0, 28, 33]]))
    made = [forecast(each, np.random.default_rng(0), 500) for each in (tame, peaked)]
    assert width(made[1], 2000) > 1.2 * width(made[0], 2000)


def test_draws_can_be_made_again():
    one, two = (forecast(curve(5, 80, 0.5), np.random.default_rng(7), 100).draws(SIZES * 3) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_a_planted_crossover_that_was_measured():
    slow, fast = curve(10, 30, 0.3, name="pipeline"), curve(1, 90, 0.35, name="end_to_end")
    sizes = np.geomspace(1, 1e4, 100000)
    truth = sizes[np.argmax(1 + 90 * sizes**-0.35 < 10 + 30 * sizes**-0.3)]
    pipeline, end_to_end = forecasts([slow, fast], np.random.default_rng(0), 500)
    found = crossover(end_to_end, pipeline)
    assert found.observed
    assert found.median == pytest.approx(truth, rel=0.3)
    assert found.interval().holds(truth)
    assert found.probability_by(512) > 0.95
    assert "end_to_end overtakes pipeline at about" in found.sentence("h")


def test_a_planted_crossover_beyond_the_data_is_forecast():
    slow, fast = curve(10, 60, 0.4, name="pipeline"), curve(0.5, 150, 0.36, name="end_to_end")
    sizes = np.geomspace(1, 1e6, 100000)
    truth = sizes[np.argmax(0.5 + 150 * sizes**-0.36 < 10 + 60 * sizes**-0.4)]
    assert truth > 512
    pipeline, end_to_end = forecasts([slow, fast], np.random.default_rng(0), 500)
    found = crossover(end_to_end, pipeline)
    assert not found.observed
    assert found.interval().holds(truth)
    assert 0.3 * truth < found.median < 3 * truth


def test_never_is_an_answer():
    best, worst = curve(5, 30, 0.5, name="pipeline"), curve(30, 60, 0.2, name="end_to_end")
    pipeline, end_to_end = forecasts([best, worst], np.random.default_rng(0), 500)
    found = crossover(end_to_end, pipeline, horizon=2000)
    assert found.never > 0.95
    assert found.interval().never
    assert np.isinf(found.median)
    assert "does not overtake" in found.sentence()
    leader = crossover(pipeline, end_to_end)
    assert leader.median == 0
    assert leader.sentence().endswith("at every size measured (1 to 512).")
    steep, flat = curve(0.5, 150, 0.36, name="end_to_end"), curve(1, 60, 0.3, name="pipeline")
    ahead = crossover(*forecasts([flat, steep], np.random.default_rng(0), 500))
    assert (ahead.median == 0) == ("at every size measured" in ahead.sentence())


def test_swapping_the_approaches_mirrors_the_answer():
    pair = forecasts([curve(10, 30, 0.3), curve(1, 90, 0.35)], np.random.default_rng(0), 300)
    one, other = crossover(*pair), crossover(*pair[::-1])
    at = np.geomspace(1, 50000, 50)
    np.testing.assert_allclose(one.ahead(at) + other.ahead(at), 1)
    by = one.probability_by(at)
    assert (np.diff(by) >= 0).all()


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e6), st.floats(1e-3, 1e3))
def test_scaling_sizes_or_errors_scales_the_answer(stretch, factor):
    def answer(stretch, factor):
        pair = [
            curve(10, 30, 0.3, sizes=SIZES, factor=factor),
            curve(1, 90, 0.35, sizes=SIZES, factor=factor),
        ]
        pair = [Curve(each.sizes * stretch, each.scores) for each in pair]
        made = forecasts(pair, np.random.default_rng(0), 50)
        return crossover(*made[::-1]), made[0].median(np.array([3000 * stretch]))

    (one, median), (other, scaled) = answer(1.0, 1.0), answer(stretch, factor)
    np.testing.assert_allclose(other.points, one.points * stretch, rtol=1e-3)
    np.testing.assert_allclose(scaled, median * factor, rtol=1e-3)


def test_scores_of_which_higher_is_better():
    errors = 5 + 80 * SIZES**-0.5
    one = forecast(Curve(SIZES, errors), np.random.default_rng(0), 50)
    other = forecast(Curve(SIZES, 100 - errors, lower_is_better=False), np.random.default_rng(0), 50)
    np.testing.assert_allclose(100 - other.draws(SIZES * 4), one.draws(SIZES * 4), rtol=1e-6)


def test_three_approaches():
    three = [curve(20, 10, 0.5), curve(8, 40, 0.5), curve(1, 95, 0.4)]
    made = forecasts(three, np.random.default_rng(0), 300)
    share = best_of(made, np.array([1.0, 20.0, 512.0]))
    np.testing.assert_allclose(share.sum(axis=0), 1)
    assert share.argmax(axis=0).tolist()[0] == 0
    assert crossover(made[2], made[0], made[1]).never < 0.5


def test_what_scikit_learn_returns_can_be_handed_over():
    scores = 1 - (0.05 + 2 * SIZES**-0.6)[:, None] * np.ones((1, 5)) / 3
    made = Curve.from_learning_curve(SIZES.astype(int), scores)
    assert not made.lower_is_better
    assert made.best == 1
    losses = Curve.from_learning_curve(SIZES, -scores)
    assert losses.lower_is_better


def test_few_many_and_equal_points():
    for sizes in ([5.0], [5.0, 10.0], [5.0, 5.0, 10.0]):
        scores = 30 / np.sqrt(np.array(sizes))
        made = forecast(Curve(np.array(sizes), scores), np.random.default_rng(0), 50)
        assert np.isfinite(made.draws(np.array([20.0, 100.0]))).all()
    merged = Curve.from_points([10, 5, 10, 5], [3.0, 4, 5, 6])
    np.testing.assert_array_equal(merged.sizes, [5, 10])
    np.testing.assert_array_equal(merged.scores, [[4, 6], [3, 5]])
    many = np.random.default_rng(0).uniform(1, 1e6, 1_000_000)
    big = forecast(Curve(many, 5 + 80 / np.sqrt(many)), np.random.default_rng(0), 20)
    assert len(big.curve.sizes) <= 200
    assert big.median(np.array([2e6]))[0] == pytest.approx(5 + 80 / np.sqrt(2e6), rel=0.05)


def test_perfect_scores_have_a_forecast_too():
    made = forecast(Curve(SIZES, np.zeros(10)), np.random.default_rng(0), 50)
    assert np.isfinite(made.draws(SIZES * 10)).all()


@pytest.mark.parametrize(
    ("sizes", "scores", "options", "sentence"),
    [
        ([], [], {}, "no point"),
        ([1.0, 0.0], [1.0, 2.0], {}, "more than 0"),
        ([1.0, 2.0], [1.0], {}, "one row of scores"),
        ([1.0, 2.0], [1.0, -2.0], {}, "below 0"),
        ([1.0, 2.0], [1.0, 101.0], {"lower_is_better": False}, "best"),
        ([1.0, 2.0], [1.0, float("inf")], {}, "finite"),
        (["a"], [1.0], {}, "numbers"),
        ([1.0], [5.0], {"lower_is_better": False, "best": 1.0}, "above 1"),
        ([1.0], [5.0], {"standard_errors": [-1.0]}, "standard error"),
    ],
)
def test_bad_input_gets_a_sentence(sizes, scores, options, sentence):
    with pytest.raises(UserError, match=sentence):
        Curve(sizes, scores, **options)


def test_curves_of_different_metrics_are_not_compared():
    with pytest.raises(UserError, match="one metric"):
        forecasts([Curve(SIZES, SIZES), Curve(SIZES, SIZES / 1000, lower_is_better=False)], np.random.default_rng(0))
    pair = forecasts([Curve(SIZES, SIZES), Curve(SIZES, SIZES)], np.random.default_rng(0), 10)
    with pytest.raises(UserError, match="horizon"):
        crossover(*pair, horizon=0.5)
    with pytest.raises(UserError, match="draws"):
        forecast(Curve(SIZES, SIZES), np.random.default_rng(0), 1)
