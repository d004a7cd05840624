"""Advice: planted amounts of data, costs, plans and the measurement that tells most; the command line's table."""

import numpy as np
import pytest

from engines.__main__ import main
from engines.core import UserError
from engines.curves import (
    Approach,
    Curve,
    Prices,
    collection_plan,
    crossover,
    data_needed,
    for_budget,
    for_target,
    forecasts,
    next_measurement,
    parse_points,
    warnings,
)

SIZES = np.geomspace(1, 512, 10)


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    curves = [
        Curve(SIZES, (a + b * SIZES**-c)[:, None] * np.exp(0.01 * rng.normal(size=(10, 3))), name=name)
        for name, a, b, c in (("pipeline", 10, 60, 0.4), ("end_to_end", 0.5, 150, 0.36))
    ]
    return forecasts(curves, np.random.default_rng(0), 300)


def test_the_data_that_a_target_needs_are_found(pair):
    within = np.quantile(data_needed(pair[0], 20.0), [0.05, 0.5, 0.95])
    truth = (60 / 10) ** (1 / 0.4)
    assert within[1] == pytest.approx(truth, rel=0.1)
    beyond = np.quantile(data_needed(pair[0], 13.0), [0.05, 0.5, 0.95], method="inverted_cdf")
    assert beyond[0] < (60 / 3) ** (1 / 0.4) < beyond[2]
    assert np.isinf(np.median(data_needed(pair[0], 3.0)))
    assert (data_needed(pair[0], 1000.0) == SIZES[0]).all()
    with pytest.raises(UserError, match="short of the perfect"):
        data_needed(pair[0], 0.0)


def test_costs_add_up(pair):
    approach = Approach(pair[0], side={"lexicon": 100.0}, hours=2.0, hours_per_unit=0.5)
    prices = Prices(data=10.0, side={"lexicon": 0.5}, training_hour=4.0)
    np.testing.assert_allclose(approach.cost(np.array([0.0, 3.0, np.inf]), prices), [58.0, 94.0, np.inf])
    with pytest.raises(UserError, match="lexicon"):
        approach.cost(1.0, Prices())
    with pytest.raises(UserError, match="price of data"):
        Prices(data=-1)


def test_the_cheapest_way_to_a_target_comes_first(pair):
    rows = for_target([Approach(each) for each in pair], 20.0, Prices())
    assert [row.name for row in rows] == ["pipeline", "end_to_end"]
    assert rows[0].data[1] < rows[1].data[1]
    assert rows[0].reached == 1
    dear = for_target(
        [Approach(pair[0], side={"lexicon": 1.0}), Approach(pair[1])], 20.0, Prices(side={"lexicon": 1e6})
    )
    assert dear[0].name == "end_to_end"


def test_what_a_budget_buys(pair):
    rows = for_budget([Approach(each) for each in pair], 200.0, Prices(data=2.0))
    assert rows[0].name == "pipeline"
    assert rows[0].data == 100
    assert rows[0].score[1] == pytest.approx(10 + 60 * 100**-0.4, rel=0.03)
    assert sum(row.best for row in rows) == pytest.approx(1)
    poor = for_budget([Approach(pair[0], hours=100), Approach(pair[1])], 50.0, Prices(training_hour=1.0))
    assert poor[1].data == 0
    with pytest.raises(UserError, match="more than 0"):
        for_budget([Approach(pair[0])], 0.0, Prices())


def test_less_money_than_the_least_data_costs_says_nothing_of_an_approach(pair):
    later = Curve(100 * SIZES, 30 * SIZES**-0.3, name="later")
    made = [*pair, *forecasts([later], np.random.default_rng(0), 300)]
    rows = {row.name: row for row in for_budget([Approach(each) for each in made], 20.0, Prices())}
    assert (rows["later"].data, rows["later"].best) == (20, 0)
    assert np.isnan(rows["later"].score).all()
    assert rows["pipeline"].best + rows["end_to_end"].best == pytest.approx(1)


def test_a_target_is_not_reached_beyond_the_horizon_and_may_be_reached_before_the_first_measurement(pair):
    assert np.isinf(data_needed(pair[0], 20.0, horizon=10.0)).all()
    met, open_ = (for_target([Approach(pair[0])], target, Prices())[0] for target in (90.0, 20.0))
    assert met.data[1] == met.least == 1
    assert open_.data[1] > open_.least


def test_a_standard_error_that_is_missing_takes_none_of_the_others_away():
    scores, known = 5 + 80 * SIZES**-0.5, np.full(10, 2.0)
    some = Curve(SIZES, scores, name="some", standard_errors=np.where(SIZES > 500, np.nan, known))
    np.testing.assert_array_equal(some.noise(), Curve(SIZES, scores, standard_errors=known).noise())
    none = Curve(SIZES, scores, standard_errors=np.full(10, np.nan))
    np.testing.assert_array_equal(none.noise(), Curve(SIZES, scores).noise())
    assert any("some lacks 1 of its standard errors" in each for each in warnings([some]))
    assert any("2% of the error" in each for each in warnings([Curve(SIZES[:4], scores[:4])]))


