"""Kneser-Ney: probabilities add up, order matters, unseen words are not impossible."""

import math

import pytest

from engines.ml.ngram import NgramModel

SENTENCES = [s.split() for s in ("a b c", "a b d", "a c b", "b a", "c", "d d a b c", "a b c")]
VOCABULARY = ["a", "b", "c", "d", "never", "seen"]


def _mass(model, state):
    """Sum over all words and the end, following back-off for words without an arc."""
    states = model.states()
    total, weight, at, done = math.exp(states[state].end_logp), 0.0, state, set()
    while at >= 0:
        for arc in states[at].arcs:
            if arc.word not in done:
                done.add(arc.word)
                total += math.exp(weight + arc.logp)
        weight += states[at].backoff_logp
        at = states[at].backoff
    assert done == set(VOCABULARY)
    return total


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_every_history_spreads_a_mass_of_one(order):
    model = NgramModel.fit(SENTENCES, VOCABULARY, order)
    for state in range(len(model.states())):
        assert _mass(model, state) == pytest.approx(1.0, abs=1e-6)


def test_seen_order_beats_unseen_order_and_unseen_words_are_possible():
    model = NgramModel.fit(SENTENCES, VOCABULARY, 3)
    assert model.logprob(list("abc")) > model.logprob(list("cba")) > model.logprob(["never", "never", "b"])
    assert math.isfinite(model.logprob(["seen"]))


def test_no_sentences_give_a_uniform_model():
    model = NgramModel.fit([], VOCABULARY, 3)
    assert model.logprob(["never"]) == pytest.approx(-2 * math.log(len(VOCABULARY) + 1))


def test_restricted_forgets_words():
    model = NgramModel.fit(SENTENCES, VOCABULARY, 2).restricted(["a", "b"])
    assert model.vocabulary == ("a", "b")
    assert math.isfinite(model.logprob(["a", "b"]))
    with pytest.raises(KeyError):
        model.logprob(["c"])
