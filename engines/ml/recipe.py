"""How much model a budget affords: the order of training steps, and what validation utterances decide.

One rule for all budgets: what is tried grows with the data, and utterances taken out of the budget pick.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engines.ml.decoder import Decoder, SearchSettings
from engines.ml.graph import LanguageModel
from engines.ml.hmm import AcousticModel, Corpus, Progress, Recipe, align_all, learned_front, monophones, triphones
from engines.ml.lexicon import phones_of
from engines.ml.wer import combine, measure

DEFAULT = SearchSettings(acoustic_scale=0.07, word_score=0.0)
SCALES = (0.04, 0.055, 0.075, 0.1, 0.14)
WORD_SCORES = (-3.0, 0.0, 3.0)
FIRST_FRAMES = 150_000  # 25 minutes are enough for the phones without context
DIMENSIONS = 40  # of the learned front end
TRIPHONES_FROM = 30_000  # frames: five minutes


def train(corpus: Corpus, validation: Corpus, rng: np.random.Generator, progress: Progress) -> AcousticModel:
    """The acoustic model of a corpus. validation may be empty."""
    recipe = Recipe()
    phones = phones_of(corpus.lexicon)
    progress(0.0, "training phones without context")
    order = rng.permutation(len(corpus))
    frames = np.cumsum([len(corpus.cepstra[i]) for i in order])
    first = corpus.take(order[: int(np.searchsorted(frames, FIRST_FRAMES)) + 1])
    model = monophones(first, phones, recipe, rng)
    if frames[-1] < TRIPHONES_FROM:
        return model
    progress(0.4, "training phones in context")
    paths = align_all(model, corpus)
    if all(path is None for path in paths):
        return model
    return triphones(model, corpus, paths, recipe, rng, learned_front(model, corpus, paths, DIMENSIONS))


def tuned(model: AcousticModel, validation: Corpus, lm: LanguageModel) -> SearchSettings:
    """The weights of acoustics and words that make the fewest word errors on validation utterances, `DEFAULT` where
    there are too few to tell. Scales are tried first, then word scores at the best scale."""
    if len(validation) < 20:
        return DEFAULT
    decoder = Decoder(validation.lexicon, lm, model.tree, DEFAULT, model.transitions)
    scores = [model.scores(c) for c in validation.cepstra]
    truths = [" ".join(words) for words in validation.words]

    def errors(settings: SearchSettings) -> float:
        tried = decoder.with_settings(settings)
        return combine(np.stack([measure(tried.decode(s).text, t) for s, t in zip(scores, truths, strict=True)]))

    best = min((replace(DEFAULT, acoustic_scale=scale) for scale in SCALES), key=errors)
    return min((replace(best, word_score=score) for score in WORD_SCORES), key=errors)
