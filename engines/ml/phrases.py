"""The phrase table: pairs of word sequences that a word-aligned corpus shows to be translations of each other.

Sources: Koehn, Och and Marcu 2003 (extraction, lexical weights); Foster, Kuhn and Johnson 2006 (Kneser-Ney smoothing of
phrase counts); Tillmann 2004 and Koehn et al. 2005 (orientation: monotone, swapped, discontinuous).

A table of everything is held as positions in the corpus that it comes from. What a model keeps is an abridged one,
whose "corpus" are the phrases themselves: phrases seen once are kept only where they are short. That costs next to
nothing (Johnson et al. 2007, "Improving translation quality by discarding most of the phrasetable"), is a quarter of
the size, and no sentence of the corpus stands in it whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from engines.ml.alignment import Corpus
from engines.ml.backoff import rounded
from engines.ml.ngram import discounts

LONGEST = 7  # words of a phrase, either side
SURE, SHORT = 2, (2, 3)  # a phrase pair seen fewer times than SURE is kept of so many words at most (source, target)
STEP = 0.1  # of an abridged table's logs: a tenth is less than what an estimate from few sightings is off by
ORIENTATION_PRIOR = 2.0  # how many sightings the orientations of all phrases together count as
SCORES = ("p(target|source)", "lex(target|source)", "p(source|target)", "lex(source|target)")
ORIENTATIONS = ("monotone", "swapped", "discontinuous")


@dataclass(frozen=True, eq=False)
class PhrasePairs:
    """Phrase pairs that stand for themselves: pair k is the k-th "sentence" of `corpus`, with the links
    links[links_at[k]:links_at[k + 1]] inside it; scores (pairs, 4) and orientations (pairs, 3) as in the table."""

    corpus: Corpus
    links: NDArray[np.int16]
    links_at: NDArray[np.int64]
    scores: NDArray[np.float32]
    orientations: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PhraseTable:
    """Source phrase i (of hash keys[i], growing) has the entries first[i]:first[i + 1]. Entry j reads the target words
    target[at[j]:at[j] + length[j]] of the corpus, the source side standing at source_at[j]; scores (entries, 4) and
    orientations (entries, 3) are natural logs, in the order of SCORES and ORIENTATIONS."""

    corpus: Corpus
    keys: NDArray[np.uint64]
    first: NDArray[np.int64]
    at: NDArray[np.int64]
    length: NDArray[np.int32]
    source_at: NDArray[np.int64]
    source_length: NDArray[np.int32]
    scores: NDArray[np.float32]
    orientations: NDArray[np.float32]
    counts: NDArray[np.int32]

    @classmethod
    def fit(cls, corpus: Corpus, links: NDArray[np.int16], links_at: NDArray[np.int64]) -> PhraseTable:
        """All phrase pairs that agree with the links; words that no pair covers alone get their links as pairs."""
        found = _extracted(corpus, links, links_at)
        if not len(found):
            return _empty(corpus)
        source_key, target_key = found[:, 0].view(np.uint64), found[:, 1].view(np.uint64)
        keys, source = np.unique(source_key, return_inverse=True)
        targets, target = np.unique(target_key, return_inverse=True)
        pair_keys = source * len(targets) + target
        pairs, first, number, counts = np.unique(pair_keys, return_index=True, return_inverse=True, return_counts=True)
        source, target = pairs // len(targets), pairs % len(targets)
        seen = found[first]
        ahead = _smoothed(counts, source, target, len(keys), len(targets))
        back = _smoothed(counts, target, source, len(targets), len(keys))
        table_ahead, table_back = _word_tables(corpus, links, links_at)
        lexical = np.empty((len(pairs), 2), np.float32)
        sentence = np.searchsorted(corpus.source_at, seen[:, 2], side="right") - 1
        _lexical(
            corpus.source, corpus.source_at, corpus.target, corpus.target_at, links, links_at, sentence, seen,
            *table_ahead, *table_back, lexical,
        )  # fmt: skip
        scores = np.stack([ahead, lexical[:, 0], back, lexical[:, 1]], 1).astype(np.float32)
        ways = np.stack([np.bincount(number, found[:, 6] == way, len(pairs)) for way in range(3)], 1)
        share = (ways.sum(0) + 1) / (ways.sum() + 3)
        orientations = (ways + ORIENTATION_PRIOR * share) / (counts + ORIENTATION_PRIOR)[:, None]
        starts = np.searchsorted(source, np.arange(len(keys) + 1)).astype(np.int64)
        return cls(
            corpus, keys, starts, seen[:, 4].copy(), seen[:, 5].astype(np.int32), seen[:, 2].copy(),
            seen[:, 3].astype(np.int32), scores, np.log(orientations).astype(np.float32), counts.astype(np.int32),
        )  # fmt: skip

    @classmethod
    def of(cls, pairs: PhrasePairs) -> PhraseTable:
        """The table of phrase pairs that stand for themselves; those of one source phrase keep their order."""
        corpus = pairs.corpus
        if not len(corpus):
            return _empty(corpus)
        keys, number = np.unique(_phrase_keys(corpus.source, corpus.source_at), return_inverse=True)
        order = np.argsort(number, kind="stable")
        starts = np.searchsorted(number[order], np.arange(len(keys) + 1)).astype(np.int64)
        return cls(
            corpus, keys, starts, corpus.target_at[:-1][order], np.diff(corpus.target_at)[order].astype(np.int32),
            corpus.source_at[:-1][order], np.diff(corpus.source_at)[order].astype(np.int32), pairs.scores[order],
            pairs.orientations[order], np.ones(len(order), np.int32),
        )  # fmt: skip

    def abridged(self, links: NDArray[np.int16], links_at: NDArray[np.int64]) -> PhrasePairs:
        """The pairs that are short or were seen more than once, in order of their words, with logs rounded to STEP.
        `links` and `links_at` are what the table was made from."""
        kept = (self.counts >= SURE) | ((self.source_length <= SHORT[0]) & (self.length <= SHORT[1]))
        ours = _padded(self.corpus.source, self.source_at[kept], self.source_length[kept])
        theirs = _padded(self.corpus.target, self.at[kept], self.length[kept])
        entries = np.flatnonzero(kept)[np.lexsort(np.concatenate([ours, theirs], 1).T[::-1])]
        sides = []
        for words, at, length in (
            (self.corpus.source, self.source_at, self.source_length),
            (self.corpus.target, self.at, self.length),
        ):
            sizes = length[entries].astype(np.int64)
            begin = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
            place = np.arange(begin[-1]) - np.repeat(begin[:-1], sizes) + np.repeat(at[entries], sizes)
            sides += [words[place], begin]
        found = _inside(
            self.corpus.source_at, self.corpus.target_at, links, links_at, self.source_at[entries],
            self.source_length[entries], self.at[entries], self.length[entries],
        )  # fmt: skip
        logs = rounded(self.scores[entries], STEP), rounded(self.orientations[entries], STEP)
        return PhrasePairs(Corpus(*sides), *found, *logs)

    def __len__(self) -> int:
        return len(self.at)

    def entries(self, words: NDArray[np.int32]) -> range:
        """The entries of one source phrase."""
        key = phrase_key(words)
        place = int(np.searchsorted(self.keys, key))
        if place == len(self.keys) or self.keys[place] != key:
            return range(0)
        return range(int(self.first[place]), int(self.first[place + 1]))

    def target(self, entry: int) -> NDArray[np.int32]:
        return self.corpus.target[self.at[entry] : self.at[entry] + self.length[entry]]


def _empty(corpus: Corpus) -> PhraseTable:
    none = np.zeros(0, np.int64)
    return PhraseTable(
        corpus, none.astype(np.uint64), np.zeros(1, np.int64), none, none.astype(np.int32), none, none.astype(np.int32),
        np.zeros((0, 4), np.float32), np.zeros((0, 3), np.float32), none.astype(np.int32),
    )  # fmt: skip


@njit(cache=True)
def extend_key(key, word):
    """The hash of a phrase, one word longer. 64 bits: two phrases of a million share one in 10 million corpora."""
    mixed = (key ^ np.uint64(word + 1)) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (mixed >> np.uint64(29))


@njit(cache=True)
def phrase_key(words):
    # The length is spread over all bits: left small, it would cancel against a word of a small number.
    key = np.uint64(len(words)) * np.uint64(0xD6E8FEB86659FD93)
    for word in words:
        key = extend_key(key, word)
    return key


@njit(cache=True)
def _phrase_keys(words, at):
    keys = np.empty(len(at) - 1, np.uint64)
    for k in range(len(keys)):
        keys[k] = phrase_key(words[at[k] : at[k + 1]])
    return keys


def _padded(words: NDArray[np.int32], at: NDArray[np.int64], length: NDArray[np.int32]) -> NDArray[np.int32]:
    """The words of phrases, (phrases, LONGEST), -1 beyond their ends."""
    place = np.arange(LONGEST)
    inside = place < length[:, None]
    return np.where(inside, words[np.where(inside, at[:, None] + place, 0)], -1)


@njit(cache=True)
def _inside(source_at, target_at, links, links_at, ours, our_length, theirs, their_length):
    """The links inside phrases that stand at `ours` and `theirs` in the corpus, counted from the phrases' own
    beginnings, and where those of each begin."""
    found, starts = np.empty((7 * len(ours) + 16, 2), np.int16), np.zeros(len(ours) + 1, np.int64)
    count = 0
    for p in range(len(ours)):
        k = np.searchsorted(source_at, ours[p], side="right") - 1
        a, b = ours[p] - source_at[k], theirs[p] - target_at[k]
        for at in range(links_at[k], links_at[k + 1]):
            i, j = links[at, 0] - a, links[at, 1] - b
            if 0 <= i < our_length[p] and 0 <= j < their_length[p]:
                if count == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[count, 0], found[count, 1] = i, j
                count += 1
        starts[p + 1] = count
    return found[:count].copy(), starts


@njit(cache=True)
def span_keys(words):
    """The hash of every span of up to LONGEST words, and the spans (begin, end), as far as no word is below 0."""
    spans, keys = np.empty((len(words) * LONGEST, 2), np.int64), np.empty(len(words) * LONGEST, np.uint64)
    count = 0
    for a in range(len(words)):
        for b in range(a + 1, min(len(words), a + LONGEST) + 1):
            if words[b - 1] < 0:
                break
            spans[count, 0], spans[count, 1] = a, b
            keys[count] = phrase_key(words[a:b])
            count += 1
    return spans[:count], keys[:count]


def _extracted(corpus: Corpus, links: NDArray[np.int16], links_at: NDArray[np.int64]) -> NDArray[np.int64]:
    arguments = (corpus.source, corpus.source_at, corpus.target, corpus.target_at, links, links_at)
    rows = np.empty((max(16, 12 * len(corpus.target)), 7), np.int64)
    count = _extract(*arguments, rows)
    if count > len(rows):
        rows = np.empty((count, 7), np.int64)
        _extract(*arguments, rows)
    rows = rows[:count]
    alone = np.zeros(int(corpus.source.max(initial=0)) + 1, np.bool_)
    alone[corpus.source[rows[rows[:, 3] == 1, 2]]] = True
    more = _leftovers(*arguments, alone)
    return np.concatenate([rows, more]) if len(more) else rows


@njit(cache=True)
def _extract(source, source_at, target, target_at, links, links_at, rows):
    """Rows: source hash, target hash, source position, its length, target position, its length, orientation. Gives how
    many there are, which may be more than fit."""
    count = 0
    for k in range(len(source_at) - 1):
        n, m = source_at[k + 1] - source_at[k], target_at[k + 1] - target_at[k]
        linked = np.zeros((n, m), np.bool_)
        low, high = np.full(n, m, np.int64), np.full(n, -1, np.int64)  # what each source word is linked to
        left, right = np.full(m, n, np.int64), np.full(m, -1, np.int64)
        for at in range(links_at[k], links_at[k + 1]):
            i, j = links[at, 0], links[at, 1]
            linked[i, j] = True
            low[i], high[i] = min(low[i], j), max(high[i], j)
            left[j], right[j] = min(left[j], i), max(right[j], i)
        for a in range(n):
            first, last = m, -1
            for b in range(a, min(n, a + LONGEST)):
                first, last = min(first, low[b]), max(last, high[b])
                if last < 0 or last - first >= LONGEST:
                    continue
                agrees = True
                for j in range(first, last + 1):
                    if right[j] >= 0 and (left[j] < a or right[j] > b):
                        agrees = False
                        break
                if not agrees:
                    continue
                start = first
                while True:
                    stop = last
                    while stop - start < LONGEST:
                        if count < len(rows):
                            if start == 0:
                                way = 0 if a == 0 else 2
                            elif a > 0 and linked[a - 1, start - 1]:
                                way = 0
                            elif b + 1 < n and linked[b + 1, start - 1]:
                                way = 1
                            else:
                                way = 2
                            ours, theirs = source_at[k] + a, target_at[k] + start
                            rows[count, 0] = np.int64(phrase_key(source[ours : ours + b + 1 - a]))
                            rows[count, 1] = np.int64(phrase_key(target[theirs : theirs + stop + 1 - start]))
                            rows[count, 2], rows[count, 3] = source_at[k] + a, b + 1 - a
                            rows[count, 4], rows[count, 5] = target_at[k] + start, stop + 1 - start
                            rows[count, 6] = way
                        count += 1
                        stop += 1
                        if stop >= m or right[stop] >= 0:
                            break
                    start -= 1
                    if start < 0 or right[start] >= 0 or last - start >= LONGEST:
                        break
    return count


@njit(cache=True)
def _leftovers(source, source_at, target, target_at, links, links_at, alone):
    """The links of words that stand alone in no phrase pair, each as a pair of single words."""
    rows = np.empty((len(links), 7), np.int64)
    count = 0
    for k in range(len(source_at) - 1):
        for at in range(links_at[k], links_at[k + 1]):
            i, j = source_at[k] + links[at, 0], target_at[k] + links[at, 1]
            if not alone[source[i]]:
                rows[count, 0] = np.int64(phrase_key(source[i : i + 1]))
                rows[count, 1] = np.int64(phrase_key(target[j : j + 1]))
                rows[count, 2], rows[count, 3], rows[count, 4], rows[count, 5], rows[count, 6] = i, 1, j, 1, 0
                count += 1
    return rows[:count].copy()


def _smoothed(counts, given, other, givens, others):
    """log p(other | given): Kneser-Ney over phrase counts, backing off to in how many pairs `other` takes part."""
    cut = np.array(discounts(np.bincount(counts[counts <= 4], minlength=5).astype(np.float64)))
    taken = np.minimum(cut[np.clip(counts, 1, 3) - 1], counts)
    total = np.bincount(given, counts, givens)
    rest = np.bincount(given, taken, givens) / total
    spread = np.bincount(other, minlength=others) / len(counts)
    return np.log((counts - taken) / total[given] + rest[given] * spread[other])


def _word_tables(corpus: Corpus, links: NDArray[np.int16], links_at: NDArray[np.int64]):
    """Both ways: ((sorted keys, probability of each)). A word without links is linked to null, number 0; others are
    counted from 1."""
    sentence = np.repeat(np.arange(len(links_at) - 1), np.diff(links_at))
    i = corpus.source_at[sentence] + links[:, 0]
    j = corpus.target_at[sentence] + links[:, 1]
    source, target = corpus.source[i] + 1, corpus.target[j] + 1
    lone_source = corpus.source[np.setdiff1d(np.arange(len(corpus.source)), i)] + 1
    lone_target = corpus.target[np.setdiff1d(np.arange(len(corpus.target)), j)] + 1
    a = np.concatenate([source, lone_source, np.zeros(len(lone_target), np.int32)]).astype(np.int64)
    b = np.concatenate([target, np.zeros(len(lone_source), np.int32), lone_target]).astype(np.int64)
    return _conditional(a, b), _conditional(b, a)


def _conditional(given, word):
    keys, counts = np.unique(given << 32 | word, return_counts=True)
    total = np.bincount(keys >> 32, counts)
    return keys, counts / total[keys >> 32]


@njit(cache=True)
def _word(keys, probabilities, given, word):
    place = np.searchsorted(keys, np.int64(given) << 32 | np.int64(word))
    if place < len(keys) and keys[place] == (np.int64(given) << 32 | np.int64(word)):
        return probabilities[place]
    return 1e-7


@njit(cache=True)
def _lexical(
    source, source_at, target, target_at, links, links_at, sentence, seen, keys, probabilities, back_keys,
    back_probabilities, out,
):  # fmt: skip
    """Lexical weights of each pair where it was first seen: every word by the mean over the words it is linked to."""
    for p in range(len(seen)):
        k = sentence[p]
        a, b = seen[p, 2] - source_at[k], seen[p, 4] - target_at[k]
        n, m = seen[p, 3], seen[p, 5]
        ahead, ahead_of = np.zeros(m), np.zeros(m)
        back, back_of = np.zeros(n), np.zeros(n)
        for at in range(links_at[k], links_at[k + 1]):
            i, j = links[at, 0] - a, links[at, 1] - b
            if 0 <= i < n and 0 <= j < m:
                s, t = source[seen[p, 2] + i] + 1, target[seen[p, 4] + j] + 1
                ahead[j] += _word(keys, probabilities, s, t)
                ahead_of[j] += 1
                back[i] += _word(back_keys, back_probabilities, t, s)
                back_of[i] += 1
        total = 0.0
        for j in range(m):
            t = target[seen[p, 4] + j] + 1
            total += np.log(ahead[j] / ahead_of[j] if ahead_of[j] else _word(keys, probabilities, 0, t))
        out[p, 0] = total
        total = 0.0
        for i in range(n):
            s = source[seen[p, 2] + i] + 1
            total += np.log(back[i] / back_of[i] if back_of[i] else _word(back_keys, back_probabilities, 0, s))
        out[p, 1] = total
