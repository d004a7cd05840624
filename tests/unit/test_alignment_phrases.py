"""Planted answers: word alignments that are known, phrase pairs that are known, probabilities that must add up."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engines.ml.alignment import Corpus, align, symmetrise
from engines.ml.phrases import ORIENTATIONS, PhraseTable

WORDS = 40


def planted(count: int, seed: int = 0) -> tuple[Corpus, list[set[tuple[int, int]]]]:
    """Sentence pairs of a made-up language: word w becomes w + 100, and each second pair of neighbours is swapped."""
    rng = np.random.default_rng(seed)
    pairs, links = [], []
    for _ in range(count):
        source = rng.integers(0, WORDS, rng.integers(2, 9))
        order = np.arange(len(source))
        for at in range(0, len(order) - 1, 2):
            if rng.random() < 0.5:
                order[[at, at + 1]] = order[[at + 1, at]]
        pairs.append((source.tolist(), (source[order] + 100).tolist()))
        links.append({(int(i), j) for j, i in enumerate(order)})
    return Corpus.of(pairs), links


def found(corpus: Corpus) -> list[set[tuple[int, int]]]:
    links, at = align(corpus)
    return [set(map(tuple, links[a:b].tolist())) for a, b in itertools.pairwise(at)]


def test_a_planted_word_alignment_is_recovered() -> None:
    corpus, truth = planted(400)
    mine = found(corpus)
    # A word that a sentence holds twice may be linked to either: what is judged are the words, not the places.
    right = wrong = 0
    for k, links in enumerate(mine):
        source = corpus.source[corpus.source_at[k] : corpus.source_at[k + 1]]
        target = corpus.target[corpus.target_at[k] : corpus.target_at[k + 1]]
        for i, j in links:
            same = source[i] + 100 == target[j]
            right, wrong = right + same, wrong + (not same)
    assert right / (right + wrong) > 0.97
    assert right / sum(map(len, truth)) > 0.97


def test_alignment_does_not_hang_on_its_seed_or_on_empty_sides() -> None:
    corpus, _ = planted(50)
    assert found(corpus) == found(corpus)
    lone = Corpus.of([([1, 2], []), ([], [3]), ([1, 2], [4, 5]), ([2], [5])])
    assert [len(links) for links in found(lone)][:2] == [0, 0]


def test_symmetrisation_grows_from_the_intersection_and_adds_free_words() -> None:
    at = np.array([0, 3])
    ahead = np.array([0, 1, 1], np.int16)  # of each target word
    back = np.array([0, 1, -1], np.int16)  # of each source word
    links, _ = symmetrise(at, at, ahead, back)
    # (0, 0) and (1, 1) are in both; (1, 2) is beside (1, 1), and target word 2 has no link yet.
    assert set(map(tuple, links.tolist())) == {(0, 0), (1, 1), (1, 2)}
    links, _ = symmetrise(at, at, np.array([-1, -1, 0], np.int16), np.array([-1, -1, -1], np.int16))
    assert set(map(tuple, links.tolist())) == {(0, 2)}  # final-and: both words were free


def one_pair(source: list[int], target: list[int], links: list[tuple[int, int]]) -> PhraseTable:
    made = np.array(links, np.int16).reshape(-1, 2)
    return PhraseTable.fit(Corpus.of([(source, target)]), made, np.array([0, len(made)]))


def phrases(table: PhraseTable, source: list[int]) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Every pair that the table holds, by asking for every span of the source."""
    pairs = set()
    for a in range(len(source)):
        for b in range(a + 1, len(source) + 1):
            for entry in table.entries(np.array(source[a:b], np.int32)):
                pairs.add((tuple(source[a:b]), tuple(table.target(entry).tolist())))
    return pairs


def test_planted_phrase_pairs_are_extracted_and_no_other() -> None:
    # michael geht davon aus , dass -> michael assumes that (the example of Koehn's book, chapter 5, shortened)
    source, target = [1, 2, 3, 4, 5, 6], [11, 12, 13]
    table = one_pair(source, target, [(0, 0), (1, 1), (2, 1), (3, 1), (5, 2)])
    assert phrases(table, source) == {
        ((1,), (11,)),
        ((1, 2, 3, 4), (11, 12)),
        ((1, 2, 3, 4, 5), (11, 12)),
        ((1, 2, 3, 4, 5, 6), (11, 12, 13)),
        ((2, 3, 4), (12,)),
        ((2, 3, 4, 5), (12,)),
        ((2, 3, 4, 5, 6), (12, 13)),
        ((6,), (13,)),
        ((5, 6), (13,)),
        # Words that stand alone in no pair get their links as pairs, so that each can be translated.
        ((2,), (12,)),
        ((3,), (12,)),
        ((4,), (12,)),
    }


