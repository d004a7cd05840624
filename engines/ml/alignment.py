"""Word alignment: IBM model 1, then a hidden Markov model, both directions in agreement, grow-diag-final-and.

Sources: Brown et al. 1993 (IBM 1); Vogel, Ney and Tillmann 1996 and Och and Ney 2003 (HMM with a null state for every
position); Mermer and Riley 2011 and Riley and Gildea 2012 (a sparse Dirichlet prior on translations, by variational
Bayes, which keeps rare words from collecting garbage); Liang, Taskar and Klein 2006 (alignment by agreement); Koehn,
Och and Marcu 2003 (symmetrisation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import digamma

NULL_SHARE = 0.2  # prior probability that a target word comes from no source word
REACH = 8  # jumps further than this share one probability
# Of the Dirichlet over translations of a word: PRIOR_PAIRS by the number of pairs, within PRIORS. With few pairs a
# sparser one ties rare words to whatever stands beside them.
PRIOR_PAIRS, PRIORS = 45, (0.03, 0.15)
IBM1_ROUNDS, APART, TOGETHER = 5, 3, 3


@dataclass(frozen=True)
class Corpus:
    """Sentence pairs as numbers: words of sentence k are source[source_at[k]:source_at[k + 1]] and the same of
    target."""

    source: NDArray[np.int32]
    source_at: NDArray[np.int64]
    target: NDArray[np.int32]
    target_at: NDArray[np.int64]

    @classmethod
    def of(cls, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Corpus:
        sides = []
        for side in (0, 1):
            sizes = [len(pair[side]) for pair in pairs]
            flat = np.fromiter((w for pair in pairs for w in pair[side]), np.int32, sum(sizes))
            sides += [flat, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)]
        return cls(*sides)

    def __len__(self) -> int:
        return len(self.source_at) - 1

    @property
    def turned(self) -> Corpus:
        return Corpus(self.target, self.target_at, self.source, self.source_at)


def align(corpus: Corpus) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Links (source position, target position) of every sentence, (links, 2), and where each sentence's begin,
    (sentences + 1,).

    Both directions are learned apart at first and then together: from round APART on, what a direction counts for a
    link is the product of both directions' posteriors, so that each learns from what the other agrees with.
    """
    sides = (_Side.of(corpus), _Side.of(corpus.turned))
    prior = float(np.clip(PRIOR_PAIRS / max(1, len(corpus)), *PRIORS))
    tables = [_first(side, prior) for side in sides]
    jumps = [np.ones(2 * REACH + 1) / (2 * REACH + 1)] * 2
    best = [np.empty(len(side.corpus.target), np.int16) for side in sides]
    partner = _partner(corpus.source_at, corpus.target_at, sides[0].at, sides[1].at)
    linked = partner >= 0
    for turn in range(APART + TOGETHER):
        seen = [np.zeros(len(side.cells)) for side in sides]
        for way, side in enumerate(sides):
            moves = np.zeros(len(jumps[way]))
            _hmm(*side.where, side.cells, side.at, tables[way], jumps[way], seen[way], moves, best[way])
            jumps[way] = (moves + 0.5) / (moves + 0.5).sum()
        if turn >= APART:
            both = seen[0][linked] * seen[1][partner[linked]]
            seen[0][linked], seen[1][partner[linked]] = both, both
        tables = [_normalised(np.bincount(side.cells, seen[way], side.size), side.owner, prior)
                  for way, side in enumerate(sides)]  # fmt: skip
    return symmetrise(corpus.source_at, corpus.target_at, *best)


