"""The pipeline's n-best list, put into a new order by a network trained on the same pairs.

Source: n-best re-ranking with a neural model as a further feature (Schwenk 2007, Cho et al. 2014), with the network's
log probability of each candidate, its weight and a bonus a word chosen on held-out pairs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from engines.cases.translation import metric, network, phrase_model, stored
from engines.cases.translation.network import Translator
from engines.cases.translation.phrase_model import Fold, PhraseModel
from engines.cases.translation.pipeline import (
    NO_MODEL,
    closest_first,
    n_best,
    options,
    phrased,
    read,
    tokenised,
    written,
)  # fmt: skip
from engines.cases.translation.text import Analysis
from engines.core import Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape as EngineShape
from engines.core.wording import Hypothesis, NBest, Options, Tokens
from engines.ml.stack_decoder import LONGEST_SENTENCE

CANDIDATES, LISTED = 60, 10
DEPTH = 10  # times as many derivations are looked through for so many different candidates
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # of the network's log probability, beside the pipeline's score
BONUSES = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)  # for each word, times the network's weight
UNTUNED = (0.1, 0.0)


@dataclass(frozen=True)
class Hybrid(Engine):
    name: ClassVar[str] = "hybrid"
    shape: ClassVar[EngineShape] = "hybrid"
    version: ClassVar[int] = 4
    supervision: ClassVar[tuple[str, ...]] = ()

    analysis: Analysis = field(default_factory=Analysis)
    model: PhraseModel | None = None
    translator: Translator | None = None
    weight: float = UNTUNED[0]
    bonus: float = UNTUNED[1]

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Raises UserError where no pair has words on both sides."""
        analysis, pairs = tokenised(data)
        (chance,) = rng.spawn(1)  # of its own: a network from the cache draws nothing
        learned = network.learn(pairs, rng, lambda f, s: progress(0.7 * f, s))
        # The pipeline is tuned on what the network was held out: no model was trained on what the two are weighed on.
        progress(0.7, "aligning words and collecting phrases")
        fold = Fold(learned.held, PhraseModel.fit(learned.rest))
        settings = phrase_model.tuned(len(pairs), fold, chance, lambda f, s: progress(0.75 + 0.1 * f, s))
        model = replace(PhraseModel.fit(pairs), settings=settings)
        progress(0.9, "weighing the network against the pipeline")
        translator = learned.translator
        weight, bonus = weighed(replace(fold.model, settings=settings), translator, fold.held)
        progress(1.0, "done")
        return replace(self, analysis=analysis, model=model, translator=translator, weight=weight, bonus=bonus)

    @property
    def fitted(self) -> tuple[PhraseModel, Translator]:
        """Both models. Raises UserError before `fit`."""
        if self.model is None or self.translator is None:
            raise UserError(NO_MODEL)
        return self.model, self.translator

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        model, _ = self.fitted
        return (
            Stage("tokens", Spec("tokens"), lambda text: read(self.analysis, model, text)),
            Stage("options", Spec("options"), lambda tokens: options(model, tokens)),
            Stage("n_best", Spec("n_best"), self._listed),
            Stage("reranked", Spec("n_best"), self._reranked),
            Stage("phrases", Spec("phrases"), lambda found: phrased(model, found)),
            Stage("translation", Spec("text"), lambda found: written(self.analysis, found)),
        )

    def _listed(self, given: Options) -> NBest:
        return n_best(self.fitted[0], given, CANDIDATES, DEPTH)

    def _reranked(self, found: NBest) -> NBest:
        """The first LISTED candidates in their new order."""
        translator = self.fitted[1]
        sentences = []
        for words, candidates in zip(found.tokens.sentences, found.sentences, strict=True):
            scores = translator.logprobs(words, [c.words for c in candidates])
            judged = [self._judged(c, float(score)) for c, score in zip(candidates, scores, strict=True)]
            sentences.append(tuple(sorted(judged, key=lambda c: -c.score)[:LISTED]))
        return NBest(found.tokens, tuple(sentences))

    def _judged(self, candidate: Hypothesis, logprob: float) -> Hypothesis:
        network_part = self.weight * logprob
        bonus = self.weight * self.bonus * len(candidate.words)
        parts = (*candidate.parts, ("network", network_part), ("words, network", bonus))
        return replace(candidate, score=candidate.score + network_part + bonus, parts=parts)

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """ "reranked": the list with the candidate first that is closest to the reference; "translation": the
        reference."""
        if "reference" not in gold:
            return {}
        reference = str(gold["reference"])
        tokens: Tokens = read(self.analysis, self.fitted[0], x)
        found = self._listed(options(self.fitted[0], tokens))
        best = closest_first(found, self.analysis.target_tokens(reference))
        return {"reranked": best, "translation": reference}

    @property
    def parameters(self) -> int:
        model, translator = self.fitted
        return model.parameters + translator.parameters + 2

    def save(self, directory: Path) -> None:
        model, translator = self.fitted
        meta = {"analysis": self.analysis.to_json(), "weight": self.weight, "bonus": self.bonus}
        meta |= stored.save(model, directory) | translator.save(directory)
        (directory / "hybrid.json").write_text(json.dumps(meta, separators=(",", ":"), ensure_ascii=False))

    @classmethod
    def load(cls, directory: Path) -> Self:
        meta = json.loads((directory / "hybrid.json").read_text())
        model, translator = stored.load(directory, meta), Translator.load(directory, meta)
        return cls(Analysis.from_json(meta["analysis"]), model, translator, meta["weight"], meta["bonus"])


def weighed(
    model: PhraseModel, translator: Translator, held: Sequence[tuple[Sequence[str], Sequence[str]]]
) -> tuple[float, float]:
    """The network's weight and bonus of highest BLEU on held-out pairs on which neither model was trained (the
    pipeline's own weights were chosen on them too); UNTUNED of fewer than `network.FEWEST` pairs."""
    held = [pair for pair in held if len(pair[0]) <= LONGEST_SENTENCE]
    if len(held) < network.FEWEST:
        return UNTUNED
    each = []
    for x, y in held:
        sentence = Tokens((tuple(x),))
        candidates = n_best(model, options(model, sentence), CANDIDATES, DEPTH).sentences[0]
        truth = [word.lower() for word in y]
        counts = np.stack([metric.matches([word.lower() for word in c.words], truth) for c in candidates])
        rows = [(c.score, len(c.words)) for c in candidates]
        each.append((np.array(rows), translator.logprobs(x, [c.words for c in candidates]), counts))

    def bleu(tried: tuple[float, float]) -> float:
        weight, bonus = tried
        best = [
            counts[int((rows[:, 0] + weight * (logs + bonus * rows[:, 1])).argmax())] for rows, logs, counts in each
        ]
        return metric.corpus_bleu(np.stack(best))

    return max(((w, b) for w in WEIGHTS for b in (BONUSES if w else (0.0,))), key=bleu)
