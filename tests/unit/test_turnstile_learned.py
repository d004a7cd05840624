"""What the turnstile learns anew: a detector from true boxes, and a visitor among the employees."""

import numpy as np
import pytest

from engines.cases.turnstile import compose, frames, photos, visitors
from engines.cases.turnstile.compose import Placed, Recipe
from engines.cases.turnstile.detect import Detector, Memory
from engines.core import Spec, Split, TrainingData, UserError
from engines.core.sighting import Candidates
from tests.unit.test_turnstile import REAL, SCENES, scene


def test_places_that_the_detector_is_taught_are_the_boxes_that_it_finds():
    import torch

    from engines.cases.turnstile import finder

    usual = ((60.0, 65.0), (90.0, 65.0), (75.0, 80.0), (64.0, 95.0), (87.0, 95.0))
    # Middle and size in pixels of the halved frame, and the turn.
    places = np.array([[30.0, 40.0, 20.0, 0.2], [120.0, 80.0, 60.0, -0.1], [80.0, 60.0, 30.0, 0.0]])
    heat, rest = finder.targets(places, np.array([False, False, True]))
    assert (heat == 1).flatten(1).sum(dim=1).tolist() == [1, 1, 0]

    class Planted(torch.nn.Module):
        """The first two faces, in one frame: the maps that are taught."""

        def forward(self, image, phase):
            maps = torch.zeros(1, 3, *heat.shape[1:])
            maps[0, 0] = torch.logit(heat[:2].amax(dim=0), eps=1e-3)
            for row, column, size, turn in rest[:2].tolist():
                maps[0, 1:, int(row), int(column)] = torch.tensor([size, turn])
            assert image.shape == (1, 1, 128, 160)
            return maps

    first, second = finder.Finder(Planted(), usual).find(np.zeros((240, 320, 3), np.uint8))
    # The larger face is the nearer one.
    for box, (x, y, size, turn) in ((first, places[1]), (second, places[0])):
        spot = Placed(2 * size / photos.FACE, turn, 2 * x, 2 * y)
        assert box.overlap(spot.box()) > 0.8
        np.testing.assert_allclose(box.points, spot.box(usual).points, atol=4)
        assert box.confidence > 0.9


def test_a_face_is_placed_as_the_photo_was_that_shows_it():
    usual = np.array([(60.0, 65.0), (90.0, 65.0), (75.0, 80.0), (64.0, 95.0), (87.0, 95.0)])
    for scale, turn in ((0.5, 0.0), (1.2, 0.2), (0.9, -0.3)):
        spot = Placed(scale, turn, 140.0, 110.0)
        found = visitors.placed(spot.box([tuple(point) for point in usual]), usual)
        assert (found.scale, found.turn, found.x, found.y) == pytest.approx((scale, turn, 140.0, 110.0))
    # By the box alone where no landmarks were found.
    bare = visitors.placed(Placed(0.8, 0.0, 50.0, 60.0).box(), usual)
    assert (bare.scale, bare.x, bare.y) == pytest.approx((0.8, 50.0, 60.0))


def test_mixed_faces_are_of_both_people_by_their_shares():
    from engines.cases.turnstile import verifier
    from engines.cases.turnstile.augment import Strength

    tones = np.array([40, 120, 200], np.uint8)  # a person each
    labels = np.arange(12) % 3
    cuttings = np.broadcast_to(tones[labels][:, None, None, None], (12, 80, 80, 3))
    still = Strength(turn=0.0, zoom=0.0, shift=0.0, light=0.0, erase=0.0)
    seen = tones / 127.5 - 1
    shares = set()
    for plan in (verifier.Plan(batch=12), verifier.Plan(batch=12, mix=0.4)):
        one_pass = verifier.batches(cuttings, labels, still, plan)
        for batch in [*one_pass(np.random.default_rng(1)), *one_pass(np.random.default_rng(2))]:
            wanted = batch.share * seen[batch.labels] + (1 - batch.share) * seen[batch.others]
            np.testing.assert_allclose(batch.cuttings.mean(dim=(1, 2, 3)), wanted, atol=0.01)
            shares.add(batch.share)
    assert 1.0 in shares
    assert len(shares) == 3


@REAL
def test_a_visitor_joins_the_budget_and_is_learned_with_it(monkeypatch):
    who, held = photos.parts(), photos.photos()
    rng = np.random.default_rng(3)
    some = [(name, who.train[name][0]) for name in sorted(who.train)[:4]]
    made = {i: compose.frame(held.pixels(i), SCENES, rng, Recipe(sizes=(80, 120), harm=0.3)) for _, i in some}
    gold = [{"name": name, "photo": i, "placed": made[i].placed} for name, i in some]
    answers = [Candidates(((name, 1.0),)) for name, _ in some]
    train = Split([made[i].pixels() for _, i in some], answers, np.ones(4), gold)
    data = TrainingData(train, {"callers": [scene(i, (240, 320)) for i in range(6)]}, Spec("picture"))
    stranger = sorted(who.unseen)[0]
    i = who.unseen[stranger][0]
    shown = compose.frame(held.pixels(i), SCENES, rng, Recipe(sizes=(90, 120), harm=0.3))
    monkeypatch.setattr(frames, "memory", lambda: Memory(None, None, Detector()))
    empty = scene(7, (240, 320))
    found = visitors.joined(data, {"Ann Lee": [shown.pixels(), empty]})
    assert [each["name"] for each in found.train.gold] == [*(name for name, _ in some), "Ann Lee"]
    assert len(found.train.y) == len(found.train.x) == found.train.total == 5
    assert found.train.gold[4]["placed"].box().overlap(shown.placed.box()) > 0.6
    with pytest.raises(UserError, match="No picture of Bob shows a face"):
        visitors.joined(data, {"Bob": [empty]})
    with pytest.raises(UserError, match="is on file already"):
        visitors.joined(data, {some[0][0]: [shown.pixels()]})

    from engines.cases.turnstile import hybrid

    monkeypatch.setattr(hybrid, "steps", lambda count: 2)
    engine = hybrid.Hybrid().again(data, {"Ann Lee": [shown.pixels()]}, np.random.default_rng(0))
    assert "Ann Lee" in engine.people
    assert len(engine.people) == 5
    assert engine.answer(shown.pixels()).problem() is None
