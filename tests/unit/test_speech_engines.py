"""The hybrid and the end-to-end engine on seconds of planted speech: tones for words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.cases.speech import acoustic, end_to_end, hybrid
from engines.cases.speech.end_to_end import EndToEnd
from engines.cases.speech.hybrid import Hybrid
from engines.core import Segment, Spec, Split, TrainingData, UserError
from engines.ml.frames import NONE
from engines.ml.training import Recipe

RATE = 8000
TONES = {"AB": (400, 900), "CA": (1500, 400), "BC": (900, 1500)}
LEXICON = {"AB": [("AA", "B")], "CA": [("K", "AA")], "BC": [("B", "K")]}


def spoken(words: list[str], rng: np.random.Generator) -> np.ndarray:
    pieces = [0.003 * rng.standard_normal(800)]
    for word in words:
        for hertz in TONES[word]:
            time = np.arange(1000) / RATE
            pieces.append(0.3 * np.sin(2 * np.pi * hertz * time) + 0.003 * rng.standard_normal(1000))
        pieces.append(0.003 * rng.standard_normal(500))
    return np.concatenate(pieces).astype(np.float32)


def planted(count: int, seed: int = 0) -> TrainingData:
    rng = np.random.default_rng(seed)
    texts = [[str(w) for w in rng.choice(list(TONES), rng.integers(1, 4))] for _ in range(count)]
    x = [spoken(words, rng) for words in texts]
    weight = np.array([len(w) / RATE / 3600 for w in x])
    gold = [{"phonemes": [LEXICON[w][0] for w in words]} for words in texts]
    split = Split(x, [" ".join(words) for words in texts], weight, gold)
    return TrainingData(split, {"lexicon": LEXICON}, Spec("waveform", "s", (None,), rate=RATE))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        acoustic, "recipe_for", lambda hours, labelled=False: Recipe(steps=40, learning_rate=3e-3, validate_every=20)
    )


@pytest.mark.parametrize("engine", [EndToEnd(), Hybrid()])
def test_fits_saves_and_answers_alike(engine: EndToEnd | Hybrid, tmp_path) -> None:
    data = planted(24)
    fitted = engine.fit(data, np.random.default_rng(0))
    again = engine.fit(data, np.random.default_rng(0))
    fitted.save(tmp_path)
    loaded = type(engine).load(tmp_path)
    rng = np.random.default_rng(9)
    clips = [spoken(["AB", "CA"], rng), np.zeros(400, np.float32), np.zeros(16_000, np.float32)]
    for reading in ("", *engine.readings):
        for clip in clips:
            trace = fitted.trace(clip, reading=reading)
            for step in trace.steps:
                assert step.spec.problem(step.value) is None
            assert trace.answer == loaded.answer(clip, reading) == again.answer(clip, reading)
            for step in trace.steps:  # every stage may be replaced
                assert isinstance(fitted.trace(clip, {step.stage: step.value}, reading).answer, str)
    assert fitted.parameters == loaded.parameters > 1000


@pytest.mark.parametrize("engine", [EndToEnd(), Hybrid()])
def test_seconds_of_sound_are_enough_to_fit(engine: EndToEnd | Hybrid) -> None:
    fitted = engine.fit(planted(3), np.random.default_rng(0))
    assert isinstance(fitted.answer(spoken(["AB"], np.random.default_rng(1))), str)


def test_an_unknown_reading_is_refused() -> None:
    with pytest.raises(UserError, match="readings are language_model"):
        EndToEnd().stages("nonsense")


def test_a_hybrid_that_is_not_trained_says_so() -> None:
    with pytest.raises(UserError, match="not been trained"):
        Hybrid().stages()


def test_clips_too_short_for_their_transcripts_are_left_out() -> None:
    data = planted(12)
    texts = list(data.train.y)
    texts[0] = "AB " * 40 + "AB"
    changed = replace(data, train=Split(data.train.x, texts, data.train.weight, data.train.gold))
    assert EndToEnd().fit(changed, np.random.default_rng(0)).parameters
    assert Hybrid().fit(changed, np.random.default_rng(0)).parameters


def test_true_phonemes_give_true_words() -> None:
    data = planted(24)
    fitted = Hybrid().fit(data, np.random.default_rng(0))
    right = 0
    for x, y, gold in zip(data.train.x, data.train.y, data.train.gold, strict=True):
        truths = fitted.truths(x, gold)
        right += fitted.trace(x, truths).answer == y
    assert right >= 20


def test_letters_go_round() -> None:
    text = "IT'S A BEE"
    assert end_to_end.spell(end_to_end.symbols(text)) == text
    assert end_to_end.symbols("É A") == end_to_end.symbols(" A")
    assert end_to_end.spellable({"A", "É", "", "O'ER", "TWO WORDS"}) == ["A", "O'ER"]
    assert end_to_end.character_error(["ABD"], ["ABC"]) == pytest.approx(1 / 3)


def test_the_transcript_is_the_words_tier() -> None:
    found = (Segment("phonemes", "AA", 0, 1), Segment("words", "AB", 0, 1), Segment("words", "CA", 1, 2))
    assert end_to_end.spoken(found) == "AB CA"


def test_holdout_spares_a_tenth_but_never_the_last_few() -> None:
    for count, held in ((1, 1), (4, 4), (5, 1), (100, 10), (5000, 200)):
        inner, valid = acoustic.holdout(count, np.random.default_rng(0))
        assert len(valid) == held
        assert set(inner).isdisjoint(valid) == (count >= 5)


def test_the_usual_weight_is_tried_first() -> None:
    assert acoustic.weighed((0.05, 0.1, 0.3), 0.1) == [0.1, 0.05, 0.3]


def test_frame_error_counts_wrong_columns() -> None:
    scores = [np.log(np.array([[0.6, 0.4], [0.25, 0.75]], np.float32)), np.log(np.array([[0.9, 0.1]], np.float32))]
    assert hybrid.frame_error(scores, [np.array([0, 0]), np.array([0])]) == pytest.approx(1 / 3)
    assert NONE < 0