def test_the_plan_is_the_cheapest_one():
    rng = np.random.default_rng(0)
    needed = np.exp(rng.normal(5, 0.5, 400))
    plan = collection_plan(needed, 10.0, 1.0, 10_000.0)
    assert 1 < len(plan.rounds) <= 5
    sizes = [each.size for each in plan.rounds]
    assert sizes == sorted(sizes)
    assert plan.missed < 0.1

    def price(stops):
        total, at = 0.0, 10.0
        for stop in stops:
            total += (stop - at) * np.mean(needed > at)
            at = stop
        return total + 10_000 * np.mean(needed > at)

    mine = plan.cost + 10_000 * plan.missed
    assert mine == pytest.approx(price(sizes))
    for _ in range(300):
        assert mine <= price(np.sort(rng.choice(np.sort(needed)[::3], len(sizes), replace=False))) * 1.02
    assert mine < price([sizes[-1]])
    assert collection_plan(needed, 10.0, 1.0, 0.0).rounds == ()
    assert len(collection_plan(needed, 10.0, 1.0, 10_000.0, round_cost=1e3).rounds) < len(sizes)
    with pytest.raises(UserError, match="rounds"):
        collection_plan(needed, 10.0, 1.0, 1.0, rounds=0)


def test_the_next_measurement_is_where_least_is_known():
    rng = np.random.default_rng(0)
    known = Curve(SIZES, (10 + 60 * SIZES**-0.4)[:, None] * np.exp(0.01 * rng.normal(size=(10, 3))), name="known")
    short = Curve(
        SIZES[:5], (0.5 + 150 * SIZES**-0.36)[:5, None] * np.exp(0.01 * rng.normal(size=(5, 3))), name="short"
    )
    made = forecasts([known, short], np.random.default_rng(0), 400)
    found = next_measurement(crossover(made[1], made[0]), made)
    assert found.name == "short"
    assert found.size > SIZES[4]
    assert "Measure short at" in found.sentence("h")


def test_warnings_are_said_in_words():
    few = Curve([1.0, 2, 4], [[50.0, 51], [40, 41], [30, 31]], name="few")
    single = Curve(SIZES, 5 + 80 * SIZES**-0.5, name="single")
    told = " ".join(warnings([few, single], looked_at=100.0, shared_test=False))
    for part in ("only 3 points", "same test set", "unequal numbers of seeds", "25 times as far"):
        assert part in told
    assert "perfect scores" in " ".join(warnings([Curve(SIZES, np.maximum(3 - np.arange(10.0), 0))]))
    floored = Curve(SIZES, np.maximum(20 * np.arange(10.0) - 60, 0) / 2, lower_is_better=False, name="late")
    assert "late has scores of 0" in " ".join(warnings([floored]))
    assert "scores of 0" not in " ".join(warnings([few, single]))
    assert "one run only" in " ".join(warnings([single]))


def test_the_command_line_prints_the_advice(tmp_path, capsys):
    rows = ["approach,size,score"]
    rows += [f"pipeline,{size:g},{10 + 60 * size**-0.4:.2f}" for size in SIZES]
    rows += [f"end_to_end,{size:g},{0.5 + 150 * size**-0.36:.2f}" for size in SIZES]
    file = tmp_path / "points.csv"
    file.write_text("\n".join(rows))
    options = ["--unit", "h", "--target", "12", "--budget", "500", "--penalty", "1e5", "--draws", "100"]
    assert main(["advise", str(file), *options]) == 0
    told = capsys.readouterr().out
    for part in ("end_to_end", "overtake", "For a score of 12", "round 1", "For 500 of money", "Note:"):
        assert part in told
    assert main(["advise", str(tmp_path / "nothing.csv")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["advise", str(file), "--challenger", "nobody"]) == 2
    capsys.readouterr()
    for bad in (["--horizon", "-1"], ["--horizon", "0"], ["--available", "nan"]):
        assert main(["advise", str(file), *bad]) == 2
        told = capsys.readouterr()
        assert "an amount of data above 0" in told.err
        assert not told.out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        (",,\n", "empty"),
        ("\n\napproach,size,score\n\nA,1,many\n", "Line 5: the score 'many' is not a number"),
        ("approach,size,score\n", "no row"),
        ("approach,size\na,1\n", "no column score"),
        ("size,score\n1,many\n", "Line 2: the score 'many' is not a number"),
        ("size,score\n1\n", "Line 2: the score '' is not a number"),
        ("size,score\nnan,1\n", "finite"),
        ("size,score\n0,1\n", "more than 0"),
        ("size,score\n1,-5\n", "below 0"),
    ],
)
def test_bad_tables_get_a_sentence(text, sentence):
    with pytest.raises(UserError, match=sentence):
        parse_points(text)


def test_tables_of_other_tools_are_read():
    curves = parse_points("Model;Train_Size;Loss\nb;2;3\n\na;1;5 %\na;1;6\n")
    assert [curve.name for curve in curves] == ["b", "a"]
    np.testing.assert_array_equal(curves[1].scores, [[5.0, 6.0]])
