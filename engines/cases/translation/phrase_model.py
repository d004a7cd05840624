"""The traditional chain between tokens and tokens: alignment, phrase table, language model, search, tuning."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engines.cases.translation import metric
from engines.cases.translation.text import numeral
from engines.core import Progress, UserError
from engines.core.wording import Option
from engines.ml import ranking
from engines.ml.alignment import Corpus, align
from engines.ml.backoff import BackoffModel
from engines.ml.phrases import STEP, PhrasePairs, PhraseTable, span_keys
from engines.ml.stack_decoder import FEATURES, LONGEST_SENTENCE, WORDS, Derivation, Settings, search

Pair = tuple[Sequence[str], Sequence[str]]
ORDER = 5
TOP = 20  # options a source phrase
TUNING_LIST = 60
ENDINGS = frozenset(("", "s", "es", "e", "ed", "d", "ing", "er", "ers", "y", "ies", "ied", "ly", "n", "en"))
STEM = 4  # letters that words are aligned by
KIN_OPTIONS = 3  # of each word that is like an unknown one
# From so many sentences on the language model leaves out what stands together but once, of three words and more.
# Without that some sentences can be read back by following the likeliest words; with fewer it would cost half a BLEU.
ABRIDGED_FROM = 500
# FEATURES' weights before tuning, and with few pairs the final ones: the middle of those that tuning found from equal
# weights with 300 and 3,000 pairs of other seeds than a sweep's.
DEFAULT = Settings((0.23, 0.16, 0.34, 0.07, 0.09, 0.03, 0.08, 0.10, 0.14, 0.45, 0.08, -1.26), beam=80, pops=160)
_KNOWN = np.log(0.5)  # what a copied word scores in each of the table's columns
# Fewer pairs than TUNED_FROM are too few to tune on: fixed weights, and all pairs in the table, translate better.
TUNED_FROM, TUNING, SHARE, FEWEST = 1_500, 1_200, 10, 20
PRIOR = 100.0  # pairs of candidates that the weights before tuning are worth


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

    @classmethod
    def of(cls, texts: Sequence[Sequence[str]]) -> Self:
        """Of tokenised sentences."""
        words = Vocabulary.of(texts)
        least = 2 if len(texts) >= ABRIDGED_FROM else 1
        model = BackoffModel.fit([words.encode(text) for text in texts], len(words.words), ORDER, least)
        return cls(words, model.rounded(STEP))


@dataclass(frozen=True, eq=False)
class PhraseModel:
    """Phrase pairs, a language model, and how the search weighs them. It keeps no sentence that it was made from."""

    source: Vocabulary
    target: Vocabulary
    pairs: PhrasePairs
    reading: Reading
    settings: Settings = DEFAULT

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
        kept = PhraseTable.fit(corpus, links, at).abridged(links, at)
        # Words that no kept phrase holds are unknown: the rest is numbered anew.
        used, ours = np.unique(kept.corpus.source, return_inverse=True)
        used_target, theirs = np.unique(kept.corpus.target, return_inverse=True)
        phrases = Corpus(ours.astype(np.int32), kept.corpus.source_at, theirs.astype(np.int32), kept.corpus.target_at)
        return cls(
            Vocabulary(tuple(source.words[i] for i in used)),
            Vocabulary(tuple(target.words[i] for i in used_target)),
            replace(kept, corpus=phrases),
            Reading.of([y for _, y in pairs]),
        )

    @cached_property
    def table(self) -> PhraseTable:
        return PhraseTable.of(self.pairs)

    def options(self, sentence: Sequence[str]) -> tuple[Option, ...]:
        """Ways to translate every span of a tokenised sentence, best first within a span. A word that the table lacks
        is looked for in lower case and then passed through as it is. A number in digits stays in every translation: of
        few pairs the table has learned it as whatever stood beside it."""
        number = self.source.number
        words = [number.get(word, number.get(word.lower(), -1)) for word in sentence]
        numerals = [i for i, word in enumerate(sentence) if numeral(word)]
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
            rank = np.argsort(-(table.scores[first:last] @ weights), kind="stable") + first
            offered = (self._option(a, b, entry) for entry in rank.tolist())
            kept = {sentence[i] for i in numerals if a <= i < b}
            some = list(islice((option for option in offered if kept.issubset(option.target)), TOP))
            found += some
            if b - a == 1 and some:
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

    def search(
        self, sentence: Sequence[str], options: Sequence[Option], count: int = 1, among: int = 0
    ) -> tuple[Derivation, ...]:
        numbers = self.reading.words.number
        return search(len(sentence), options, self.reading.model, numbers, self.settings, count, among)

    def inner_links(self, words: Sequence[str], target: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """Which words of a phrase pair belong together where it was first seen: (source, target) places within the
        phrase; none for a pair that the table lacks."""
        known = self.source.number
        key = np.array([known.get(word, known.get(word.lower(), -1)) for word in words], np.int32)
        wanted = tuple(self.target.number.get(word, -1) for word in target)
        table = self.table
        for entry in table.entries(key):
            if tuple(table.target(entry).tolist()) == wanted:
                break
        else:
            return ()
        pair = int(np.searchsorted(self.pairs.corpus.source_at, table.source_at[entry]))
        first, last = self.pairs.links_at[pair : pair + 2]
        return tuple((i, j) for i, j in self.pairs.links[first:last].tolist())

    @property
    def parameters(self) -> int:
        """Scores and orientations of the phrase table, and one number for each n-gram."""
        return self.table.scores.size + self.table.orientations.size + len(self.reading.model.logp) + len(FEATURES)


def kin(word: str, words: Sequence[str]) -> list[str]:
    """Two known words (of a sorted list) at most that differ from `word` in their ending alone, the most alike first:
    either in an ending of English inflection after three letters or more, or in two letters at most after five or more.
    None for names and numbers."""
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


def held_out(pairs: Sequence[Pair], rng: np.random.Generator, progress: Progress) -> Fold:
    """A tenth of the pairs, at most TUNING, and a model of the others."""
    order = rng.permutation(len(pairs))
    held, rest = np.split(order, [min(TUNING, len(pairs) // SHARE)])
    progress(0.0, "aligning words and collecting phrases to tune with")
    return Fold([pairs[i] for i in held], PhraseModel.fit([pairs[i] for i in rest]))


def tune(fold: Fold, start: Settings, rng: np.random.Generator, rounds: int, told: Progress) -> Settings:
    """Settings of highest BLEU on the fold's held pairs; `start` where there are too few that can be searched."""
    held = [pair for pair in fold.held if 0 < len(pair[0]) <= LONGEST_SENTENCE]
    if len(held) < FEWEST:
        return start
    turn = 0

    def decode(weights: NDArray[np.float64]) -> list[ranking.Ranked]:
        nonlocal turn
        settings = start.with_weights(weights)
        lists = []
        for place, (x, y) in enumerate(held):
            lists.append(_ranked(fold.model, settings, x, y))
            if place % 20 == 0:
                told((turn + place / len(held)) / (rounds + 1), f"tuning, round {turn + 1}")
        turn += 1
        return lists

    weights, _ = ranking.tuned(decode, metric.corpus_bleu, np.array(start.weights), WORDS, rng, rounds, PRIOR)
    return start.with_weights(weights)


