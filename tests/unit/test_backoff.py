"""The fast language model against the plain one, and against what probabilities must do."""

from __future__ import annotations

import numpy as np
import pytest

from engines.ml.backoff import BackoffModel
from engines.ml.ngram import NgramModel


def corpus(seed: int, words: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [(rng.zipf(1.4, rng.integers(1, 9)) % words).astype(np.int32) for _ in range(count)]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_it_is_the_model_of_ngram_py(order: int) -> None:
    sentences = corpus(0, 12, 80)
    fast = BackoffModel.fit(sentences, 12, order)
    names = [f"{i:02d}" for i in range(13)]  # the unknown word is one more that is never seen
    plain = NgramModel.fit([[names[w] for w in s] for s in sentences], names, order)
    for sentence in [*sentences[:20], *corpus(1, 12, 20)]:
        assert fast.logprob(sentence) == pytest.approx(plain.logprob([names[w] for w in sentence]), abs=2e-4)


@pytest.mark.parametrize("least", [1, 2, 3])
def test_probabilities_add_up_to_one_after_every_history(least: int) -> None:
    model = BackoffModel.fit(corpus(2, 9, 60), 9, 4, least)
    for state in range(len(model.backoff)):
        total = sum(np.exp(model.step(state, word)[0]) for word in range(9 + 2))
        assert total == pytest.approx(1, abs=1e-4), state


def test_a_text_that_was_read_is_likelier_than_another() -> None:
    sentences = corpus(3, 50, 200)
    model = BackoffModel.fit(sentences, 50)
    shuffled = [np.random.default_rng(4).permutation(s) for s in sentences]
    assert sum(map(model.logprob, sentences)) > sum(map(model.logprob, shuffled)) + 10


def test_no_text_at_all() -> None:
    model = BackoffModel.fit([], 3)
    assert model.logprob([0, 1]) == pytest.approx(3 * np.log(1 / 5), abs=1e-5)


def test_unknown_words_have_a_probability() -> None:
    model = BackoffModel.fit(corpus(5, 9, 60), 9, 3)
    assert np.isfinite(model.logprob([model.unknown, 3, model.unknown]))


def test_what_is_rare_and_long_is_left_out_and_nothing_else() -> None:
    sentences = [np.array(words, np.int32) for words in ([0, 1, 2, 3], [0, 1, 2, 4], [5, 6, 7, 8])]
    whole, kept = (BackoffModel.fit(sentences, 9, 4, least) for least in (1, 2))
    assert [len(each.word) for each in kept.grams[:2]] == [len(each.word) for each in whole.grams[:2]]
    assert len(kept.grams[2].word) == 2  # the beginning with 0 1, and 0 1 2
    assert len(kept.grams[3].word) == 1
    assert whole.logprob([5, 6, 7, 8]) > kept.logprob([5, 6, 7, 8])


def test_rounded_logs_are_steps_and_stay_close() -> None:
    model = BackoffModel.fit(corpus(3, 50, 200), 50)
    rounded = model.rounded(0.1)
    for sentence in corpus(4, 50, 20):
        assert rounded.logprob(sentence) == pytest.approx(model.logprob(sentence), abs=0.1 * 2 * (len(sentence) + 1))
    steps = np.concatenate([each.logp for each in rounded.grams]) / -0.1
    assert np.allclose(steps, np.rint(steps), atol=1e-3)
