"""Intervals and differences of measured scores: none collapses, and what both engines got wrong cancels out."""

import numpy as np
import pytest

from engines import registry
from engines.core import Budget, Metric
from engines.runs import Run, RunSpec, RunStore, Score, difference, points
from engines.runs.report import bootstrap, interval

RATE = Metric("error rate", "%", True, "tones.data:measure", "tones.data:combine")
WORDS = registry.case("speech").task("digits").metric


def measured(tmp_path, errors: dict[tuple[str, int], np.ndarray]):
    """Points of the toy's engines from planted errors (examples,) by engine and seed, at one budget."""
    store, case = RunStore(tmp_path), registry.case("tones")
    for (engine, seed), wrong in errors.items():
        kept = np.asarray(wrong, dtype=float)[:, None]
        spec = RunSpec("tones", "pairs", engine, Budget(8.0), seed, case.engine(engine).version)
        store.add(Run(spec, (Score(100 * float(kept.mean()), kept),)))
    return {point.engine: point for point in points(case, case.task(None), store)}


def test_the_bootstrap_covers_the_score():
    draws = bootstrap(RATE, [(np.arange(200) < 50).astype(float)[:, None]])
    assert draws.mean() == pytest.approx(25, abs=1)
    assert draws.std() == pytest.approx(3.06, rel=0.2)


def test_examples_of_one_person_are_drawn_together():
    rng = np.random.default_rng(0)
    counts = tuple(rng.integers(4, 13, 60).tolist())
    # A person is missed always or never: as many trials as people.
    wrong = np.repeat(rng.random(60) < 0.3, counts).astype(float)[:, None]
    assert bootstrap(RATE, [wrong], counts).std() == pytest.approx(100 * np.sqrt(0.21 / 60), rel=0.25)
    assert bootstrap(RATE, [wrong]).std() == pytest.approx(100 * np.sqrt(0.21 / len(wrong)), rel=0.25)


def test_what_follows_those_that_are_alike_is_drawn_alone_and_a_shorter_test_cuts_them():
    wrong = (np.random.default_rng(0).random((300, 1)) < 0.5).astype(float)
    assert np.array_equal(bootstrap(RATE, [wrong], (1,) * 5), bootstrap(RATE, [wrong]))
    assert not np.array_equal(bootstrap(RATE, [wrong], (100,)), bootstrap(RATE, [wrong], (100, 100)))
    assert np.array_equal(bootstrap(RATE, [wrong], (100,)), bootstrap(RATE, [wrong], (100, *[1] * 200)))
    assert np.array_equal(bootstrap(RATE, [wrong[:20]], (8, 8, 8, 8)), bootstrap(RATE, [wrong[:20]], (8, 8, 4)))
    assert not len(bootstrap(RATE, [wrong[:8]], (8, 8)))


def test_no_error_at_all_is_not_certainty(tmp_path):
    point = measured(tmp_path, {("pipeline", 0): np.zeros(100)})["pipeline"]
    assert (point.mean, point.low) == (0.0, 0.0)
    # Wilson: z^2 / (n + z^2); the rule of three would say 3 %.
    assert point.high == pytest.approx(100 * 1.96**2 / (100 + 1.96**2))
    assert point.standard_error == pytest.approx(point.high / 1.96)


def test_every_error_there_is_is_not_certainty_either(tmp_path):
    point = measured(tmp_path, {("pipeline", 0): np.ones(100)})["pipeline"]
    assert point.high == pytest.approx(100)
    assert 95 < point.low < 98


@pytest.mark.parametrize("mean", [0.0, 100.0])
def test_a_rate_at_its_end_that_varies_when_resampled_still_has_an_interval(mean):
    # A share at a threshold, say: all were kept out, but in some resamples the threshold falls.
    low, high = interval(RATE, mean, 0.1, [np.full((100, 1), mean / 100)])
    assert interval(RATE, mean, 0.0, [np.full((100, 1), mean / 100)]) == (low, high)
    assert high - low == pytest.approx(100 * 1.96**2 / (100 + 1.96**2))


def test_words_are_the_trials_of_a_word_error_rate_and_examples_those_of_others():
    ten_words = np.stack([np.zeros(50), np.full(50, 10.0)], axis=1)
    assert interval(WORDS, 0.0, 0.0, [ten_words])[1] == pytest.approx(100 * 1.96**2 / (500 + 1.96**2))
    assert interval(RATE, 0.0, 0.0, [np.zeros((50, 1))])[1] == pytest.approx(100 * 1.96**2 / (50 + 1.96**2))
    # Further seeds answer the same examples.
    assert interval(RATE, 0.0, 0.0, [np.zeros((50, 1))] * 3) == interval(RATE, 0.0, 0.0, [np.zeros((50, 1))])


