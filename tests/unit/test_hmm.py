"""Phones planted in made-up frames: trees find the context that matters, training finds the phones."""

import numpy as np
import pytest

from engines.ml.decoder import Decoder, SearchSettings
from engines.ml.hmm import Corpus, FrontEnd, Recipe, align_all, durations, learned_front, monophones, triphones
from engines.ml.lda import diagonalising, discriminant
from engines.ml.lexicon import EDGE, SILENCE, family, phones_of, questions
from engines.ml.ngram import NgramModel
from engines.ml.tree import ContextStatistics, grow, untied

LEXICON = {
    "PIT": [("P", "IH", "T")],
    "SEA": [("S", "IY")],
    "MOSS": [("M", "AA", "S")],
    "TEAM": [("T", "IY", "M")],
    "ZOO": [("Z", "UW")],
}


@pytest.fixture(scope="module")
def corpus():
    """Every phone is a cloud of its own, silence another; 8 frames a phone."""
    rng = np.random.default_rng(0)
    clouds = {phone: rng.normal(0, 1.5, 13) for phone in (*phones_of(LEXICON), SILENCE)}
    for phone, cloud in clouds.items():  # silence is quiet, as the flat start expects
        cloud[0] = -4.0 if phone == SILENCE else abs(cloud[0])
    cepstra, words = [], []
    for _ in range(60):
        said = rng.choice(["PIT", "SEA", "MOSS", "TEAM"], rng.integers(2, 5)).tolist()
        phones = [SILENCE]
        for word in said:
            phones += [*LEXICON[word][0], *([SILENCE] if rng.random() < 0.5 else [])]
        phones.append(SILENCE)
        frames = np.repeat([clouds[p] for p in phones], rng.integers(5, 11, len(phones)), axis=0)
        cepstra.append((frames + rng.normal(0, 0.4, frames.shape)).astype(np.float16))
        words.append(said)
    return Corpus(cepstra, words, LEXICON)


@pytest.fixture(scope="module")
def trained(corpus):
    rng = np.random.default_rng(1)
    mono = monophones(corpus.take(range(50)), phones_of(LEXICON), Recipe(), rng)
    paths = align_all(mono, corpus)
    front = learned_front(mono, corpus, paths, 20)
    return mono, triphones(mono, corpus, paths, Recipe(), rng, front)


@pytest.mark.parametrize("which", [0, 1])
def test_flat_start_learns_to_recognise_words(trained, corpus, which):
    model = trained[which]
    lm = NgramModel.fit(corpus.words[:50], LEXICON, 2)
    decoder = Decoder(LEXICON, lm, model.tree, SearchSettings(0.1), model.transitions)
    right = sum(decoder.decode(model.scores(corpus.cepstra[i])).text.split() == corpus.words[i] for i in range(50, 60))
    assert right >= 9


def test_phones_never_heard_have_usable_states(trained):
    for model in trained:
        columns = model.tree.units(("Z", "UW"))
        assert len(columns) == 2
        scores = model.scores(np.zeros((5, 13), np.float32))
        assert np.isfinite(scores).all()


def test_a_clip_too_short_for_its_words_aligns_to_nothing(trained):
    assert trained[0].align(["PIT", "PIT"], LEXICON, np.zeros((4, 13), np.float32)) is None


def test_alignment_gives_one_state_a_frame(trained, corpus):
    found = trained[1].align(corpus.words[0], LEXICON, corpus.cepstra[0])
    assert len(found.columns) == len(corpus.cepstra[0])
    assert [span.label for span in found.words] == corpus.words[0]
    phones = [trained[1].tree.labels[c] for c in found.columns]
    kept = [p for i, p in enumerate(phones) if p != SILENCE and (i == 0 or phones[i - 1] != p)]
    assert kept[:2] == list(LEXICON[corpus.words[0][0]][0])[:2]


def test_the_tree_asks_about_the_context_that_was_planted():
    """State 1 of A depends on whether a nasal follows, and on nothing else."""
    phones = ("A", "M", "N", "P", "S", "T")
    contexts = tuple((left, "A", right) for left in ("P", "S", "T", EDGE) for right in phones[1:])
    count = np.full((len(contexts), 3), 200.0)
    mean = np.zeros((len(contexts), 3, 2))
    mean[[c[2] in ("M", "N") for c in contexts], 1] = 3.0
    tree = grow(phones, ContextStatistics(contexts, count, mean * 200, (mean**2 + 1) * 200), 1000, 100, 50)
    assert tree.size == untied(phones).size + 1
    assert tree.columns("P", "A", "M") == tree.columns("S", "A", "N") != tree.columns("P", "A", "T")
    first, second = tree.columns("P", "A", "M"), tree.columns("P", "A", "T")
    assert (first[0], first[2]) == (second[0], second[2])
    assert tree.labels[first[1]] == tree.labels[second[1]] == "A"
    with pytest.raises(KeyError):
        tree.columns("P", "Q", "T")


def test_durations_count_visits():
    moves = np.exp(durations([np.array([0] * 50 + [1] * 10), None, np.array([0] * 50 + [1] * 10)], 3))
    assert moves.sum(1) == pytest.approx(1.0)
    assert moves[0, 1] == pytest.approx(3 / 103, abs=1e-3)
    assert moves[1, 0] > 0.8


def test_every_phone_is_in_one_family():
    known = {phone for members in questions(("AA", "S")) for phone in members}
    assert {"AA", "S", EDGE, SILENCE} <= known
    assert family("AA") == "low vowel"
    assert family(SILENCE) == "silence"
    assert family("??") == "other"


def test_discriminant_finds_the_planted_direction():
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, 4000)
    x = rng.normal(size=(4000, 5))
    x[:, 3] += 4 * label
    projection = discriminant(lambda: [(x, label)], 2, 1)[:, 0]
    assert abs(projection[3]) > 5 * np.abs(np.delete(projection, 3)).max()


def test_a_shared_rotation_is_undone():
    rng = np.random.default_rng(4)
    mix = rng.normal(size=(4, 4))
    covariance = np.stack([mix @ np.diag(rng.uniform(0.1, 3, 4)) @ mix.T for _ in range(6)])
    a = diagonalising(np.full(6, 1000.0), covariance, 60)
    for c in covariance:
        d = a.T @ c @ a
        assert np.abs(d - np.diag(np.diag(d))).max() < 0.05 * np.diag(d).max()


def test_front_end_keeps_the_number_of_frames():
    assert FrontEnd()(np.zeros((1, 13))).shape == (1, 39)
    assert FrontEnd(np.zeros((117, 20), np.float32))(np.zeros((3, 13))).shape == (3, 20)
