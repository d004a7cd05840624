"""The stack search against trying everything, a planted best path, and time."""

from __future__ import annotations

import time
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.core.wording import Option
from engines.ml.backoff import BackoffModel
from engines.ml.stack_decoder import FEATURES, LONGEST_SENTENCE, Settings, search

WEIGHTS = (0.5, 0.1, 0.2, 0.1, 0.15, 0.2, 0.1, 0.2, 0.1, 0.3, -0.1, -1.0)
WIDE = Settings(WEIGHTS, beam=4000, pops=8000, reach=6)
NAMES = [f"w{i}" for i in range(8)]
NUMBERS = {name: i for i, name in enumerate(NAMES)}


def language(seed: int = 0) -> BackoffModel:
    rng = np.random.default_rng(seed)
    return BackoffModel.fit([rng.integers(0, 8, rng.integers(2, 7)).astype(np.int32) for _ in range(40)], 8, 3)


def some_options(size: int, rng: np.random.Generator, most: int = 2) -> tuple[Option, ...]:
    """Random options of every word, and of some pairs of words."""
    found = []
    spans = [(a, a + 1) for a in range(size)] + [(a, a + 2) for a in range(size - 1) if rng.random() < 0.5]
    for a, b in spans:
        for _ in range(rng.integers(1, most + 1)):
            target = tuple(rng.choice(NAMES, rng.integers(1, 3)).tolist())
            ways = np.log(rng.dirichlet(np.ones(3)))
            found.append(Option(a, b, target, tuple((-rng.random(4) * 3).tolist()), tuple(ways.tolist())))
    return tuple(found)


def scored(order: tuple[int, ...], options: tuple[Option, ...], model: BackoffModel) -> tuple[float, np.ndarray]:
    """What a derivation scores, straight from the definitions of the features."""
    features = np.zeros(len(FEATURES))
    state, before = model.start, (-1, 0)
    for k in order:
        option = options[k]
        for word in option.target:
            logp, state = model.step(state, NUMBERS.get(word, model.unknown))
            features[0] += logp
        features[1] -= abs(option.start - before[1])
        way = 0 if option.start == before[1] else (1 if option.end == before[0] else 2)
        features[2 + way] += option.orientations[way]
        features[5:9] += option.scores
        features[9] += len(option.target)
        features[10] += 1
        features[11] += option.unknown
        before = (option.start, option.end)
    features[0] += model.step(state, model.end)[0]
    return float(features @ np.array(WEIGHTS)), features


def every_derivation(size: int, options: tuple[Option, ...]) -> list[tuple[int, ...]]:
    """Every choice of options that covers each word once, in every order."""

    def covers(at: int) -> list[tuple[int, ...]]:
        if at == size:
            return [()]
        return [(k, *rest) for k, o in enumerate(options) if o.start == at for rest in covers(o.end)]

    return [order for cover in covers(0) for order in permutations(cover)]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_derivations_are_those_of_exhaustive_search(size: int, seed: int) -> None:
    rng = np.random.default_rng([size, seed])
    options, model = some_options(size, rng), language(seed)
    wanted = sorted((scored(order, options, model)[0] for order in every_derivation(size, options)), reverse=True)
    found = search(size, options, model, NUMBERS, WIDE, 8)
    assert [d.score for d in found] == pytest.approx(wanted[: len(found)], abs=1e-4)
    assert len(found) == min(8, len(wanted))
    for derivation in found:
        total, features = scored(derivation.options, options, model)
        assert derivation.score == pytest.approx(total, abs=1e-4)
        assert derivation.features == pytest.approx(features, abs=1e-4)
    assert len({d.options for d in found}) == len(found)


@pytest.mark.parametrize("seed", range(4))
def test_different_translations_are_each_the_best_that_reads_so(seed: int) -> None:
    rng = np.random.default_rng([9, seed])
    options, model = some_options(4, rng), language(seed)
    every = search(4, options, model, NUMBERS, WIDE, 400)
    best: dict[tuple[str, ...], float] = {}
    for each in every:
        best.setdefault(tuple(word for o in each.options for word in options[o].target), each.score)
    found = search(4, options, model, NUMBERS, WIDE, 5, 400)
    assert len(found) == min(5, len(best))
    assert [each.score for each in found] == list(best.values())[: len(found)]


def test_a_planted_best_path_is_found() -> None:
    """Ten words, each with one good option and many bad ones; the good ones follow a swap that the language model
    knows."""
    names = [f"t{i}" for i in range(10)] + [f"bad{i}" for i in range(30)]
    numbers = {name: i for i, name in enumerate(names)}
    order = [0, 1, 3, 2, 4, 5, 7, 6, 8, 9]
    model = BackoffModel.fit([np.array(order, np.int32)] * 20, len(names), 3)
    options = [Option(i, i + 1, (f"t{i}",), (-0.5,) * 4, (-1.1,) * 3) for i in range(10)]
    options += [
        Option(i, i + 1, (f"bad{3 * i + k}",), (-0.4,) * 4, (-1.1,) * 3) for i, k in product(range(10), range(3))
    ]
    best = search(10, options, model, numbers, Settings(WEIGHTS, beam=60, pops=120), 1)[0]
    assert [word for k in best.options for word in options[k].target] == [f"t{i}" for i in order]


def test_a_larger_beam_is_never_worse() -> None:
    rng = np.random.default_rng(3)
    options, model = some_options(12, rng, 4), language()
    scores = [
        search(12, options, model, NUMBERS, Settings(WEIGHTS, beam=size, pops=2 * size))[0].score
        for size in (5, 50, 500)
    ]
    assert scores[0] <= scores[1] + 1e-9 <= scores[2] + 2e-9


@settings(max_examples=60, deadline=2000)
@given(
    size=st.integers(0, LONGEST_SENTENCE), seed=st.integers(0, 999), beam=st.integers(1, 40), reach=st.integers(0, 8)
)
def test_every_sentence_gets_an_answer_that_covers_it_once(size: int, seed: int, beam: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    options = some_options(size, rng, 3)
    found = search(size, options, language(), NUMBERS, Settings(WEIGHTS, beam, 2 * beam, reach), 5)
    assert found
    assert list(found) == sorted(found, key=lambda d: -d.score)
    for derivation in found:
        covered = sorted(k for o in derivation.options for k in range(options[o].start, options[o].end))
        assert covered == list(range(size))
        at = 0
        for o in derivation.options:
            assert abs(options[o].start - at) <= max(reach, 1) + 1 or reach == 0
            at = options[o].end


def test_a_word_without_options_and_a_sentence_too_long_are_refused() -> None:
    options = some_options(3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="no option"):
        search(4, options, language(), NUMBERS, WIDE)
    with pytest.raises(ValueError, match="split it"):
        search(LONGEST_SENTENCE + 1, options, language(), NUMBERS, WIDE)


def test_time_is_linear_in_the_length() -> None:
    """Twice the words take at most thrice the time (the least of several tries, for other work on the machine)."""
    model, narrow = language(), Settings(WEIGHTS, beam=60, pops=120)
    lasted = {}
    for size in (15, 30, 60):
        options = some_options(size, np.random.default_rng(size), 5)
        search(size, options, model, NUMBERS, narrow)
        tries = []
        for _ in range(5):
            begun = time.process_time()
            search(size, options, model, NUMBERS, narrow)
            tries.append(time.process_time() - begun)
        lasted[size] = min(tries)
    assert lasted[30] < 3 * lasted[15] + 0.005
    assert lasted[60] < 3 * lasted[30] + 0.005
