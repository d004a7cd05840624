"""Interpolated Kneser-Ney n-grams over a closed vocabulary, as a back-off automaton.

Source: Chen and Goodman (1999), "An empirical study of smoothing techniques for language modeling" (interpolated
modified Kneser-Ney; a single discount where counts of counts are too few to tell three apart).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engines.ml.graph import Arc, LmState

BEGIN, END = -1, -2
History = tuple[int, ...]


@dataclass(frozen=True)
class NgramModel:
    """P(word | up to order-1 words before). Words of the vocabulary never seen share what the unigrams leave.

    vocabulary: all words that may ever be said. grams: (n, order) int32, every n-gram of the training sentences (word
    numbers; BEGIN pads the front, END closes); counts: (n,) how often. Everything else follows from these.
    """

    vocabulary: tuple[str, ...]
    order: int
    grams: np.ndarray
    counts: np.ndarray

    @classmethod
    def fit(cls, sentences: Iterable[Sequence[str]], vocabulary: Iterable[str], order: int = 3) -> NgramModel:
        """sentences: lists of words; words outside the vocabulary are dropped from them."""
        names = tuple(sorted(set(vocabulary)))
        number = {word: i for i, word in enumerate(names)}
        counts: dict[History, int] = defaultdict(int)
        for sentence in sentences:
            ids = [number[word] for word in sentence if word in number]
            if not ids:
                continue
            padded = [BEGIN] * (order - 1) + ids + [END]
            for i in range(order - 1, len(padded)):
                counts[tuple(padded[i - order + 1 : i + 1])] += 1
        grams = np.array(sorted(counts), np.int32).reshape(-1, order)
        return cls(names, order, grams, np.array([counts[tuple(g)] for g in grams.tolist()], np.int32))

    def restricted(self, words: Iterable[str]) -> NgramModel:
        """The same model over fewer words: n-grams with any other word are forgotten."""
        keep = set(words)
        names = tuple(word for word in self.vocabulary if word in keep)
        gone = -9
        number = np.full(len(self.vocabulary) + 2, gone, np.int32)  # the last two: END (-2) and BEGIN (-1)
        number[[i for i, word in enumerate(self.vocabulary) if word in keep]] = np.arange(len(names))
        number[BEGIN], number[END] = BEGIN, END
        grams = number[self.grams]
        stay = (grams != gone).all(1)
        return NgramModel(names, self.order, grams[stay], self.counts[stay])

    def _tables(self) -> list[dict[History, dict[int, int]]]:
        """Counts by history length: raw for the longest and for histories from the sentence start, else the number
        of different words seen before (continuation counts)."""
        raw: dict[History, int] = {tuple(g): c for g, c in zip(self.grams.tolist(), self.counts.tolist(), strict=True)}
        tables: list[dict[History, dict[int, int]]] = []
        for length in range(self.order - 1, -1, -1):
            table: dict[History, dict[int, int]] = defaultdict(dict)
            lower: dict[History, int] = defaultdict(int)
            for gram, count in raw.items():
                history = gram[:-1]
                if length >= 2 and history[0] == BEGIN and history[1] == BEGIN:
                    lower[gram[1:]] += count  # the padding says nothing: the shorter history is the same
                    continue
                table[history][gram[-1]] = count
                lower[gram[1:]] += 1
            tables.append(table)
            raw = lower
        return tables[::-1]

    def states(self) -> tuple[LmState, ...]:
        """The automaton: longer histories first, the empty history last."""
        return self._automaton[0]

    @property
    def start(self) -> int:
        """Number of the state before the first word."""
        return self._automaton[1]

    @cached_property
    def _automaton(self) -> tuple[tuple[LmState, ...], int]:
        size = len(self.vocabulary) + 1
        uniform = 1.0 / size
        prob: list[dict[History, dict[int, float]]] = []
        left: list[dict[History, float]] = []
        for length, table in enumerate(self._tables()):
            discounts = _discounts(table)
            prob.append({})
            left.append({})
            for history, seen in table.items():
                total = sum(seen.values())
                taken = {w: min(discounts[min(c, 3) - 1], c) for w, c in seen.items()}
                rest = sum(taken.values()) / total
                left[length][history] = rest
                row = {}
                for w, c in seen.items():
                    below = uniform if length == 0 else prob[length - 1][history[1:]][w]
                    row[w] = (c - taken[w]) / total + rest * below
                prob[length][history] = row
        base = prob[0].get((), {})
        rest = left[0].get((), 1.0)
        prob[0] = {(): {w: base.get(w, rest * uniform) for w in (*range(size - 1), END)}}
        index: dict[History, int] = {}
        for length in range(self.order - 1, -1, -1):
            for history in prob[length]:
                index[history] = len(index)
        out: list[LmState] = []
        for history in index:
            row = prob[len(history)][history]
            back = index[history[1:]] if history else -1
            weight = left[len(history)].get(history, 1.0) if history else 1.0
            arcs = []
            for w, p in row.items():
                if w == END:
                    continue
                after = (*history, w)[-(self.order - 1) :] if self.order > 1 else ()
                while after not in index:
                    after = after[1:]
                arcs.append(Arc(self.vocabulary[w], float(np.log(p)), index[after]))
            arcs.sort(key=lambda arc: arc.word)
            end, at, cost = row.get(END), history, 1.0
            while end is None:
                cost *= left[len(at)][at]
                at = at[1:]
                end = prob[len(at)][at].get(END)
            level = self.order - 1 - len(history)
            out.append(LmState(tuple(arcs), back, float(np.log(weight)), float(np.log(end * cost)), level))
        return tuple(out), index.get((BEGIN,), index[()])

    def logprob(self, sentence: Sequence[str]) -> float:
        """Natural log probability of a sentence, its end included. A word outside the vocabulary raises KeyError."""
        states = self.states()
        at, total = self.start, 0.0
        rows = [{arc.word: arc for arc in s.arcs} for s in states]
        for word in sentence:
            while word not in rows[at]:
                if states[at].backoff < 0:
                    raise KeyError(word)
                total += states[at].backoff_logp
                at = states[at].backoff
            total += rows[at][word].logp
            at = rows[at][word].dest
        return total + states[at].end_logp


def _discounts(table: Mapping[History, Mapping[int, int]]) -> tuple[float, float, float]:
    n = np.zeros(5)
    for row in table.values():
        for count in row.values():
            if count <= 4:
                n[count] += 1
    return discounts(n)


def discounts(n: np.ndarray) -> tuple[float, float, float]:
    """What counts of 1, 2, and 3 or more give up, from how many n-grams (5,) occur once to four times: Chen and
    Goodman's estimates, within reason."""
    if n[1] < 1 or n[2] < 1:
        return (0.75, 0.75, 0.75)
    y = n[1] / (n[1] + 2 * n[2])
    if n[3] < 5 or n[4] < 5:
        d = float(np.clip(y, 0.3, 0.95))
        return (d, d, d)
    raw = (1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3])
    return (
        float(np.clip(raw[0], 0.1, 0.95)), float(np.clip(raw[1], 0.1, 1.9)), float(np.clip(raw[2], 0.1, 2.8)),
    )  # fmt: skip
