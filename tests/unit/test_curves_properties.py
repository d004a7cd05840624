"""What must hold of any curves: mirrored answers, growing chances, wider intervals, plans that follow the penalty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.core import UserError
from engines.curves import (
    Curve,
    collection_plan,
    crossover,
    data_needed,
    forecast,
    forecasts,
    overtaking,
    parse_points,
    read_rows,
)

SIZES = np.geomspace(1, 128, 8)
SHAPE = st.tuples(st.floats(0.1, 20), st.floats(5, 200), st.floats(0.1, 1.0))


def curve(shape, noise=0.02, seed=0, sizes=SIZES, **options):
    asymptote, slope, exponent = shape
    rng = np.random.default_rng(seed)
    clean = asymptote + slope * sizes**-exponent
    return Curve(sizes, clean[:, None] * np.exp(noise * rng.normal(size=(len(sizes), 2))), **options)


@settings(max_examples=15, deadline=None)
@given(SHAPE, SHAPE)
def test_swapping_any_two_approaches_mirrors_who_is_ahead(first, second):
    pair = forecasts([curve(first), curve(second, seed=1)], np.random.default_rng(0), 60)
    at = np.geomspace(1, 12800, 30)
    one, other = crossover(*pair), crossover(*pair[::-1])
    np.testing.assert_allclose(one.ahead(at) + other.ahead(at), 1)
    for found in (one, other):
        chances = found.probability_by(at)
        assert (np.diff(chances) >= 0).all()
        assert chances[-1] == pytest.approx(1 - found.never)
        within = found.interval()
        assert within.low <= found.median <= within.high
        assert within.holds(found.median)


@settings(max_examples=15, deadline=None)
@given(SHAPE)
def test_an_easier_target_never_needs_more_data_and_intervals_are_ordered(shape):
    made = forecast(curve(shape), np.random.default_rng(0), 60)
    scores = made.median(np.array([4.0, 30.0, 300.0]))
    easy, middle, hard = (np.sort(data_needed(made, float(score))) for score in sorted(scores, reverse=True))
    assert (easy <= middle).all()
    assert (middle <= hard).all()
    low, half, high = made.quantiles(np.geomspace(1, 5000, 20))
    assert (low <= half).all()
    assert (half <= high).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(1, 1e5), st.floats(1.1, 100))
def test_a_dearer_miss_is_missed_no_oftener(seed, penalty, factor):
    needed = np.exp(np.random.default_rng(seed).normal(5, 0.8, 300))
    mild, strict = (collection_plan(needed, 20.0, 1.0, price) for price in (penalty, penalty * factor))
    assert strict.missed <= mild.missed + 1e-9
    for plan in (mild, strict):
        sizes = [each.size for each in plan.rounds]
        assert sizes == sorted(set(sizes))
        assert all(each.added > 0 for each in plan.rounds)
        # Stopping at once is always open, so no plan is worse than it.
        price = penalty if plan is mild else penalty * factor
        assert plan.cost + price * plan.missed <= price * np.mean(needed > 20.0) + 1e-6


def test_more_noise_makes_a_crossover_less_sure():
    widths = []
    for noise in (0.01, 0.2):
        slow, fast = curve((10, 30, 0.3), noise), curve((1, 90, 0.35), noise, seed=1)
        pipeline, network = forecasts([slow, fast], np.random.default_rng(0), 300)
        points = crossover(network, pipeline).points
        widths.append(np.subtract(*np.quantile(np.log(np.clip(points, 1, 1e6)), [0.9, 0.1])))
    assert widths[1] > widths[0]


def test_a_size_without_errors_says_little_but_ruins_nothing():
    scores = np.array([40, 20, 10, 5, 2.5, 1.2, 0.0, 0.3])
    known = Curve(SIZES, scores, standard_errors=np.array([2, 1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.15]))
    assert known.noise().max() <= 1.0
    assert known.noise()[6] == 1.0
    made = forecast(known, np.random.default_rng(0), 200)
    assert np.isfinite(made.draws(SIZES * 4)).all()


def test_the_crossover_that_a_reader_asks_about():
    slow, fast = curve((10, 30, 0.3), name="pipeline"), curve((1, 90, 0.35), name="network")
    made = forecasts([slow, fast], np.random.default_rng(0), 100)
    found = overtaking(made)
    assert (found.challenger, found.incumbents) == ("network", ("pipeline",))
    assert overtaking(made, "pipeline").challenger == "pipeline"
    assert overtaking(made[:1]) is None
    with pytest.raises(UserError, match="no approach 'other'"):
        overtaking(made, "other")


def test_tables_that_people_paste_are_read():
    wide = read_rows("size\tpipeline\tnetwork\n10\t5\t9\n20\t4\t\n")
    assert [(row.approach, row.size, row.score, row.line) for row in wide] == [
        ("pipeline", "10", "5", 2), ("pipeline", "20", "4", 3), ("network", "10", "9", 2),
    ]  # fmt: skip
    bare = parse_points("a,1,50\na,2,40\nb,1,60\n")
    assert [each.name for each in bare] == ["a", "b"]
    np.testing.assert_array_equal(parse_points("1,50\n2,40")[0].sizes, [1, 2])
    with pytest.raises(UserError, match="higher is better"):
        parse_points("approach,size,accuracy\na,1,0.5\n")
    assert parse_points("approach,size,accuracy\na,1,0.5\n", lower_is_better=False)[0].best == 1
    for text in ("size,a\n", "size,a\n1,\n", '"a,1,2\n' + "x" * 200_000):
        with pytest.raises(UserError):
            read_rows(text)
