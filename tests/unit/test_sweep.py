"""A sweep plans what is missing, survives being killed, and starts again where it stopped."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from engines import registry
from engines.__main__ import main
from engines.core import Budget, UserError, resolve
from engines.runs import RunSpec, RunStore, kept_models, load_model
from engines.sweep import command, local
from engines.sweep.measure import measure
from engines.sweep.plan import Estimate, plan

# A hundred runs a second: enough of them that a sweep is still at it when a busy machine gets round to stopping it.
SEEDS, ALL = 20, 320
COMMAND = [sys.executable, "-m", "engines", "sweep", "tones", "--jobs", "1"]
COMMAND += [word for seed in range(SEEDS) for word in ("--seed", str(seed))]


@pytest.fixture
def store(tmp_path, monkeypatch) -> RunStore:
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    return RunStore()


def runs(store) -> int:
    return len(set(store.frame(columns=("id",))["id"].to_pylist()))


def sweep(*more: str) -> int:
    return main(["sweep", "tones", "--jobs", "1", *more])


def test_the_plan_is_whole_curves_first(store):
    specs = plan(registry.case("tones"), store)
    task = registry.case("tones").task(None)
    assert len(specs) == 2 * len(task.budgets) * len(task.seeds)
    assert [spec.seed for spec in specs] == sorted(spec.seed for spec in specs)
    first = [spec.budget.pairs for spec in specs if spec.seed == 0]
    assert first == sorted(first)


def test_a_sweep_makes_its_runs_keeps_models_and_is_then_done(store, capsys):
    chosen = ["--budget", "32", "--seed", "0"]
    assert sweep(*chosen) == 0
    assert store.frame("error = ''").num_rows >= 2
    case = registry.case("tones")
    models = kept_models(case, case.task(None), store)
    assert {name: list(budgets) for name, budgets in models.items()} == {"pipeline": [32.0], "end_to_end": [32.0]}
    info = case.engine("pipeline")
    assert load_model(info, models["pipeline"][32.0], store).parameters == 1
    capsys.readouterr()
    assert sweep(*chosen) == 0
    assert "Nothing is missing" in capsys.readouterr().out
    assert main(["report", "tones", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert {record["engine"] for record in records} == {"pipeline", "end_to_end"}


def test_a_failing_run_is_recorded_and_the_sweep_goes_on(store, capsys):
    # With two tones of one answer the engines have nothing to tell apart, and say so.
    assert sweep("--budget", "2", "--seed", "0", "--seed", "1", "--seed", "2") == 1
    errors = store.frame("error != ''").num_rows
    assert 0 < errors < 6
    told = capsys.readouterr().out
    assert "take a larger budget" in told
    assert f"{errors} of 6 runs failed: the same command with --retry measures them again." in told
    assert sweep("--budget", "2", "--seed", "0", "--seed", "1", "--seed", "2") == 1
    assert "failed: the same command with --retry" in capsys.readouterr().out
    assert store.frame("error != ''").num_rows == errors


def test_only_failed_runs_that_are_asked_for_are_retried(store):
    assert sweep("--budget", "2") == 1
    case = registry.case("tones")
    failed = store.frame("error != ''", columns=("engine", "seed")).to_pylist()
    planned = plan(case, store, budgets=[2], retry=True)
    assert {(spec.engine, spec.seed) for spec in planned} == {(row["engine"], row["seed"]) for row in failed}
    assert not plan(case, store, engines=["pipeline"], budgets=[2])
    assert sweep("--budget", "2", "--engine", "pipeline", "--retry") == 1
    assert len(store.frame("error != ''").to_pylist()) == len(failed)


def test_what_the_machine_cannot_do_is_not_held_against_an_engine(store, monkeypatch):
    def full(*of, **more):
        raise OSError(28, "No space left on device")

    case = registry.case("tones")
    info, task = case.engine("pipeline"), case.task(None)
    monkeypatch.setattr(resolve(info.target), "fit", full)
    spec = RunSpec("tones", task.slug, info.name, Budget(32.0), 0, info.version)
    run = measure(info, task, spec, task.data(), store, False, lambda done, text: None)
    assert "No space left" in run.error
    assert not store.has(spec)


@pytest.mark.parametrize("words", ["CUDA out of memory. Tried to allocate", "can't allocate memory: you tried"])
def test_nor_is_memory_that_torch_does_not_find(store, monkeypatch, words):
    def full(*of, **more):
        raise RuntimeError(words)

    case = registry.case("tones")
    info, task = case.engine("pipeline"), case.task(None)
    monkeypatch.setattr(resolve(info.target), "fit", full)
    spec = RunSpec("tones", task.slug, info.name, Budget(32.0), 0, info.version)
    assert words in measure(info, task, spec, task.data(), store, False, lambda done, text: None).error
    assert not store.has(spec)


def test_a_process_that_dies_once_is_no_failure(store, capsys, monkeypatch, tmp_path):
    def told(specs, root, jobs, keep):
        yield local.Event("again", specs[0], sentence="its process ended without a word")
        yield local.Event("done", specs[0], 1.0, "error rate 3", 2.0, 1.0)

    monkeypatch.setattr(command, "run_all", told)
    status = tmp_path / "status.json"
    assert sweep("--budget", "32", "--seed", "0", "--engine", "pipeline", "--status", str(status)) == 0
    assert "tried once more" in capsys.readouterr().out
    assert json.loads(status.read_text())["state"] == "done"


def test_the_last_word_on_a_single_run_is_why_it_failed(store, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "run_all", lambda specs, *of: [local.Event("failed", specs[0], 1.0, "no weights")])
    status = tmp_path / "status.json"
    assert sweep("--budget", "32", "--seed", "0", "--engine", "pipeline", "--status", str(status)) == 1
    told = json.loads(status.read_text())
    assert (told["state"], told["sentence"]) == ("failed", "no weights")


def test_a_run_that_another_sweep_has_made_meanwhile_is_not_made_again(store):
    case = registry.case("tones")
    task, info = case.task(None), case.engine("pipeline")
    spec = RunSpec("tones", task.slug, info.name, Budget(32.0), 0, info.version)
    told = [local._one(spec, store, {}, False, lambda done, text: None) for _ in range(2)]
    assert [kind for kind, *_ in told] == ["done", "done"]
    assert "another sweep" in told[1][2]


@pytest.mark.parametrize("cause", [OSError(28, "No space left on device"), ModuleNotFoundError("espeakng_loader")])
def test_nor_is_what_data_made_on_the_fly_does_not_find(store, monkeypatch, cause):
    def unmade(*of, **more):
        raise UserError("Synthetic speech could not be kept") from cause

    case = registry.case("tones")
    info, task = case.engine("pipeline"), case.task(None)
    monkeypatch.setattr(resolve(info.target), "fit", unmade)
    spec = RunSpec("tones", task.slug, info.name, Budget(32.0), 0, info.version)
    assert "could not be kept" in measure(info, task, spec, task.data(), store, False, lambda done, text: None).error
    assert not store.has(spec)


def test_inputs_that_cannot_be_made_leave_their_task_out(store, monkeypatch):
    class Unmade:
        def __getitem__(self, i):
            raise UserError("espeak-ng is not installed")

    case = registry.case("tones")
    task, info = case.task(None), case.engine("pipeline")
    whole = task.data()
    without = SimpleNamespace(train=SimpleNamespace(x=Unmade()), tests=whole.tests)
    monkeypatch.setattr(type(task), "data", lambda self: without)
    spec = RunSpec("tones", task.slug, info.name, Budget(32.0), 0, info.version)
    assert local._one(spec, store, {}, False, lambda done, text: None)[::2] == ("without", "espeak-ng is not installed")
    assert not store.has(spec)


# Before the toy's own task stand two whose data cannot be had.
LACKING = """
from dataclasses import replace
from engines.core import UserError
from tones import CASE as TONES