@dataclass(frozen=True)
class _Side:
    """One direction. Every pair of a source word (or null, which comes first) and a target word of one sentence is a
    cell; equal pairs share a number: `cells`, the number of each, where each sentence's begin, the source word of each
    number, and how many numbers there are."""

    corpus: Corpus
    cells: NDArray[np.int32]
    at: NDArray[np.int64]
    owner: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, corpus: Corpus) -> _Side:
        return cls(corpus, *_cells(corpus))

    @property
    def where(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.corpus.source_at, self.corpus.target_at


def _first(side: _Side, prior: float) -> NDArray[np.float64]:
    """Translation probabilities by IBM model 1."""
    table = np.full(side.size, 1.0 / max(1, len(np.unique(side.corpus.target))))
    for _ in range(IBM1_ROUNDS):
        counts = np.zeros(side.size)
        _ibm1(*side.where, side.cells, side.at, table, counts)
        table = _normalised(counts, side.owner, prior)
    return table


def _cells(corpus: Corpus) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], int]:
    """The fields of a `_Side`."""
    ours, theirs = np.diff(corpus.source_at) + 1, np.diff(corpus.target_at)
    at = np.concatenate([[0], np.cumsum(ours * theirs)]).astype(np.int64)
    width = int(corpus.target.max(initial=0)) + 1
    keys = np.empty(at[-1], np.int64)
    _keys(corpus.source, corpus.source_at, corpus.target, corpus.target_at, at, width, keys)
    unique, cells = np.unique(keys, return_inverse=True)
    return cells.astype(np.int32), at, unique // width, len(unique)


@njit(cache=True)
def _keys(source, source_at, target, target_at, at, width, keys):
    for k in range(len(source_at) - 1):
        place = at[k]
        for i in range(source_at[k] - 1, source_at[k + 1]):
            word = 0 if i < source_at[k] else source[i] + 1
            for j in range(target_at[k], target_at[k + 1]):
                keys[place] = word * width + target[j]
                place += 1


@njit(cache=True)
def _partner(source_at, target_at, at, turned_at):
    """For each cell of a direction, the cell of the same two words in the other; -1 for those of null."""
    out = np.full(at[-1], -1, np.int64)
    for k in range(len(source_at) - 1):
        n, m = source_at[k + 1] - source_at[k], target_at[k + 1] - target_at[k]
        for i in range(n):
            for j in range(m):
                out[at[k] + (i + 1) * m + j] = turned_at[k] + (j + 1) * n + i
    return out


def _normalised(counts: NDArray[np.float64], owner: NDArray[np.int64], prior: float) -> NDArray[np.float64]:
    """Expected translation probabilities under the sparse prior: exp(digamma) of counts over that of their sum. They
    add up to less than one, which the posteriors do not mind."""
    sums = np.bincount(owner, counts + prior)
    top = np.exp(digamma(counts + prior) - digamma(sums)[owner])
    return np.maximum(top, 1e-12)


@njit(cache=True)
def _ibm1(source_at, target_at, cells, at, table, counts):
    for k in range(len(source_at) - 1):
        rows = source_at[k + 1] - source_at[k] + 1
        columns = target_at[k + 1] - target_at[k]
        for j in range(columns):
            total = 0.0
            for i in range(rows):
                total += table[cells[at[k] + i * columns + j]]
            for i in range(rows):
                cell = cells[at[k] + i * columns + j]
                counts[cell] += table[cell] / total


