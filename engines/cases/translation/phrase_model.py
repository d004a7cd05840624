"""The traditional chain between tokens and tokens: alignment, phrase table, language model, search, tuning."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engines.cases.translation import metric
from engines.core import Progress, UserError
from engines.core.wording import Option
from engines.ml import ranking
from engines.ml.alignment import Corpus, align
from engines.ml.backoff import BackoffModel
from engines.ml.phrases import PhraseTable, span_keys
from engines.ml.stack_decoder import FEATURES, WORDS, Derivation, Settings, search

Pair = tuple[Sequence[str], Sequence[str]]
ORDER = 5
TOP = 20  # options a source phrase
TUNING_LIST = 60
ENDINGS = frozenset(("", "s", "es", "e", "ed", "d", "ing", "er", "ers", "y", "ies", "ied", "ly", "n", "en"))
STEM = 4  # letters that words are aligned by
KIN_OPTIONS = 3  # of each word that is like an unknown one
# FEATURES' weights before tuning, and where nothing can be tuned: the middle of those tuned at 300 to 3,000 pairs.
DEFAULT = Settings((0.25, 0.12, 0.20, 0.05, 0.14, 0.03, 0.14, 0.10, 0.10, 0.70, -0.03, -1.30), beam=80, pops=160)
_KNOWN = np.log(0.5)  # what a copied word scores in each of the table's columns
TUNING, FOLDED_BELOW, FOLDS, FEWEST = 300, 1_500, 10, 20


@dataclass(frozen=True)
class Vocabulary:
    """Words in order; number of each."""

    words: tuple[str, ...]

    @cached_property
    def number(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]]) -> Self:
        return cls(tuple(sorted({word for sentence in sentences for word in sentence})))

    def encode(self, sentence: Sequence[str]) -> NDArray[np.int32]:
        """Words that are not known are left out."""
        known = self.number
        return np.array([known[word] for word in sentence if word in known], np.int32)


@dataclass(frozen=True, eq=False)
class Reading:
    """A language model and the words that it numbers."""

    words: Vocabulary
    model: BackoffModel


@dataclass(frozen=True, eq=False)
class PhraseModel:
    """What is kept is the aligned corpus; the phrase table and the language model follow from it. `more` are further
    sentences of the target language for the language model (words of `target`)."""

    source: Vocabulary
    target: Vocabulary
    corpus: Corpus
    links: NDArray[np.int16]
    links_at: NDArray[np.int64]
    settings: Settings = DEFAULT
    more: tuple[Sequence[str], ...] = ()
    reader: Reading | None = None  # what `more` was read into, where that is known already

    @classmethod
    def fit(cls, pairs: Sequence[Pair]) -> Self:
        """The untuned model of tokenised pairs. Raises UserError where there is none with words on both sides."""
        pairs = [(x, y) for x, y in pairs if x and y]
        if not pairs:
            raise UserError("The phrase table needs at least one sentence pair with words on both sides.")
        source = Vocabulary.of([x for x, _ in pairs])
        target = Vocabulary.of([y for _, y in pairs])
        corpus = Corpus.of([(source.encode(x), target.encode(y)) for x, y in pairs])
        links, at = align(_stemmed(corpus, source, target))
        return cls(source, target, corpus, links, at)

    @cached_property
    def table(self) -> PhraseTable:
        return PhraseTable.fit(self.corpus, self.links, self.links_at)

    @cached_property
    def reading(self) -> Reading:
        """Of `more` where there is such text, else of the target side."""
        if self.reader is not None:
            return self.reader
        if self.more:
            words = Vocabulary.of([self.target.words, *self.more])
            texts = [words.encode(text) for text in self.more]
        else:
            words, ends = self.target, self.corpus.target_at
            texts = [self.corpus.target[a:b] for a, b in pairwise(ends)]
        return Reading(words, BackoffModel.fit(texts, len(words.words), ORDER))

    def options(self, sentence: Sequence[str]) -> tuple[Option, ...]:
        """Ways to translate every span of a tokenised sentence, best first within a span. A word that the table lacks
        is looked for in lower case and then passed through as it is."""
        number = self.source.number
        words = [number.get(word, number.get(word.lower(), -1)) for word in sentence]
        spans, keys = span_keys(np.array(words, np.int32))
        table = self.table
        places = np.searchsorted(table.keys, keys)
        weights = np.array(self.settings.weights[5:9])
        found: list[Option] = []
        covered = set()
        for (a, b), key, place in zip(spans.tolist(), keys, places.tolist(), strict=True):
            if place == len(table.keys) or table.keys[place] != key:
                continue
            first, last = int(table.first[place]), int(table.first[place + 1])
            rank = np.argsort(-(table.scores[first:last] @ weights), kind="stable")[:TOP] + first
            found += [self._option(a, b, entry) for entry in rank.tolist()]
            if b - a == 1:
                covered.add(a)
        for a, word in enumerate(sentence):
            if a not in covered:
                found += self._unknown(a, word)
        return tuple(found)

    def _unknown(self, a: int, word: str) -> list[Option]:
        """Options for a word that the table lacks: itself, and what the table knows of its kin."""
        found = [Option(a, a + 1, (word,), (float(_KNOWN),) * 4, (0.0, 0.0, 0.0), unknown=True)]
        for other in kin(word, self.source.words):
            entries = self.table.entries(np.array([self.source.number[other]], np.int32))
            best = sorted(entries, key=lambda entry: -self.table.scores[entry, 0])[:KIN_OPTIONS]
            found += [replace(self._option(a, a + 1, entry), unknown=True) for entry in best]
        return found

    def _option(self, a: int, b: int, entry: int) -> Option:
        table, names = self.table, self.target.words
        return Option(
            a,
            b,
            tuple(names[w] for w in table.target(entry).tolist()),
            tuple(table.scores[entry].tolist()),
            tuple(table.orientations[entry].tolist()),
        )

    def search(self, sentence: Sequence[str], options: Sequence[Option], count: int = 1) -> tuple[Derivation, ...]:
        return search(len(sentence), options, self.reading.model, self.reading.words.number, self.settings, count)

    def inner_links(self, words: Sequence[str], target: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """Which words of a phrase pair belong together where it was first seen: (source, target) places within the
        phrase; none for a pair that was not seen."""
        known = self.source.number
        key = np.array([known.get(word, known.get(word.lower(), -1)) for word in words], np.int32)
        wanted = tuple(self.target.number.get(word, -1) for word in target)
        table = self.table
        for entry in table.entries(key):
            if tuple(table.target(entry).tolist()) == wanted:
                break
        else:
            return ()
        at, target_at = int(table.source_at[entry]), int(table.at[entry])
        k = int(np.searchsorted(self.corpus.source_at, at, side="right")) - 1
        a, b = at - int(self.corpus.source_at[k]), target_at - int(self.corpus.target_at[k])
        links = self.links[self.links_at[k] : self.links_at[k + 1]].astype(int) - [a, b]
        inside = [(i, j) for i, j in links.tolist() if 0 <= i < len(words) and 0 <= j < len(wanted)]
        return tuple(inside)

    @property
    def parameters(self) -> int:
        """Scores and orientations of the phrase table, and one number for each n-gram."""
        return self.table.scores.size + self.table.orientations.size + len(self.reading.model.logp) + len(FEATURES)


def kin(word: str, words: Sequence[str]) -> list[str]:
    """Two known words (of a sorted list) at most that differ from `word` in their ending alone, the most alike first:
    either in an ending of English inflection after three letters or more, or in the last three letters of seven or
    more. None for names and numbers."""
    if not word.isalpha() or not word.islower() or len(word) < 3:
        return []
    found = []
    for place in range(bisect_left(words, word[:3]), len(words)):
        other = words[place]
        if not other.startswith(word[:3]):
            break
        same = next(
            (i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other))
        )
        ends = (word[same:], other[same:])
        if (ends[0] in ENDINGS and ends[1] in ENDINGS) or (same >= 5 and max(map(len, ends)) <= 2):
            found.append((len(ends[0]) + len(ends[1]), other))
    return [other for _, other in sorted(found)[:2]]


def _stemmed(corpus: Corpus, source: Vocabulary, target: Vocabulary) -> Corpus:
    """The corpus by the beginnings of its words: "dog" and "dogs" learn their translations together."""
    sides = []
    for vocabulary, words in ((source, corpus.source), (target, corpus.target)):
        _, number = np.unique([word.lower()[:STEM] for word in vocabulary.words], return_inverse=True)
        sides.append(number.astype(np.int32)[words])
    return Corpus(sides[0], corpus.source_at, sides[1], corpus.target_at)


def said(options: Sequence[Option], derivation: Derivation) -> list[str]:
    """The words of a derivation."""
    return [word for place in derivation.options for word in options[place].target]


def _ranked(model: PhraseModel, settings: Settings, x: Sequence[str], y: Sequence[str]) -> ranking.Ranked:
    options = model.options(x)
    found = search(len(x), options, model.reading.model, model.reading.words.number, settings, TUNING_LIST)
    truth = [word.lower() for word in y]
    counts: dict[tuple[str, ...], NDArray[np.float64]] = {}
    rows = []
    for derivation in found:
        words = tuple(word.lower() for word in said(options, derivation))
        if words not in counts:
            counts[words] = metric.matches(words, truth)
        rows.append(counts[words])
    statistics = np.stack(rows)
    gain = np.array([metric.sentence_bleu(row) for row in rows])
    return ranking.Ranked(np.array([d.features for d in found]), gain, statistics)


@dataclass(frozen=True)
class Fold:
    """Pairs to tune on, and a model of the others."""

    held: list[Pair]
    model: PhraseModel


def folds_of(pairs: Sequence[Pair], rng: np.random.Generator, progress: Progress) -> list[Fold]:
    """What tuning needs: with few pairs every tenth is left out once, with many one tenth is. At most TUNING pairs are
    tuned on."""
    order = rng.permutation(len(pairs))
    if len(pairs) >= FOLDED_BELOW:
        parts, most = [order[: min(TUNING, len(pairs) // FOLDS)]], TUNING
    else:
        parts, most = np.array_split(order, FOLDS), TUNING // FOLDS
    found = []
    for number, part in enumerate(parts, 1):
        progress((number - 1) / len(parts), f"aligning words and collecting phrases, part {number} of {len(parts)}")
        rest = [pairs[i] for i in np.setdiff1d(order, part)]
        if rest:
            found.append(Fold([pairs[i] for i in part[:most]], PhraseModel.fit(rest)))
    return found


def tune(folds: Sequence[Fold], start: Settings, rng: np.random.Generator, rounds: int, told: Progress) -> Settings:
    """Settings of highest BLEU on the folds' pairs; `start` where there are too few."""
    held = [(pair, fold.model) for fold in folds for pair in fold.held if pair[0]]
    if len(held) < FEWEST:
        return start
    turn = 0

    def decode(weights: NDArray[np.float64]) -> list[ranking.Ranked]:
        nonlocal turn
        settings = start.with_weights(weights)
        lists = []
        for place, ((x, y), model) in enumerate(held):
            lists.append(_ranked(model, settings, x, y))
            if place % 20 == 0:
                told((turn + place / len(held)) / (rounds + 1), f"tuning, round {turn + 1}")
        turn += 1
        return lists

    weights, _ = ranking.tuned(decode, metric.corpus_bleu, np.array(start.weights), WORDS, rng, rounds)
    return start.with_weights(weights)


