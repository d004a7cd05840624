"""One time-synchronous Viterbi beam search for Gaussian mixtures, hybrid networks and CTC.

The three differ in the state layout alone:

    decoder = Decoder(lexicon, lm, CtcLayout(labels, blank=0), SearchSettings(acoustic_scale=1.0, word_score=0.0))
    hypothesis = decoder.decode(log_posteriors)          # (frames, columns) natural log scores, float32
    hypothesis.text                                      # "TURN THE LIGHT ON"
    hypothesis.words, hypothesis.units                   # Spans: label, first frame, one past the last frame

- lexicon: word -> its pronunciations, each a tuple of units (phones; characters through `graph.spelled(words)`).
- lm: an `ngram.NgramModel` (or anything with `states()` and `start`).
- layout: `graph.CtcLayout(labels, blank, separator)` for characters or phonemes, the trained HMM's layout for the
  tied states of phones (the Gaussian pipeline and the hybrid's network over the same states alike).
- settings: `SearchSettings`. A path scores  acoustic_scale * (scores + HMM transitions) + n-gram log probabilities +
  word_score per word,  so the language model's weight against the acoustics is 1 / acoustic_scale. Typical: 0.06 to
  0.1 for Gaussian mixtures, 0.1 to 0.4 for hybrid posteriors less log priors, 0.4 to 1.5 for CTC.

`decode` always returns: a search that ends in no complete sentence is repeated with a beam twice as wide, and then
ends in the best partial path. `align` finds the best path through given words (frames of every state, unit and word).

`decoder.with_settings(settings)` shares the graph, so that scales can be tuned without compiling again. Compiling takes
about a second for 2,600 words and a trigram of 2,500 sentences.

Source of the method: Ney and Ortmanns (2000), "Progress in dynamic programming search for LVCSR".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit

from engines.ml.graph import GAP, Graph, LanguageModel, Layout, Lexicon, linear_graph, search_graph

_FLOOR = np.float32(-1e4)  # scores below (and not-a-numbers) count as this, so that no state is ever impossible


_WORD_END = np.float32(0.5)  # paths that end a word have to keep to this share of the beam among themselves


@dataclass(frozen=True)
class SearchSettings:
    """acoustic_scale: factor on frame scores. word_score: added per word (log; above 0 favours more words).

    beam: paths worse than the best by more than this are dropped (in the units of the path score).
    max_active: at most about this many states survive a frame.
    """

    acoustic_scale: float = 1.0
    word_score: float = 0.0
    beam: float = 12.0
    max_active: int = 2500


@dataclass(frozen=True)
class Span:
    """`label` from frame `start` to one past its last frame `end`."""

    label: str
    start: int
    end: int


@dataclass(frozen=True)
class Hypothesis:
    """The answer of a search: words and units with their frames, the score of the path, one column per frame.

    columns: (frames,) int32, the score column the path goes through. complete: False where the search ended amid a
    sentence and the words are those of the best partial path.
    """

    words: tuple[Span, ...]
    units: tuple[Span, ...]
    score: float
    columns: np.ndarray
    complete: bool

    @property
    def text(self) -> str:
        return " ".join(span.label for span in self.words)


class Decoder:
    """See the head of this file. Raises ValueError where lexicon and language model share no word."""

    def __init__(
        self,
        lexicon: Lexicon,
        lm: LanguageModel,
        layout: Layout,
        settings: SearchSettings | None = None,
        transitions: np.ndarray | None = None,
    ) -> None:
        """transitions: (columns, 2) log probabilities of staying in and of leaving a state (None: all free)."""
        self.graph = search_graph(lexicon, lm, layout)
        self.settings = settings or SearchSettings()
        self.transitions = transitions

    def with_settings(self, settings: SearchSettings) -> Decoder:
        other = object.__new__(Decoder)
        other.graph, other.settings, other.transitions = self.graph, settings, self.transitions
        return other

    def decode(self, scores: np.ndarray) -> Hypothesis:
        """scores: (frames, columns) log scores. No frames give no words."""
        found = search(self.graph, scores, self.settings, self.transitions)
        if not found.complete:
            found = search(self.graph, scores, replace(self.settings, beam=2 * self.settings.beam), self.transitions)
        return found


def align(
    words: Sequence[str],
    lexicon: Lexicon,
    layout: Layout,
    scores: np.ndarray,
    transitions: np.ndarray | None = None,
    beam: float = 400.0,
) -> Hypothesis:
    """The best path through exactly these words; not `complete` where the frames are too few for them."""
    return search(linear_graph(words, lexicon, layout), scores, SearchSettings(1.0, 0.0, beam, 1 << 30), transitions)


def search(
    graph: Graph, scores: np.ndarray, settings: SearchSettings, transitions: np.ndarray | None = None
) -> Hypothesis:
    """The best path through the graph for (frames, columns) log scores."""
    frames = len(scores)
    if frames == 0:
        return Hypothesis((), (), 0.0, np.zeros(0, np.int32), bool(np.isfinite(graph.final[graph.start])))
    clean = np.nan_to_num(np.asarray(scores, np.float32), nan=_FLOOR, neginf=_FLOOR, posinf=-_FLOOR)
    if transitions is None:
        transitions = np.zeros((clean.shape[1], 2), np.float32)
    g = graph
    states, said, last_word, score, complete = _search(
        np.maximum(clean, _FLOOR) * np.float32(settings.acoustic_scale),
        (np.asarray(transitions, np.float32) * np.float32(settings.acoustic_scale)),
        *g.records, g.start, g.no_repeat, np.float32(settings.word_score), np.float32(settings.beam),
        settings.max_active,
    )  # fmt: skip
    words, units = _spans(graph, states, said, int(last_word))
    return Hypothesis(words, units, float(score), g.column[states], bool(complete))


def _spans(g: Graph, states: np.ndarray, said: np.ndarray, last_word: int) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Words and units of a path: `said[t]` is the word that ended before frame t (-1: none)."""
    units: list[Span] = []
    words: list[Span] = []
    instance, unit = g.instance[states], g.unit[states]
    word_start = unit_start = -1  # -1: in a gap
    open_label = GAP
    for t in range(len(states) + 1):
        over = t == len(states)
        word = last_word if over else int(said[t])
        if over or word >= 0 or instance[t] != instance[t - 1] or t == 0:
            if open_label != GAP:
                units.append(Span(g.labels[open_label], unit_start, t))
            if word >= 0:
                words.append(Span(g.words[word], word_start, t))
                word_start = -1
            if over:
                break
            open_label, unit_start = int(unit[t]), t
            if open_label != GAP and word_start < 0:
                word_start = t
    if words and word_start >= 0:  # a partial path: units of a word that never ended are no part of the answer
        units = [span for span in units if span.start < words[-1].end]
    elif word_start >= 0:
        units = []
    return tuple(words), tuple(units)


