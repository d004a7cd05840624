"""Tuning on n-best lists: planted weights are found again, and the search that follows never loses."""

import numpy as np
import pytest

from engines.ml import ranking
from engines.ml.ranking import Ranked, climbed, tuned

TRUE = np.array([1.0, -0.5, 0.3, 0.0])
LENGTH = 2


def lists(rng, count=80, noise=0.02):
    """Candidates that are the better the higher TRUE scores them; what counts of each is its gain."""
    made = []
    for _ in range(count):
        features = rng.normal(size=(30, 4))
        gain = 1 / (1 + np.exp(-features @ TRUE - noise * rng.normal(size=30)))
        made.append(Ranked(features, gain, gain[:, None]))
    return made


def reordered(pool, weights):
    rank = [np.argsort(-(each.features @ weights)) for each in pool]
    return [Ranked(e.features[r], e.gain[r], e.statistics[r]) for e, r in zip(pool, rank, strict=True)]


def mean(statistics):
    return float(statistics.mean())


def of(pool, weights):
    return mean(np.stack([each.statistics[int((each.features @ weights).argmax())] for each in pool]))


@pytest.mark.parametrize("seed", range(3))
def test_planted_weights_are_found_again(seed):
    rng = np.random.default_rng(seed)
    pool = lists(rng)
    start = np.array([0.3, 0.3, 0.3, 0.3])
    found, top = tuned(lambda weights: reordered(pool, weights), mean, start, LENGTH, rng, rounds=4, prior=1.0)
    assert top == pytest.approx(of(pool, found))
    assert found @ TRUE / np.linalg.norm(found) / np.linalg.norm(TRUE) > 0.95
    assert of(lists(np.random.default_rng(seed + 9)), found) > 0.97 * of(lists(np.random.default_rng(seed + 9)), TRUE)


def test_the_search_finds_what_one_weight_hides_and_never_loses():
    pool = lists(np.random.default_rng(5), noise=0.0)
    wrong = np.array([1.0, -0.5, 0.3, 1.5])
    better = climbed(pool, wrong, mean, LENGTH)
    assert of(pool, better) > of(pool, wrong) + 0.5 * (of(pool, TRUE) - of(pool, wrong))
    assert of(pool, climbed(pool, TRUE, mean, LENGTH)) >= of(pool, TRUE)


def test_candidates_that_do_not_differ_teach_nothing():
    same = [Ranked(np.ones((5, 4)), np.full(5, 0.5), np.ones((5, 1)))]
    start = np.ones(4)
    found, _ = tuned(lambda weights: same, mean, start, LENGTH, np.random.default_rng(0))
    np.testing.assert_array_equal(found, start)
    assert ranking.ranked(same, start, np.random.default_rng(0), 1.0) is None
