"""Planted answers for the second half of the bone-age case: tables, regressions, committees."""

from __future__ import annotations

import numpy as np
import pytest

from engines.cases.bone_age import committee, growth, reading, scoring
from engines.cases.bone_age.anatomy import LONG
from engines.core import quiet
from engines.core.radiograph import Age, Measures
from engines.ml.kernel import KernelRidge

GRID = np.arange(24.0, 217.0, 3.0)


def planted(spread: float = 0.03) -> growth.GrowthTable:
    """A table that grows by a quarter in ten years, boys a little larger."""
    size = np.stack([3.2 + 0.025 * GRID / 12, 3.25 + 0.025 * GRID / 12])
    offset = np.linspace(-0.6, 0.6, len(LONG))
    none = np.zeros(len(LONG))
    return growth.GrowthTable(LONG, GRID, size, 0 * size, offset, none, none, none + 0.02, spread)


def child(table: growth.GrowthTable, sex: str, months: float, rng: np.random.Generator | None = None) -> Measures:
    logs = np.array([np.interp(months, table.ages, row) for row in table.average(sex)])
    if rng is not None:
        logs = logs + table.stature * rng.standard_normal() + table.noise * rng.standard_normal(len(LONG))
    return Measures(sex, LONG, np.exp(logs).astype(np.float32), ("mm",) * len(LONG))


@pytest.mark.parametrize("sex", ["F", "M"])
@pytest.mark.parametrize("months", [60.0, 120.0, 180.0])
def test_an_average_child_is_as_old_as_the_table_says(sex: str, months: float) -> None:
    table = planted(0.005)
    found = table.look_up(child(table, sex, months))
    assert abs(found.months - months) < 3
    assert found.low < months < found.high
    assert np.abs(found.z).max() < 0.5
    assert found.left_out == ()
    assert found.problem() is None


def test_bones_that_are_missing_are_left_out_and_named() -> None:
    table = planted(0.005)
    whole = child(table, "F", 120.0)
    values = whole.values.copy()
    values[[0, 5]] = np.nan
    found = table.look_up(Measures("F", LONG, values, whole.units))
    assert found.left_out == ("MC1", "PP1")
    assert abs(found.months - 120) < 3
    nothing = table.look_up(Measures("F", LONG, np.full(len(LONG), np.nan, np.float32), whole.units))
    assert len(nothing.left_out) == len(LONG)
    assert nothing.problem() is None


def test_one_misread_bone_does_not_move_the_age_far() -> None:
    table = planted(0.01)
    whole = child(table, "M", 120.0)
    values = whole.values.copy()
    values[2] *= 1.8
    assert abs(table.look_up(Measures("M", LONG, values, whole.units)).months - 120) < 15


def test_a_table_is_found_again_from_children() -> None:
    table, rng = planted(), np.random.default_rng(0)
    ages = rng.uniform(40, 210, 300)
    sexes = ["FM"[int(rng.integers(2))] for _ in ages]
    children = [child(table, sex, age, rng) for sex, age in zip(sexes, ages, strict=True)]
    learned = reading.table_of(children, ages)
    for sex in "FM":
        at = [120.0, 160.0]
        true = np.stack([[np.interp(a, table.ages, row) for a in at] for row in table.average(sex)])
        mine = np.stack([[np.interp(a, learned.ages, row) for a in at] for row in learned.average(sex)])
        assert np.abs(true - mine).max() < 0.02
    assert 0.02 < learned.stature < 0.045
    assert np.abs(learned.noise - 0.02).max() < 0.01


def test_nobody_shrinks_however_small_the_older_children_are() -> None:
    table = planted(spread=0.0)
    young = [(sex, age, 1.0) for sex in "FM" for age in (60.0, 90.0, 120.0, 150.0)]
    old = [(sex, age, 0.8) for sex in "FM" for age in (180.0, 200.0)]  # a fifth smaller than they ought to be
    children = []
    for sex, age, factor in young + old:
        one = child(table, sex, age)
        children.append(Measures(sex, LONG, one.values * np.float32(factor), one.units))
    learned = reading.table_of(children, np.array([age for _, age, _ in young + old]))
    assert (np.diff(learned.size, axis=1) >= 0).all()
    # Where nobody is out of the ordinary the table still rises.
    assert (learned.size[:, 20] - learned.size[:, 5] > 0.05).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_table_of_very_few_children_still_answers(count: int) -> None:
    table = planted()
    children = [child(table, "F", 100.0 + 20 * i) for i in range(count)]
    found = reading.table_of(children, np.array([100.0 + 20 * i for i in range(count)])).look_up(children[0])
    assert found.problem() is None
    assert found.low < found.high


def test_the_given_table_grows_and_ends() -> None:
    table = reading.given_table()
    for sex in "FM":
        size = table.average(sex).mean(axis=0)
        assert (np.diff(size) > -0.01).all()
        assert 0.4 < size[-1] - np.interp(60.0, table.ages, size) < 0.75
    grown = np.exp(table.average("M")[LONG.index("MC3"), -1])
    assert 62 < grown < 72


@pytest.mark.parametrize("count", [2, 30, 700])
def test_a_kernel_regression_finds_a_planted_function(count: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (count, 3))
    y = 3 * x[:, 0] + np.sin(2 * x[:, 1])
    fitted = KernelRidge.fit(x, y, rng).rounded()
    again = KernelRidge.of(fitted.arrays())
    test = rng.normal(0, 1, (200, 3))
    np.testing.assert_array_equal(fitted(test), again(test))
    error = np.abs(fitted(test) - 3 * test[:, 0] - np.sin(2 * test[:, 1])).mean()
    assert error < {2: 5.0, 30: 0.9, 700: 0.25}[count]


def test_a_missing_feature_counts_as_the_mean() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(5, 1, (100, 2))
    y = x[:, 0].copy()
    x[::7, 1] = np.nan
    fitted = KernelRidge.fit(x, y, rng)
    assert np.isfinite(fitted(np.array([[np.nan, np.nan]]))).all()
    assert abs(float(fitted(np.array([[6.0, np.nan]]))[0]) - 6) < 0.2


def test_an_error_that_is_not_known_gives_no_interval() -> None:
    assert reading.age(100.0) == reading.age(100.0, float("nan")) == Age(100.0)
    assert str(reading.age(100.0, float("nan"))) == "8 y 4 mo"
    assert reading.age(100.0, 10.0) == Age(100.0, pytest.approx(83.55), pytest.approx(116.45))


def test_a_committee_learns_a_line_and_gives_the_same_again() -> None:
    x = np.random.default_rng(3).normal(0, 1, (120, 4))
    y = 20 * x[:, 0] - 10 * x[:, 1]
    made = [committee.fit(x, y, np.random.default_rng(7), quiet) for _ in range(2)]
    np.testing.assert_array_equal(committee.answers(made[0], x), committee.answers(made[1], x))
    assert np.abs(committee.answers(made[0], x) - y).mean() < 5


def test_the_score_is_against_the_skeleton_and_keeps_the_calendar() -> None:
    rows = np.stack(
        [scoring.measure(Age(100.0), Age(90.0, chronological=105.0)), scoring.measure(Age(50.0), Age(52.0))]
    )
    np.testing.assert_allclose(rows, [[10, 5], [2, 2]])
    assert scoring.combine(np.stack(rows)) == 6
