"""Which states of phones in context share one mixture: decision trees over the neighbours.

Source: Young, Odell, Woodland (1994), "Tree-based state tying for high accuracy acoustic modelling": one tree for
each state of each phone, split by the question that raises the likelihood of one Gaussian a leaf the most.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engines.ml.lexicon import EDGE, SILENCE, Pronunciation, questions

STATES = 3  # per phone, left to right
Context = tuple[str, str, str]


@dataclass(frozen=True)
class StateTree:
    """Tied states of all phones.

    phones: names, silence last. root: (phones * STATES,) node of phone p's state k at p * STATES + k.
    question: (nodes,) number of a (side, set) question, or -1 at leaves; yes, no: (nodes,) children; leaf: (nodes,)
    column, or -1. Questions 0..Q-1 ask about the left neighbour, Q..2Q-1 about the right one.
    """

    phones: tuple[str, ...]
    root: np.ndarray
    question: np.ndarray
    yes: np.ndarray
    no: np.ndarray
    leaf: np.ndarray

    @cached_property
    def _sets(self) -> tuple[frozenset[str], ...]:
        return questions(self.phones[:-1])

    @cached_property
    def _found(self) -> dict[Context, tuple[int, ...]]:
        return {}

    @cached_property
    def _number(self) -> Mapping[str, int]:
        return {phone: i for i, phone in enumerate(self.phones)}

    def columns(self, left: str, phone: str, right: str) -> tuple[int, ...]:
        """The three columns of a phone between two neighbours. Raises KeyError for an unknown phone."""
        key = (left, phone, right)
        known = self._found.get(key)
        if known is None:
            sets = self._sets
            out = []
            for k in range(STATES):
                node = self.root[self._number[phone] * STATES + k]
                while self.leaf[node] < 0:
                    q = self.question[node]
                    hit = left in sets[q] if q < len(sets) else right in sets[q - len(sets)]
                    node = self.yes[node] if hit else self.no[node]
                out.append(int(self.leaf[node]))
            known = self._found[key] = tuple(out)
        return known

    @property
    def size(self) -> int:
        """Number of columns."""
        return int(self.leaf.max()) + 1

    @cached_property
    def owner(self) -> np.ndarray:
        """(columns,) int: phone * STATES + state that each column belongs to."""
        out = np.zeros(self.size, np.int64)
        for key, root in enumerate(self.root):
            stack = [int(root)]
            while stack:
                node = stack.pop()
                if self.leaf[node] >= 0:
                    out[self.leaf[node]] = key
                else:
                    stack += [int(self.yes[node]), int(self.no[node])]
        return out

    @property
    def labels(self) -> tuple[str, ...]:
        """The phone of each column."""
        return tuple(self.phones[k // STATES] for k in self.owner)

    # The layout of a graph (engines.ml.graph.Layout).

    blank = -1
    separator = -1

    @property
    def gap(self) -> tuple[int, ...]:
        return self.columns(EDGE, SILENCE, EDGE)

    def units(self, pronunciation: Pronunciation) -> tuple[tuple[str, tuple[int, ...]], ...]:
        padded = (EDGE, *pronunciation, EDGE)
        return tuple(
            (padded[i], self.columns(padded[i - 1], padded[i], padded[i + 1])) for i in range(1, len(padded) - 1)
        )


def untied(phones: Sequence[str]) -> StateTree:
    """Every phone alike in all contexts: three columns each, silence last."""
    names = (*(p for p in phones if p != SILENCE), SILENCE)
    n = len(names) * STATES
    none = np.full(n, -1, np.int32)
    return StateTree(names, np.arange(n, dtype=np.int32), none, none, none, np.arange(n, dtype=np.int32))


@dataclass(frozen=True)
class ContextStatistics:
    """Frames, sums and sums of squares of every state of every phone in context.

    contexts: (left, phone, right); count: (contexts, STATES); total, square: (contexts, STATES, D).
    """

    contexts: tuple[Context, ...]
    count: np.ndarray
    total: np.ndarray
    square: np.ndarray


def grow(
    phones: Sequence[str], statistics: ContextStatistics, most: int, least_frames: float, least_gain: float
) -> StateTree:
    """The tree with at most `most` leaves: the best split anywhere is made first, as long as it raises the log
    likelihood by `least_gain` and leaves `least_frames` on either side. Silence is not split."""
    flat = untied(phones)
    names = flat.phones
    sets = questions(names[:-1])
    by_phone: dict[str, list[int]] = {}
    for i, (_, phone, _) in enumerate(statistics.contexts):
        by_phone.setdefault(phone, []).append(i)
    asks: dict[str, np.ndarray] = {}
    for phone, rows in by_phone.items():
        sides = [[statistics.contexts[i][0] for i in rows], [statistics.contexts[i][2] for i in rows]]
        asks[phone] = np.array([[name in s for name in side] for side in sides for s in sets], bool)
    root: list[int] = []
    question: list[int] = []
    yes: list[int] = []
    no: list[int] = []
    heap: list[Any] = []

    def add(phone: str, k: int, member: np.ndarray) -> int:
        node = len(question)
        question.append(-1)
        yes.append(-1)
        no.append(-1)
        if phone in by_phone and phone != SILENCE:
            rows = np.array(by_phone[phone])[member]
            split = _best_split(
                asks[phone][:, member], statistics.count[rows, k], statistics.total[rows, k],
                statistics.square[rows, k], least_frames,
            )  # fmt: skip
            if split is not None and split[0] >= least_gain:
                heapq.heappush(heap, (-split[0], node, split[1], phone, k, member))
        return node

    for phone in names:
        for k in range(STATES):
            root.append(add(phone, k, np.arange(len(by_phone.get(phone, ())))))
    leaves = len(root)
    while heap and leaves < most:
        _, node, q, phone, k, member = heapq.heappop(heap)
        hit = asks[phone][q, member]
        question[node] = q
        yes[node] = add(phone, k, member[hit])
        no[node] = add(phone, k, member[~hit])
        leaves += 1
    leaf = np.full(len(question), -1, np.int32)
    ends = [i for i, q in enumerate(question) if q < 0]
    leaf[ends] = np.arange(len(ends))
    arrays = (np.array(v, np.int32) for v in (root, question, yes, no))
    return StateTree(names, *arrays, leaf)


def _best_split(
    asks: np.ndarray, count: np.ndarray, total: np.ndarray, square: np.ndarray, least: float
) -> tuple[float, int] | None:
    """(gain, question) of the split that raises the log likelihood of a Gaussian per side the most."""
    if count.sum() < 2 * least:
        return None
    a = asks.astype(np.float64)
    n_yes = a @ count
    n_no = count.sum() - n_yes
    fine = (n_yes >= least) & (n_no >= least)
    if not fine.any():
        return None
    rows = np.nonzero(fine)[0]
    t_yes, s_yes = a[rows] @ total, a[rows] @ square
    whole = _half_log_variance(count.sum()[None], total.sum(0)[None], square.sum(0)[None])[0]
    parts = _half_log_variance(n_yes[rows], t_yes, s_yes) + _half_log_variance(
        n_no[rows], total.sum(0) - t_yes, square.sum(0) - s_yes
    )
    gain = whole - parts
    best = int(np.argmax(gain))
    return float(gain[best]), int(rows[best])


def _half_log_variance(n: np.ndarray, total: np.ndarray, square: np.ndarray) -> np.ndarray:
    """n/2 * sum of log variances: minus the log likelihood of the best Gaussian, up to what a split does not change."""
    mean = total / n[:, None]
    variance = np.maximum(square / n[:, None] - mean**2, 0.01)
    return 0.5 * n * np.log(variance).sum(1)
