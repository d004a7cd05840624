"""Runs are named by what made them, kept whole or not at all, and come back as they were."""

import dataclasses
import json
import multiprocessing
import os

import numpy as np
import pytest
from safetensors import SafetensorError

from dashboard import charts
from engines import registry
from engines.cases.translation.metric import measure_french
from engines.core import Budget, Metric, UserError, effort
from engines.runs import Run, RunSpec, RunStore, Score, lines, opened, points, report
from engines.runs.report import REPORT_KEYS, bootstrap, standard_error

SPEC = RunSpec("tones", "pairs", "pipeline", Budget(8, {"photos": 2}), 0, 1)


def run_of(score: float, seed: int = 0, pairs: float = 8.0, error: str = "") -> Run:
    spec = RunSpec("tones", "pairs", "pipeline", Budget(pairs), seed, 1)
    errors = (np.arange(100) < score).astype(float)[:, None]
    return Run(spec, () if error else (Score(score, errors),), 2.0, 0.1, 7, error=error)


def test_the_name_is_made_of_everything():
    changed = [{"task": "x"}, {"engine": "x"}, {"budget": Budget(9)}, {"seed": 1}, {"version": 2}]
    names = {dataclasses.replace(SPEC, **change).id for change in changed} | {SPEC.id}
    assert len(names) == len(changed) + 1
    assert RunSpec("tones", "pairs", "pipeline", Budget(8.0, {"photos": 2.0}), 0, 1).id == SPEC.id


def test_a_run_comes_back_and_is_never_overwritten(tmp_path):
    store = RunStore(tmp_path)
    assert not store.has(run_of(3).spec)
    assert store.add(run_of(3))
    assert not store.add(run_of(50))
    row = store.frame("engine = ?", ["pipeline"]).to_pylist()[0]
    assert row["score"] == 3.0
    assert np.array(row["statistics"]).shape == (100, 1)
    assert [path.suffix for path in (tmp_path / "tones" / "runs").iterdir()] == [".parquet"]


def test_an_empty_store_answers_with_no_rows(tmp_path):
    assert RunStore(tmp_path).frame("score > ?", [1.0]).num_rows == 0


def _add(arguments):
    root, seed = arguments
    return RunStore(root).add(run_of(seed, seed % 5))


def test_several_processes_add_at_once(tmp_path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        added = pool.map(_add, [(tmp_path, seed) for seed in range(20)])
    assert RunStore(tmp_path).frame(columns=("id",)).num_rows == 5
    assert sum(added) >= 5


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match="CROSSOVER_STORE"):
        RunStore(blocked).add(run_of(1))


def test_a_model_is_whole_or_absent(tmp_path):
    store = RunStore(tmp_path)

    def broken(directory):
        (directory / "half").write_text("half")
        raise OSError("disk full")

    with pytest.raises(UserError, match=r"disk full.*CROSSOVER_STORE"):
        store.add_model(SPEC, broken)
    assert not store.model(SPEC).exists()
    assert not list((tmp_path / "tones" / "models").iterdir())
    store.add_model(SPEC, lambda directory: (directory / "whole").write_text("whole"))
    assert (store.model(SPEC) / "whole").exists()


def test_a_damaged_run_is_named(tmp_path):
    store = RunStore(tmp_path)
    store.add(run_of(1))
    damaged = tmp_path / SPEC.case / "runs" / "0000000000000000.parquet"
    for content in (b"", b"PAR1 and no more", b"x" * 5000):
        damaged.write_bytes(content)
        with pytest.raises(UserError, match=r"0000000000000000.parquet is no readable run: delete it"):
            store.frame()
    damaged.unlink()
    assert store.frame().num_rows


def test_what_killed_sweeps_have_left_is_removed_when_it_is_old(tmp_path):
    store, case = RunStore(tmp_path), registry.case("tones")
    store.prepare(case)
    old, new = tmp_path / "tones" / "runs" / "a.1.partial", tmp_path / "tones" / "models" / "b.2.partial"
    old.write_text("")
    new.mkdir(parents=True)
    os.utime(old, (1.0, 1.0))
    store.prepare(case)
    assert (old.exists(), new.exists()) == (False, True)
    assert not list((tmp_path / "tones" / "runs").iterdir())


def test_what_two_models_have_in_common_is_kept_once_and_both_are_whole(tmp_path):
    store, common = RunStore(tmp_path), bytes(range(256)) * 300

    def save(own):
        def write(directory):
            (directory / "eye").mkdir()
            (directory / "eye" / "network.bin").write_bytes(common)
            (directory / "own").write_text(own)

        return write

    others = [SPEC, dataclasses.replace(SPEC, seed=1)]
    for spec in others:
        store.add_model(spec, save(f"of seed {spec.seed}"))
    assert [file.stat().st_size for file in tmp_path.rglob("shared/*")] == [len(common)]
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < 1.1 * len(common)
    for spec in others:
        with opened(store.model(spec)) as whole:
            assert (whole / "eye" / "network.bin").read_bytes() == common
            assert (whole / "own").read_text() == f"of seed {spec.seed}"
            assert sorted(file.name for file in whole.rglob("*")) == ["eye", "network.bin", "own"]
    next(tmp_path.rglob("shared/*")).unlink()
    with pytest.raises(OSError, match="shared"), opened(store.model(SPEC)):
        pass


