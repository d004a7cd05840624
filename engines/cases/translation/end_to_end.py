"""Text -> text in one network: an encoder-decoder Transformer over subwords, read by beam search."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from engines.cases.translation import network
from engines.cases.translation.network import BEAM, Translator
from engines.cases.translation.pipeline import NO_MODEL, closest_first, tokenised
from engines.cases.translation.text import Analysis
from engines.core import Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape as EngineShape
from engines.core.wording import Hypothesis, Links, NBest, Tokens
from engines.ml import beam
from engines.ml.subwords import UNKNOWN

ENDS = "(end)"
OFTEN, STRETCH = 3, (4, 3, 2)  # how often an answer may not say as many words, where its source repeats nothing
SHORT, FEW = 0.4, 6  # an answer of less than this share of its source's words, where those are more than a few


@dataclass(frozen=True)
class EndToEnd(Engine):
    name: ClassVar[str] = "end_to_end"
    shape: ClassVar[EngineShape] = "end_to_end"
    version: ClassVar[int] = 2
    supervision: ClassVar[tuple[str, ...]] = ()

    analysis: Analysis = field(default_factory=Analysis)
    translator: Translator | None = None

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Raises UserError where no pair has words on both sides."""
        analysis, pairs = tokenised(data)
        translator = network.learn(pairs, rng, progress).translator
        progress(1.0, "done")
        return replace(self, analysis=analysis, translator=translator)

    @property
    def fitted(self) -> Translator:
        """The network. Raises UserError before `fit`."""
        if self.translator is None:
            raise UserError(NO_MODEL)
        return self.translator

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        net = self.fitted
        return (
            Stage("tokens", Spec("tokens"), lambda text: read(self.analysis, text)),
            Stage("subwords", Spec("tokens"), lambda tokens: pieces(net, tokens)),
            Stage("n_best", Spec("n_best"), lambda tokens: n_best(net, tokens)),
            Stage("attention", Spec("links", "attention"), lambda found: attention(net, found)),
            Stage("translation", Spec("text"), self._written),
        )

    def _written(self, found: Links) -> str:
        return self.analysis.write("A" if found.capital else "a", found.words)

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """ "n_best": the beam with the answer first that is closest to the reference; "translation": the reference."""
        if "reference" not in gold:
            return {}
        reference = str(gold["reference"])
        found = n_best(self.fitted, pieces(self.fitted, read(self.analysis, x)))
        return {"n_best": closest_first(found, self.analysis.target_tokens(reference)), "translation": reference}

    @property
    def parameters(self) -> int:
        return self.fitted.parameters

    def save(self, directory: Path) -> None:
        meta = {"analysis": self.analysis.to_json(), **self.fitted.save(directory)}
        (directory / "end_to_end.json").write_text(json.dumps(meta, separators=(",", ":"), ensure_ascii=False))

    @classmethod
    def load(cls, directory: Path) -> Self:
        meta = json.loads((directory / "end_to_end.json").read_text())
        return cls(Analysis.from_json(meta["analysis"]), Translator.load(directory, meta))


def read(analysis: Analysis, text: str) -> Tokens:
    return Tokens(analysis.read(text), (), next((c.isupper() for c in text if c.isalpha()), False))


def pieces(net: Translator, tokens: Tokens) -> Tokens:
    """Words -> subwords, the first READABLE of a sentence. Letters that the network cannot read are marked unknown."""
    found, unknown = [], []
    for sentence in tokens.sentences:
        written = net.subwords.spelled(sentence)[: network.READABLE]
        found.append(written)
        unknown.append(tuple(i for i, number in enumerate(net.subwords.numbers(written)) if number == UNKNOWN))
    return Tokens(tuple(found), tuple(unknown), tokens.capital, "the network cannot read")


def n_best(net: Translator, tokens: Tokens) -> NBest:
    """Answers to each sentence of subwords by beam search, with their probabilities."""
    found = []
    for sentence in tokens.sentences:
        different: dict[tuple[str, ...], Hypothesis] = {}
        given = net.subwords.words(net.subwords.numbers(sentence))
        for candidate in beam.search(net.network, [net.subwords.numbers(sentence)], BEAM, net.alpha)[0]:
            words = tuple(net.subwords.words(candidate.pieces))
            parts = (
                ("log probability", candidate.logprob),
                ("length penalty", candidate.score(net.alpha) - candidate.logprob),
            )
            note = failure(words, candidate.finished, given)
            wrote = (*net.subwords.pieces(candidate.pieces), *([ENDS] if candidate.finished else []))
            different.setdefault(words, Hypothesis(words, candidate.score(net.alpha), parts, note=note, pieces=wrote))
        found.append(tuple(different.values()))
    return NBest(tokens, tuple(found))


def failure(words: Sequence[str], finished: bool, source: Sequence[str] = ()) -> str:
    """What went visibly wrong with an answer to the words of a source, or ""."""
    if not finished:
        return "cut at the length limit: the network did not end its answer"
    if not words:
        return "the network ended its answer before the first word"
    for size in (1, 2, 3):
        for at in range(len(words) - 3 * size + 1):
            part = words[at : at + size]
            if part[0].isalpha() and all(words[at + k * size : at + (k + 1) * size] == part for k in (1, 2)):
                return f"repeats “{' '.join(part)}”"
    if not said_often(source) and (often := said_often(words)):
        return f"says “{often}” again and again"
    if len(source) > FEW and len(words) < SHORT * len(source):
        return f"much too short: {len(words)} words for {len(source)}"
    return ""


def said_often(words: Sequence[str]) -> str:
    """The longest stretch of words, signs aside, that stands OFTEN times or more in a text, or ""."""
    for size in STRETCH:
        counts = Counter(zip(*(words[i:] for i in range(size)), strict=False))
        for part, count in counts.items():
            if count >= OFTEN and all(any(c.isalnum() for c in word) for word in part):
                return " ".join(part)
    return ""


def attention(net: Translator, found: NBest) -> Links:
    """What the network looked at while it wrote its answer. This is attention; it is no alignment."""
    source, target, weights = [], [], []
    for sentence, best in zip(found.tokens.sentences, found.best, strict=True):
        written = net.subwords.numbers([piece for piece in best.pieces if piece != ENDS])
        heat = beam.attention(net.network, net.subwords.numbers(sentence), written)
        source.append((*sentence, ENDS))
        target.append(best.pieces)
        weights.append(heat[: len(best.pieces)])
    words = tuple(best.words for best in found.best)
    notes = tuple(best.note for best in found.best)
    return Links(tuple(source), tuple(target), words, tuple(weights), notes, found.tokens.capital)