def brute(n: int, m: int, links: set[tuple[int, int]], longest: int) -> set[tuple[int, int, int, int]]:
    """Spans (a, b, c, d) that agree with the links, by trying all."""
    spans = set()
    for a in range(n):
        for b in range(a + 1, min(n, a + longest) + 1):
            for c in range(m):
                for d in range(c + 1, min(m, c + longest) + 1):
                    inside = [(i, j) for i, j in links if a <= i < b and c <= j < d]
                    across = [(i, j) for i, j in links if (a <= i < b) != (c <= j < d)]
                    if inside and not across:
                        spans.add((a, b, c, d))
    return spans


@pytest.mark.parametrize("seed", range(20))
def test_extraction_agrees_with_trying_every_span(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 9, 2)
    links = {(int(rng.integers(n)), int(rng.integers(m))) for _ in range(rng.integers(1, 8))}
    source, target = list(range(n)), list(range(100, 100 + m))
    table = one_pair(source, target, sorted(links))
    mine = phrases(table, source)
    wanted = {(tuple(source[a:b]), tuple(target[c:d])) for a, b, c, d in brute(int(n), int(m), links, 7)}
    alone = {x[0] for x, _ in wanted if len(x) == 1}
    added = {((i,), (100 + j,)) for i, j in links if i not in alone}
    assert mine == wanted | added


def test_the_table_holds_probabilities() -> None:
    corpus, _ = planted(200)
    links, at = align(corpus)
    table = PhraseTable.fit(corpus, links, at)
    assert len(table) > 500
    assert (table.scores <= 1e-6).all()
    assert np.exp(table.orientations).sum(1) == pytest.approx(1, abs=1e-5)
    for place in range(len(table.keys)):
        shares = np.exp(table.scores[table.first[place] : table.first[place + 1], 0])
        assert 0 < shares.sum() <= 1 + 1e-5  # smoothing leaves something for pairs never seen
    for word in range(WORDS):
        best = max(table.entries(np.array([word], np.int32)), key=lambda entry: table.scores[entry, 0])
        assert table.target(best).tolist() == [word + 100]


def test_orientation_follows_the_links() -> None:
    """Always swapped neighbours are likelier swapped than monotone, and the other way round."""
    swapped = [([1, 2], [12, 11])] * 20
    plain = [([3, 4], [13, 14])] * 20
    corpus = Corpus.of(swapped + plain)
    links = np.array([(1, 0), (0, 1)] * 20 + [(0, 0), (1, 1)] * 20, np.int16)
    table = PhraseTable.fit(corpus, links, np.arange(0, 81, 2))
    way = {name: i for i, name in enumerate(ORIENTATIONS)}
    after_swap = table.orientations[table.entries(np.array([1], np.int32))[0]]
    after_plain = table.orientations[table.entries(np.array([4], np.int32))[0]]
    assert after_swap[way["swapped"]] > after_swap[way["monotone"]] + 1
    assert after_plain[way["monotone"]] > after_plain[way["swapped"]] + 1


def test_an_abridged_table_keeps_what_is_short_or_seen_twice_with_its_scores_and_links() -> None:
    seen_twice = [([1, 2, 3, 4, 5], [11, 12, 13, 14, 15])] * 2
    seen_once = [([6, 7, 8, 9], [16, 17, 18, 19])]
    corpus = Corpus.of(seen_twice + seen_once)
    links = np.array([(i, i) for _ in range(2) for i in range(5)] + [(i, i) for i in range(4)], np.int16)
    at = np.array([0, 5, 10, 14])
    whole = PhraseTable.fit(corpus, links, at)
    pairs = whole.abridged(links, at)
    table = PhraseTable.of(pairs)
    for words, there in (([1, 2, 3, 4, 5], True), ([6], True), ([6, 7], True), ([6, 7, 8], False)):
        entries = table.entries(np.array(words, np.int32))
        assert bool(len(entries)) == there
        for entry in entries:
            (old,) = whole.entries(np.array(words, np.int32))
            assert table.scores[entry] == pytest.approx(whole.scores[old], abs=0.051)
            pair = int(np.searchsorted(pairs.corpus.source_at, table.source_at[entry]))
            inside = pairs.links[pairs.links_at[pair] : pairs.links_at[pair + 1]].tolist()
            assert inside == [[i, i] for i in range(len(words))]