def test_the_interval_of_a_rate_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for rate in (0.01, 0.05, 0.3):
        held = 0
        for _ in range(400):
            wrong = (rng.random((200, 1)) < rate).astype(float)
            p = float(wrong.mean())
            low, high = interval(RATE, 100 * p, 100 * np.sqrt(p * (1 - p) / 200), [wrong])
            held += low <= 100 * rate <= high
        assert 0.92 <= held / 400 <= 0.99


def test_scores_that_are_no_rates_keep_the_normal_interval():
    months = Metric("mean error", "months", True, "tones.data:measure", "tones.data:combine")
    assert interval(months, 5.0, 1.0, [np.zeros((9, 1))]) == pytest.approx((3.04, 6.96))
    assert interval(WORDS, 105.0, 1.0, [np.ones((9, 2))]) == pytest.approx((103.04, 106.96))


def test_what_both_got_wrong_cancels_out_of_a_difference(tmp_path):
    hard = np.arange(200) < 80
    one = hard.copy()
    other = hard.copy()
    other[80:90] = True
    found = measured(tmp_path, {("pipeline", 0): one, ("end_to_end", 0): other})
    gap, error = difference(found["end_to_end"], found["pipeline"])
    assert gap == pytest.approx(5.0)
    alone = np.hypot(found["end_to_end"].standard_error, found["pipeline"].standard_error)
    # Only the ten examples that differ are uncertain: 100 * sqrt(0.05 * 0.95 / 200).
    assert error == pytest.approx(100 * np.sqrt(0.05 * 0.95 / 200), rel=0.2)
    assert error < alone / 2
    assert difference(found["pipeline"], found["end_to_end"]) == pytest.approx((-gap, error))


def test_seeds_that_share_their_data_are_paired(tmp_path):
    errors = {}
    for seed, level in enumerate((20, 60, 100)):
        errors["pipeline", seed] = np.arange(200) < level
        errors["end_to_end", seed] = np.arange(200) < level + 10
    found = measured(tmp_path, errors)
    gap, error = difference(found["end_to_end"], found["pipeline"])
    assert gap == pytest.approx(5.0)
    assert error < 3 < found["pipeline"].standard_error


def test_a_score_without_errors_keeps_its_uncertainty_in_a_difference(tmp_path):
    found = measured(tmp_path, {("pipeline", 0): np.zeros(100), ("end_to_end", 0): np.arange(100) < 1})
    gap, error = difference(found["end_to_end"], found["pipeline"])
    assert gap < 1.96 * error
    both = measured(tmp_path / "none", {("pipeline", 0): np.zeros(100), ("end_to_end", 0): np.zeros(100)})
    assert difference(both["end_to_end"], both["pipeline"])[1] > 0


def test_different_examples_are_not_paired(tmp_path):
    found = measured(tmp_path, {("pipeline", 0): np.arange(100) < 30, ("end_to_end", 0): np.arange(90) < 30})
    error = difference(found["end_to_end"], found["pipeline"])[1]
    assert error == pytest.approx(np.hypot(found["end_to_end"].standard_error, found["pipeline"].standard_error))


def test_an_oracle_is_held_against_the_same_examples_and_runs(tmp_path):
    store, case = RunStore(tmp_path), registry.case("tones")
    # Of 100 examples the first 20 are easy: 1 of them is wrong, and 41 of all; the oracle mends that one.
    wrong = np.zeros(100)
    wrong[[3, *range(60, 100)]] = 1
    mended = np.zeros((20, 1))
    for seed in (0, 1):
        spec = RunSpec("tones", "pairs", "pipeline", Budget(8.0), seed, case.engine("pipeline").version)
        scores = [Score(41.0, wrong[:, None] if seed == 0 else np.ones((100, 1)))]
        store.add(Run(spec, (*scores, *([Score(0.0, mended, oracle="words")] if seed == 0 else []))))
    found = points(case, case.task(None), store)
    true = next(point for point in found if point.oracle)
    assert (true.mean, true.as_is) == (0.0, 5.0)
    assert all(point.as_is is None for point in found if not point.oracle)
