"""Mixtures: densities as SciPy has them, planted clusters found again."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from engines.ml.gmm import Estimator, Mixtures, Statistics, one_each, targets


def random_mixtures(rng, sizes=(1, 3, 2), dims=4):
    g = sum(sizes)
    weight = np.concatenate([rng.dirichlet(np.ones(n)) for n in sizes])
    return Mixtures(
        np.concatenate([[0], np.cumsum(sizes)]), rng.normal(size=(g, dims)).astype(np.float32),
        rng.uniform(0.3, 2, (g, dims)).astype(np.float32), np.log(weight).astype(np.float32),
    )  # fmt: skip


def test_scores_are_log_densities_for_all_and_for_some_states():
    rng = np.random.default_rng(0)
    model = random_mixtures(rng)
    x = rng.normal(size=(700, 4)).astype(np.float32)
    scores = model.scores(x)
    for s in range(3):
        rows = range(model.pointer[s], model.pointer[s + 1])
        want = sum(
            np.exp(model.log_weight[g]) * multivariate_normal(model.mean[g], np.diag(model.variance[g])).pdf(x)
            for g in rows
        )
        assert scores[:, s] == pytest.approx(np.log(want), abs=2e-4)
    assert model.scores(x, np.array([2, 0])) == pytest.approx(scores[:, [2, 0]], abs=1e-4)


def test_two_planted_clusters_are_found():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(-3, 1, (900, 2)), rng.normal(3, 0.5, (300, 2))]).astype(np.float32)
    state = np.zeros(len(x), int)
    estimator = Estimator(np.array([0]), borrow_mean=0.0, borrow_variance=0.0)
    model, last = one_each(1, 2), -np.inf
    for step in range(12):
        statistics = Statistics.empty(model.size, 2)
        statistics.add(model, x, state)
        if step > 2:
            assert statistics.log_density >= last - 1e-3
        last = statistics.log_density
        model = estimator(statistics, model.pointer)
        if step == 1:
            model = model.grown(np.array([2]), np.array([1200.0]), rng)
            last = -np.inf
    order = np.argsort(model.mean[:, 0])
    assert model.mean[order] == pytest.approx(np.array([[-3, -3], [3, 3]]), abs=0.15)
    assert np.exp(model.log_weight[order]) == pytest.approx([0.75, 0.25], abs=0.02)


def test_a_state_without_frames_borrows_from_its_class():
    rng = np.random.default_rng(2)
    x = rng.normal(5, 1, (400, 3)).astype(np.float32)
    statistics = Statistics.empty(3, 3)
    statistics.add(one_each(3, 3), x, np.zeros(400, int))
    model = Estimator(np.array([0, 0, 1]))(statistics, np.arange(4))
    assert model.mean[1] == pytest.approx(model.mean[0], abs=0.2)
    assert np.isfinite(model.mean).all()
    assert (model.variance > 0).all()


def test_skipped_frames_do_not_count():
    statistics = Statistics.empty(1, 2)
    statistics.add(one_each(1, 2), np.ones((5, 2), np.float32), np.array([0, -1, 0, -1, -1]))
    assert statistics.count.tolist() == [2.0]
    assert statistics.frames == 2


def test_targets_follow_the_data():
    found = targets(np.array([0.0, 100.0, 10_000.0]), 60, 50.0)
    assert found[0] == 1
    assert found[1] <= 2
    assert found[2] > found[1]