(task,) = TONES.tasks
gone, broken = (replace(task, slug=name, load=f"lacking:{name}_data") for name in ("gone", "broken"))
CASE = replace(TONES, slug="lacking", tasks=(gone, broken, task))

def gone_data():
    raise UserError("Tones are not on this machine yet: fetch them.")

def broken_data():
    raise ValueError("no tone")
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_task_without_data_keeps_no_other_from_being_measured(store, tmp_path, jobs):
    (tmp_path / "cases" / "lacking").mkdir(parents=True)
    (tmp_path / "cases" / "lacking" / "__init__.py").write_text(LACKING)
    environment = {**os.environ, "CROSSOVER_CASES": f"{os.environ['CROSSOVER_CASES']}{os.pathsep}{tmp_path / 'cases'}"}
    chosen = ["--budget", "32", "--budget", "64", "--jobs", jobs, "--status", str(tmp_path / "status.json")]
    words = [sys.executable, "-m", "engines", "sweep", "lacking", *chosen]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.count("gone is left out: Tones are not on this machine yet: fetch them.") == 1
    assert "Tones are not on this machine yet: fetch them." in done.stderr
    assert "no tone" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "retry" not in done.stdout
    found = store.frame("error = ''", columns=("task", "engine", "pairs", "seed"))
    assert set(found["task"].to_pylist()) == {"pairs"}
    assert len(set(zip(*(found[name].to_pylist() for name in ("engine", "pairs", "seed")), strict=True))) == 12
    told = json.loads((tmp_path / "status.json").read_text())
    assert (told["state"], told["fraction"]) == ("failed", 1.0)
    assert told["sentence"] == done.stderr.strip()


