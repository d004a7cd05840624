"""Planted paths: the search must find them again, with their times."""

import itertools

import numpy as np
import pytest

from engines.ml.decoder import Decoder, SearchSettings, Span, align
from engines.ml.graph import CtcLayout, spelled
from engines.ml.ngram import NgramModel

LABELS = ("-", "|", "A", "B", "C")
WORDS = ["AB", "ABBA", "A", "CAB", "BA"]


class HmmLayout:
    """Two states a phone; silence is columns 0 and 1."""

    blank, separator, gap = -1, -1, (0, 1)

    def units(self, pronunciation):
        return tuple((p, (2 + 2 * "abc".index(p), 3 + 2 * "abc".index(p))) for p in pronunciation)


LEXICON = {"one": [("a", "b")], "two": [("a", "c"), ("b", "c")], "three": [("c",)]}


def scores_of(columns, n, rng, noise=1.0):
    out = rng.normal(0, noise, (len(columns), n)).astype(np.float32)
    out[np.arange(len(columns)), columns] += 6
    return out


def uniform(words, order=2):
    return NgramModel.fit([], words, order)


def test_planted_hmm_path_is_found_with_its_times():
    columns = [0, 0, 1, 2, 3, 3, 4, 5, 0, 1, 4, 4, 5, 6, 7, 6, 7, 7]
    rng = np.random.default_rng(0)
    found = Decoder(LEXICON, uniform(LEXICON), HmmLayout()).decode(scores_of(columns, 8, rng))
    assert found.text == "one two three"
    assert found.complete
    assert found.words == (Span("one", 3, 8), Span("two", 10, 15), Span("three", 15, 18))
    assert [u.label for u in found.units] == ["a", "b", "b", "c", "c"]
    assert found.units[3] == Span("c", 13, 15)
    assert found.columns.tolist() == columns


def test_silence_between_words_is_optional_and_same_words_may_repeat():
    columns = [6, 7, 6, 7, 0, 1, 6, 7]
    found = Decoder(LEXICON, uniform(LEXICON), HmmLayout()).decode(scores_of(columns, 8, np.random.default_rng(1)))
    assert found.words == (Span("three", 0, 2), Span("three", 2, 4), Span("three", 6, 8))


def collapse(path):
    return [k for k, _ in itertools.groupby(path) if k != 0]


def exhaustive(scores, lm, scale, word_score):
    """Best sentence over every frame path, by brute force."""
    best, answer = -np.inf, None
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        text = "".join(LABELS[k] for k in collapse(path))
        words = text.removesuffix("|").split("|") if text else []  # a last separator is let pass
        if any(w not in WORDS for w in words):
            continue
        total = scale * sum(scores[t, k] for t, k in enumerate(path)) + lm.logprob(words) + word_score * len(words)
        if total > best:
            best, answer = total, " ".join(words)
    return best, answer


@pytest.mark.parametrize("seed", range(6))
def test_character_ctc_agrees_with_brute_force(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (6, 5)).astype(np.float32)
    lm = NgramModel.fit([["AB", "A"], ["CAB"], ["A", "BA", "AB"]], WORDS, 3)
    settings = SearchSettings(0.8, 0.3, beam=100)
    found = Decoder(spelled(WORDS), lm, CtcLayout(LABELS, 0, 1), settings).decode(scores)
    score, text = exhaustive(scores, lm, 0.8, 0.3)
    assert found.score == pytest.approx(score, abs=1e-3)
    assert found.text == text


def test_ctc_needs_a_blank_between_equal_units():
    layout = CtcLayout(LABELS, 0, 1)
    lm = uniform(WORDS)
    rng = np.random.default_rng(3)
    spell = [LABELS.index(c) for c in "AAB-BA|A"]
    found = Decoder(spelled(WORDS), lm, layout, SearchSettings(1.0)).decode(scores_of(spell, 5, rng))
    assert found.text == "ABBA A"
    assert found.words == (Span("ABBA", 0, 6), Span("A", 7, 8))
    assert [u.label for u in found.units] == list("ABBAA")


def test_phoneme_ctc_needs_a_blank_across_words_too():
    layout = CtcLayout(("-", "a", "b"), 0)
    lexicon = {"x": [("a", "b")], "y": [("b",)]}
    rng = np.random.default_rng(4)
    decoder = Decoder(lexicon, uniform(lexicon), layout)
    assert decoder.decode(scores_of([1, 2, 2, 2], 3, rng, 0.1)).text == "x"
    assert decoder.decode(scores_of([1, 2, 0, 2], 3, rng, 0.1)).text == "x y"


@pytest.mark.parametrize("fill", [0.0, -1e9, np.nan, -np.inf, np.inf])
@pytest.mark.parametrize("frames", [0, 1, 3, 50])
def test_a_search_never_fails(fill, frames):
    for layout, lexicon in ((HmmLayout(), LEXICON), (CtcLayout(LABELS, 0, 1), spelled(WORDS))):
        found = Decoder(lexicon, uniform(lexicon), layout).decode(np.full((frames, 8), fill, np.float32))
        assert isinstance(found.text, str)
        assert len(found.columns) == frames


def test_noise_with_a_narrow_beam_still_answers():
    rng = np.random.default_rng(5)
    decoder = Decoder(LEXICON, uniform(LEXICON), HmmLayout(), SearchSettings(1.0, beam=0.01, max_active=2))
    for _ in range(5):
        assert isinstance(decoder.decode(rng.normal(0, 5, (40, 8)).astype(np.float32)).text, str)


def test_too_few_frames_for_any_word_are_heard_as_silence():
    found = Decoder({"w": [("a", "b", "c")]}, uniform(["w"]), HmmLayout()).decode(
        scores_of([2, 3, 4], 8, np.random.default_rng(0))
    )
    assert (found.words, found.units, found.complete) == ((), (), True)


def test_alignment_picks_the_pronunciation_that_was_said():
    columns = [0, 1, 4, 5, 5, 6, 7, 0, 1, 2, 3, 4, 5]
    found = align(["two", "one"], LEXICON, HmmLayout(), scores_of(columns, 8, np.random.default_rng(6)))
    assert found.complete
    assert found.columns.tolist() == columns
    assert [u.label for u in found.units] == ["b", "c", "a", "b"]


def test_language_model_decides_between_homophones():
    lexicon = {"red": [("a", "b")], "read": [("a", "b")], "go": [("c",)]}
    lm = NgramModel.fit([["go", "read"]] * 3 + [["red", "go"]] * 2, lexicon, 2)
    decoder = Decoder(lexicon, lm, HmmLayout(), SearchSettings(0.3))
    rng = np.random.default_rng(7)
    assert decoder.decode(scores_of([6, 7, 2, 3, 4, 5], 8, rng)).text == "go read"
    assert decoder.decode(scores_of([2, 3, 4, 5, 6, 7], 8, rng)).text == "red go"
