"""Kinds of error: one planted of each kind is counted once, and a sweep keeps the counts beside the score."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from engines.cases.translation.faults import count_french, echoes
from engines.cases.translation.tasks import CAPTIONS, KINDS
from engines.core import Budget
from engines.runs import Run, RunSpec, RunStore, Score

TRUTH = "Un homme joue de la guitare dans la rue."
PLANTED = {
    "unknown words": "Un homme plays de la guitare dans la rue.",
    "word order": "Un joue homme de la guitare dans la rue.",
    "missing words": "Un homme joue de la dans la rue.",
    "repetitions": "Un homme joue de la guitare guitare dans la rue.",
    "wrong words": "Un homme joue de la trompette dans la rue.",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_error_is_counted_once_and_as_nothing_else(kind: str) -> None:
    found = count_french("A man plays the guitar in the street.", PLANTED[kind], TRUTH)
    assert found[0] == 9
    assert dict(zip(KINDS, found[1:], strict=True)) == {name: float(name == kind) for name in KINDS}


def test_the_truth_has_no_errors_and_nothing_is_all_missing() -> None:
    assert not count_french("A man.", TRUTH, TRUTH)[1:].any()
    empty = dict(zip(KINDS, count_french("A man.", "", TRUTH)[1:], strict=True))
    assert empty.pop("missing words") == 9
    assert not any(empty.values())


def test_an_echo_is_as_long_as_what_is_said_again() -> None:
    assert echoes(["a", "b", "a", "b", "c"]) == 2
    assert echoes(["a", "a", "a", "a"]) == 3
    assert echoes(["a", "b", "c", "a"]) == 0


def test_the_task_names_what_is_counted() -> None:
    assert CAPTIONS.faults is not None
    counted = CAPTIONS.faults.counted("A man.", "A man.", TRUTH)
    assert counted.shape == (1 + len(CAPTIONS.faults.kinds),)
    assert counted.dtype == np.float64


def test_a_store_keeps_the_counts_and_reads_runs_made_before_there_were_any(tmp_path) -> None:
    store = RunStore(tmp_path)
    old, new = (RunSpec("translation", "captions", "pipeline", Budget(100), seed, 1) for seed in (0, 1))
    store.add(Run(old, (Score(1.0, np.ones((2, 3))),)))
    table = pq.read_table(store.path(old))
    pq.write_table(table.drop_columns(["faults"]), store.path(old))
    assert store.frame(columns=("faults",), case="translation").to_pylist() == [{"faults": None}]
    store.add(Run(new, (Score(1.0, np.ones((2, 3)), faults=np.array([[5.0, 1.0], [4.0, 0.0]])),)))
    rows = store.frame(columns=("seed", "faults"), case="translation").to_pylist()
    assert {row["seed"]: row["faults"] for row in rows} == {0: None, 1: [[5.0, 1.0], [4.0, 0.0]]}
