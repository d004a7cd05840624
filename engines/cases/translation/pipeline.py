"""The traditional chain: tokens -> phrase options -> n-best list by search -> phrases with their links -> text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from engines.cases.translation import metric, phrase_model, stored
from engines.cases.translation.phrase_model import PhraseModel, said
from engines.cases.translation.text import Analysis
from engines.core import Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape as EngineShape
from engines.core.wording import Hypothesis, NBest, Options, Phrased, Span, Tokens
from engines.ml.phrases import SCORES
from engines.ml.stack_decoder import FEATURES, Derivation

LISTED, DEPTH = 10, 40  # candidates that an answer lists, of so many times as many derivations
NO_MODEL = "This engine has not been trained yet: fit it, or load a trained one."


@dataclass(frozen=True)
class Pipeline(Engine):
    """`wide` is the model that reads all French of the training captions besides; None where that is no more than the
    budget's own."""

    name: ClassVar[str] = "pipeline"
    shape: ClassVar[EngineShape] = "pipeline"
    version: ClassVar[int] = 4
    supervision: ClassVar[tuple[str, ...]] = ()
    readings: ClassVar[tuple[str, ...]] = ("monolingual",)

    analysis: Analysis = field(default_factory=Analysis)
    model: PhraseModel | None = None
    wide: PhraseModel | None = None

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Raises UserError where no pair has words on both sides."""
        analysis, pairs = tokenised(data)
        more = [analysis.target_tokens(text) for text in data.side.get("monolingual", ())]
        model, wide = phrase_model.fit(pairs, rng, progress, more)
        progress(1.0, "done")
        return replace(self, analysis=analysis, model=model, wide=None if wide is model else wide)

    @property
    def fitted(self) -> PhraseModel:
        """The model. Raises UserError before `fit`."""
        if self.model is None:
            raise UserError(NO_MODEL)
        return self.model

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        model = self.fitted if not reading or self.wide is None else self.wide
        return (
            Stage("tokens", Spec("tokens"), lambda text: read(self.analysis, model, text)),
            Stage("options", Spec("options"), lambda tokens: options(model, tokens)),
            Stage("n_best", Spec("n_best"), lambda given: n_best(model, given, LISTED, DEPTH)),
            Stage("phrases", Spec("phrases"), lambda found: phrased(model, found)),
            Stage("translation", Spec("text"), lambda found: written(self.analysis, found)),
        )

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """ "n_best": the list with the candidate first that is closest to the reference, which says what a perfect
        choice among the best few that a shorter search finds would be worth; "translation": the reference."""
        if "reference" not in gold:
            return {}
        reference = str(gold["reference"])
        model = self.fitted
        found = n_best(model, options(model, read(self.analysis, model, x)), LISTED)
        return {"n_best": closest_first(found, self.analysis.target_tokens(reference)), "translation": reference}

    @property
    def parameters(self) -> int:
        return self.fitted.parameters

    def save(self, directory: Path) -> None:
        meta: dict[str, Any] = {"analysis": self.analysis.to_json()}
        meta |= stored.save(self.fitted, directory)
        if self.wide is not None:
            meta["monolingual"] = stored.save_reading(self.wide.reading, directory, "monolingual")
            meta["wide"] = asdict(self.wide.settings)
        (directory / "pipeline.json").write_text(json.dumps(meta, separators=(",", ":"), ensure_ascii=False))

    @classmethod
    def load(cls, directory: Path) -> Self:
        meta = json.loads((directory / "pipeline.json").read_text())
        model = stored.load(directory, meta)
        wide = None
        if "wide" in meta:
            reading = stored.load_reading(directory, "monolingual", meta["monolingual"])
            wide = replace(model, reading=reading, settings=stored.settings(meta["wide"]))
        return cls(Analysis.from_json(meta["analysis"]), model, wide)


# What pipeline and hybrid share.


def tokenised(data: TrainingData) -> tuple[Analysis, list[tuple[list[str], list[str]]]]:
    """The analysis learned from a budget, and its pairs as tokens."""
    texts = list(zip(data.train.x, data.train.y, strict=True))
    languages = tuple(data.side.get("languages", ("en", "fr")))
    analysis = Analysis.fit(texts, (languages[0], languages[1]))
    return analysis, [(analysis.source_tokens(x), analysis.target_tokens(y)) for x, y in texts]


def read(analysis: Analysis, model: PhraseModel, text: str) -> Tokens:
    """Text -> its sentences, with the words that no phrase of the table holds."""
    sentences = analysis.read(text)
    known = model.source.number
    unknown = tuple(
        tuple(i for i, word in enumerate(s) if word not in known and word.lower() not in known) for s in sentences
    )
    capital = next((c.isupper() for c in text if c.isalpha()), False)
    return Tokens(sentences, unknown, capital, "not in the phrase table")


def options(model: PhraseModel, tokens: Tokens) -> Options:
    return Options(tokens, tuple(model.options(sentence) for sentence in tokens.sentences), SCORES)


def n_best(model: PhraseModel, given: Options, count: int, depth: int = 3) -> NBest:
    """The `count` best different translations of each sentence, as far as `depth` times as many derivations spell so
    many: most differ only in how they cut the same words into phrases."""
    found = []
    for sentence, offered in zip(given.tokens.sentences, given.sentences, strict=True):
        best = model.search(sentence, offered, count, depth * count)
        found.append(tuple(hypothesis(model, offered, each, tuple(said(offered, each))) for each in best))
    return NBest(given.tokens, tuple(found))


def hypothesis(
    model: PhraseModel, offered: Sequence[Any], derivation: Derivation, words: tuple[str, ...]
) -> Hypothesis:
    spans, at = [], 0
    for place in derivation.options:
        option = offered[place]
        spans.append(Span(option.start, option.end, at, at + len(option.target), option.unknown))
        at += len(option.target)
    weighted = np.array(derivation.features) * np.array(model.settings.weights)
    parts = tuple((name, float(value)) for name, value in zip(FEATURES, weighted, strict=True))
    return Hypothesis(words, derivation.score, parts, tuple(spans))


def phrased(model: PhraseModel, found: NBest) -> Phrased:
    """The chosen candidates, with the links inside their phrases."""
    links = []
    for words, best in zip(found.tokens.sentences, found.best, strict=True):
        inside = [
            (span.start + i, span.first + j)
            for span in best.spans
            for i, j in model.inner_links(words[span.start : span.end], best.words[span.first : span.last])
        ]
        links.append(tuple(inside))
    return Phrased(found.tokens, found.best, tuple(links))


def written(analysis: Analysis, found: Phrased) -> str:
    return analysis.write("A" if found.tokens.capital else "a", [best.words for best in found.chosen])


def closest_first(found: NBest, reference: Sequence[str]) -> NBest:
    """Each list with the candidate of highest sentence BLEU first; of a text of several sentences, whose reference is
    not split, every sentence is held against all of it."""
    truth = [word.lower() for word in reference]

    def gain(candidate: Hypothesis) -> float:
        return metric.sentence_bleu(metric.matches([word.lower() for word in candidate.words], truth))

    return NBest(found.tokens, tuple(tuple(sorted(each, key=lambda c: -gain(c))) for each in found.sentences))
