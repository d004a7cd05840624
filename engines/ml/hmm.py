"""Hidden Markov models of phones: alignment of known words, and training from a flat start to phones in context.

Every phone has three states from left to right; a state's density is a Gaussian mixture. Training re-estimates by
Viterbi: align the words with the present model, gather statistics of each state's frames, estimate, grow mixtures.

Source: Rabiner (1989), "A tutorial on hidden Markov models and selected applications in speech recognition".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engines.ml import lda
from engines.ml.decoder import Hypothesis, SearchSettings, search
from engines.ml.gmm import Estimator, Mixtures, Statistics, one_each, targets
from engines.ml.graph import linear_graph
from engines.ml.lexicon import EDGE, SILENCE, Lexicon, family
from engines.ml.mfcc import spliced, with_deltas
from engines.ml.tree import STATES, ContextStatistics, StateTree, grow, untied

Progress = Callable[[float, str], None]
ALIGN_BEAM = 120.0


@dataclass(frozen=True)
class FrontEnd:
    """Normalised cepstra (frames, 13) -> what the Gaussians see.

    projection: None for cepstra with deltas, or (13 * (2 * context + 1), D): neighbouring frames side by side,
    projected.
    """

    projection: np.ndarray | None = None
    context: int = 4

    def __call__(self, cepstra: np.ndarray) -> np.ndarray:
        x = np.asarray(cepstra, np.float32)
        return with_deltas(x) if self.projection is None else spliced(x, self.context) @ self.projection


@dataclass(frozen=True)
class AcousticModel:
    """Tied states, their mixtures, and how long they last.

    transitions: (columns, 2) float32, log probabilities of staying in and of leaving a state.
    """

    tree: StateTree
    mixtures: Mixtures
    transitions: np.ndarray
    front: FrontEnd

    def scores(self, cepstra: np.ndarray) -> np.ndarray:
        """Log densities (frames, columns) float32."""
        return self.mixtures.scores(self.front(cepstra))

    def align(
        self, words: Sequence[str], lexicon: Lexicon, cepstra: np.ndarray, beam: float = ALIGN_BEAM
    ) -> Hypothesis | None:
        """The best path through these words, or None where the clip is too short for them (or the words too odd)."""
        graph = linear_graph(words, lexicon, self.tree)
        columns = np.unique(graph.column)
        scores = self.mixtures.scores(self.front(cepstra), columns)
        local = replace(graph, column=np.searchsorted(columns, graph.column).astype(np.int32))
        for width in (beam, 8 * beam):
            found = search(local, scores, SearchSettings(1.0, 0.0, width, 1 << 30), self.transitions[columns])
            if found.complete:
                return replace(found, columns=columns[found.columns].astype(np.int32))
        return None


@dataclass(frozen=True)
class Corpus:
    """Utterances: normalised cepstra (frames, 13) and words, all of them in the lexicon."""

    cepstra: Sequence[np.ndarray]
    words: Sequence[Sequence[str]]
    lexicon: Lexicon

    def __len__(self) -> int:
        return len(self.words)

    def take(self, index: Sequence[int]) -> Corpus:
        return Corpus([self.cepstra[i] for i in index], [self.words[i] for i in index], self.lexicon)

    @property
    def frames(self) -> int:
        return sum(len(c) for c in self.cepstra)


Paths = list[Hypothesis | None]


def align_all(model: AcousticModel, corpus: Corpus) -> Paths:
    return [model.align(w, corpus.lexicon, c) for w, c in zip(corpus.words, corpus.cepstra, strict=True)]


def uniform_columns(tree: StateTree, words: Sequence[str], lexicon: Lexicon, cepstra: np.ndarray) -> np.ndarray:
    """The flat start: quiet stretches are silence, all states of the first pronunciations equally long in the rest."""
    columns = np.asarray([c for word in words for _, chain in tree.units(lexicon[word][0]) for c in chain], np.int32)
    quiet = quiet_frames(np.asarray(cepstra[:, 0], np.float32))
    out = np.empty(len(cepstra), np.int32)
    loud = np.nonzero(~quiet)[0]
    out[loud] = columns[np.arange(len(loud)) * len(columns) // max(len(loud), 1)]
    edges = np.nonzero(np.diff(np.r_[False, quiet, False].astype(np.int8)))[0].reshape(-1, 2)
    for start, end in edges:
        out[start:end] = np.asarray(tree.gap)[np.arange(end - start) * STATES // (end - start)]
    return out


def quiet_frames(level: np.ndarray, shortest: int = 10) -> np.ndarray:
    """(frames,) bool: where the level is nearer to the quiet than to the loud of two centres, for `shortest` frames or
    more. At least a third of the frames are loud."""
    low, high = np.quantile(level, [0.05, 0.95])
    for _ in range(10):
        near = level < (low + high) / 2
        if near.all() or not near.any():
            break
        low, high = level[near].mean(), level[~near].mean()
    quiet = level < min((low + high) / 2, np.quantile(level, 0.67))
    edges = np.nonzero(np.diff(np.r_[False, quiet, False].astype(np.int8)))[0].reshape(-1, 2)
    for start, end in edges:
        if end - start < shortest and start > 0 and end < len(level):
            quiet[start:end] = False
    return quiet


def estimate(
    model: AcousticModel, corpus: Corpus, columns: Sequence[np.ndarray | None], estimator: Estimator, rounds: int = 1
) -> tuple[AcousticModel, Statistics]:
    """Mixtures re-estimated from the frames of each column (EM within a state), `rounds` times."""
    mixtures = model.mixtures
    for _ in range(rounds):
        statistics = Statistics.empty(mixtures.size, mixtures.mean.shape[1])
        for cepstra, column in zip(corpus.cepstra, columns, strict=True):
            if column is not None:
                statistics.add(mixtures, model.front(cepstra), column)
        mixtures = estimator(statistics, mixtures.pointer)
    return replace(model, mixtures=mixtures), statistics


def durations(columns: Sequence[np.ndarray | None], n_columns: int) -> np.ndarray:
    """Transitions (n_columns, 2) from how long the paths stay in each column."""
    frames, visits = np.zeros(n_columns), np.zeros(n_columns)
    for path in columns:
        if path is not None and len(path):
            frames += np.bincount(path, minlength=n_columns)
            visits += np.bincount(path[np.r_[True, path[1:] != path[:-1]]], minlength=n_columns)
    leave = np.clip((visits + 1.0) / (frames + 3.0), 0.02, 0.98)
    return np.stack([np.log(1 - leave), np.log(leave)], 1).astype(np.float32)


def families(tree: StateTree) -> np.ndarray:
    """(columns,) number of the class that each column borrows from: family of phones by position in the phone."""
    kinds: dict[str, int] = {}
    names = [f"{family(tree.phones[k // STATES])}.{k % STATES}" for k in tree.owner]
    return np.array([kinds.setdefault(name, len(kinds)) for name in names])


def context_statistics(model: AcousticModel, corpus: Corpus, paths: Paths) -> ContextStatistics:
    """Frames of every phone in context by state, as the front end of `model` gives them."""
    number: dict[tuple[str, str, str], int] = {}
    marked: list[np.ndarray | None] = []
    state_of = model.tree.owner % STATES
    for path in paths:
        if path is None:
            marked.append(None)
            continue
        context = np.full(len(path.columns), number.setdefault((EDGE, SILENCE, EDGE), len(number)), np.int64)
        at = 0
        for word in path.words:
            inside = []
            while at < len(path.units) and path.units[at].start < word.end:
                inside.append(path.units[at])
                at += 1
            labels = [EDGE, *(unit.label for unit in inside), EDGE]
            for i, unit in enumerate(inside):
                key = (labels[i], labels[i + 1], labels[i + 2])
                context[unit.start : unit.end] = number.setdefault(key, len(number))
        marked.append(context * STATES + state_of[path.columns])
    dims = model.mixtures.mean.shape[1]
    flat = one_each(len(number) * STATES, dims)
    statistics = Statistics.empty(flat.size, dims)
    for cepstra, cells in zip(corpus.cepstra, marked, strict=True):
        if cells is not None:
            statistics.add(flat, model.front(cepstra), cells)
    shape = (len(number), STATES)
    return ContextStatistics(
        tuple(number), statistics.count.reshape(shape), statistics.total.reshape(*shape, dims),
        statistics.square.reshape(*shape, dims),
    )  # fmt: skip


def columns_of(paths: Paths) -> list[np.ndarray | None]:
    return [None if path is None else path.columns for path in paths]


@dataclass(frozen=True)
class Recipe:
    """What the amount of data decides, by one rule for all amounts.

    per_gaussian: frames of speech a Gaussian needs. per_leaf: frames that a tied state needs. gain: least log
    likelihood gain of a split. leaves: at most frames ** 0.5 * leaves tied states. gaussians_cap: at most so many.
    """

    per_gaussian: float = 80.0
    per_leaf: float = 60.0
    gain: float = 90.0
    leaves: float = 2.2
    gaussians_cap: int = 6000

    @classmethod
    def of(cls, frames: int) -> Recipe:
        """With little data a Gaussian has to do with fewer frames: 25 at 100 s, 80 from three hours."""
        return cls(per_gaussian=float(np.clip(25 * (frames / 10_000) ** 0.25, 20, 80)))


def nobody(fraction: float, sentence: str) -> None:
    """Progress that nobody watches."""


def monophones(
    corpus: Corpus, phones: Sequence[str], recipe: Recipe, rng: np.random.Generator, progress: Progress = nobody
) -> AcousticModel:
    """From a flat start to phones without context, by Viterbi training with growing mixtures."""
    tree = untied(phones)
    estimator = Estimator(families(tree))
    front = FrontEnd()
    dims = front(corpus.cepstra[0][:1]).shape[1]
    model = AcousticModel(tree, one_each(tree.size, dims), np.log(np.full((tree.size, 2), 0.5, np.float32)), front)
    columns: Sequence[np.ndarray | None] = [
        uniform_columns(tree, w, corpus.lexicon, c) for w, c in zip(corpus.words, corpus.cepstra, strict=True)
    ]
    model, _ = estimate(model, corpus, columns, estimator)
    final = min(recipe.gaussians_cap, int(corpus.frames / recipe.per_gaussian))
    schedule = [0, 0, 0, 0, 0.1, 0.2, 0.35, 0.6, 1.0, 1.0]
    for i, share in enumerate(schedule):
        progress(i / len(schedule), f"phones without context, pass {i + 1} of {len(schedule)}")
        columns = columns_of(align_all(model, corpus))
        if all(c is None for c in columns):
            return model
        model = replace(model, transitions=durations(columns, tree.size))
        model = _refit(model, corpus, columns, estimator, int(share * min(final, 12 * tree.size)), recipe, rng, 1)
    return model


def _refit(
    model: AcousticModel, corpus: Corpus, columns: Sequence[np.ndarray | None], estimator: Estimator, total: int,
    recipe: Recipe, rng: np.random.Generator, rounds: int,
) -> AcousticModel:  # fmt: skip
    """Re-estimate, and grow the mixtures towards `total` Gaussians where that is more than there are."""
    model, _ = estimate(model, corpus, columns, estimator, rounds)
    if total > model.mixtures.size:
        frames = sum(np.bincount(c, minlength=model.tree.size) for c in columns if c is not None)
        wanted = targets(np.asarray(frames, float), total, recipe.per_gaussian / 2)
        # counts per Gaussian as the weights have them: the estimator may have dropped some
        owner = np.repeat(np.arange(model.tree.size), np.diff(model.mixtures.pointer))
        counts = np.exp(model.mixtures.log_weight) * np.asarray(frames, float)[owner]
        model = replace(model, mixtures=model.mixtures.grown(wanted, counts, rng))
        model, _ = estimate(model, corpus, columns, estimator, 1)
    return model


def learned_front(model: AcousticModel, corpus: Corpus, paths: Paths, size: int, context: int = 4) -> FrontEnd:
    """A projection of neighbouring frames that tells the states of `paths` apart (engines.ml.lda)."""

    def frames() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for cepstra, path in zip(corpus.cepstra, paths, strict=True):
            if path is not None:
                yield spliced(np.asarray(cepstra, np.float32), context), path.columns.astype(np.int64)

    projection = lda.front_end(frames, model.tree.size, size)
    return FrontEnd(projection.astype(np.float16).astype(np.float32), context)


def triphones(
    model: AcousticModel, corpus: Corpus, paths: Paths, recipe: Recipe, rng: np.random.Generator, front: FrontEnd,
    progress: Progress = nobody,
) -> AcousticModel:  # fmt: skip
    """Phones in context, their states tied by trees, started from the paths that `model` found."""
    columns = columns_of(paths)
    if all(c is None for c in columns):
        return model
    spoken = np.array([label != SILENCE for label in model.tree.labels])
    speech = sum(int(spoken[c].sum()) for c in columns if c is not None)
    base = replace(model, front=front)
    if base.front is not model.front:
        dims = base.front(corpus.cepstra[0][:1]).shape[1]
        base = replace(base, mixtures=one_each(model.tree.size, dims))
    statistics = context_statistics(base, corpus, paths)
    tree = grow(model.tree.phones, statistics, int(recipe.leaves * speech**0.5), recipe.per_leaf, recipe.gain)
    estimator = Estimator(families(tree))
    columns = [None if p is None else _relabel(p, model.tree, tree) for p in paths]
    dims = base.mixtures.mean.shape[1]
    new = AcousticModel(tree, one_each(tree.size, dims), durations(columns, tree.size), base.front)
    total = min(recipe.gaussians_cap, int(speech / recipe.per_gaussian))
    rounds = int(np.ceil(np.log2(max(total / tree.size, 1)))) + 1
    schedule = [int(tree.size * (total / tree.size) ** ((i + 1) / rounds)) for i in range(rounds)]
    for i, size in enumerate(schedule):
        progress(i / (rounds + 1), f"phones in context: {tree.size} tied states, {size} Gaussians")
        new = _refit(new, corpus, columns, estimator, size, recipe, rng, 2)
        if i in (1, rounds - 2):
            columns = columns_of(align_all(new, corpus))
            new = replace(new, transitions=durations(columns, tree.size))
    columns = columns_of(align_all(new, corpus))
    new = replace(new, transitions=durations(columns, tree.size))
    return estimate(new, corpus, columns, estimator, 3)[0]


def _relabel(path: Hypothesis, old: StateTree, new: StateTree) -> np.ndarray:
    """The columns of a path under another tree: the same phones and states at the same frames."""
    out = np.empty(len(path.columns), np.int32)
    state = old.owner[path.columns] % STATES
    out[:] = np.asarray(new.gap)[state]
    at = 0
    for word in path.words:
        inside = []
        while at < len(path.units) and path.units[at].start < word.end:
            inside.append(path.units[at])
            at += 1
        chains = [chain for _, chain in new.units(tuple(unit.label for unit in inside))]
        for unit, chain in zip(inside, chains, strict=True):
            out[unit.start : unit.end] = np.asarray(chain)[state[unit.start : unit.end]]
    return out
