"""Edits on planted answers, and agreement with jiwer."""

import jiwer
import numpy as np
import pytest

from engines.ml.wer import combine, edits, marks, measure


def test_each_kind_of_error_is_marked_in_place():
    found = [(e.kind, e.truth, e.said) for e in marks("TURN A THE LAMP ON", "TURN THE LIGHT ON NOW")]
    assert found == [
        ("equal", "TURN", "TURN"),
        ("insert", "", "A"),
        ("equal", "THE", "THE"),
        ("substitute", "LIGHT", "LAMP"),
        ("equal", "ON", "ON"),
        ("delete", "NOW", ""),
    ]


def test_agrees_with_jiwer_on_random_sentences():
    rng = np.random.default_rng(0)
    for _ in range(200):
        truth = rng.choice(list("ABCD"), rng.integers(1, 9)).tolist()
        said = rng.choice(list("ABCD"), rng.integers(1, 9)).tolist()
        errors = sum(e.kind != "equal" for e in edits(said, truth))
        assert errors / len(truth) == pytest.approx(jiwer.wer(" ".join(truth), " ".join(said)))


def test_corpus_rate_is_errors_over_words_and_ignores_case_and_punctuation():
    rows = np.stack([measure("one, two.", "ONE TWO"), measure("", "THREE FOUR"), measure("X", "")])
    assert rows.tolist() == [[0, 2], [2, 2], [1, 0]]
    assert combine(rows) == pytest.approx(75.0)
