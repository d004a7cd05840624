"""Interpolated modified Kneser-Ney n-grams as arrays, for long histories over an open vocabulary.

The same estimate as `ngram.NgramModel` (Chen and Goodman 1999), a hundred times as fast: counting and smoothing are
sorts of arrays, and a word's probability is one look-up in a hash table of (history, word) for each step of backing
off. A word never seen has what the unigrams leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray

from engines.ml.ngram import discounts

FREE = 2  # n-grams of so many words are kept however rare


@dataclass(frozen=True, eq=False)
class Grams:
    """The n-grams of one length: the `word` that ends each and, in `prefix`, which gram one word shorter stands before
    it; sorted by both. `logp` natural log of P(word | prefix), `backoff` of what the gram leaves to shorter ones as a
    history. The beginning of a sentence is the word `words + 2`."""

    prefix: NDArray[np.int32]
    word: NDArray[np.int32]
    logp: NDArray[np.float32]
    backoff: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BackoffModel:
    """P(word | history) over the words 0..words-1; `words` itself is the unknown word, `words + 1` the end.

    A state is a history that was seen; state 0 is the empty one. `keys` and `arcs` are the hash table: keys[slot] is
    state * (words + 2) + word or -1, arcs[slot] numbers an arc, which has a log probability and the state after it.
    """

    order: int
    words: int
    start: int
    keys: NDArray[np.int64]
    arcs: NDArray[np.int32]
    logp: NDArray[np.float32]
    after: NDArray[np.int32]
    backoff: NDArray[np.float32]  # of each state
    shorter: NDArray[np.int32]  # the state with the history's first word forgotten; -1 for the empty one
    grams: tuple[Grams, ...]  # what all of it follows from, by length
    unseen: float  # natural log probability of a word never seen

    @property
    def unknown(self) -> int:
        return self.words

    @property
    def end(self) -> int:
        return self.words + 1

    @classmethod
    def fit(cls, sentences: Sequence[NDArray[np.int32]], words: int, order: int = 5, least: int = 1) -> BackoffModel:
        """`sentences`: arrays of words. Of n-grams longer than FREE words those that occur fewer than `least` times are
        left out, what they would have had going to shorter ones."""
        return _fit(sentences, words, order, least)

    @classmethod
    def of(cls, grams: Sequence[Grams], words: int, unseen: float) -> BackoffModel:
        """The model of its n-grams. With every gram the one without its first word must be there too."""
        return _automaton(grams, words, unseen)

    def rounded(self, step: float) -> BackoffModel:
        """The same with its logs rounded to the first 256 multiples of -`step`."""
        grams = [
            Grams(each.prefix, each.word, rounded(each.logp, step), rounded(each.backoff, step)) for each in self.grams
        ]
        return self.of(grams, self.words, self.unseen)

    def step(self, state: int, word: int) -> tuple[float, int]:
        """Natural log probability of a word after a state, and the state then."""
        logp, after = look_up(self.keys, self.arcs, self.logp, self.after, self.backoff, self.shorter, self.words + 2,
                              state, word)  # fmt: skip
        return float(logp), int(after)

    def logprob(self, sentence: Sequence[int]) -> float:
        """Natural log probability of a sentence, its end included."""
        state, total = self.start, 0.0
        for word in (*sentence, self.end):
            logp, state = self.step(state, word)
            total += logp
        return total

    @cached_property
    def tables(self) -> tuple[NDArray, ...]:
        """What compiled code looks words up in."""
        return self.keys, self.arcs, self.logp, self.after, self.backoff, self.shorter


def rounded(logs: NDArray[np.floating], step: float) -> NDArray[np.float32]:
    """Logs of at most 0, rounded to the first 256 multiples of -`step`."""
    return (np.clip(np.rint(logs / -step), 0, 255) * -step).astype(np.float32)


@njit(cache=True)
def look_up(keys, arcs, logp, after, backoff, shorter, width, state, word):
    """(log probability, state after) of `word` in `state`. `width` is the number of words with unknown and end."""
    total = 0.0
    mask = len(keys) - 1
    while True:
        key = np.int64(state) * width + word
        slot = _slot(key, mask)
        while keys[slot] != key:
            if keys[slot] == -1:
                break
            slot = (slot + 1) & mask
        if keys[slot] == key:
            arc = arcs[slot]
            return total + logp[arc], after[arc]
        total += backoff[state]
        state = shorter[state]


@njit(cache=True, inline="always")
def _slot(key, mask):
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed >> np.uint64(20)) & mask


@njit(cache=True)
def _hashed(found, keys, arcs):
    mask = len(keys) - 1
    for arc in range(len(found)):
        slot = _slot(found[arc], mask)
        while keys[slot] != -1:
            slot = (slot + 1) & mask
        keys[slot] = found[arc]
        arcs[slot] = arc


def _fit(sentences: Sequence[NDArray[np.int32]], words: int, order: int, least: int) -> BackoffModel:
    width, begin, end = words + 3, words + 2, words + 1
    lengths = np.array([len(s) + 2 for s in sentences if len(s)], np.int64)
    flat = np.concatenate([np.concatenate([[begin], s, [end]]) for s in sentences if len(s)] or [np.zeros(0)])
    flat = flat.astype(np.int64)
    place = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)  # within its sentence
    # ids[k][p]: number of the (k + 1)-gram that ends at p, -1 where the sentence is too young for it.
    ids: list[NDArray[np.int64]] = []
    last: list[NDArray[np.int64]] = []  # of each distinct (k + 1)-gram one position where it ends
    for k in range(order):
        known = place >= k
        if k == 0:
            keys = flat[known]
        else:
            positions = np.flatnonzero(known)
            keys = ids[k - 1][positions - 1] * width + flat[positions]
        _, first, number = np.unique(keys, return_index=True, return_inverse=True)
        found = np.full(len(flat), -1, np.int64)
        found[known] = number
        ids.append(found)
        last.append(np.flatnonzero(known)[first])
    levels = [_level(k, order, flat, place, ids, last, begin) for k in range(order)]
    # From the shortest on: probabilities, and what each history leaves to shorter ones.
    uniform = 1.0 / (words + 2)
    prob: list[NDArray[np.float64]] = []
    left: list[NDArray[np.float64]] = []
    kept: list[NDArray[np.bool_]] = []
    for k, (prefix, suffix, count, raw, histories) in enumerate(levels):
        keep = (raw >= least) | (k < FREE)
        cut = np.array(discounts(_counted(count)))
        taken = np.where(keep, np.minimum(cut[np.clip(count, 1, 3) - 1], count), count)
        total = np.bincount(prefix, count, histories)
        rest = np.bincount(prefix, taken, histories) / np.maximum(total, 1)
        below = uniform if k == 0 else prob[k - 1][suffix]
        prob.append((count - taken) / np.maximum(total[prefix], 1) + rest[prefix] * below)
        left.append(rest)
        kept.append(keep)
    grams = []
    renumbered = np.zeros(1, np.int64)
    for k, (prefix, _, count, _, _) in enumerate(levels):
        keep = kept[k]
        leaves = left[k + 1] if k + 1 < order else np.ones(len(count))
        # The beginning of a sentence is a history, and never what comes next.
        logs = np.where(count > 0, np.log(np.maximum(prob[k], 1e-30)), 0.0)
        grams.append(
            Grams(
                renumbered[prefix[keep]].astype(np.int32),
                flat[last[k]][keep].astype(np.int32),
                logs[keep].astype(np.float32),
                np.log(np.maximum(leaves, 1e-30))[keep].astype(np.float32),
            )
        )
        renumbered = np.cumsum(keep) - 1
    rest = float(left[0][0]) if len(flat) else 1.0
    return BackoffModel.of(grams, words, float(np.log(max(rest, 1e-30) * uniform)))


def _level(k, order, flat, place, ids, last, begin):
    """Of (k + 1)-grams: the number of the history, of the gram without its first word, the count (0 for the lone
    BEGIN) that Kneser-Ney goes by, how often it occurs, and how many histories there may be."""
    ends = last[k]
    prefix = ids[k - 1][ends - 1] if k else np.zeros(len(ends), np.int64)
    suffix = ids[k - 1][ends] if k else np.zeros(len(ends), np.int64)
    raw = np.bincount(ids[k][ids[k] >= 0], minlength=len(ends))
    if k + 1 < order:
        longer = last[k + 1]
        count = np.bincount(ids[k][longer], minlength=len(ends))  # how many different words stand before
        from_start = place[ends] == k
        begins = np.zeros(len(ends), bool)
        begins[ids[k][np.flatnonzero(place == k)]] = True  # grams that begin with BEGIN occur nowhere else
        count = np.where(begins | from_start, raw, count)
    else:
        count = raw
    if k == 0:
        count = np.where(flat[ends] == begin, 0, count)
    return prefix, suffix, count, raw, len(last[k - 1]) if k else 1


def _counted(count: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many grams have a count of 0 (ignored), 1, 2, 3 and 4."""
    return np.bincount(count[count <= 4], minlength=5).astype(np.float64)


