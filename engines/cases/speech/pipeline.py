"""The traditional chain: MFCC -> phonemes (GMM-HMM) -> words (lexicon, n-gram, beam search) -> transcript."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors.numpy import load_file, save_file

from engines.cases.speech.language import Language, spoken
from engines.core import Engine, Progress, Segment, Spec, Stage, TrainingData, UserError, quiet
from engines.ml import lexicon as words_and_phones
from engines.ml.decoder import Decoder, Hypothesis, SearchSettings
from engines.ml.gmm import Mixtures
from engines.ml.hmm import AcousticModel, Corpus, FrontEnd
from engines.ml.lexicon import EDGE, SILENCE, Lexicon
from engines.ml.mfcc import COEFFICIENTS, FRAMES_PER_SECOND, mfcc
from engines.ml.quantise import packed, unpacked
from engines.ml.recipe import DEFAULT, finished, train, tuned
from engines.ml.tree import StateTree

_TREE = ("root", "question", "yes", "no", "leaf")
_RIGHT, _WRONG = 0.0, -12.0  # log scores of an oracle's phonemes


@dataclass(frozen=True)
class Pipeline(Engine):
    """A fitted pipeline keeps its acoustic model, the words it may say with their pronunciations, and the n-gram of
    the budget's transcripts. `heard`: the words of those transcripts."""

    name = "pipeline"
    shape = "pipeline"
    version = 1
    supervision = ("pronunciation lexicon of the task's whole vocabulary",)
    readings = ("own_lexicon",)

    rate: int = 16000
    acoustic: AcousticModel | None = None
    lexicon: Lexicon | None = None
    language: Language | None = None
    heard: tuple[str, ...] = ()
    settings: SearchSettings = DEFAULT

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Raises UserError where there is no transcript, or none in the words of the lexicon."""
        lexicon: Lexicon = {word: [tuple(p) for p in found] for word, found in data.side["lexicon"].items()}
        rate = int(data.x.rate or 16000)
        cepstra, sentences = [], []
        texts = [text.split() for text in data.train.y]
        for i, words in enumerate(texts):
            if words and all(word in lexicon for word in words):
                cepstra.append(mfcc(data.train.x[i], rate).astype(np.float16))
                sentences.append(words)
            if i % 200 == 0:
                progress(0.2 * i / len(texts), f"listening to recording {i + 1} of {len(texts)}")
        if not sentences:
            raise UserError("The pipeline needs at least one transcript in words of the lexicon: raise the budget.")
        corpus = Corpus(cepstra, sentences, lexicon)
        held = _validation(len(corpus), rng)
        rest = np.setdiff1d(np.arange(len(corpus)), held)
        acoustic = train(corpus.take(rest), rng, lambda f, s: progress(0.2 + 0.6 * f, s))
        progress(0.8, "weighing the language model against the acoustics")
        model = Language.fit([" ".join(sentences[i]) for i in rest], lexicon).model
        settings = tuned(acoustic, corpus.take(held), model)
        progress(0.9, "going through all recordings once more")
        acoustic = finished(acoustic, corpus)
        acoustic = replace(
            acoustic,
            mixtures=_rounded(acoustic.mixtures),
            transitions=acoustic.transitions.astype(np.float16).astype(np.float32),
        )
        language = Language.fit([" ".join(s) for s in sentences], lexicon)
        heard = tuple(sorted({word for s in sentences for word in s}))
        progress(1.0, "done")
        return replace(
            self, rate=rate, acoustic=acoustic, lexicon=lexicon, language=language, heard=heard, settings=settings
        )

    # What the hybrid builds on.

    @property
    def fitted(self) -> AcousticModel:
        """The acoustic model. Raises UserError before `fit`."""
        if self.acoustic is None:
            raise UserError("This pipeline has not been trained yet: fit it, or load a trained one.")
        return self.acoustic

    @property
    def _words(self) -> tuple[Lexicon, Language]:
        if self.lexicon is None or self.language is None:
            raise UserError("This pipeline has not been trained yet: fit it, or load a trained one.")
        return self.lexicon, self.language

    @property
    def states(self) -> StateTree:
        """The tied states: how many (`size`), their phones (`labels`), and the layout for a `Decoder`."""
        return self.fitted.tree

    def align(self, x: np.ndarray, y: str) -> np.ndarray | None:
        """The tied state of every frame (10 ms) of waveform x that says y, (frames,) int32; None where x is too short
        for y or y has a word that the lexicon lacks."""
        words = y.split()
        if not all(word in (self.lexicon or {}) for word in words):
            return None
        found = self.fitted.align(words, self.lexicon or {}, mfcc(x, self.rate))
        return None if found is None else found.columns

    # The chain.

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        labels = self.states.labels
        return (
            Stage(
                "features",
                Spec("spectrogram", "standard deviations", (None, COEFFICIENTS), rate=FRAMES_PER_SECOND,
                     labels=tuple(f"c{i}" for i in range(COEFFICIENTS))),
                lambda x: mfcc(x, self.rate),
            ),
            Stage(
                "phonemes",
                Spec("posteriors", "", (None, len(labels)), labels=labels, rate=FRAMES_PER_SECOND),
                lambda cepstra: _posteriors(self.fitted.scores(cepstra)),
            ),
            Stage("words", Spec("segments"), lambda scores: segments(self._decoder(reading).decode(scores))),
            Stage("transcript", Spec("text"), spoken),
        )  # fmt: skip

    def _decoder(self, reading: str) -> Decoder:
        return self._own_decoder if reading == "own_lexicon" else self._whole_decoder

    @cached_property
    def _whole_decoder(self) -> Decoder:
        lexicon, language = self._words
        return Decoder(lexicon, language.model, self.states, self.settings, self.fitted.transitions)

    @cached_property
    def _own_decoder(self) -> Decoder:
        lexicon, language = self._words
        own = words_and_phones.only(lexicon, self.heard)
        model = language.model.restricted(own)
        return Decoder(own, model, self.states, self.settings, self.fitted.transitions)

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """What gold's "phonemes" (the phones of each word) make known: scores in which the true phones, laid along the
        sound by forced alignment, stand out; with gold's "words" also the words and the transcript."""
        phones = [tuple(p) for p in gold.get("phonemes", ()) if len(p)]
        known = set(self.states.phones)
        if not phones or not all(phone in known for word in phones for phone in word):
            return {}
        names = [str(word) for word in gold.get("words", ())]
        if len(names) != len(phones):
            names = [f"word {i}" for i in range(len(phones))]
        path = self.fitted.align(
            [f"{i} {name}" for i, name in enumerate(names)],
            {f"{i} {name}": [phones[i]] for i, name in enumerate(names)},
            mfcc(x, self.rate),
        )
        if path is None:
            return {}
        found: dict[str, Any] = {"phonemes": oracle_scores(path.columns, self.states)}
        if "words" in gold and len(gold["words"]) == len(phones):
            spans = tuple(replace(span, label=span.label.split(" ", 1)[1]) for span in path.words)
            found["words"] = segments(replace(path, words=spans))
            found["transcript"] = " ".join(names)
        return found

    @property
    def parameters(self) -> int:
        if self.acoustic is None:
            return 0
        grams = 0 if self.language is None else len(self.language.model.counts)
        projection = self.acoustic.front.projection
        size = self.acoustic.mixtures.mean.size * 2 + self.acoustic.mixtures.size + self.acoustic.transitions.size
        return int(size + grams + (0 if projection is None else projection.size))

    def save(self, directory: Path) -> None:
        model = self.fitted
        lexicon, language = self._words
        arrays: dict[str, Any] = dict(_packed(model.mixtures))
        arrays["transitions"] = model.transitions.astype(np.float16)
        arrays |= {name: getattr(model.tree, name).astype(np.int16) for name in _TREE}
        if model.front.projection is not None:
            arrays["projection"] = model.front.projection.astype(np.float16)
        save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, directory / "acoustic.safetensors")
        language.save(directory)
        meta = {
            "rate": self.rate,
            "phones": model.tree.phones,
            "context": model.front.context,
            "settings": asdict(self.settings),
            "heard": self.heard,
        }
        words_and_phones.save(lexicon, directory / "lexicon.parquet")
        (directory / "pipeline.json").write_text(json.dumps(meta, separators=(",", ":")))

    @classmethod
    def load(cls, directory: Path) -> Self:
        meta = json.loads((directory / "pipeline.json").read_text())
        arrays = load_file(directory / "acoustic.safetensors")
        tree = StateTree(tuple(meta["phones"]), *(arrays[name].astype(np.int32) for name in _TREE))
        projection = arrays.get("projection")
        front = FrontEnd(None if projection is None else projection.astype(np.float32), meta["context"])
        acoustic = AcousticModel(tree, _mixtures(arrays), arrays["transitions"].astype(np.float32), front)
        lexicon = words_and_phones.load(directory / "lexicon.parquet")
        return cls(
            meta["rate"], acoustic, lexicon, Language.load(directory), tuple(meta["heard"]),
            SearchSettings(**meta["settings"]),
        )  # fmt: skip


