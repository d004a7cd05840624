"""The turnstile's data and measures: what is planted is found again."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from engines import datasets
from engines.cases.turnstile import arrivals, compose, crop, metric, photos
from engines.cases.turnstile.compose import Placed, Recipe
from engines.cases.turnstile.data import Faces, Gate
from engines.cases.turnstile.detect import Detector, Memory
from engines.core import UserError
from engines.core.sighting import Box, Boxes, Candidates

REAL = pytest.mark.skipif(
    datasets.find("lfw") is None or datasets.find("bsds500_backgrounds") is None, reason="the photographs are not here"
)


def scene(seed: int, size: tuple[int, int] = (267, 400)) -> np.ndarray:
    """A smooth random picture, no two seeds alike."""
    rough = np.random.default_rng(seed).integers(0, 255, (9, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize(size[::-1], Image.Resampling.BICUBIC))


def photo(seed: int) -> np.ndarray:
    return scene(seed, (150, 150))


SCENES = [scene(1000 + i) for i in range(12)]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.astype(float).ravel(), b.astype(float).ravel())[0, 1])


# --- frames


def test_a_face_set_into_a_frame_is_found_again_by_its_true_box():
    points = [(60.0, 65.0), (90.0, 65.0), (75.0, 80.0), (64.0, 95.0), (87.0, 95.0)]
    for seed in range(8):
        rng = np.random.default_rng(seed)
        face = photo(seed)
        made = compose.frame(face, SCENES, rng, Recipe(sizes=(60, 150), harm=0.3))
        box = made.placed.box(points)
        assert 0 <= box.left < box.right <= compose.WIDTH
        assert 0 <= box.top < box.bottom <= compose.HEIGHT
        found = crop.cut(made.pixels(), box)
        clean = crop.cut(face, Box(0, 0, 150, 150, 1.0, tuple(points)))
        # From eyes to mouth: what lies farther out may be outside of the mask or of the frame.
        assert correlation(found[32:60, 24:56], clean[32:60, 24:56]) > 0.9


def test_a_frame_comes_from_its_seed_and_nobody_is_in_an_empty_one():
    one, same, other = (compose.frame(photo(1), SCENES, np.random.default_rng(s)) for s in (5, 5, 6))
    assert one == same
    assert one.jpeg != other.jpeg
    empty = compose.frame(None, SCENES, np.random.default_rng(5))
    assert empty.placed is None
    assert empty.pixels().shape == (240, 320, 3)


def test_faces_are_of_all_sizes_and_everywhere():
    spots = [compose.frame(photo(1), SCENES, np.random.default_rng(s)).placed for s in range(120)]
    sizes = np.array([spot.scale * photos.FACE for spot in spots])
    assert sizes.min() >= 23.9
    assert sizes.max() <= 160.1
    assert np.percentile(sizes, 20) < 45
    assert np.percentile(sizes, 80) > 95
    assert np.std([spot.x for spot in spots]) > 50


def test_masks_differ_and_cover_the_face_s_middle():
    rng = np.random.default_rng(0)
    masks = [compose.mask(100, 0.0, rng) for _ in range(40)]
    assert all(mask[40:60, 40:60].min() > 0.99 for mask in masks)
    assert all(mask[0, 0] == 0 == mask[-1, -1] for mask in masks)
    assert np.std([mask.mean() for mask in masks]) > 0.02


def test_the_head_of_a_frame_is_the_photo_again():
    from engines.cases.turnstile import painter

    face = photo(3)
    made, placed = compose.painted(
        face, SCENES, np.random.default_rng(2), Recipe(sizes=(80, 120), distractors=0, harm=0)
    )
    again = painter.head(made, placed)
    assert correlation(again[50:100, 50:100], face[50:100, 50:100]) > 0.97


def test_painted_frames_show_the_head_where_nobody_is_said_to_be_absent():
    from engines.cases.turnstile.painter import Painter, View

    # A head of one colour that no scene has.
    heads = np.zeros((1, 150, 150, 3), np.uint8)
    heads[..., 1] = 255
    grey = [np.repeat(scene(i)[:, :, :1], 3, axis=2) for i in range(6)]
    rng = np.random.default_rng(0)
    paint = Painter(heads, grey, (120, 160), rng)
    painted = paint.paint(np.zeros(24, np.int64), View(120, 160, (20.0, 60.0), empty=0.4), rng)
    greenness = (painted.x[:, 1] - painted.x[:, 0]).numpy()
    green = greenness.max(axis=(1, 2)) > 0.8
    assert 4 <= painted.empty.sum() <= 18
    np.testing.assert_array_equal(green, ~painted.empty)
    for frame, (x, y, size, _) in zip(greenness[green], painted.places[green], strict=True):
        rows, columns = np.nonzero(frame > 0.8)
        assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=0.2 * size + 1)


# --- cutting


def test_the_similarity_of_moved_points_is_the_movement():
    turn, scale, shift = 0.3, 1.7, np.array([12.0, -5.0])
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = crop.TEMPLATE
    found = crop.similarity(points, points @ matrix.T + shift)
    np.testing.assert_allclose(found, np.hstack([matrix, shift[:, None]]), atol=1e-9)


def test_a_spot_carries_points_as_its_picture_is_turned():
    """The similarity that the landmarks give is that of the pixels."""
    spot = Placed(1.5, np.deg2rad(20), 160.0, 120.0)
    points = [spot.point(*p) for p in ((75.0, 75.0), (95.0, 75.0))]
    assert points[0] == pytest.approx((160.0, 120.0))
    # Turned against the clock, what lay to the right rises.
    assert points[1][1] < 120.0
    assert np.hypot(points[1][0] - 160, points[1][1] - 120) == pytest.approx(30)


def test_nothing_is_cut_where_nothing_was_found():
    cut = crop.cutting(Boxes(scene(1), ()))
    assert cut.picture.size == 0
    assert cut.problem() is None


# --- near duplicates


def jpeg(picture: Image.Image, quality: int) -> np.ndarray:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held))


def test_near_duplicates_are_found_and_others_are_kept():
    pictures, names = [], []
    for seed in range(12):
        first = Image.fromarray(photo(seed))
        pictures += [np.asarray(first), jpeg(first, 40)]
        pictures += [np.clip(np.asarray(first) * 0.85 + 12, 0, 255).astype(np.uint8)]
        pictures += [np.asarray(first.filter(ImageFilter.GaussianBlur(1.5)))]
        names += [seed * 4 + k for k in range(4)]
    assert photos.first_of_each(pictures, names) == [seed * 4 for seed in range(12)]


def test_one_photo_is_its_own_first():
    assert photos.first_of_each([photo(1)], [7]) == [7]


# --- metric


def statistics(mates: list[tuple[bool, float]], strangers: list[float]) -> np.ndarray:
    rows = [[1.0, float(right), score, 0.5, 1.0] for right, score in mates]
    return np.array(rows + [[0.0, 0.0, score, 0.5, 0.0] for score in strangers])


def test_the_threshold_lets_in_the_planted_share_of_strangers():
    scores = np.random.default_rng(0).permutation(np.arange(1000) / 1000)
    for limit in (0.003, 0.01, 0.1):
        t = metric.threshold(scores, limit)
        assert np.mean(scores > t) == pytest.approx(limit)


def test_misses_are_counted_at_that_threshold():
    strangers = [i / 100 for i in range(100)]  # one in a hundred above 0.98
    mates = [(True, 0.985), (True, 0.97), (False, 0.999), (True, 0.999)]
    assert metric.combine(statistics(mates, strangers)) == pytest.approx(50.0)
    assert metric.fnir(statistics(mates, strangers), 0.10) == pytest.approx(0.25)


def test_without_strangers_it_is_the_miss_rate_at_rank_1():
    assert metric.combine(statistics([(True, -3.0), (False, 9.0), (True, 0.1), (True, 0.0)], [])) == 25.0


def test_a_curve_falls_as_more_strangers_are_let_in():
    rng = np.random.default_rng(1)
    rows = statistics([(True, s) for s in rng.normal(1, 1, 400)], list(rng.normal(-1, 1, 1000)))
    found = metric.curve(rows, np.array([0.003, 0.01, 0.03, 0.1]))
    assert (np.diff(found) <= 0).all()
    # Planted: the miss rate at 1 % is the share of N(1, 1) below the 99 % point of N(-1, 1), 0.63.
    assert found[1] == pytest.approx(0.63, abs=0.08)


def test_an_answer_is_measured_against_the_truth():
    box, off = Box(10, 10, 50, 50), Box(30, 10, 70, 50)
    truth = Candidates((("Ann", 1.0),), 0.0, box)
    seen = metric.measure(Candidates((("Ann", 0.7), ("Bob", 0.2)), 0.5, box), truth)
    assert seen == pytest.approx([1, 1, 0.7, 1.0, 1], abs=0.01)
    other = metric.measure(Candidates((("Bob", 0.4),), 0.5, off), truth)
    assert other == pytest.approx([1, 0, 0.4, 0.33, 0], abs=0.01)
    nobody = metric.measure(Candidates((), 0.5), truth)
    assert nobody == pytest.approx([1, 0, metric.NOBODY, -1, 0], rel=1e-3)
    assert metric.measure(Candidates((("Bob", 0.5),), 0.5), Candidates(()))[:3] == [0, 0, 0.5]


# --- scores


def test_a_face_that_is_like_everybody_s_counts_for_less():
    """Two faces are equally like Ann; one of them is also like the people who are not on file."""
    from engines.cases.turnstile.pipeline import Pipeline

    def unit(vectors: np.ndarray) -> np.ndarray:
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    rng = np.random.default_rng(0)
    # Ann and Bob lie along the first two axes, the others around the third.
    others = unit(np.concatenate([0.1 * rng.normal(size=(300, 2)), 1 + 0.2 * rng.normal(size=(300, 6))], axis=1))
    engine = Pipeline(None, ("Ann", "Bob"), np.eye(2, 8, dtype=np.float32), others)
    clear, generic = np.zeros(8), np.full(8, 0.8 / 6**0.5)
    clear[:2], generic[:2] = (0.6, 0.8), (0.6, 0.0)
    scores = engine.scores(unit(np.stack([clear, generic])))
    assert scores.shape == (2, 2)
    assert scores[0, 0] > scores[1, 0] + 5
    # Who comes first is as the cosines say.
    assert list(scores.argmax(axis=1)) == [1, 0]


def test_people_other_than_those_on_file_are_kept_as_they_are_saved():
    from engines.cases.turnstile import pipeline

    rng = np.random.default_rng(1)
    directions = rng.normal(size=(50, 128)).astype(np.float32)
    kept = pipeline.rounded(directions)
    assert np.abs(kept - directions).max() < 0.1
    np.testing.assert_array_equal(pipeline._read(pipeline._kept(kept), 128), kept)


# --- a growing gallery


def test_as_people_come_on_file_planted_chances_are_found_again():
    """Somebody drawn at random is more like a probe than its own person with a chance of 1 in 741, independently; a
    stranger is let in with a chance of 1 in 6,200 by everybody on file."""
    from engines.cases.turnstile.gallery import growth

    rng = np.random.default_rng(0)
    mates = rng.normal(size=(1500, 800)).astype(np.float32)
    own = rng.integers(0, 62, 1500)
    mates[np.arange(1500), own] = 3.0
    strangers = rng.normal(size=(3000, 800)).astype(np.float32)
    found = growth(mates, own, strangers, (62, 400, 2000), 3000)
    assert [each.people for each in found] == [62, 400, 800, 800, 3000]
    assert [each.forecast for each in found] == [False, False, False, True, True]
    for each in found[:3]:
        assert each.rank1 == pytest.approx((1 - 0.00135) ** (each.people - 1), abs=0.04)
        assert each.fpir == pytest.approx(1 - 0.99 ** (each.people / 62), abs=0.03)
    # Planted chances are independent, which log odds over logarithms follow roughly, not well.
    assert found[3].rank1 == pytest.approx(found[2].rank1, abs=0.1)
    assert found[4].rank1 < found[2].rank1
    assert found[4].fpir > found[2].fpir


def test_a_share_whose_log_odds_run_straight_is_forecast():
    from engines.cases.turnstile.gallery import extrapolated

    people = np.array([62.0, 125, 250, 500])

    def planted(size):
        return 1 / (1 + np.exp(-(2.0 - 0.3 * np.log(size))))

    assert extrapolated(people, planted(people), 10_000) == pytest.approx(planted(10_000), abs=1e-6)
    noisy = planted(people) + np.random.default_rng(0).normal(0, 0.005, 4)
    assert extrapolated(people, noisy, 10_000) == pytest.approx(planted(10_000), abs=0.05)


def test_verification_is_half_by_chance_and_whole_where_directions_tell():
    from engines.cases.turnstile.gallery import verification

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(100), 3)
    middles = rng.normal(size=(100, 32))
    clear = middles[labels] + 0.1 * rng.normal(size=(300, 32))
    for vectors, low, high in ((clear, 0.98, 1.0), (rng.normal(size=(300, 32)), 0.4, 0.6)):
        directions = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        assert low <= verification(directions, labels, np.random.default_rng(2)) <= high


def test_where_the_network_looked_is_a_share_of_one_and_its_answer_the_same():
    import torch

    from engines.cases.turnstile import gaze

    network = gaze.Gaze(gaze.Shape(5)).eval()
    frames = torch.rand(2, 3, 240, 320)
    with torch.inference_mode():
        heat, log = network.heat(frames)
        torch.testing.assert_close(log, network(frames))
    torch.testing.assert_close(heat.sum(dim=(1, 2)), torch.ones(2))
    torch.testing.assert_close(log.exp().sum(dim=1), torch.ones(2))


# --- budgets


def test_a_budget_grows_by_rounds_of_everybody():
    names = ["a"] * 5 + ["b"] * 2 + ["c"] * 3
    split = Gate(names, names, np.ones(10), [{"name": name} for name in names])
    three, six = (split.prefix(n, np.random.default_rng(1)) for n in (3, 6))
    assert sorted(three.y) == ["a", "b", "c"]
    assert sorted(six.y) == ["a", "a", "b", "b", "c", "c"]
    assert list(six.y)[:3] == list(three.y)


def test_photos_of_others_come_person_by_person_and_nest():
    faces = Faces(tuple(range(12)), tuple("aaaabbbccdde"))
    small, large = faces.some(5, 3), faces.some(9, 3)
    assert small.photos == large.photos[:5]
    assert len(set(small.people)) < 5
    with pytest.raises(UserError, match="only 12"):
        faces.some(13, 3)


@REAL
def test_nobody_plays_two_parts_and_no_photo_is_shown_twice():
    who = photos.parts()
    roles = [set(who.train), set(who.others), set(who.unseen), set(who.strangers), set(who.callers)]
    assert sum(len(role) for role in roles) == len(set().union(*roles))
    assert set(who.train) == set(who.test)
    assert len(who.train) == 62
    for name in who.train:
        assert not set(who.train[name]) & set(who.test[name])
        assert 1 <= len(who.train[name]) <= 30
        held = photos.photos()
        both = [*who.train[name], *who.test[name]]
        assert len(photos.first_of_each([held.pixels(i) for i in both], both)) == len(both)


# --- detector


@REAL
def test_the_detector_finds_a_pasted_face_and_nothing_in_noise(tmp_path):
    held, who = photos.photos(), photos.parts()
    face = held.pixels(who.test[who.employees[0]][0])
    made = compose.frame(face, SCENES, np.random.default_rng(4), Recipe(sizes=(60, 90)))
    detector = Detector()
    found = detector.find(made.pixels())
    assert found[0].overlap(made.placed.box()) > 0.4
    assert len(found[0].points) == 5
    assert detector.find(np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)) == ()
    assert detector.find(np.zeros((240, 320, 3), np.uint8)) == ()
    assert detector.find(np.zeros((8, 8, 3), np.uint8)) == ()
    memory = Memory(tmp_path / "boxes.parquet", None, detector)
    assert memory.find(made.pixels()) == found
    memory.keep()
    again = Memory(tmp_path / "boxes.parquet", None, detector)
    assert list(again.boxes.values()) == [found]


def test_a_visitor_s_picture_becomes_a_frame_with_nothing_cut_off():
    tall = np.zeros((600, 200, 3), np.uint8)
    tall[:300] = 200
    made = arrivals.framed(tall)
    assert made.shape == (240, 320, 3)
    assert made[60, 160, 0] > 190
    assert made[180, 160, 0] < 10
    assert made[120, 5, 0] == 100