def _automaton(grams: Sequence[Grams], words: int, unseen: float) -> BackoffModel:
    order, width = len(grams), words + 3
    # The number of each gram without its first word, one level below: there, since it occurs as often at least.
    suffix: list[NDArray[np.int64]] = [np.zeros(len(grams[0].word), np.int64)]
    for k in range(1, order):
        below = grams[k - 1]
        keys = below.prefix.astype(np.int64) * width + below.word
        wanted = suffix[k - 1][grams[k].prefix] if k > 1 else 0
        suffix.append(np.searchsorted(keys, wanted * width + grams[k].word))
    # States: the empty history, then every gram of order - 1 words or fewer that is a history of something.
    state_of: list[NDArray[np.int64]] = []
    states = 1
    for k in range(order - 1):
        is_history = np.zeros(len(grams[k].word), bool)
        is_history[grams[k + 1].prefix] = True
        number = np.full(len(is_history), -1, np.int64)
        number[is_history] = states + np.arange(is_history.sum())
        states += int(is_history.sum())
        state_of.append(number)
    backoff, shorter = np.zeros(states, np.float32), np.full(states, -1, np.int32)
    for k in range(order - 1):
        kept = np.flatnonzero(state_of[k] >= 0)
        backoff[state_of[k][kept]] = grams[k].backoff[kept]
        shorter[state_of[k][kept]] = _longest(k - 1, suffix[k][kept], state_of, suffix) if k else 0
    found, logs, after = [], [], []
    for k, level in enumerate(grams):
        seen = np.flatnonzero(level.word != words + 2)
        history = state_of[k - 1][level.prefix[seen]] if k else np.zeros(len(seen), np.int64)
        found.append(history * (words + 2) + level.word[seen])
        logs.append(level.logp[seen])
        whole = k < order - 1
        after.append(_longest(k if whole else k - 1, seen if whole else suffix[k][seen], state_of, suffix))
    # Words that were never seen, and the unknown word, which never is.
    never = np.setdiff1d(np.arange(words + 2), grams[0].word)
    found.append(never)
    logs.append(np.full(len(never), unseen, np.float32))
    after.append(np.zeros(len(never), np.int64))
    keys_found = np.concatenate(found)
    size = 1 << int(np.ceil(np.log2(max(8, 2 * len(keys_found)))))
    keys, arcs = np.full(size, -1, np.int64), np.zeros(size, np.int32)
    _hashed(keys_found, keys, arcs)
    starts = np.flatnonzero(grams[0].word == words + 2)
    start = int(state_of[0][starts[0]]) if order > 1 and len(starts) and state_of[0][starts[0]] >= 0 else 0
    return BackoffModel(
        order, words, start, keys, arcs, np.concatenate(logs).astype(np.float32),
        np.concatenate(after).astype(np.int32), backoff, shorter, tuple(grams), unseen,
    )  # fmt: skip


def _longest(
    level: int, at: NDArray[np.int64], state_of: list[NDArray[np.int64]], suffix: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """The state of each of the grams `at` of a level, or of the longest of its ends that is one; 0 where none is."""
    out, open_ = np.zeros(len(at), np.int64), np.arange(len(at))
    for k in range(level, -1, -1):
        state = state_of[k][at]
        out[open_[state >= 0]] = state[state >= 0]
        open_, at = open_[state < 0], suffix[k][at[state < 0]]
    return out