def test_work_that_is_kept_counts_each_time_it_is_used(tmp_path):
    made = []

    def work():
        start = effort.clock()
        while effort.clock() - start < 0.05:
            sum(range(1000))
        made.append(len(made))
        return made[-1]

    def use():
        with effort.counted() as spent:
            found = effort.once(
                tmp_path / "one", work, lambda one, to: (to / "n").write_text(str(one)),
                lambda kept: int((kept / "n").read_text()),
            )  # fmt: skip
        return found, spent.seconds

    (first, took), (second, counted) = use(), use()
    assert (first, second, made) == (0, 0, [0])
    assert took >= 0.05
    assert took * 0.5 < counted < took * 2


def test_points_average_seeds_and_leave_failures_out(tmp_path):
    store, case = RunStore(tmp_path), registry.case("tones")
    for seed, score in enumerate([10, 20, 30]):
        store.add(run_of(score, seed))
    store.add(run_of(0, 3, error="ValueError: planted"))
    (point,) = points(case, case.task(None), store)
    assert (point.mean, point.seeds, point.budget) == (20.0, (0, 1, 2), 8.0)
    assert point.low < 20 < point.high
    (record,) = report(case, store)
    assert list(record)[:6] == ["case", "task", "engine", "budget", "unit", "metric"]
    assert list(record)[6:9] == ["mean", "standard_error", "seeds"]
    assert list(record)[9:] == ["train_seconds", "answer_seconds", "parameters"]
    json.dumps(record)


def test_a_model_that_finds_no_room_is_one_sentence(tmp_path):
    def save(folder):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    with pytest.raises(UserError, match=r"No space left.*make room there"):
        RunStore(tmp_path).add_model(SPEC, save)
    assert not list((tmp_path / "tones" / "models").iterdir())


def test_times_are_those_of_a_processor_where_there_are_any(tmp_path):
    store, case = RunStore(tmp_path), registry.case("tones")
    times = [(4.0, "cpu"), (90.0, "cpu"), (6.0, "cpu"), (1.0, "cuda")]
    for seed, (seconds, device) in enumerate(times):
        store.add(dataclasses.replace(run_of(9, seed), train_seconds=seconds, environment={"device": device}))
    store.add(dataclasses.replace(run_of(9, 0, 16.0), train_seconds=1.0, environment={"device": "cuda"}))
    small, large = points(case, case.task(None), store)
    assert (small.train_seconds, small.device, small.seeds) == (6.0, "cpu", (0, 1, 2, 3))
    assert (large.train_seconds, large.device) == (1.0, "cuda")
    assert (small.devices, large.devices) == (("cpu", "cpu", "cpu", "cuda"), ("cuda",))


def test_further_scores_are_those_of_the_main_test_without_an_oracle(tmp_path):
    store, case = RunStore(tmp_path), registry.case("translation")
    task = case.task("captions")
    rows = [np.stack([measure_french(text, "Un chien court ici.")]) for text in ("Un chien court ici.", "Un chat.")]
    for seed, row in enumerate(rows):
        spec = RunSpec("translation", "captions", "pipeline", Budget(100.0), seed, case.engine("pipeline").version)
        every = [Score(task.metric.score(row), row), Score(task.metric.score(row), row, oracle="n_best")]
        store.add(Run(spec, tuple(every)))
    main, oracle = points(case, task, store)
    means = {each.name: np.mean([each.score(row) for row in rows]) for each in task.beside}
    assert main.beside == pytest.approx(means, abs=1e-4)
    assert list(main.beside) == ["chrF", "BLEU, cased (13a)"]
    assert oracle.beside == {}
    (line,) = lines(case, store)
    assert f"chrF {means['chrF']:.1f}  BLEU, cased (13a) {means['BLEU, cased (13a)']:.1f}  seeds 2" in line
    (record,) = report(case, store)
    assert list(record) == list(REPORT_KEYS), "what scripts read stays what it was"
    (row, other) = charts.table(case, task, [main, oracle])
    assert row["chrF"] == pytest.approx(means["chrF"], abs=0.01)
    assert np.isnan(other["chrF"])
    assert "chrF" not in charts.table(case, task, [oracle])[0]


def test_what_was_kept_tells_where_it_was_made(tmp_path, monkeypatch):
    def made():
        with effort.counted() as spent:
            effort.once(tmp_path / "kept", lambda: 1, lambda made, folder: None, lambda folder: 1)
        return spent.device

    monkeypatch.setenv("CROSSOVER_DEVICE", "cuda")
    assert made() == "cuda"
    monkeypatch.delenv("CROSSOVER_DEVICE")
    assert made() == "cuda"
    with effort.counted() as spent:
        pass
    assert spent.device == "cpu"


def test_standard_error_holds_both_seeds_and_examples():
    metric = Metric("error rate", "%", True, "tones.data:measure", "tones.data:combine")
    rng = np.random.default_rng(0)
    one = (rng.random((400, 1)) < 0.2).astype(float)
    alone = standard_error(np.array([20.0]), bootstrap(metric, [one]))
    assert alone == pytest.approx(100 * np.sqrt(0.2 * 0.8 / 400), rel=0.2)
    spread = standard_error(np.array([10.0, 20.0, 30.0]), bootstrap(metric, [one] * 3))
    assert spread == pytest.approx(np.hypot(10 / np.sqrt(3), alone), rel=0.2)
