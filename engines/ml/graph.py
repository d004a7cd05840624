"""From pronunciations and a language model to one static search graph, held in arrays.

The graph is what speech decoders call HCLG, built without a general transducer library: every history of the
language model owns a prefix tree of the words that may follow it; a tree node is one unit of a pronunciation (a
phone in context, a phone, a character) and spreads out into the emitting states that the `Layout` gives it. Language
model scores are pushed towards the root of each tree, so that a poor word is dropped early. A history that has not
seen a word falls back to the shorter history through an arc without emission.

    history h ──► first units of the tree of h ──► … ──► last unit ──word──► history h'
       │  ▲
       │  └── gap (silence or blank) ◄── h                      h ──back-off──► shorter history

Source of the scheme: Mohri, Pereira, Riley (2002), "Weighted finite-state transducers in speech recognition"; Ortmanns
and Ney (1996), "Language-model look-ahead for large vocabulary speech recognition".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

Pronunciation = tuple[str, ...]
Lexicon = Mapping[str, Sequence[Pronunciation]]


@dataclass(frozen=True)
class Arc:
    """One word out of a language-model state: its log probability and the state that it leads to."""

    word: str
    logp: float
    dest: int


@dataclass(frozen=True)
class LmState:
    """A history: explicit words, what backing off costs and where to (-1: nowhere), log probability of the end."""

    arcs: tuple[Arc, ...]
    backoff: int
    backoff_logp: float
    end_logp: float
    level: int  # back-off arcs lead to a higher level


class LanguageModel(Protocol):
    """What the graph asks of a language model; `engines.ml.ngram.NgramModel` is one."""

    def states(self) -> tuple[LmState, ...]: ...

    @property
    def start(self) -> int: ...


class Layout(Protocol):
    """How units of a pronunciation become columns of the score matrix (frames, columns)."""

    @property
    def blank(self) -> int:
        """Column of CTC's blank, or -1: the layout then has no blanks between units."""

    @property
    def separator(self) -> int:
        """Column of a unit that must stand between two words (the space of character CTC), or -1."""

    @property
    def gap(self) -> tuple[int, ...]:
        """Columns of the chain that may stand between words: silence, or blank."""

    def units(self, pronunciation: Pronunciation) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """One (label, chain of columns) per unit."""


@dataclass(frozen=True)
class CtcLayout:
    """Connectionist temporal classification: one column per unit, `labels[i]` is column i's unit.

    A unit may last any number of frames; blanks may stand anywhere between units, and must between two equal ones.
    Source: Graves et al. (2006), "Connectionist temporal classification".

    labels: name of every column, the blank's included (any name). blank: its column. separator: the column of the
    unit that stands between words (character models), or -1 (phoneme models: words follow each other directly).
    Pronunciations name units by label and leave the separator out. A unit that has no column raises KeyError.
    """

    labels: tuple[str, ...]
    blank: int = 0
    separator: int = -1
    _column: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_column", {label: i for i, label in enumerate(self.labels)})

    @property
    def gap(self) -> tuple[int, ...]:
        return (self.blank,)

    def units(self, pronunciation: Pronunciation) -> tuple[tuple[str, tuple[int, ...]], ...]:
        return tuple((unit, (self._column[unit],)) for unit in pronunciation)


def spelled(words: Iterable[str]) -> dict[str, list[Pronunciation]]:
    """A lexicon in which every word is pronounced as its letters, for character CTC."""
    return {word: [tuple(word)] for word in words}


GAP = -1  # the `word_unit` of silence and blank between words


@dataclass(frozen=True)
class Graph:
    """Emitting states 0..S-1 and nodes (no emission) 0..N-1, arcs in compressed rows.

    column, instance, unit: (S,) int32: score column, which unit instance the state belongs to (times are read off
    where it changes), its label's index in `labels` (GAP between words). A state stays where it is by itself.
    arc_ptr (S+1,), arc_dest, arc_lm, arc_word: arcs out of states; dest >= 0 is a state, else node -1-dest; word -1:
    none.
    node_ptr (N+1,), node_dest, node_lm: arcs out of nodes, likewise. level (N,): node to node arcs go upwards.
    final (N,): log probability of ending there (-inf: cannot). no_repeat: a node's arc into a state is barred where the
    token comes from a state of the same column (CTC needs a blank there).
    """

    column: np.ndarray
    instance: np.ndarray
    unit: np.ndarray
    arc_ptr: np.ndarray
    arc_dest: np.ndarray
    arc_lm: np.ndarray
    arc_word: np.ndarray
    node_ptr: np.ndarray
    node_dest: np.ndarray
    node_lm: np.ndarray
    level: np.ndarray
    final: np.ndarray
    start: int
    no_repeat: bool
    labels: tuple[str, ...]
    words: tuple[str, ...]

    @cached_property
    def records(self) -> Records:
        """The same graph as the search reads it."""
        states = np.zeros(len(self.arc_ptr), STATE)
        states["column"][:-1], states["arc"] = self.column, self.arc_ptr
        nodes = np.zeros(len(self.node_ptr), NODE)
        nodes["arc"] = self.node_ptr
        nodes["level"][:-1], nodes["final"][:-1] = self.level, self.final
        return Records(
            states,
            self._arcs(self.arc_dest, self.arc_lm, self.arc_word),
            nodes,
            self._arcs(self.node_dest, self.node_lm, np.full(len(self.node_dest), -1)),
        )

    def _arcs(self, dest: np.ndarray, lm: np.ndarray, word: np.ndarray) -> np.ndarray:
        arcs = np.zeros(len(dest), ARC)
        arcs["dest"], arcs["lm"], arcs["word"] = dest, lm, word
        arcs["column"] = np.where(dest >= 0, self.column[np.maximum(dest, 0)], -1) if len(self.column) else -1
        return arcs


