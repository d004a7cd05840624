"""The nouns keep their promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.core import Budget, Segment, Spec, Split, Stage, UserError
from tests.conformance.conftest import fitted


def split(weights) -> Split:
    n = len(weights)
    return Split(list(range(n)), [str(i) for i in range(n)], np.array(weights, float), [{}] * n)


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=40), st.floats(0.01, 1), st.floats(0.01, 1), st.integers(0, 99)
)
def test_prefixes_nest_and_reach_their_amount(weights, one, other, seed):
    data = split(weights)
    small, large = sorted((one * data.total, other * data.total))
    a, b = (data.prefix(amount, np.random.default_rng(seed)) for amount in (small, large))
    assert list(b.x)[: len(a)] == list(a.x)
    assert a.total >= small * (1 - 1e-6)
    assert a.take(range(len(a) - 1)).total < small


@pytest.mark.parametrize("amount", [0, -1, float("nan"), 4.1])
def test_amounts_that_cannot_be_given_raise(amount):
    with pytest.raises(UserError):
        split([1, 1, 2]).prefix(amount, np.random.default_rng(0))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="differ in length"):
        Split([1, 2], ["a"], np.ones(2), [{}, {}])


@pytest.mark.parametrize("pairs", [-1, float("inf"), float("nan"), "8"])
def test_a_budget_is_a_number_of_at_least_nothing(pairs):
    with pytest.raises(UserError, match="at least 0"):
        Budget(pairs)


MATRIX = Spec("posteriors", shape=(None, 2), labels=("a", "b"), rate=100)


@pytest.mark.parametrize(
    ("spec", "value", "problem"),
    [
        (MATRIX, np.zeros((3, 2), np.float32), None),
        (MATRIX, np.zeros((3, 2)), "float32"),
        (MATRIX, np.zeros((3, 3), np.float32), "axis 1"),
        (MATRIX, np.full((3, 2), np.nan, np.float32), "NaN"),
        (MATRIX, np.zeros(3, np.float32), "axes"),
        (Spec("text"), "word", None),
        (Spec("text"), b"word", "must be a str"),
        (Spec("segments"), (Segment("words", "A", 0, 1),), None),
        (Spec("segments"), (Segment("words", "A", 2, 1),), "runs from"),
        (Spec("segments"), ["A"], "tuple"),
        (Spec("nonsense"), 0, "not a known kind"),
    ],
)
def test_a_spec_says_what_is_wrong_with_a_value(spec, value, problem):
    found = spec.problem(value)
    assert found is None if problem is None else problem in found


def test_an_oracle_changes_what_comes_after_it():
    engine = fitted("tones", "pairs", "pipeline")
    x = np.zeros(2000, np.float32)
    truth = (Segment("words", "HIGH", 0, 0.25),)
    assert engine.answer(x) == "LOW"
    trace = engine.trace(x, {"words": truth})
    assert trace.answer == "HIGH"
    assert [step.replaced for step in trace.steps] == [False, True, False]
    assert isinstance(engine.stages()[0], Stage)