def remove_models(store) -> int:
    folders = list((store.root / "tones" / "models").iterdir())
    for folder in folders:
        shutil.rmtree(folder)
    return len(folders)


def contents(store) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (store.root / "tones" / "runs").iterdir()}


def test_models_that_are_gone_are_made_again_and_their_runs_stay(store):
    assert sweep("--budget", "16", "--budget", "32") == 0
    made = contents(store)
    assert remove_models(store) == 2
    case = registry.case("tones")
    planned = plan(case, store, budgets=[16, 32])
    assert {(spec.engine, spec.budget.pairs, spec.seed) for spec in planned} == {
        ("pipeline", 32.0, 0),
        ("end_to_end", 32.0, 0),
    }
    assert sweep("--budget", "16", "--budget", "32") == 0
    assert {name: list(found) for name, found in kept_models(case, case.task(None), store).items()} == {
        "pipeline": [32.0],
        "end_to_end": [32.0],
    }
    assert contents(store) == made
    assert not plan(case, store, budgets=[16, 32])


def test_with_keep_a_model_is_made_of_any_budget_that_has_none(store):
    assert sweep("--budget", "16", "--engine", "pipeline") == 0
    made = contents(store)
    case = registry.case("tones")
    assert [spec.seed for spec in plan(case, store, ["pairs"], ["pipeline"], [16], keep=True)] == [0]
    assert sweep("--budget", "16", "--engine", "pipeline", "--seed", "1", "--keep") == 0
    assert kept_models(case, case.task(None), store)["pipeline"][16.0].seed == 1
    assert contents(store) == made
    assert not plan(case, store, ["pairs"], ["pipeline"], [16], keep=True)


def test_another_seeds_model_will_do_and_failed_and_unkept_ones_are_left(store):
    case = registry.case("tones")
    assert sweep("--budget", "32", "--engine", "pipeline", "--seed", "1", "--keep") == 0
    assert sweep("--budget", "32", "--engine", "pipeline") == 0
    shutil.rmtree(store.model(plan_of("pipeline", 32.0, 0)))
    assert not plan(case, store, engines=["pipeline"], budgets=[32], keep=True)
    assert sweep("--budget", "2", "--seed", "0", "--seed", "1", "--seed", "2") == 1
    shutil.rmtree(store.root / "tones" / "models")
    lost = {(row["engine"], row["seed"]) for row in store.frame("error != ''", columns=("engine", "seed")).to_pylist()}
    assert lost.isdisjoint((spec.engine, spec.seed) for spec in plan(case, store, budgets=[2], keep=True))
    unkept = replace(case, engines=tuple(replace(info, kept=False) for info in case.engines))
    assert not plan(unkept, store, engines=["pipeline"], budgets=[32])
    assert not plan(unkept, store, engines=["pipeline"], budgets=[32], keep=True)


def plan_of(engine: str, pairs: float, seed: int) -> RunSpec:
    return RunSpec("tones", "pairs", engine, Budget(pairs), seed, registry.case("tones").engine(engine).version)


# A worker that is at writing a run, for good.
WRITING = """
import multiprocessing, os, sys, time
from engines.core.files import replacing
from engines.runs import RunStore
from engines.sweep import local

def one(spec, store, *more):
    with replacing(store.root / "tones" / "runs" / "run.parquet") as aside:
        aside.touch()
        print("writing", flush=True)
        while True:  # Python sees a signal between two naps, not one that comes a moment before a nap
            time.sleep(0.1)

local._one = one
ours, theirs = multiprocessing.Pipe()
ours.send(None)
local._work(theirs, os.getppid(), RunStore().root, False)
"""