def fit_with_folds(
    pairs: Sequence[Pair], rng: np.random.Generator, progress: Progress
) -> tuple[PhraseModel, list[Fold]]:
    """The tuned model of all pairs, and what it was tuned on."""
    folds = folds_of(pairs, rng, lambda f, s: progress(0.3 * f, s))
    settings = tune(folds, DEFAULT, rng, 4, lambda f, s: progress(0.3 + 0.5 * f, s))
    progress(0.8, "aligning words and collecting phrases of all pairs")
    return replace(PhraseModel.fit(pairs), settings=settings), folds


def fit(
    pairs: Sequence[Pair], rng: np.random.Generator, progress: Progress, monolingual: Sequence[Sequence[str]] = ()
) -> tuple[PhraseModel, PhraseModel]:
    """The tuned model of all pairs, and the same with a language model of `monolingual` (which holds the pairs' own
    target side) instead, tuned anew; the very same where that is no more text than in the pairs."""
    whole, folds = fit_with_folds(pairs, rng, lambda f, s: progress(0.6 * f, s))
    more = tuple(text for text in monolingual if text)
    if len(more) <= len(pairs):
        return whole, whole
    held = {tuple(y) for fold in folds for _, y in fold.held}
    unseen = tuple(text for text in more if tuple(text) not in held)
    # One language model for all folds: none has read what is tuned on.
    shared = replace(folds[0].model, more=unseen)
    wide = [Fold(fold.held, replace(fold.model, more=unseen, reader=shared.reading)) for fold in folds]
    settings = tune(wide, whole.settings, rng, 2, lambda f, s: progress(0.6 + 0.4 * f, s))
    return whole, replace(whole, more=more, settings=settings)


__all__: list[Any] = ["DEFAULT", "Fold", "PhraseModel", "Vocabulary", "fit", "fit_with_folds", "said"]