_TOKEN = np.dtype([("state", "i4"), ("back", "i4"), ("word", "i4"), ("score", "f4")])
"""A partial path: its last state, the index of the token before, the word said on the way in (-1: none), its score."""


@njit(cache=True, nogil=True)
def _search(  # noqa: PLR0915 - one loop: what it holds would cost more to hand around than to read
    scores: Any, moves: Any, states: Any, arcs: Any, nodes: Any, node_arcs: Any, start: Any, no_repeat: Any,
    word_score: Any, beam: Any, max_active: Any,
) -> Any:  # fmt: skip
    """Token passing; -> (state of every frame, word said before it, last word, score of the path, complete)."""
    frames, n_nodes = scores.shape[0], len(nodes) - 1
    slot = np.full(len(states) - 1, -1, np.int32)  # where a state's token lies in this frame's list
    node_score = np.full(n_nodes, -np.inf, np.float32)
    node_from = np.full(n_nodes, -1, np.int32)
    node_word = np.full(n_nodes, -1, np.int32)
    n_levels = 0
    for n in range(n_nodes):
        n_levels = max(n_levels, nodes[n].level + 1)
    touched = np.empty((n_levels, n_nodes), np.int32)
    n_touched = np.zeros(n_levels, np.int64)

    token = np.empty(4096 + 512 * frames, _TOKEN)
    n_tok = 0
    frame_start = np.zeros(frames + 2, np.int64)

    node_score[start] = 0.0
    touched[nodes[start].level, 0] = start
    n_touched[nodes[start].level] = 1
    best, best_at = np.float32(0.0), 0
    for t in range(frames + 1):
        # 1. tokens of the frame before move out of their states (t = 0: there is only the start node)
        new = n_tok
        frame_start[t] = new
        row = scores[min(t, frames - 1)]
        ceiling = np.float32(-np.inf)
        if t > 0:
            old = frame_start[t - 1]
            cut = _cut(token[old:new], best, beam, max_active)
            if t < frames:  # where the best token goes sets the mark that all others have to reach
                s = token[best_at].state
                c = states[s].column
                ceiling = best + moves[c, 0] + row[c]
                for a in range(states[s].arc, states[s + 1].arc):
                    if arcs[a].dest >= 0:
                        ceiling = max(ceiling, best + moves[c, 1] + arcs[a].lm + row[arcs[a].column])
            for i in range(old, new):
                here = token[i].score
                if here < cut:
                    continue
                s = token[i].state
                c = states[s].column
                first, last = states[s].arc, states[s + 1].arc
                token = _roomy(token, n_tok + last - first + 1)
                for a in range(first, last):
                    d, score = arcs[a].dest, here + moves[c, 1] + arcs[a].lm
                    if d >= 0:
                        if t == frames:
                            continue
                        score += row[arcs[a].column]
                        if score >= ceiling - beam:
                            ceiling = max(ceiling, score)
                            n_tok = _place(token, slot, n_tok, d, score, i, arcs[a].word)
                        continue
                    n = -1 - d
                    if arcs[a].word >= 0:
                        score += word_score
                    if score > node_score[n]:
                        if node_score[n] == -np.inf:
                            level = nodes[n].level
                            touched[level, n_touched[level]] = n
                            n_touched[level] += 1
                        node_score[n], node_from[n], node_word[n] = score, i, arcs[a].word
                if t < frames:
                    score = here + moves[c, 0] + row[c]
                    if score >= ceiling - beam:
                        ceiling = max(ceiling, score)
                        n_tok = _place(token, slot, n_tok, s, score, i, -1)
        # 2. nodes pass on to shorter histories and to the first states of their trees
        top = np.float32(-np.inf)
        for lev in range(n_levels):
            for k in range(n_touched[lev]):
                top = max(top, node_score[touched[lev, k]])
        end_score, end_node = np.float32(-np.inf), -1
        for lev in range(n_levels):
            k = 0
            while k < n_touched[lev]:
                n = touched[lev, k]
                k += 1
                if t == frames and node_score[n] + nodes[n].final > end_score:
                    end_score, end_node = node_score[n] + nodes[n].final, n
                if node_score[n] < max(best - beam, top - beam * _WORD_END):
                    continue
                came = node_from[n]
                first, last = nodes[n].arc, nodes[n + 1].arc
                token = _roomy(token, n_tok + last - first)
                for a in range(first, last):
                    d, score = node_arcs[a].dest, node_score[n] + node_arcs[a].lm
                    if d < 0:
                        m = -1 - d
                        if score > node_score[m]:
                            if node_score[m] == -np.inf:
                                level = nodes[m].level
                                touched[level, n_touched[level]] = m
                                n_touched[level] += 1
                            node_score[m], node_from[m], node_word[m] = score, came, node_word[n]
                        continue
                    column = node_arcs[a].column
                    if t == frames or (no_repeat and came >= 0 and states[token[came].state].column == column):
                        continue
                    score += row[column]
                    if score >= ceiling - beam:
                        ceiling = max(ceiling, score)
                        n_tok = _place(token, slot, n_tok, d, score, came, node_word[n])
        if t == frames:
            break
        for lev in range(n_levels):
            for k in range(n_touched[lev]):
                node_score[touched[lev, k]] = -np.inf
            n_touched[lev] = 0
        best = np.float32(-np.inf)
        for i in range(new, n_tok):
            slot[token[i].state] = -1
            if token[i].score > best:
                best, best_at = token[i].score, i

    complete = end_node >= 0 and end_score > -np.inf
    last_word = -1
    if complete:
        at, last_word, total = node_from[end_node], node_word[end_node], end_score
    else:  # the best token, wherever it is
        at, total = frame_start[frames - 1], np.float32(-np.inf)
        for i in range(frame_start[frames - 1], frame_start[frames]):
            if token[i].score > total:
                at, total = i, token[i].score
    path = np.empty(frames, np.int32)
    said = np.empty(frames, np.int32)
    for t in range(frames - 1, -1, -1):
        path[t], said[t] = token[at].state, token[at].word
        at = token[at].back
    return path, said, last_word, total, complete