@pytest.mark.parametrize("how", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGINT, signal.SIGTERM, signal.SIGTERM]])
def test_a_worker_that_is_stopped_removes_what_it_was_writing(store, how):
    process = subprocess.Popen([sys.executable, "-c", WRITING], env=os.environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    assert list(store.root.rglob("*.partial"))
    for number in how:
        process.send_signal(number)
    assert process.wait(20) in (0, -signal.SIGTERM)  # a signal may find it ended but for its last breath
    assert not list(store.root.rglob("*.partial"))


def test_a_worker_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(local, "PATIENCE", 0.2)
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    process.start()
    monkeypatch.setattr(process, "terminate", lambda: None)  # as if it were deep in a computation
    began = time.monotonic()
    local._end([process])
    assert not process.is_alive()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "0"], "more than 0"),
        (["--device", "cuda", "--budget", "32"], "leave --device out"),
        (["--status", "/", "--budget", "32"], "cannot be written"),
    ],
)
def test_what_cannot_be_swept_is_one_sentence(store, capsys, monkeypatch, arguments, said):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert sweep(*arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert store.frame().num_rows == 0


def test_a_gpu_that_is_not_there_is_one_sentence(store, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["sweep", "speech", "--device", "cuda"]) == 2
    assert "No CUDA GPU can be used here" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "x", str(2**63)])
def test_a_seed_that_is_none_is_told(store, capsys, seed):
    with pytest.raises(SystemExit):
        sweep("--seed", seed)
    assert "no whole number from 0 on" in capsys.readouterr().err


def test_a_budget_given_twice_is_measured_once(store):
    assert len(plan(registry.case("tones"), store, budgets=[4, 4], seeds=[0, 0])) == 2


def test_a_budget_as_people_write_it_is_the_tasks_own(store):
    case = registry.case("speech")
    own = case.task("commands").budgets[0]
    planned = plan(case, store, tasks=["commands"], engines=["pipeline"], budgets=[0.0333, 1 / 30, 0.034], seeds=[0])
    assert [spec.budget.pairs for spec in planned] == [own, 0.034]


def test_a_budget_beyond_the_data_is_told_and_keeps_no_other_from_being_measured(store, capsys):
    assert sweep("--budget", "100000", "--budget", "32", "--seed", "0") == 1
    told = capsys.readouterr().out
    assert "there is only" in told
    assert "2 of 4 runs failed." in told
    assert "retry" not in told
    assert set(store.frame().column("pairs").to_pylist()) == {32}


@pytest.mark.parametrize(
    "arguments",
    [["sweep", "nonsense"], ["sweep", "tones", "--task", "x"], ["sweep", "tones", "--engine", "x"], ["report", "x"]],
)
def test_unknown_names_are_one_sentence(store, capsys, arguments):
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "choose one of" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_stopped_loses_nothing_and_goes_on(store, how):
    process = subprocess.Popen(COMMAND, env=os.environ, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("[5/"):
            break
    process.send_signal(how)
    process.wait(30)
    if how != signal.SIGKILL:
        assert process.returncode == 130
        assert not list(store.root.rglob("*.partial"))
    before = runs(store)
    assert 5 <= before < ALL
    deadline = time.monotonic() + 20
    while any(store.root.rglob("*.partial")) and time.monotonic() < deadline:
        time.sleep(0.1)
    done = subprocess.run(COMMAND, env=os.environ, capture_output=True, text=True, check=False)
    assert f"{ALL - before} runs to make" in done.stdout or how == signal.SIGKILL
    assert runs(store) == ALL
    assert not plan(registry.case("tones"), store)


def test_a_sweep_goes_on_where_nobody_reads_what_it_says(store):
    process = subprocess.Popen([*COMMAND[:7], "--seed", "0"], env=os.environ, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) in (0, 1)
    assert not plan(registry.case("tones"), store, seeds=[0])


def test_the_status_file_tells_how_it_went(store, tmp_path):
    status = tmp_path / "status.json"
    assert sweep("--budget", "32", "--seed", "0", "--status", str(status)) == 0
    told = json.loads(status.read_text())
    assert told["state"] == "done"
    assert set(told) == {"pid", "state", "fraction", "sentence", "seconds_left", "updated"}


def test_the_time_left_is_learned_from_runs_made(store):
    case = registry.case("tones")
    estimate = Estimate(case, store)
    small, large = (s for s in plan(case, store, engines=["pipeline"], seeds=[0]) if s.budget.pairs in {4, 8})
    assert estimate.seconds(large) is None
    estimate.add(small, 10.0, 8.0)
    assert estimate.seconds(small) == 10
    assert estimate.seconds(large) == pytest.approx(8 * 2**0.7 + 2)
    assert small.budget == Budget(4)
