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
        g.column, g.arc_ptr, g.arc_dest, g.arc_lm, g.arc_word, g.node_ptr, g.node_dest, g.node_lm, g.level, g.final,
        g.start, g.no_repeat, np.float32(settings.word_score), np.float32(settings.beam), settings.max_active,
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


@njit(cache=True, nogil=True)
def _search(  # noqa: PLR0915 - one loop: what it holds would cost more to hand around than to read
    scores: Any, moves: Any, column: Any, arc_ptr: Any, arc_dest: Any, arc_lm: Any, arc_word: Any, node_ptr: Any,
    node_dest: Any, node_lm: Any, level: Any, final: Any, start: Any, no_repeat: Any, word_score: Any, beam: Any,
    max_active: Any,
) -> Any:  # fmt: skip
    """Token passing. A token is (state, score, index of the token before, word said on the way in)."""
    frames, n_nodes = scores.shape[0], len(level)
    slot = np.full(len(column), -1, np.int32)  # where a state's token lies in this frame's list
    node_score = np.full(n_nodes, -np.inf, np.float32)
    node_from = np.full(n_nodes, -1, np.int32)
    node_word = np.full(n_nodes, -1, np.int32)
    n_levels = 0
    for n in range(n_nodes):
        n_levels = max(n_levels, level[n] + 1)
    touched = np.empty((n_levels, n_nodes), np.int32)
    n_touched = np.zeros(n_levels, np.int64)

    room = 4096 + 64 * frames
    tok_state = np.empty(room, np.int32)
    tok_back = np.empty(room, np.int32)
    tok_word = np.empty(room, np.int32)
    tok_score = np.empty(room, np.float32)
    n_tok = 0
    frame_start = np.zeros(frames + 2, np.int64)
    histogram = np.zeros(256, np.int64)

    node_score[start] = 0.0
    touched[level[start], 0] = start
    n_touched[level[start]] = 1
    best, best_at = np.float32(0.0), 0
    for t in range(frames + 1):
        # 1. tokens of the frame before move out of their states (t = 0: there is only the start node)
        new = n_tok
        frame_start[t] = new
        ceiling = np.float32(-np.inf)
        if t > 0:
            old = frame_start[t - 1]
            cut = best - beam
            if new - old > max_active:
                histogram[:] = 0
                for i in range(old, new):
                    if tok_score[i] >= cut:
                        histogram[min(255, int((best - tok_score[i]) / beam * 255))] += 1
                kept = 0
                for b in range(256):
                    kept += histogram[b]
                    if kept >= max_active:
                        cut = best - beam * np.float32((b + 1) / 255.0)
                        break
            if n_tok + 8 * (new - old) + 1024 > len(tok_state):  # room for what this frame may add, grown below
                tok_state, tok_back, tok_word, tok_score = _grow(
                    tok_state, tok_back, tok_word, tok_score, 8 * (new - old) + 1024
                )
            if t < frames:  # where the best token goes sets the mark that all others have to reach
                s = tok_state[best_at]
                ceiling = best + moves[column[s], 0] + scores[t, column[s]]
                for a in range(arc_ptr[s], arc_ptr[s + 1]):
                    if arc_dest[a] >= 0:
                        score = best + moves[column[s], 1] + arc_lm[a] + scores[t, column[arc_dest[a]]]
                        ceiling = max(ceiling, score)
            for i in range(old, new):
                if tok_score[i] < cut:
                    continue
                s = tok_state[i]
                out = tok_score[i] + moves[column[s], 1]
                for stay in range(2):
                    first = arc_ptr[s] if stay == 0 else 0
                    last = arc_ptr[s + 1] if stay == 0 else 1
                    for a in range(first, last):
                        if stay == 1:
                            d, w, score = s, -1, tok_score[i] + moves[column[s], 0]
                        else:
                            d, w, score = arc_dest[a], arc_word[a], out + arc_lm[a]
                        if d >= 0:
                            if t == frames:
                                continue
                            score += scores[t, column[d]]
                            if score < ceiling - beam:
                                continue
                            ceiling = max(ceiling, score)
                            at = slot[d]
                            if at < 0:
                                if n_tok == len(tok_state):
                                    tok_state, tok_back, tok_word, tok_score = _grow(
                                        tok_state, tok_back, tok_word, tok_score, 4096
                                    )
                                at = n_tok
                                n_tok += 1
                                slot[d] = at
                                tok_state[at] = d
                                tok_score[at] = -np.inf
                            if score > tok_score[at]:
                                tok_score[at], tok_back[at], tok_word[at] = score, i, w
                        else:
                            n = -1 - d
                            if w >= 0:
                                score += word_score
                            if score > node_score[n]:
                                if node_score[n] == -np.inf:
                                    touched[level[n], n_touched[level[n]]] = n
                                    n_touched[level[n]] += 1
                                node_score[n], node_from[n], node_word[n] = score, i, w
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
                if t == frames and node_score[n] + final[n] > end_score:
                    end_score, end_node = node_score[n] + final[n], n
                if node_score[n] < max(best - beam, top - beam * _WORD_END):
                    continue
                came = node_from[n]
                for a in range(node_ptr[n], node_ptr[n + 1]):
                    d = node_dest[a]
                    score = node_score[n] + node_lm[a]
                    if d < 0:
                        m = -1 - d
                        if score > node_score[m]:
                            if node_score[m] == -np.inf:
                                touched[level[m], n_touched[level[m]]] = m
                                n_touched[level[m]] += 1
                            node_score[m], node_from[m], node_word[m] = score, came, node_word[n]
                        continue
                    if t == frames or (no_repeat and came >= 0 and column[tok_state[came]] == column[d]):
                        continue
                    score += scores[t, column[d]]
                    if score < ceiling - beam:
                        continue
                    ceiling = max(ceiling, score)
                    at = slot[d]
                    if at < 0:
                        if n_tok == len(tok_state):
                            tok_state, tok_back, tok_word, tok_score = _grow(
                                tok_state, tok_back, tok_word, tok_score, 4096
                            )
                        at = n_tok
                        n_tok += 1
                        slot[d] = at
                        tok_state[at] = d
                        tok_score[at] = -np.inf
                    if score > tok_score[at]:
                        tok_score[at], tok_back[at], tok_word[at] = score, came, node_word[n]
        if t == frames:
            break
        for lev in range(n_levels):
            for k in range(n_touched[lev]):
                node_score[touched[lev, k]] = -np.inf
            n_touched[lev] = 0
        best = np.float32(-np.inf)
        for i in range(new, n_tok):
            slot[tok_state[i]] = -1
            if tok_score[i] > best:
                best, best_at = tok_score[i], i

    complete = end_node >= 0 and end_score > -np.inf
    last_word = -1
    if complete:
        at, last_word, total = node_from[end_node], node_word[end_node], end_score
    else:  # the best token, wherever it is
        at, total = frame_start[frames - 1], np.float32(-np.inf)
        for i in range(frame_start[frames - 1], frame_start[frames]):
            if tok_score[i] > total:
                at, total = i, tok_score[i]
    states = np.empty(frames, np.int32)
    said = np.empty(frames, np.int32)
    for t in range(frames - 1, -1, -1):
        states[t], said[t] = tok_state[at], tok_word[at]
        at = tok_back[at]
    return states, said, last_word, total, complete


@njit(cache=True)
def _grow(state: Any, back: Any, word: Any, score: Any, more: Any) -> Any:
    size = len(state) + max(more, len(state) // 2)
    new_state, new_back = np.empty(size, np.int32), np.empty(size, np.int32)
    new_word, new_score = np.empty(size, np.int32), np.empty(size, np.float32)
    new_state[: len(state)], new_back[: len(back)] = state, back
    new_word[: len(word)], new_score[: len(score)] = word, score
    return new_state, new_back, new_word, new_score