@njit(cache=True)
def _hmm(  # noqa: PLR0915  (one recursion, compiled whole)
    source_at, target_at, cells, at, table, jumps, seen, moves, best
):
    """One round of Baum-Welch: `seen` becomes the posterior of every cell, `moves` how often each jump is expected,
    `best` the likeliest source position of each target word, -1 for none. States 0..n-1 are source positions, n..2n-1
    null words that remember the position."""
    reach = len(jumps) // 2
    for k in range(len(source_at) - 1):
        n, m = source_at[k + 1] - source_at[k], target_at[k + 1] - target_at[k]
        first = at[k]
        if n == 0 or m == 0:
            for j in range(m):
                best[target_at[k] + j] = -1
            continue
        move = np.empty((n + 1, n))  # from position (n: the beginning) to position
        for a in range(n + 1):
            total = 0.0
            for b in range(n):
                d = b - a if a < n else b + 1
                d = min(max(d, -reach), reach) + reach
                move[a, b] = jumps[d]
                total += jumps[d]
            for b in range(n):
                move[a, b] *= (1 - NULL_SHARE) / total
        ahead, back = np.zeros((m, 2 * n)), np.zeros((m, 2 * n))
        null = cells[first : first + m]
        scale = np.empty(m)
        for j in range(m):
            total = 0.0
            for b in range(n):
                emit = table[cells[first + (b + 1) * m + j]]
                if j == 0:
                    come = move[n, b]
                    stay = NULL_SHARE / n
                else:
                    come = 0.0
                    for a in range(n):
                        come += (ahead[j - 1, a] + ahead[j - 1, n + a]) * move[a, b]
                    stay = (ahead[j - 1, b] + ahead[j - 1, n + b]) * NULL_SHARE
                ahead[j, b] = come * emit
                ahead[j, n + b] = stay * table[null[j]]
                total += ahead[j, b] + ahead[j, n + b]
            scale[j] = total
            for b in range(2 * n):
                ahead[j, b] /= total
        back[m - 1, :] = 1.0
        for j in range(m - 2, -1, -1):
            for a in range(n):
                total = 0.0
                for b in range(n):
                    total += move[a, b] * table[cells[first + (b + 1) * m + j + 1]] * back[j + 1, b]
                total += NULL_SHARE * table[null[j + 1]] * back[j + 1, n + a]
                back[j, a] = total / scale[j + 1]
                back[j, n + a] = back[j, a]
        for j in range(m):
            top, place, nothing = 0.0, -1, 0.0
            for b in range(n):
                share = ahead[j, b] * back[j, b]
                seen[first + (b + 1) * m + j] = share
                if share > top:
                    top, place = share, b
                nothing += ahead[j, n + b] * back[j, n + b]
            seen[first + j] = nothing
            best[target_at[k] + j] = place if top >= nothing else -1
            if j == 0:
                for b in range(n):
                    moves[min(b + 1, reach) + reach] += ahead[0, b] * back[0, b]
                continue
            for b in range(n):
                emit = table[cells[first + (b + 1) * m + j]] * back[j, b] / scale[j]
                for a in range(n):
                    d = min(max(b - a, -reach), reach) + reach
                    moves[d] += (ahead[j - 1, a] + ahead[j - 1, n + a]) * move[a, b] * emit


@njit(cache=True)
def symmetrise(source_at, target_at, ahead, back):
    """grow-diag-final-and. `ahead` (target words,) names source positions or -1, `back` (source words,) target ones."""
    limit = 0
    for k in range(len(source_at) - 1):
        limit += (source_at[k + 1] - source_at[k]) + (target_at[k + 1] - target_at[k])
    links = np.empty((limit, 2), np.int16)
    starts = np.zeros(len(source_at), np.int64)
    found = 0
    for k in range(len(source_at) - 1):
        n, m = source_at[k + 1] - source_at[k], target_at[k + 1] - target_at[k]
        one, other = np.zeros((n, m), np.bool_), np.zeros((n, m), np.bool_)
        for j in range(m):
            if ahead[target_at[k] + j] >= 0:
                one[ahead[target_at[k] + j], j] = True
        for i in range(n):
            if back[source_at[k] + i] >= 0:
                other[i, back[source_at[k] + i]] = True
        kept = one & other
        either = one | other
        rows, columns = np.zeros(n, np.bool_), np.zeros(m, np.bool_)
        for i in range(n):
            for j in range(m):
                if kept[i, j]:
                    rows[i] = columns[j] = True
        grown = True
        while grown:
            grown = False
            for i in range(n):
                for j in range(m):
                    if not kept[i, j]:
                        continue
                    for di in range(-1, 2):
                        for dj in range(-1, 2):
                            a, b = i + di, j + dj
                            if a < 0 or b < 0 or a >= n or b >= m or kept[a, b] or not either[a, b]:
                                continue
                            if not rows[a] or not columns[b]:
                                kept[a, b] = rows[a] = columns[b] = grown = True
        for way in range(2):
            for i in range(n):
                for j in range(m):
                    there = one[i, j] if way == 0 else other[i, j]
                    if there and not rows[i] and not columns[j]:
                        kept[i, j] = rows[i] = columns[j] = True
        for i in range(n):
            for j in range(m):
                if kept[i, j]:
                    links[found, 0], links[found, 1] = i, j
                    found += 1
        starts[k + 1] = found
    return links[:found].copy(), starts
