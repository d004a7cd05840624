"""How much model a budget affords: the order of training steps, and what validation utterances decide.

One rule for all budgets: what is tried grows with the data, and utterances taken out of the budget pick.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engines.ml.decoder import Decoder, SearchSettings
from engines.ml.gmm import Estimator
from engines.ml.graph import LanguageModel
from engines.ml.hmm import (
    AcousticModel,
    Corpus,
    Progress,
    Recipe,
    align_all,
    columns_of,
    durations,
    estimate,
    families,
    learned_front,
    monophones,
    triphones,
)
from engines.ml.lexicon import phones_of
from engines.ml.wer import combine, measure

DEFAULT = SearchSettings(acoustic_scale=0.07, word_score=-0.5)
SCALES = (0.05, 0.07, 0.1)
MIDDLE, WORD_SCORES = -1.5, (-1.5, -3.0, -0.5, 0.5)
TUNING_FRAMES = 30_000  # five minutes of validation utterances tell enough
FIRST_FRAMES = 150_000  # 25 minutes are enough for the phones without context
DIMENSIONS = 40  # of the learned front end
GROW_FRAMES = 1_200_000  # 3.3 hours
TRIPHONES_FROM = 12_000  # two minutes


def train(corpus: Corpus, rng: np.random.Generator, progress: Progress) -> AcousticModel:
    """The acoustic model of a corpus. It grows on at most `GROW_FRAMES`; more data refine it in `finished`."""
    recipe = Recipe.of(corpus.frames)
    order = rng.permutation(len(corpus))
    frames = np.cumsum([len(corpus.cepstra[i]) for i in order])
    first = corpus.take(order[: int(np.searchsorted(frames, FIRST_FRAMES)) + 1])
    progress(0.0, "training phones without context")
    model = monophones(first, phones_of(corpus.lexicon), recipe, rng, lambda f, s: progress(0.35 * f, s))
    if frames[-1] < TRIPHONES_FROM:
        return model
    grown_on = corpus.take(order[: int(np.searchsorted(frames, GROW_FRAMES)) + 1])
    progress(0.35, "aligning the transcripts")
    paths = align_all(model, grown_on)
    if all(path is None for path in paths):
        return model
    progress(0.45, "learning the front end")
    front = learned_front(model, grown_on, paths, DIMENSIONS)
    return triphones(model, grown_on, paths, recipe, rng, front, lambda f, s: progress(0.5 + 0.5 * f, s))


def finished(model: AcousticModel, corpus: Corpus) -> AcousticModel:
    """The model re-estimated on all of a budget, the validation utterances included."""
    columns = columns_of(align_all(model, corpus))
    if all(column is None for column in columns):
        return model
    model = replace(model, transitions=durations(columns, model.tree.size))
    return estimate(model, corpus, columns, Estimator(families(model.tree)), 2)[0]


def tuned(model: AcousticModel, validation: Corpus, lm: LanguageModel) -> SearchSettings:
    """The weights of acoustics and words that make the fewest word errors on validation utterances, `DEFAULT` where
    there are too few to tell. Scales are tried first, then word scores at the best scale."""
    if len(validation) < 20:
        return DEFAULT
    enough = int(np.searchsorted(np.cumsum([len(c) for c in validation.cepstra]), TUNING_FRAMES)) + 1
    validation = validation.take(range(min(enough, len(validation))))
    decoder = Decoder(validation.lexicon, lm, model.tree, DEFAULT, model.transitions)
    scores = [model.scores(c) for c in validation.cepstra]
    truths = [" ".join(words) for words in validation.words]

    def errors(settings: SearchSettings) -> float:
        tried = decoder.with_settings(settings)
        return combine(np.stack([measure(tried.decode(s).text, t) for s, t in zip(scores, truths, strict=True)]))

    best = min((replace(DEFAULT, acoustic_scale=s, word_score=MIDDLE) for s in SCALES), key=errors)
    return min((replace(best, word_score=score) for score in WORD_SCORES), key=errors)