# What the search reads of one state or arc lies in one cache line: half the time of a search is waiting for memory.
STATE = np.dtype([("column", "i4"), ("arc", "i4")])
NODE = np.dtype([("arc", "i4"), ("level", "i4"), ("final", "f4")])
ARC = np.dtype([("dest", "i4"), ("word", "i4"), ("lm", "f4"), ("column", "i4")])


class Records(NamedTuple):
    """states (S+1,), arcs out of states, nodes (N+1,), arcs out of nodes; an arc has the column of its destination."""

    states: np.ndarray
    arcs: np.ndarray
    nodes: np.ndarray
    node_arcs: np.ndarray


class _Builder:
    """Collects tree nodes and arcs in lists, then lays them out in arrays."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.unit_ids: dict[tuple[str, tuple[int, ...]], int] = {}
        self.word_ids: dict[str, int] = {}
        self.encoded: dict[Pronunciation, tuple[int, ...]] = {}
        self.tree_unit: list[int] = []
        self.tree_parent: list[int] = []  # >= 0 tree node, else -1 - graph node
        self.tree_lm: list[float] = []
        self.ends: list[tuple[int, int, float, int]] = []  # tree node, word, lm, graph node
        self.loops: list[tuple[int, int]] = []  # chains (unit) from a graph node ...
        self.loop_dest: list[int] = []  # ... to a graph node
        self.eps: list[tuple[int, int, float]] = []

    def unit(self, label: str, columns: tuple[int, ...]) -> int:
        return self.unit_ids.setdefault((label, columns), len(self.unit_ids))

    def encode(self, pronunciation: Pronunciation) -> tuple[int, ...]:
        found = self.encoded.get(pronunciation)
        if found is None:
            found = tuple(self.unit(*unit) for unit in self.layout.units(pronunciation))
            self.encoded[pronunciation] = found
        return found

    def chain(self, label: str, columns: tuple[int, ...], source: int, dest: int) -> None:
        """A chain of states between two graph nodes that says no word."""
        self.loops.append((source, self.unit(label, columns)))
        self.loop_dest.append(dest)

    def tree(self, root: int, entries: Iterable[tuple[str, Pronunciation, float, int]]) -> None:
        """A prefix tree of (word, pronunciation, log probability, destination) below graph node `root`."""
        first = len(self.tree_unit)
        child: dict[tuple[int, int], int] = {}
        ends: list[tuple[int, int, float, int]] = []
        for word, pronunciation, logp, dest in entries:
            at = -1 - root
            for unit in self.encode(pronunciation):
                key = (at, unit)
                nxt = child.get(key)
                if nxt is None:
                    nxt = child[key] = len(self.tree_unit)
                    self.tree_unit.append(unit)
                    self.tree_parent.append(at)
                at = nxt
            ends.append((at, self.word_ids.setdefault(word, len(self.word_ids)), logp, dest))
        best = np.full(len(self.tree_unit) - first, -np.inf)
        for at, _, logp, _ in ends:
            best[at - first] = max(best[at - first], logp)
        for i in range(len(best) - 1, -1, -1):
            parent = self.tree_parent[first + i]
            if parent >= 0:
                best[parent - first] = max(best[parent - first], best[i])
        for i, value in enumerate(best):
            parent = self.tree_parent[first + i]
            self.tree_lm.append(float(value - best[parent - first]) if parent >= 0 else float(value))
        self.ends.extend((at, word, logp - float(best[at - first]), dest) for at, word, logp, dest in ends)

    def finish(self, level: np.ndarray, final: np.ndarray, start: int) -> Graph:
        blank = self.layout.blank
        keys = list(self.unit_ids)
        labels = tuple(sorted({label for label, _ in keys if label}))
        label_of = {label: i for i, label in enumerate(labels)}
        n_tree, n_loop = len(self.tree_unit), len(self.loops)
        unit = np.array(self.tree_unit + [u for _, u in self.loops], np.int64)
        chains = [np.array(columns + ((blank,) if blank >= 0 and label else ()), np.int32) for label, columns in keys]
        length = np.array([len(c) for c in chains], np.int64)
        spoken = np.array([len(columns) for _, columns in keys], np.int64)  # without the blank that may follow
        count = length[unit] if len(unit) else np.zeros(0, np.int64)
        first = np.concatenate([[0], np.cumsum(count)])
        last = first[:-1] + (spoken[unit] if len(unit) else 0) - 1
        column = np.concatenate([chains[u] for u in unit]) if len(unit) else np.zeros(0, np.int32)
        instance = np.repeat(np.arange(len(unit), dtype=np.int32), count)
        unit_label = np.array([label_of.get(label, GAP) for label, _ in keys], np.int32)

        inner = np.nonzero(instance[1:] == instance[:-1])[0]
        rows = [(inner, inner + 1, np.zeros(len(inner)), np.full(len(inner), -1))]
        parent = np.array(self.tree_parent, np.int64)
        weight = np.array(self.tree_lm, np.float64)
        below = np.nonzero(parent >= 0)[0]
        source, dest = last[parent[below]], first[below]
        direct = np.ones(len(below), bool)
        if blank >= 0:
            direct = column[source] != column[dest]
            rows.append((source + 1, dest, weight[below], np.full(len(below), -1)))
        rows.append((source[direct], dest[direct], weight[below][direct], np.full(int(direct.sum()), -1)))
        if self.ends:
            at, word, logp, node = (np.array(v) for v in zip(*self.ends, strict=True))
            rows.append((last[at], -1 - node, logp, word))
        rows.append((last[n_tree:], -1 - np.array(self.loop_dest, np.int64), np.zeros(n_loop), np.full(n_loop, -1)))
        arc_ptr, (dests, lms, words) = _rows(rows, len(column))
        top = np.nonzero(parent < 0)[0]
        node_rows = [(-1 - parent[top], first[top], weight[top])]
        node_rows.append((np.array([s for s, _ in self.loops], np.int64), first[n_tree:-1], np.zeros(n_loop)))
        if self.eps:
            source, dest, weight = (np.array(v) for v in zip(*self.eps, strict=True))
            node_rows.append((source, -1 - dest, weight))
        node_ptr, (node_dest, node_lm) = _rows(node_rows, len(level))
        return Graph(
            column, instance, unit_label[unit][instance] if len(unit) else np.zeros(0, np.int32),
            arc_ptr, dests.astype(np.int32), lms.astype(np.float32), words.astype(np.int32),
            node_ptr, node_dest.astype(np.int32), node_lm.astype(np.float32),
            level.astype(np.int32), final.astype(np.float32), start, blank >= 0, labels, tuple(self.word_ids),
        )  # fmt: skip


def _rows(parts: list[tuple[np.ndarray, ...]], size: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Arcs given as (source, …) arrays, sorted by source: row pointers, the other arrays sorted."""
    source, *rest = (np.concatenate([np.asarray(p[i]) for p in parts]) for i in range(len(parts[0])))
    source = source.astype(np.int64)
    order = np.argsort(source, kind="stable")
    pointer = np.searchsorted(source[order], np.arange(size + 1)).astype(np.int64)
    return pointer, [r[order] for r in rest]


