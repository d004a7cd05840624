"""What a value is, how an answer is scored, how much data an engine was given."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.core import radiograph, sighting, wording
from engines.core.errors import UserError

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording with a name: `start` and `end` in seconds, `confidence` in [0, 1] or None."""

    tier: str
    label: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(frozen=True)
class Spec:
    """What a value is, so that a panel can draw it without knowing which engine made it.

    kind     value                                     shape                unit, rate and labels
    waveform     float32 in [-1, 1]                    (samples,)           rate in samples a second
    spectrogram  float32                               (frames, bins)       rate in frames a second; labels: bins
    posteriors   float32 log scores                    (frames, columns)    rate; labels: a column's name (columns
                                                                            of one name are added up when drawn)
    segments     tuple[Segment, ...]                   ()                   tiers: "phonemes", "words", "characters"
    text         str                                   ()

    radiograph, regions, measures, growth, crops, saliency, age: the classes of radiograph.py; labels: what
                                                                            the numbers of regions stand for
    picture, boxes, cutting, embedding, attention, candidates: the classes of sighting.py; shape of a picture as it is
    tokens, options, n_best, phrases, links: the classes of wording.py

    A length of None in `shape` is free. Later cases add kinds (boxes, tokens, mask, table) and their checks here.
    """

    kind: str
    unit: str = ""
    shape: tuple[int | None, ...] = ()
    labels: tuple[str, ...] = ()
    rate: float | None = None

    def problem(self, value: Any) -> str | None:
        """Why `value` is not what this spec declares, or None when it is."""
        if self.kind not in _CHECKS:
            return f"{self.kind!r} is not a known kind of value; known are {', '.join(sorted(_CHECKS))}"
        return _CHECKS[self.kind](self, value)


def _check_array(spec: Spec, value: Any) -> str | None:
    if not isinstance(value, np.ndarray) or value.dtype != np.float32:
        return f"{spec.kind} must be a float32 array, not {getattr(value, 'dtype', type(value).__name__)}"
    if value.ndim != len(spec.shape):
        return f"{spec.kind} must have {len(spec.shape)} axes, not {value.ndim}"
    for axis, (want, got) in enumerate(zip(spec.shape, value.shape, strict=True)):
        if want is not None and want != got:
            return f"axis {axis} of {spec.kind} must be {want} long, not {got}"
    if spec.labels and value.shape[-1] != len(spec.labels):
        return f"{spec.kind} has {value.shape[-1]} columns and {len(spec.labels)} labels"
    if np.isnan(value).any():
        return f"{spec.kind} holds NaN"
    return None


def _check_segments(spec: Spec, value: Any) -> str | None:
    if not isinstance(value, tuple) or not all(isinstance(item, Segment) for item in value):
        return "segments must be a tuple of Segment"
    for item in value:
        if not 0 <= item.start <= item.end or not math.isfinite(item.end):
            return f"segment {item.label!r} runs from {item.start} to {item.end} s"
    return None


def _check_text(spec: Spec, value: Any) -> str | None:
    return None if isinstance(value, str) else f"text must be a str, not {type(value).__name__}"


def _check_body(spec: Spec, value: Any) -> str | None:
    return radiograph.problem(spec.kind, value)


def _check_sighting(spec: Spec, value: Any) -> str | None:
    return sighting.problem(spec.kind, value)


def _check_wording(spec: Spec, value: Any) -> str | None:
    return wording.problem(spec.kind, value)


_CHECKS = {
    "waveform": _check_array,
    "spectrogram": _check_array,
    "posteriors": _check_array,
    "segments": _check_segments,
    "text": _check_text,
    **dict.fromkeys(radiograph.KINDS, _check_body),
    **dict.fromkeys(sighting.KINDS, _check_sighting),
    **dict.fromkeys(wording.KINDS, _check_wording),
}


def resolve(target: str) -> Any:
    """The object that "module:name" names; imported only now, so that metadata stays light."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


@dataclass(frozen=True)
class Metric:
    """How a task is scored.

    `measure` names a function (answer, truth) -> statistics, a float array of shape (k,), of one example;
    `combine` one (statistics of shape (n, k)) -> score. Word error rate keeps (errors, reference words) and combines
    them as 100 * sum / sum; metrics of a whole corpus keep what they need. Since the statistics of every example are
    kept, uncertainty over test examples needs no second run. `best` is the score of a perfect answer. `signature` says
    how a program computed it, in that program's terms.

    For a single answer that a visitor holds against a reference: `alone` names what combines its statistics (1, k)
    where `combine` is not fit for so few, and `alone_note` says so; `tokens` a function text -> [(a token, what of it
    is compared)], the words as the score sees them, or "" where they are what stands between spaces.
    """

    name: str
    unit: str
    lower_is_better: bool
    measure: str
    combine: str
    best: float = 0.0
    signature: str = ""
    alone: str = ""
    alone_note: str = ""
    tokens: str = ""

    def statistics(self, answer: Any, truth: Any) -> Floats:
        return np.asarray(resolve(self.measure)(answer, truth), dtype=np.float64)

    def score(self, statistics: Floats) -> float:
        return float(resolve(self.combine)(statistics))

    def score_alone(self, statistics: Floats) -> float:
        """The score of one answer, of its statistics (k,)."""
        return float(resolve(self.alone or self.combine)(statistics[None]))


@dataclass(frozen=True)
class Budget:
    """How much data: `pairs` of (input, output) in the task's unit, `side` amounts of sub-task data by kind."""

    pairs: float
    side: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, amount in {"pairs": self.pairs, **self.side}.items():
            if not (isinstance(amount, int | float) and math.isfinite(amount) and amount >= 0):
                raise UserError(f"A budget must be a number of at least 0, but {name} is {amount!r}.")
