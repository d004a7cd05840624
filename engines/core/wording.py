"""Values of cases that turn words into words: tokens, ways to translate them, candidates, phrases, weights of links.

A text may hold several sentences; every value keeps them apart. All are compared by content, arrays included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.core.content import Content

Words = tuple[str, ...]


@dataclass(frozen=True)
class Tokens:
    """The words (or smaller pieces) of each sentence. `unknown` are places, by sentence, of those that a model does not
    know, and `lack` says what that means; `capital` whether the text began with a capital letter."""

    sentences: tuple[Words, ...]
    unknown: tuple[tuple[int, ...], ...] = ()
    capital: bool = True
    lack: str = "unknown"

    def problem(self) -> str | None:
        if not all(isinstance(word, str) and word for sentence in self.sentences for word in sentence):
            return "tokens must be words"
        if self.unknown and len(self.unknown) != len(self.sentences):
            return "unknown words are not listed for every sentence"
        for sentence, places in zip(self.sentences, self.unknown, strict=False):
            if not all(0 <= place < len(sentence) for place in places):
                return "an unknown word stands outside its sentence"
        return None


@dataclass(frozen=True)
class Option:
    """A way to translate the source words start:end of a sentence. `scores` and `orientations` are natural logs;
    `unknown` marks a word that is passed through, or translated as its kin is."""

    start: int
    end: int
    target: Words
    scores: tuple[float, ...]
    orientations: tuple[float, ...]
    unknown: bool = False


@dataclass(frozen=True)
class Options:
    """Ways to translate each sentence of `tokens`, best first within a span; `names` of an option's scores."""

    tokens: Tokens
    sentences: tuple[tuple[Option, ...], ...]
    names: Words = ()

    def problem(self) -> str | None:
        if len(self.sentences) != len(self.tokens.sentences):
            return "options are not given for every sentence"
        for words, options in zip(self.tokens.sentences, self.sentences, strict=True):
            for option in options:
                if not 0 <= option.start < option.end <= len(words):
                    return f"an option covers the words {option.start} to {option.end} of {len(words)}"
                if not all(math.isfinite(score) for score in (*option.scores, *option.orientations)):
                    return "an option's score is not finite"
        return self.tokens.problem()


@dataclass(frozen=True)
class Span:
    """Source words start:end became target words first:last."""

    start: int
    end: int
    first: int
    last: int
    unknown: bool = False


@dataclass(frozen=True)
class Hypothesis:
    """A candidate translation: its `score`, the named `parts` that the score is made of, and the phrases it was put
    together from (none for a network), or the `pieces` that a network wrote, its mark of the end included. `note` names
    a failure, such as an answer that never ended."""

    words: Words
    score: float
    parts: tuple[tuple[str, float], ...] = ()
    spans: tuple[Span, ...] = ()
    note: str = ""
    pieces: Words = ()


@dataclass(frozen=True)
class NBest:
    """Candidates of each sentence of `tokens`, the chosen one first."""

    tokens: Tokens
    sentences: tuple[tuple[Hypothesis, ...], ...]

    def problem(self) -> str | None:
        if len(self.sentences) != len(self.tokens.sentences):
            return "candidates are not given for every sentence"
        for candidates in self.sentences:
            if not candidates:
                return "a sentence has no candidate"
            for each in candidates:
                if not math.isfinite(each.score) or not all(math.isfinite(value) for _, value in each.parts):
                    return "a candidate's score is not finite"
        return self.tokens.problem()

    @property
    def best(self) -> tuple[Hypothesis, ...]:
        return tuple(candidates[0] for candidates in self.sentences)


@dataclass(frozen=True)
class Phrased:
    """How each sentence of `tokens` was put together, with the word links (source place, target place) inside its
    phrases."""

    tokens: Tokens
    chosen: tuple[Hypothesis, ...]
    links: tuple[tuple[tuple[int, int], ...], ...]

    def problem(self) -> str | None:
        if not len(self.chosen) == len(self.links) == len(self.tokens.sentences):
            return "phrases are not given for every sentence"
        for words, found, links in zip(self.tokens.sentences, self.chosen, self.links, strict=True):
            if not all(0 <= i < len(words) and 0 <= j < len(found.words) for i, j in links):
                return "a link leads outside its sentence"
            if sorted(k for span in found.spans for k in range(span.start, span.end)) != list(range(len(words))):
                return "the phrases do not cover the sentence once"
        return self.tokens.problem()


@dataclass(frozen=True, eq=False)
class Links(Content):
    """How much each target piece looked at each source piece: `weights[k]` float32 (target, source) of sentence k, at
    least 0, rows adding up to 1. `words` are the target words that the pieces spell."""

    source: tuple[Words, ...]
    target: tuple[Words, ...]
    words: tuple[Words, ...]
    weights: tuple[NDArray[np.float32], ...]
    notes: Words = ()
    capital: bool = True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Links):
            return NotImplemented
        texts = (self.source, self.target, self.words, self.notes, self.capital)
        return (
            texts == (other.source, other.target, other.words, other.notes, other.capital)
            and len(self.weights) == len(other.weights)
            and all(np.array_equal(a, b) for a, b in zip(self.weights, other.weights, strict=True))
        )

    __hash__ = None

    def problem(self) -> str | None:
        if not len(self.source) == len(self.target) == len(self.words) == len(self.weights):
            return "links are not given for every sentence"
        for source, target, weights in zip(self.source, self.target, self.weights, strict=True):
            if weights.dtype != np.float32 or weights.shape != (len(target), len(source)):
                return f"links must be float32 of {len(target)} by {len(source)}"
            if not np.isfinite(weights).all() or weights.min(initial=0) < 0:
                return "a link's weight is not a number of at least 0"
        return None


KINDS: dict[str, type] = {
    "tokens": Tokens,
    "options": Options,
    "n_best": NBest,
    "phrases": Phrased,
    "links": Links,
}


def problem(kind: str, value: Any) -> str | None:
    """Why `value` is not of that kind, or None when it is."""
    if not isinstance(value, KINDS[kind]):
        return f"{kind} must be {KINDS[kind].__name__}, not {type(value).__name__}"
    found: str | None = value.problem()  # type: ignore[attr-defined]
    return found