def search_graph(lexicon: Lexicon, lm: LanguageModel, layout: Layout) -> Graph:
    """Every word sequence that the language model allows over the words of the lexicon.

    Words of the language model that the lexicon lacks cannot be said, words of the lexicon that the language model
    lacks neither. Raises ValueError where no word is left.
    """
    states = lm.states()
    build = _Builder(layout)
    n = len(states)
    apart = layout.separator >= 0  # nodes n..2n-1: the word has ended, the separator has yet to come
    shift = n if apart else 0
    for i, state in enumerate(states):
        build.tree(
            i,
            (
                (arc.word, pronunciation, arc.logp, arc.dest + shift)
                for arc in state.arcs
                for pronunciation in lexicon.get(arc.word, ())
            ),
        )
        build.chain("", layout.gap, i, i)
        if apart:
            build.chain("", layout.gap, i + n, i + n)
            build.chain("", (layout.separator,), i + n, i)
        if state.backoff >= 0:
            build.eps.append((i, state.backoff, state.backoff_logp))
    if not build.ends:
        raise ValueError("the lexicon and the language model share no word")
    level = np.array([s.level for s in states] * (2 if apart else 1))
    final = np.array([s.end_logp for s in states] * (2 if apart else 1))
    return build.finish(level, final, lm.start)


def linear_graph(words: Sequence[str], lexicon: Lexicon, layout: Layout) -> Graph:
    """Exactly these words, in any of their pronunciations, with the gap optional before, between and after them.

    Raises KeyError where a word is not in the lexicon.
    """
    build = _Builder(layout)
    n = len(words) + 1
    apart = layout.separator >= 0
    shift = n if apart else 0
    for i, word in enumerate(words):
        build.tree(i, [(word, pronunciation, 0.0, i + 1 + shift) for pronunciation in lexicon[word]])
    for i in range(n):
        build.chain("", layout.gap, i, i)
        if apart:
            build.chain("", layout.gap, i + n, i + n)
            build.chain("", (layout.separator,), i + n, i)
    final = np.full(n + shift, -np.inf)
    final[[n - 1, n - 1 + shift]] = 0.0
    return build.finish(np.zeros(n + shift), final, 0)
