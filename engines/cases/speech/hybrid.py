"""A network gives the phonemes; lexicon, language model and search are the pipeline's own.

The network learns, frame by frame, the tied HMM state that a pipeline fitted on the same budget aligned there; its log
posterior less a part of the state's log prior stands in for the mixtures' log density (Bourlard and Morgan 1994).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import nn

from engines.cases.speech import acoustic
from engines.cases.speech.language import Language, spoken
from engines.cases.speech.pipeline import Pipeline, oracle_scores, segments
from engines.core import NOTHING, Engine, Progress, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape as EngineShape
from engines.ml import frames, quantise, training
from engines.ml import lexicon as words_and_phones
from engines.ml.decoder import Decoder, SearchSettings, align
from engines.ml.lexicon import Lexicon
from engines.ml.logmel import RATE, log_mel, normalised
from engines.ml.networks import Recogniser, Shape, parameters
from engines.ml.tree import StateTree

SPREAD = 96  # units from which a frame's states are told
UNTUNED = SearchSettings(acoustic_scale=0.1, word_score=0.0, beam=10.0, max_active=1500)
# Tried on held-out utterances: how much the network counts against the language model, then a bonus per word.
SCALES = (0.05, 0.08, 0.12, 0.18, 0.27)
WORD_SCORES = (0.0, -1.0, 1.0, -2.0)
PRIOR = 0.6  # how much of the log prior is taken off: less than all errs least on held-out utterances
TUNED_ON = 80  # held-out utterances at most
_TREE = ("root", "question", "yes", "no", "leaf")


@dataclass(frozen=True)
class Known:
    """What a hybrid takes over from its pipeline."""

    states: StateTree
    transitions: NDArray[np.float32]  # (columns, 2)
    prior: NDArray[np.float32]  # (columns,) log share of frames
    lexicon: Lexicon
    language: Language
    heard: tuple[str, ...]


@dataclass(frozen=True)
class Hybrid(Engine):
    name: ClassVar[str] = "hybrid"
    shape: ClassVar[EngineShape] = "hybrid"
    version: ClassVar[int] = 2
    supervision: ClassVar[tuple[str, ...]] = ("pronunciation lexicon of the task's whole vocabulary",)
    readings: ClassVar[tuple[str, ...]] = ("own_lexicon",)

    rate: float = 16_000.0
    network: Recogniser | None = None
    known: Known | None = None
    settings: SearchSettings = UNTUNED

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Fits a pipeline on the same data first. Raises UserError where no clip is long enough for its transcript."""
        rate = float(data.x.rate or 16_000)
        pipeline = Pipeline().fit(data, rng, lambda f, s: progress(0.3 * f, s))
        said = acoustic.utterances(data.train, rate, lambda f, s: progress(0.3 + 0.05 * f, s))
        paths = aligned(pipeline, data, lambda f, s: progress(0.35 + 0.1 * f, s))
        kept = [i for i, path in enumerate(paths) if path is not None]
        if not kept:
            raise UserError("The hybrid needs at least one clip as long as its transcript: raise the budget.")
        inner, held = acoustic.holdout(len(kept), rng)
        train, valid = said.take(np.take(kept, inner)), said.take(np.take(kept, held))
        labels = [paths[kept[i]] for i in inner]
        truth = [paths[kept[i]] for i in held]
        states = pipeline.states
        shape = replace(acoustic.shape_for(train.hours, acoustic.bins_for(rate), states.size), spread=SPREAD)
        network = training.build(lambda: Recogniser(shape), rng)

        def batches(order: np.random.Generator) -> Any:
            return frames.batches(train.features, labels, acoustic.FRAMES, acoustic.augment_for(train.hours), order)

        def validate(net: nn.Module) -> float:
            return frame_error(acoustic.score_all(net, valid.features), truth)

        recipe = acoustic.recipe_for(train.hours, labelled=True)
        training.train(network, batches, frames.loss, validate, recipe, rng, lambda f, s: progress(0.45 + 0.5 * f, s))
        quantise.round_network(network)
        lexicon: Lexicon = {word: [tuple(p) for p in found] for word, found in data.side["lexicon"].items()}
        prior = frames.log_prior(labels, states.size).astype(np.float16).astype(np.float32)
        transitions = pipeline.fitted.transitions.astype(np.float16).astype(np.float32)
        known = Known(states, transitions, prior, lexicon, Language.fit(train.texts, lexicon), pipeline.heard)
        tuned = replace(self, rate=rate, network=network, known=known)._tuned(valid)
        assert pipeline.language is not None
        progress(1.0, "done")
        whole = replace(known, language=pipeline.language)
        return replace(self, rate=rate, network=network, known=whole, settings=tuned)

    def _tuned(self, valid: acoustic.Utterances) -> SearchSettings:
        """The weights of fewest word errors on held-out utterances, whose words the language model has not read."""
        if len(valid) < acoustic.FEWEST:
            return UNTUNED
        some = valid.take(np.arange(min(len(valid), TUNED_ON)))
        scores = [self._emissions(acoustic.scores_of(self._network, x)) for x in some.features]
        return acoustic.lightest(self._whole_decoder, scores, some.texts, UNTUNED, SCALES, WORD_SCORES)

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        bins, labels = self._network.shape.bins, self._known.states.labels
        decoder = "_own_decoder" if reading == "own_lexicon" else "_whole_decoder"
        return (
            Stage(
                "features",
                Spec("spectrogram", "log power", (None, bins), rate=RATE),
                lambda x: log_mel(x, self.rate, bins),
            ),
            Stage(
                "phonemes",
                Spec("posteriors", "log probability", (None, len(labels)), labels, RATE),
                lambda value: acoustic.scores_of(self._network, normalised(value)),
            ),
            Stage(
                "words",
                Spec("segments"),
                lambda scores: segments(getattr(self, decoder).decode(self._emissions(scores))),
            ),
            Stage("transcript", Spec("text"), spoken),
        )

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """ "phonemes": scores in which the true phones, laid along the sound by forced alignment, stand out; "words"
        and "transcript" where gold has "words"."""
        phones = [tuple(p) for p in gold.get("phonemes", ()) if len(p)]
        states = self._known.states
        if not phones or any(phone not in states.phones for word in phones for phone in word):
            return NOTHING
        given = [str(word) for word in gold.get("words", ())]
        names = given if len(given) == len(phones) else [f"word {i}" for i in range(len(phones))]
        numbered = [f"{i} {name}" for i, name in enumerate(names)]
        features = normalised(log_mel(x, self.rate, self._network.shape.bins))
        path = align(
            numbered,
            {name: [pronounced] for name, pronounced in zip(numbered, phones, strict=True)},
            states,
            self._emissions(acoustic.scores_of(self._network, features)),
            self._known.transitions,
        )
        if not path.complete:
            return NOTHING
        found: dict[str, Any] = {"phonemes": oracle_scores(path.columns, states)}
        if names is given:
            spans = tuple(replace(span, label=span.label.split(" ", 1)[1]) for span in path.words)
            found["words"] = segments(replace(path, words=spans))
            found["transcript"] = " ".join(names)
        return found

    def _emissions(self, posteriors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log posteriors (frames, columns) less the log prior: the log density but for a constant of the frame."""
        return np.asarray(posteriors - PRIOR * self._known.prior, np.float32)

    @cached_property
    def _whole_decoder(self) -> Decoder:
        known = self._known
        return Decoder(known.lexicon, known.language.model, known.states, self.settings, known.transitions)

    @cached_property
    def _own_decoder(self) -> Decoder:
        known = self._known
        own = words_and_phones.only(known.lexicon, known.heard)
        return Decoder(own, known.language.model.restricted(own), known.states, self.settings, known.transitions)

    @property
    def _network(self) -> Recogniser:
        if self.network is None:
            raise UserError("This hybrid has not been trained yet: fit it, or load a trained one.")
        return self.network

    @property
    def _known(self) -> Known:
        if self.known is None:
            raise UserError("This hybrid has not been trained yet: fit it, or load a trained one.")
        return self.known

    @property
    def parameters(self) -> int:
        known = self._known
        return parameters(self._network) + known.prior.size + known.transitions.size + len(known.language.model.counts)

    def save(self, directory: Path) -> None:
        known = self._known
        quantise.save_network(self._network, directory / "network.safetensors")
        arrays = {name: getattr(known.states, name).astype(np.int16) for name in _TREE}
        halves = {"transitions": known.transitions.astype(np.float16), "prior": known.prior.astype(np.float16)}
        save_file(
            {name: np.ascontiguousarray(a) for name, a in {**arrays, **halves}.items()},
            directory / "states.safetensors",
        )
        known.language.save(directory)
        meta = {
            "rate": self.rate,
            "network": self._network.shape.to_json(),
            "settings": asdict(self.settings),
            "phones": known.states.phones,
            "heard": known.heard,
        }
        words_and_phones.save(known.lexicon, directory / "lexicon.parquet")
        (directory / "hybrid.json").write_text(json.dumps(meta, separators=(",", ":")))

    @classmethod
    def load(cls, directory: Path) -> Self:
        meta = json.loads((directory / "hybrid.json").read_text())
        network = Recogniser(Shape.from_json(meta["network"]))
        quantise.load_network(network, directory / "network.safetensors")
        arrays = load_file(directory / "states.safetensors")
        known = Known(
            StateTree(tuple(meta["phones"]), *(arrays[name].astype(np.int32) for name in _TREE)),
            arrays["transitions"].astype(np.float32),
            arrays["prior"].astype(np.float32),
            words_and_phones.load(directory / "lexicon.parquet"),
            Language.load(directory),
            tuple(meta["heard"]),
        )
        return cls(meta["rate"], network, known, SearchSettings(**meta["settings"]))


def aligned(pipeline: Pipeline, data: TrainingData, progress: Progress) -> list[NDArray[np.int32] | None]:
    """The tied state of every frame of every training clip; None where a clip cannot be aligned."""
    paths = []
    for i in range(len(data.train)):
        paths.append(pipeline.align(data.train.x[i], data.train.y[i]))
        if i % 200 == 199:
            progress(i / len(data.train), f"aligned {i + 1} of {len(data.train)} recordings")
    return paths


def frame_error(scores: list[NDArray[np.float32]], truth: list[NDArray[np.int32]]) -> float:
    """Share of frames whose best state is not the true one. With minutes of sound the cross-entropy of held-out frames
    rises long before this does, and the network of fewest wrong frames makes the fewer word errors."""
    each = [score.argmax(axis=1) != path for score, path in zip(scores, truth, strict=True)]
    return float(np.concatenate(each).mean())
