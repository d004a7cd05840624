"""Values of a case that looks for someone: what is wrong with them, and the rates of a gate."""

import math

import numpy as np
import pytest

from engines.core import Spec
from engines.core.sighting import Attention, Box, Boxes, Candidates, Cutting, Embedding, rates

PICTURE = np.zeros((6, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        ("picture", PICTURE, None),
        ("picture", PICTURE.astype(np.float32), "uint8"),
        ("picture", PICTURE[:, :, 0], "uint8"),
        ("boxes", Boxes(PICTURE, (Box(0, 0, 2, 2),)), None),
        ("boxes", Boxes(PICTURE, (Box(2, 0, 1, 2),)), "runs from"),
        ("boxes", Boxes(PICTURE, (Box(0, 0, 2, 2, 1.5),)), "confidence"),
        ("boxes", PICTURE, "must be Boxes"),
        ("cutting", Cutting(PICTURE), None),
        ("cutting", Cutting(np.zeros((0, 0, 3), np.uint8)), None),
        ("cutting", Cutting(PICTURE.astype(float)), "uint8"),
        ("embedding", Embedding(np.zeros(4, np.float32)), None),
        ("embedding", Embedding(np.full(4, np.nan, np.float32)), "not finite"),
        ("attention", Attention(PICTURE, np.ones((2, 2), np.float32), np.zeros(3, np.float32)), None),
        ("attention", Attention(PICTURE, -np.ones((2, 2), np.float32), np.zeros(3, np.float32)), "at least 0"),
        ("candidates", Candidates((("a", 2.0), ("b", 1.0))), None),
        ("candidates", Candidates((("a", 1.0), ("b", 2.0))), "best first"),
        ("candidates", Candidates((("a", math.inf),)), "not finite"),
    ],
)
def test_a_value_says_what_is_wrong_with_it(kind, value, wrong):
    said = Spec(kind).problem(value)
    assert said is None if wrong is None else wrong in said


def test_overlap_is_intersection_over_union():
    assert Box(0, 0, 2, 2).overlap(Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert Box(0, 0, 1, 1).overlap(Box(5, 5, 6, 6)) == 0


def test_values_are_compared_by_content():
    assert Boxes(PICTURE, (Box(0, 0, 2, 2),)) == Boxes(PICTURE.copy(), (Box(0, 0, 2, 2),))
    assert Boxes(PICTURE, ()) != Boxes(PICTURE + 1, ())


def test_the_gate_opens_from_the_threshold_on():
    assert str(Candidates((("Ann_Lee", 0.5),), 0.5)) == "Ann Lee: opens"
    assert str(Candidates((("Ann_Lee", 0.4),), 0.5)) == "unknown: stays shut"
    assert not Candidates((), -1.0).opens


def test_rates_of_a_gate():
    rows = np.array([[1, 1, 0.9], [1, 1, 0.3], [1, 0, 0.9], [1, 1, 0.5], [0, 0, 0.8], [0, 0, 0.1]])
    assert rates(rows, 0.5) == (0.5, 0.5)
    assert rates(rows, 0.0) == (0.25, 1.0)
    assert math.isnan(rates(rows[:4], 0.5)[1])
