"""Audio -> characters in one network, trained with CTC on (audio, transcript) alone.

Read greedily, or ("language_model") with the closed lexicon and the n-gram of the budget's transcripts through the
pipeline's own search.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import nn

from engines.cases.speech import acoustic
from engines.cases.speech.language import Language, spoken
from engines.core import Engine, Progress, Segment, Spec, Stage, TrainingData, quiet
from engines.core.engine import Shape as EngineShape
from engines.ml import ctc, quantise, training
from engines.ml.decoder import Decoder, SearchSettings
from engines.ml.graph import CtcLayout, spelled
from engines.ml.logmel import RATE, log_mel, normalised
from engines.ml.networks import Recogniser, Shape, parameters
from engines.ml.wer import edits

LETTERS = " 'ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LABELS = ("blank", "space", *LETTERS[1:])  # columns of the network
LAYOUT = CtcLayout(LABELS, blank=0, separator=1)
BEAM = 12.0
UNTUNED = SearchSettings(acoustic_scale=0.4, word_score=0.0, beam=BEAM)
HELD = 100  # utterances held out at most: a network learns nothing from them
TUNED_ON = 60  # held-out utterances at most
# Tried on held-out utterances: how much the network counts against the language model, and a bonus per word.
SCALES = (0.15, 0.25, 0.4, 0.6, 0.85)
WORD_SCORES = (0.0, -1.0, 1.5)


@dataclass(frozen=True)
class EndToEnd(Engine):
    name: ClassVar[str] = "end_to_end"
    shape: ClassVar[EngineShape] = "end_to_end"
    version: ClassVar[int] = 2
    supervision: ClassVar[tuple[str, ...]] = ()
    readings: ClassVar[tuple[str, ...]] = ("language_model",)

    rate: float = 16_000.0  # samples a second of the waveforms
    network: Recogniser | None = None
    language: Language | None = None
    settings: SearchSettings = UNTUNED

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        rate = float(data.x.rate or 16_000)
        said = acoustic.utterances(data.train, rate, lambda f, s: progress(0.1 * f, s))
        inner, held = acoustic.holdout(len(said), rng, HELD)
        train, valid = said.take(inner), said.take(held)
        shape = acoustic.shape_for(train.hours, acoustic.bins_for(rate), len(LABELS))
        network = training.build(lambda: Recogniser(shape), rng)
        targets = [symbols(text) for text in train.texts]

        def batches(order: np.random.Generator) -> Any:
            return ctc.batches(train.features, targets, acoustic.FRAMES, acoustic.augment_for(train.hours), order)

        def validate(net: nn.Module) -> float:
            heard = [spell(ctc.greedy(scores)) for scores in acoustic.score_all(net, valid.features)]
            return character_error(heard, valid.texts)

        recipe = acoustic.recipe_for(train.hours)
        training.train(network, batches, ctc.loss, validate, recipe, rng, lambda f, s: progress(0.1 + 0.85 * f, s))
        quantise.round_network(network)
        words = spellable(data.side.get("lexicon") or {word for text in said.texts for word in text.split()})
        tuned = type(self)(rate, network, Language.fit(train.texts, words))._tuned(valid)
        progress(1.0, "done")
        return type(self)(rate, network, Language.fit(said.texts, words), tuned)

    def _tuned(self, valid: acoustic.Utterances) -> SearchSettings:
        """The scales of fewest word errors on held-out utterances, which the language model has not read."""
        if len(valid) < acoustic.FEWEST:
            return UNTUNED
        some = valid.take(np.arange(min(len(valid), TUNED_ON)))
        scores = [acoustic.scores_of(self._network, x) for x in some.features]
        return acoustic.lightest(self._decoder, scores, some.texts, UNTUNED, SCALES, WORD_SCORES)

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        bins = self._network.shape.bins
        frames = RATE / self._network.shape.reduction
        features = Stage(
            "features",
            Spec("spectrogram", "log power", (None, bins), rate=RATE),
            lambda x: log_mel(x, self.rate, bins),
        )
        characters = Stage(
            "characters",
            Spec("posteriors", "log probability", (None, len(LABELS)), LABELS, frames),
            lambda value: acoustic.scores_of(self._network, normalised(value)),
        )
        text = Spec("text")
        if reading:
            words = Stage("words", Spec("segments"), lambda scores: self._search(scores, frames))
            return features, characters, words, Stage("transcript", text, spoken)
        return features, characters, Stage("transcript", text, lambda scores: spell(ctc.greedy(scores)))

    def _search(self, scores: NDArray[np.float32], rate: float) -> tuple[Segment, ...]:
        found = self._decoder.decode(scores)
        return tuple(Segment("words", span.label, span.start / rate, span.end / rate) for span in found.words)

    @cached_property
    def _decoder(self) -> Decoder:
        assert self.language is not None, "fit first"
        return Decoder(spelled(self.language.words), self.language.model, LAYOUT, self.settings)

    @property
    def _network(self) -> Recogniser:
        assert self.network is not None, "fit first"
        return self.network

    @property
    def parameters(self) -> int:
        return parameters(self._network)

    def save(self, directory: Path) -> None:
        assert self.language is not None, "fit first"
        quantise.save_network(self._network, directory / "network.safetensors")
        self.language.save(directory)
        kept = {
            "rate": self.rate,
            "network": self._network.shape.to_json(),
            "acoustic_scale": self.settings.acoustic_scale,
            "word_score": self.settings.word_score,
        }
        (directory / "end_to_end.json").write_text(json.dumps(kept, indent=1))

    @classmethod
    def load(cls, directory: Path) -> Self:
        kept = json.loads((directory / "end_to_end.json").read_text())
        network = Recogniser(Shape.from_json(kept["network"]))
        quantise.load_network(network, directory / "network.safetensors")
        settings = SearchSettings(kept["acoustic_scale"], kept["word_score"], BEAM)
        return cls(kept["rate"], network, Language.load(directory), settings)


def symbols(text: str) -> list[int]:
    """Columns of a transcript's characters; what the alphabet lacks is left out."""
    return [1 + LETTERS.index(c) for c in text if c in LETTERS]


def spell(found: Sequence[int]) -> str:
    """Columns -> words joined by one space."""
    return " ".join("".join(LETTERS[c - 1] for c in found).split())


def spellable(words: Any) -> list[str]:
    return sorted(word for word in words if word and all(c in LETTERS[1:] for c in word))


def character_error(heard: Sequence[str], truth: Sequence[str]) -> float:
    """Characters wrong for each character of the truth."""
    wrong = sum(sum(e.kind != "equal" for e in edits(list(h), list(t))) for h, t in zip(heard, truth, strict=True))
    return wrong / max(1, sum(len(t) for t in truth))
