"""Phrase-based search: stacks of hypotheses by how many source words they cover, filled by cube pruning.

Sources: Koehn, Och and Marcu 2003 (stack decoding, future cost, recombination); Huang and Chiang 2007 (cube pruning);
Huang and Chiang 2005 (the best derivations of a search graph, here by A* with the exact forward scores).

Time is linear in the length of the sentence at a fixed distortion limit: every stack takes at most `pops` hypotheses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from engines.core.wording import Option
from engines.ml.backoff import BackoffModel, look_up
from engines.ml.phrases import ORIENTATIONS, SCORES

FEATURES = ("language model", "jump", *ORIENTATIONS, *SCORES, "words", "phrases", "unknown words")
LM, JUMP, ORIENTATION, TABLE, WORDS, PHRASES, UNKNOWN = 0, 1, slice(2, 5), slice(5, 9), 9, 10, 11
LONGEST_SENTENCE = 63  # words: a coverage is one 64-bit number


@dataclass(frozen=True)
class Settings:
    """`weights` of FEATURES; `beam` hypotheses a stack, of at most `pops` that are looked at; `reach` is how far the
    search may jump, in words."""

    weights: tuple[float, ...]
    beam: int = 60
    pops: int = 120
    reach: int = 6

    def with_weights(self, weights: Sequence[float]) -> Settings:
        return replace(self, weights=tuple(float(w) for w in weights))


@dataclass(frozen=True)
class Derivation:
    """A translation and how it came about: numbers of options in order of the target, what each feature came to (of
    FEATURES), and their weighted sum."""

    options: tuple[int, ...]
    features: tuple[float, ...]
    score: float


def search(
    size: int,
    options: Sequence[Option],
    model: BackoffModel,
    numbers: dict[str, int],
    settings: Settings,
    count: int = 1,
    among: int = 0,
) -> tuple[Derivation, ...]:
    """The best derivations of a sentence of `size` words, best first; several may read the same. With `among`, the best
    of each of up to `count` different translations that the `among` best derivations spell.

    `numbers`: target word -> its number in the language model. Every word needs an option of its own.
    Raises ValueError for more than LONGEST_SENTENCE words, or a word without options.
    """
    if size == 0:
        return (Derivation((), (0.0,) * len(FEATURES), 0.0),)
    if size > LONGEST_SENTENCE:
        raise ValueError(f"a sentence of {size} words is too long: split it")
    chart = _chart(size, options, model, numbers, settings)
    w = settings.weights
    for reach in (settings.reach, 0):  # words without a jump can always be translated in order
        graph = _search(size, *chart, *model.tables, model.words + 2, model.start, model.end, w[LM], w[JUMP],
                        np.array(w[ORIENTATION]), reach, settings.beam, settings.pops)  # fmt: skip
        if graph[-1] >= 0:
            break
    else:
        raise ValueError("a word has no option")
    return _derivations(options, graph, chart, settings, count, among)


def _chart(
    size: int, options: Sequence[Option], model: BackoffModel, numbers: dict[str, int], settings: Settings
) -> tuple[NDArray, ...]:
    """Options as arrays, best first within each span: (which option, first and how many of each span, words, where
    each option's begin, static scores, estimates, orientations, future costs)."""
    w = settings.weights
    spans = np.array([(o.start, o.end, len(o.target), o.unknown) for o in options], np.int64).reshape(-1, 4)
    at = np.concatenate([[0], np.cumsum(spans[:, 2])])
    words = np.fromiter((numbers.get(word, model.unknown) for o in options for word in o.target), np.int64, at[-1])
    scores = np.array([o.scores for o in options]).reshape(-1, len(SCORES))
    static = scores @ np.array(w[TABLE]) + w[WORDS] * spans[:, 2] + w[PHRASES] + w[UNKNOWN] * spans[:, 3]
    estimate = static + w[LM] * _alone(*model.tables, model.words + 2, at, words)
    order = np.lexsort((-estimate, spans[:, 1], spans[:, 0]))
    span = spans[order, 0] * (size + 1) + spans[order, 1]
    grid = np.arange((size + 1) * (size + 1))
    first = np.searchsorted(span, grid)
    many = np.searchsorted(span, grid, side="right") - first
    orientations = np.array([o.orientations for o in options]).reshape(-1, len(ORIENTATIONS))
    future = np.full((size + 1, size + 1), -1e9)
    np.maximum.at(future, (spans[:, 0], spans[:, 1]), estimate)
    for length in range(2, size + 1):
        for a in range(size + 1 - length):
            b = a + length
            split = (future[a, a + 1 : b] + future[a + 1 : b, b]).max()
            future[a, b] = max(future[a, b], split)
    return order, first, many, at, words, static, estimate, orientations, future


@njit(cache=True)
def _alone(keys, arcs, logp, after, backoff, shorter, width, at, words):
    """What the language model says of each option without anything before it."""
    out = np.empty(len(at) - 1)
    for k in range(len(at) - 1):
        state, total = 0, 0.0
        for place in range(at[k], at[k + 1]):
            p, state = look_up(keys, arcs, logp, after, backoff, shorter, width, state, words[place])
            total += p
        out[k] = total
    return out


@njit(cache=True)
def _search(  # noqa: PLR0915  (one search, compiled whole)
    size, order, first, many, at, words, static, estimate, orientations, future,
    keys, arcs, logp, after, backoff, shorter, width, start_state, end_word,
    weight_lm, weight_jump, weight_ways, reach, beam, pops,
):  # fmt: skip
    """The search graph: arrays over hypotheses (parent, option, score, language model, jump, orientation, and the
    next that a hypothesis stands for after recombination) and the best complete one, -1 where there is none."""
    room = size * pops + 1
    parent, option = np.full(room, -1, np.int32), np.full(room, -1, np.int32)
    score, total, heard = np.zeros(room), np.zeros(room), np.zeros(room)
    jumped, way = np.zeros(room, np.int32), np.zeros(room, np.int8)
    fellow = np.full(room, -1, np.int32)
    cover = np.zeros(room, np.uint64)
    begin, end, state = np.full(room, -1, np.int32), np.zeros(room, np.int32), np.zeros(room, np.int32)
    state[0] = start_state
    made = 1
    # The kept hypotheses of stack k, those of one coverage side by side: stack[k, :filled[k]].
    stack, filled = np.zeros((size + 1, beam), np.int32), np.zeros(size + 1, np.int32)
    filled[0] = 1
    one = np.uint64(1)
    for covered in range(1, size + 1):
        edge_span, edge_from, edge_count = [0], [0], [0]
        entrants = [0]
        heap_room = 1024
        heap = np.zeros((heap_room, 8))  # -total, score, edge, hypothesis, option, state, language model, orientation
        heaped = 0
        for length in range(1, covered + 1):
            k = covered - length
            place = 0
            while place < filled[k]:
                shape = cover[stack[k, place]]
                stop = place
                while stop < filled[k] and cover[stack[k, stop]] == shape:
                    stop += 1
                gap = 0
                while (shape >> np.uint64(gap)) & one:
                    gap += 1
                for s in range(gap, min(size - length, gap + reach) + 1):
                    span = s * (size + 1) + s + length
                    if many[span] == 0 or (s > gap and s + length - gap > reach):
                        continue
                    if shape & (((one << np.uint64(length)) - one) << np.uint64(s)):
                        continue
                    begun = len(entrants)
                    for h in stack[k, place:stop]:
                        if abs(s - end[h]) <= reach or k == 0 or s == gap:
                            entrants.append(h)
                    if len(entrants) > begun:
                        edge_span.append(span)
                        edge_from.append(begun)
                        edge_count.append(len(entrants) - begun)
                place = stop
        seen = np.full(4 * pops if pops > 64 else 256, -1, np.int32)
        edges = len(edge_span)
        edge, i, j, popped = 1, 0, 0, 0
        queue_i, queue_j, queue_edge = [0], [0], [0]
        for edge in range(1, edges):
            queue_i.append(0)
            queue_j.append(0)
            queue_edge.append(edge)
        head = 1
        while popped < pops:
            # Whatever waits to be scored is put into the heap.
            while head < len(queue_edge):
                edge, i, j = queue_edge[head], queue_i[head], queue_j[head]
                head += 1
                h = entrants[edge_from[edge] + i]
                o = order[first[edge_span[edge]] + j]
                s, e = edge_span[edge] // (size + 1), edge_span[edge] % (size + 1)
                turned = 0 if s == end[h] else (1 if e == begin[h] else 2)
                at_state, said = state[h], 0.0
                for w in range(at[o], at[o + 1]):
                    p, at_state = look_up(keys, arcs, logp, after, backoff, shorter, width, at_state, words[w])
                    said += p
                if covered == size:
                    p, at_state = look_up(keys, arcs, logp, after, backoff, shorter, width, at_state, end_word)
                    said += p
                    at_state = 0
                mark = score[h] + static[o] + weight_lm * said - weight_jump * abs(s - end[h])
                mark += weight_ways[turned] * orientations[o, turned]
                hope, shape = mark, cover[h] | (((one << np.uint64(e - s)) - one) << np.uint64(s))
                a = 0
                while a < size:
                    if (shape >> np.uint64(a)) & one:
                        a += 1
                        continue
                    b = a
                    while b < size and not (shape >> np.uint64(b)) & one:
                        b += 1
                    hope += future[a, b]
                    a = b
                if heaped == heap_room:
                    heap = np.concatenate((heap, np.zeros((heap_room, 8))))
                    heap_room *= 2
                item = heap[heaped]
                item[0], item[1], item[2], item[3] = -hope, mark, edge, i
                item[4], item[5], item[6], item[7] = j, at_state, said, turned
                at_ = heaped
                heaped += 1
                while at_ > 0 and heap[(at_ - 1) // 2, 0] > heap[at_, 0]:
                    up = (at_ - 1) // 2
                    for c in range(8):
                        heap[at_, c], heap[up, c] = heap[up, c], heap[at_, c]
                    at_ = up
            if heaped == 0:
                break
            top = heap[0].copy()
            heaped -= 1
            heap[0] = heap[heaped]
            at_ = 0
            while 2 * at_ + 1 < heaped:
                down = 2 * at_ + 1
                if down + 1 < heaped and heap[down + 1, 0] < heap[down, 0]:
                    down += 1
                if heap[at_, 0] <= heap[down, 0]:
                    break
                for c in range(8):
                    heap[at_, c], heap[down, c] = heap[down, c], heap[at_, c]
                at_ = down
            edge, i, j = int(top[2]), int(top[3]), int(top[4])
            if j + 1 < many[edge_span[edge]]:
                queue_edge.append(edge)
                queue_i.append(i)
                queue_j.append(j + 1)
            if j == 0 and i + 1 < edge_count[edge]:
                queue_edge.append(edge)
                queue_i.append(i + 1)
                queue_j.append(0)
            popped += 1
            h = entrants[edge_from[edge] + i]
            s, e = edge_span[edge] // (size + 1), edge_span[edge] % (size + 1)
            new = made
            made += 1
            parent[new], option[new] = h, order[first[edge_span[edge]] + j]
            score[new], total[new], heard[new] = top[1], -top[0], top[6]
            jumped[new], way[new], state[new] = abs(s - end[h]), int(top[7]), int(top[5])
            cover[new] = cover[h] | (((one << np.uint64(e - s)) - one) << np.uint64(s))
            begin[new], end[new] = s, e
            if covered == size:
                begin[new], end[new] = 0, 0
            # Recombination: equal futures are one hypothesis. The first to come is mostly, not always, the best.
            key = (np.int64(cover[new]) * 31 + state[new]) * 64 + end[new]
            slot = ((key * 2654435761) >> 7) % len(seen)
            while seen[slot] >= 0:
                old = seen[slot]
                if (
                    cover[old] == cover[new]
                    and state[old] == state[new]
                    and end[old] == end[new]
                    and begin[old] == begin[new]
                ):
                    break
                slot = (slot + 1) % len(seen)
            if seen[slot] < 0:
                seen[slot] = new
            else:
                old = seen[slot]
                if score[new] > score[old]:
                    fellow[new], seen[slot] = old, new
                else:
                    fellow[new], fellow[old] = fellow[old], new
        # The best of them, those of one coverage side by side.
        kept = seen[seen >= 0]
        kept = kept[np.argsort(-total[kept])][:beam]
        by_cover = np.argsort(cover[kept], kind="mergesort")
        kept = kept[by_cover]
        stack[covered, : len(kept)] = kept
        filled[covered] = len(kept)
    best = -1
    for h in stack[size, : filled[size]]:
        if best < 0 or score[h] > score[best]:
            best = h
    return parent, option, score, heard, jumped, way, fellow, best


@njit(cache=True)
def _best_paths(parent, score, fellow, best, count, longest):
    """Hypotheses of the `count` best paths, (count, longest) from the last to the first and -1 beyond, best first."""
    room = 64 * count + 4096
    held, later, owed, key = np.zeros(room, np.int32), np.full(room, -1, np.int32), np.zeros(room), np.zeros(room)
    heap = np.zeros(room, np.int32)
    made, heaped, found = 0, 0, 0
    paths = np.full((count, longest), -1, np.int32)
    source, next_, debt = best, -1, 0.0
    while True:
        # All that the hypothesis `source` stands for become ways on, `debt` being what the path owes since.
        h = source
        while h >= 0 and made < room:
            held[made], later[made], owed[made], key[made] = h, next_, debt, -(score[h] + debt)
            at = heaped
            heap[at] = made
            heaped += 1
            made += 1
            while at > 0 and key[heap[(at - 1) // 2]] > key[heap[at]]:
                heap[at], heap[(at - 1) // 2] = heap[(at - 1) // 2], heap[at]
                at = (at - 1) // 2
            h = fellow[h]
        while True:
            if heaped == 0 or found == count:
                return paths[:found]
            node = heap[0]
            heaped -= 1
            heap[0] = heap[heaped]
            at = 0
            while 2 * at + 1 < heaped:
                down = 2 * at + 1
                if down + 1 < heaped and key[heap[down + 1]] < key[heap[down]]:
                    down += 1
                if key[heap[at]] <= key[heap[down]]:
                    break
                heap[at], heap[down] = heap[down], heap[at]
                at = down
            h = held[node]
            if parent[h] == 0:
                walk, place = node, longest
                steps = 0
                while walk >= 0:
                    steps += 1
                    walk = later[walk]
                walk, place = node, steps
                while walk >= 0:  # from the first phrase to the last
                    place -= 1
                    paths[found, place] = held[walk]
                    walk = later[walk]
                found += 1
                continue
            source, next_, debt = parent[h], node, owed[node] + score[h] - score[parent[h]]
            break


def _derivations(
    options: Sequence[Option], graph: tuple, chart: tuple[NDArray, ...], settings: Settings, count: int, among: int
) -> tuple[Derivation, ...]:
    parent, option, score, heard, jumped, way, fellow, best = graph
    paths = _best_paths(parent, score, fellow, best, max(count, among), LONGEST_SENTENCE + 1)
    found: list[Derivation] = []
    spelled: set[tuple[str, ...]] = set()
    weights = np.array(settings.weights)
    for path in paths:
        hypotheses = path[path >= 0][::-1]
        used = option[hypotheses]
        if among:
            words = tuple(word for o in used for word in options[o].target)
            if words in spelled or len(found) == count:
                continue
            spelled.add(words)
        features = np.zeros(len(FEATURES))
        features[LM] = heard[hypotheses].sum()
        features[JUMP] = -float(jumped[hypotheses].sum())
        for h, o in zip(hypotheses, used, strict=True):
            features[2 + way[h]] += chart[7][o, way[h]]
            features[TABLE] += options[o].scores
            features[WORDS] += len(options[o].target)
            features[UNKNOWN] += options[o].unknown
        features[PHRASES] = len(used)
        found.append(Derivation(tuple(used.tolist()), tuple(features.tolist()), float(features @ weights)))
    return tuple(found)