@njit(cache=True, nogil=True)
def _cut(tokens: Any, best: Any, beam: Any, max_active: Any) -> Any:
    """The score that a token needs to live on: within the beam, and about `max_active` of them at most."""
    if len(tokens) <= max_active:
        return best - beam
    histogram = np.zeros(256, np.int64)
    for i in range(len(tokens)):
        if tokens[i].score >= best - beam:
            histogram[min(255, int((best - tokens[i].score) / beam * 255))] += 1
    kept = 0
    for b in range(256):
        kept += histogram[b]
        if kept >= max_active:
            return best - beam * np.float32((b + 1) / 255.0)
    return best - beam


@njit(cache=True, nogil=True)
def _place(token: Any, slot: Any, n_tok: Any, state: Any, score: Any, back: Any, word: Any) -> Any:
    """Keep a path into `state` if it is the best there in this frame; -> how many tokens there are now."""
    at = slot[state]
    if at < 0:
        at = n_tok
        n_tok += 1
        slot[state] = at
        token[at].state = state
        token[at].score = -np.inf
    if score > token[at].score:
        token[at].score, token[at].back, token[at].word = score, back, word
    return n_tok


@njit(cache=True, nogil=True)
def _roomy(token: Any, needed: Any) -> Any:
    """`token`, or a copy with room for `needed` and more."""
    if needed <= len(token):
        return token
    larger = np.empty(2 * needed, _TOKEN)
    larger[: len(token)] = token
    return larger
