"""The simulator of hands, and geometry on shapes whose lengths are known."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from engines import registry
from engines.cases.bone_age import exposure, geometry, hand, ossification, render, simulate, simulated
from engines.cases.bone_age.anatomy import BONES, CARPALS, EPIPHYSIS, LABELS, LONG, TUBULAR
from engines.core import Budget, UserError, quiet
from engines.core.radiograph import Radiograph, Regions

STRAIGHT = hand.Pose()


def number(bone: str) -> int:
    return 1 + BONES.index(bone)


def grown(sex: str, years: float, seed: int = 0) -> hand.Child:
    return hand.draw_child(np.random.default_rng(seed), sex, 12 * years, 0.0)


def test_the_same_seed_gives_the_same_picture() -> None:
    one, other = (simulate.shoot(np.random.default_rng(5)) for _ in range(2))
    assert one.radiograph == other.radiograph
    np.testing.assert_array_equal(one.labels, other.labels)
    assert one.radiograph.problem() is None
    assert one.radiograph.pixels.shape == (simulate.HEIGHT, simulate.WIDTH)
    assert one.age.months == simulated.hand.draw_child(np.random.default_rng(5)).skeletal


def test_the_mask_is_where_the_bone_is() -> None:
    rng = np.random.default_rng(1)
    laid = hand.lay_out(grown("M", 13), STRAIGHT, rng)
    matter = render.draw(laid, simulate._frame(laid, rng), rng)
    assert matter.labels.max() < len(LABELS)
    inside = matter.labels > 0
    assert (matter.bone[inside] > 0).mean() > 0.99
    # A pixel belongs to what its upper left quarter belongs to, so an edge may have bone without a label.
    assert (matter.bone[~inside] == 0).mean() > 0.97
    assert matter.bone[inside].mean() > 10 * matter.bone[~inside].mean()
    assert set(np.unique(matter.labels)) >= {number(bone) for bone in LONG}


def test_carpals_and_plates_come_and_go_with_age() -> None:
    young, old = ossification.fractions("F", 36, 36, 36), ossification.fractions("F", 215, 215, 215)
    assert sum(young[name].centre > 0 for name in CARPALS) == 4
    assert all(old[name].centre == 1 for name in CARPALS)
    assert not any(young[name].fused for name in TUBULAR)
    assert all(old[name].fused == 1 for name in TUBULAR)
    for name in TUBULAR:
        stages = [ossification.tubular(name, "M", age, age) for age in range(24, 230, 3)]
        assert (np.diff([s.centre for s in stages]) >= 0).all()
        assert (np.diff([s.fused for s in stages]) >= 0).all()
    assert ossification.tubular("MC3", "F", 150, 150).fused > ossification.tubular("MC3", "M", 150, 150).fused - 1e-9


def test_sources_of_information_have_noise_of_their_own() -> None:
    children = [hand.draw_child(np.random.default_rng(i), "F", 120.0) for i in range(400)]
    skeletal = np.array([c.skeletal for c in children])
    assert 9 < skeletal.std() < 13
    ages = np.array([c.maturity_ages for c in children]) - skeletal[:, None]
    size = np.log([c.lengths for c in children]).mean(axis=1)
    slope = np.polyfit(skeletal, size, 1)
    stature = size - np.polyval(slope, skeletal)
    together = np.corrcoef(np.column_stack([ages, stature]).T)
    assert np.abs(together - np.eye(4)).max() < 0.2
    assert 0.035 < stature.std() < 0.06


@pytest.mark.parametrize("turn", [0.0, 20.0, -35.0])
def test_the_length_of_a_planted_bone_is_measured(turn: float) -> None:
    """An ellipse of 60 by 14 pixels, turned, and a smaller one as its epiphysis."""
    labels = np.zeros((simulate.HEIGHT, simulate.WIDTH), np.uint8)
    y, x = np.mgrid[0 : labels.shape[0], 0 : labels.shape[1]]
    along = np.array([np.sin(np.deg2rad(turn)), -np.cos(np.deg2rad(turn))])
    dx, dy = x - 70, y - 100
    u, v = dx * along[0] + dy * along[1], dx * along[1] - dy * along[0]
    labels[(u / 30) ** 2 + (v / 7) ** 2 < 1] = number("MC3")
    labels[((u - 34) / 3) ** 2 + (v / 6) ** 2 < 1] = EPIPHYSIS + TUBULAR.index("MC3")
    picture = Radiograph((labels > 0).astype(np.float32), 0.5, "M")
    found = dict(zip(geometry.NAMES, geometry.measures(Regions(picture, labels)).values, strict=True))
    assert found["MC3"] == pytest.approx(0.5 * (60 / 2 + 37), abs=1.2)
    assert np.isnan(found["PP3"])
    assert 0.6 < found["MC epiphysis width"] < 2.0


def test_lengths_of_straight_hands_are_those_of_the_child() -> None:
    rest = []
    for i, years in enumerate((4, 9, 14, 17)):
        shot = simulate.shoot(np.random.default_rng(i), grown("M", years, i), STRAIGHT, exposure.SCANNERS[0])
        found = geometry.measures(Regions(shot.radiograph, shot.labels))
        rest.append(np.log(found.lengths(LONG) / shot.child.lengths))
    assert np.nanmean(np.isfinite(rest)) > 0.9
    assert np.nanmedian(np.abs(rest)) < 0.03


def test_a_bent_finger_looks_short_and_is_not() -> None:
    child = grown("F", 12)
    bent = hand.Pose(flexed=(0, 0, 0, 50, 0, 0))
    straight, other = (hand.lay_out(child, pose, np.random.default_rng(0)) for pose in (STRAIGHT, bent))
    of = lambda laid, name: next(t.length for t in laid.tubes if t.name == name)  # noqa: E731
    assert of(other, "DP3") < 0.8 * of(straight, "DP3")
    assert of(other, "DP2") == of(straight, "DP2")
    assert child.measures.lengths(("DP3",))[0] == pytest.approx(of(straight, "DP3"), rel=1e-6)


def test_the_scanner_of_the_test_is_not_trained_on() -> None:
    assert exposure.UNSEEN not in exposure.SCANNERS
    data = simulated.simulated()
    assert set(data.tests) == {"test", "new_scanner", "chronological"}
    truth, calendar = data.tests["test"].y[3], data.tests["chronological"].y[3]
    assert calendar.months == truth.chronological
    assert data.tests["test"].x[3] == data.tests["chronological"].x[3]


def test_masks_nest_and_cannot_be_more_than_there_are() -> None:
    data = simulated.simulated()
    few = simulated.masks_of(data.side, Budget(20, {"masks": 2}), 0)["masks"]
    more = simulated.masks_of(data.side, Budget(20, {"masks": 4}), 0)["masks"]
    assert [one == other for one, other in zip(few, more, strict=False)] == [True, True]
    with pytest.raises(UserError, match="1 to 160"):
        simulated.masks_of(data.side, Budget(20, {"masks": 500}), 0)


def test_every_budget_of_a_sweep_comes_with_all_masks() -> None:
    side = {"masks": list(range(simulated.MASKS))}
    task = registry.case("bone_age").task("simulated")
    for pairs in task.budgets:
        assert sorted(simulated.masks_of(side, Budget(pairs), 0)["masks"]) == side["masks"]
    assert len(simulated.masks_of(side, Budget(task.tiny), 0)["masks"]) == task.tiny
    largest = max(task.sides[0].points.values())
    assert largest == simulated.MASKS


@pytest.mark.parametrize("module", ["segment", "viewer"])
def test_where_nothing_is_held_out_the_last_weights_are_taken(module: str) -> None:
    """A score that is always the same would keep the first weights that were scored."""
    recipe_for = importlib.import_module(f"engines.cases.bone_age.{module}").recipe_for
    for count in (2, 9, 60):
        recipe = recipe_for(count, held=False)
        assert recipe.validate_every == recipe.steps
        assert recipe_for(count, held=True).validate_every < recipe.steps


def test_the_collimator_keeps_to_the_fingers() -> None:
    """A hand that nearly fills the picture: without the rule half of all fields would cut into it."""
    labels = np.zeros((simulate.HEIGHT, simulate.WIDTH), np.uint8)
    labels[8:150, 8:-8] = number("MC3")
    cut, narrowed = [], []
    for i in range(200):
        inside, _ = exposure._collimation(labels, np.random.default_rng([9, i]))
        narrowed.append(not inside.all())
        cut.append(not inside[labels > 0].all())
    assert np.mean(narrowed) > 0.4
    assert np.mean(cut) < 0.12


def test_a_segmenter_follows_from_its_masks_and_is_trained_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path))
    segment = importlib.import_module("engines.cases.bone_age.segment")
    masks = [simulated.mask(i) for i in (0, 1)]
    made = segment.learn(masks, quiet)
    monkeypatch.setattr(segment, "trained", lambda *_: pytest.fail("trained again"))
    kept = segment.learn(masks, quiet)
    picture = simulated.mask(2).picture
    np.testing.assert_array_equal(made(picture).labels, kept(picture).labels)
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        segment.learn(masks[::-1], quiet)