def _validation(count: int, rng: np.random.Generator) -> np.ndarray:
    """A tenth of the utterances, at most 120; of fewer than 30, none."""
    return np.sort(rng.permutation(count)[: min(120, count // 10) if count >= 30 else 0])


def _posteriors(scores: np.ndarray) -> np.ndarray:
    """Log densities -> log posteriors under equal priors. What is taken off a frame is the same for all states, so no
    path gains by it."""
    top = scores.max(1, keepdims=True)
    return scores - top - np.log(np.exp(scores - top).sum(1, keepdims=True))


def oracle_scores(columns: np.ndarray, tree: StateTree) -> np.ndarray:
    """(frames, columns): the states of the phone that path `columns` is in stand out, in order of the path's state."""
    right = tree.owner[columns]
    return np.where(tree.owner[None] == right[:, None], _RIGHT, _WRONG).astype(np.float32) * 10


def segments(found: Hypothesis) -> tuple[Segment, ...]:
    """Phonemes and words with their times in seconds."""
    second = 1 / FRAMES_PER_SECOND
    return tuple(
        Segment(tier, span.label, span.start * second, span.end * second)
        for tier, spans in (("phonemes", found.units), ("words", found.words))
        for span in spans
    )


def _packed(mixtures: Mixtures) -> dict[str, Any]:
    """8 bits for every mean and log variance, a scale per dimension; 16 bits for log weights."""
    kept: dict[str, Any] = packed(
        {
            "mean": mixtures.mean.T,
            "log_variance": np.log(mixtures.variance.T),
            "log_weight": mixtures.log_weight,
        }
    )
    return {**kept, "sizes": np.diff(mixtures.pointer).astype(np.int16)}


def _mixtures(kept: Mapping[str, Any]) -> Mixtures:
    names = ("mean", "mean/scale", "log_variance", "log_variance/scale", "log_weight")
    arrays = unpacked({name: kept[name] for name in names})
    pointer = np.concatenate([[0], np.cumsum(kept["sizes"].astype(np.int64))])
    return Mixtures(
        pointer, np.ascontiguousarray(arrays["mean"].T), np.exp(np.ascontiguousarray(arrays["log_variance"].T)),
        arrays["log_weight"],
    )  # fmt: skip


def _rounded(mixtures: Mixtures) -> Mixtures:
    return _mixtures(_packed(mixtures))


__all__ = ["EDGE", "SILENCE", "Pipeline", "oracle_scores", "segments", "spoken"]
