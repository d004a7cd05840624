"""Runs started from a page: processes that end, are cancelled, die without a word, or turn out to be strangers."""

import json
import os
import subprocess
import sys
import time

import pytest

from dashboard import jobs
from engines.core import Budget, UserError
from engines.runs import RunSpec


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    return RunSpec("tones", "pairs", "pipeline", Budget(8.0), 0, 1)


def wait_for(spec: RunSpec) -> jobs.Job:
    deadline = time.monotonic() + 90
    while (job := jobs.read(spec)) and job.running and time.monotonic() < deadline:
        time.sleep(0.1)
    assert job is not None
    return job


def test_a_job_runs_in_a_process_of_its_own_and_is_not_started_twice(spec, tmp_path):
    assert jobs.read(spec) is None
    first, second = jobs.start(spec), jobs.start(spec)
    assert first.pid == second.pid != os.getpid()
    assert wait_for(spec).state == "done"
    assert (tmp_path / "store" / "tones" / "runs" / f"{spec.id}.parquet").exists()
    assert jobs.running() == 0


def test_a_cancelled_job_says_so_and_leaves_nothing_running(spec):
    pid = jobs.start(spec).pid
    assert [job.spec for job in jobs.under_way([spec])] == [spec]
    jobs.cancel(spec)
    job = jobs.read(spec)
    assert job is not None
    assert job.state == "cancelled"
    assert spec.id not in jobs._command(pid)
    jobs.cancel(spec)  # once is enough, twice does no harm


def test_a_process_that_died_without_a_word_is_noticed(spec):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    jobs.folder().mkdir(parents=True)
    words_of_it = {"pid": gone.pid, "state": "running", "fraction": 0.4, "sentence": "", "seconds_left": None}
    (jobs.folder() / f"{spec.id}.json").write_text(json.dumps(words_of_it))
    job = jobs.read(spec)
    assert job is not None
    assert job.state == "failed"
    assert "ended before" in job.sentence


def test_a_number_that_now_belongs_to_a_stranger_is_neither_alive_nor_killed(spec):
    jobs.folder().mkdir(parents=True)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    words_of_it = {"pid": stranger.pid, "state": "running", "fraction": 0.4, "sentence": "", "seconds_left": None}
    (jobs.folder() / f"{spec.id}.json").write_text(json.dumps(words_of_it))
    jobs.cancel(spec)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_process_of_another_user_is_left_alone_and_said(spec, monkeypatch):
    def forbidden(*_):
        raise PermissionError("not yours")

    jobs.folder().mkdir(parents=True)
    words_of_it = {"pid": 12345, "state": "running", "fraction": 0.4, "sentence": "", "seconds_left": None}
    (jobs.folder() / f"{spec.id}.json").write_text(json.dumps(words_of_it))
    monkeypatch.setattr(jobs, "_alive", lambda pid, path: True)
    monkeypatch.setattr(os, "killpg", forbidden)
    with pytest.raises(UserError, match="another user's process, 12345"):
        jobs.cancel(spec)
    job = jobs.read(spec)
    assert job is not None
    assert job.running


ENDLESS = '{"pid": 1e400, "state": "running", "fraction": 0.1, "sentence": "", "seconds_left": null}'


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "state": 1, "fraction": "a"}', ENDLESS, None]
)
def test_a_broken_status_file_is_a_failed_job(spec, text):
    """None: a folder lies where the file should."""
    jobs.folder().mkdir(parents=True)
    file = jobs.folder() / f"{spec.id}.json"
    if text is None:
        file.mkdir()
    else:
        file.write_text(text)
    job = jobs.read(spec)
    assert job is not None
    assert job.state == "failed"
    assert jobs.running() == 0