def tuned(count: int, fold: Fold, rng: np.random.Generator, progress: Progress) -> Settings:
    """Settings for a model of `count` pairs, from the fold's held ones; fixed, where pairs are few."""
    return tune(fold, DEFAULT, rng, 4, progress) if count >= TUNED_FROM else DEFAULT


def fit(
    pairs: Sequence[Pair], rng: np.random.Generator, progress: Progress, monolingual: Sequence[Sequence[str]] = ()
) -> tuple[PhraseModel, PhraseModel]:
    """The model of all pairs, and the same with a language model of `monolingual` (which holds the pairs' own target
    side) instead, tuned anew where anything is; the very same where that is no more text than in the pairs."""
    fold, settings = None, DEFAULT
    if len(pairs) >= TUNED_FROM:
        fold = held_out(pairs, rng, progress)
        settings = tuned(len(pairs), fold, rng, lambda f, s: progress(0.1 + 0.4 * f, s))
    progress(0.5, "aligning words and collecting phrases of all pairs")
    whole = replace(PhraseModel.fit(pairs), settings=settings)
    more = [text for text in monolingual if text]
    if len(more) <= len(pairs):
        return whole, whole
    progress(0.6, "reading the monolingual text")
    reading, wide = Reading.of(more), settings
    if fold is not None:
        held = {tuple(y) for _, y in fold.held}
        unseen = Reading.of([text for text in more if tuple(text) not in held])
        other = Fold(fold.held, replace(fold.model, reading=unseen))
        wide = tune(other, settings, rng, 2, lambda f, s: progress(0.6 + 0.4 * f, s))
    return whole, replace(whole, reading=reading, settings=wide)


__all__: list[Any] = ["DEFAULT", "Fold", "PhraseModel", "Reading", "Vocabulary", "fit", "said", "tuned"]
