"""Runs started from a page: one process each, watched through a status file.

`python -m engines sweep … --status FILE` writes FILE, `<id of the run>.json` in the cache directory, with the keys pid,
state (running, done, failed, cancelled), fraction, sentence, seconds_left and updated. The page only reads it, so that
a reload, a second visitor or a restart of the server loses nothing. What the process printed stands in `<id>.log`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.core import UserError
from engines.core.files import replacing
from engines.datasets import cache_directory
from engines.runs import RunSpec

ROOT = Path(__file__).resolve().parents[1]
MOST = 2  # runs at once: more would only slow each other, and the page, down
PATIENCE = 3.0  # seconds that a cancelled process gets before it is killed
BROKEN = (OSError, ValueError, KeyError, TypeError, OverflowError)  # what a status file that makes no sense raises
_starting = threading.Lock()


@dataclass(frozen=True)
class Job:
    """How far a run is: `state` is running, done, failed or cancelled, `fraction` in [0, 1]."""

    spec: RunSpec
    state: str
    fraction: float
    sentence: str
    seconds_left: float | None
    pid: int

    @property
    def running(self) -> bool:
        return self.state == "running"


def folder() -> Path:
    return cache_directory() / "jobs"


def read(spec: RunSpec) -> Job | None:
    """The job of a run, or None when none was started on this machine. A process that died without a word is "failed",
    and its sentence says so."""
    path = _file(spec)
    try:
        words = json.loads(path.read_text())
        job = Job(
            spec,
            str(words["state"]),
            min(1.0, max(0.0, float(words["fraction"]))),
            str(words["sentence"]),
            None if words["seconds_left"] is None else float(words["seconds_left"]),
            int(words["pid"]),
        )
    except FileNotFoundError:
        return None
    except BROKEN as error:
        return Job(spec, "failed", 0.0, f"{path.name} cannot be read ({error}): start the run again.", None, 0)
    if job.running and not _alive(job.pid, path):
        return Job(spec, "failed", job.fraction, _last_words(path), None, job.pid)
    return job


def start(spec: RunSpec, again: bool = False) -> Job:
    """Start a run in a process of its own, unless it is running already. `again`: a failed run is measured once more.

    Raises:
        UserError: too many runs are going, or the process cannot be started.
    """
    path = _file(spec)
    with _starting:
        job = read(spec)
        if job and job.running:
            return job
        if running() >= MOST:
            raise UserError(f"{MOST} runs are under way already: wait for one to end, or cancel it.")
        arguments = [sys.executable, "-m", "engines", "sweep", spec.case, "--task", spec.task, "--engine", spec.engine]
        if spec.budget.pairs:
            arguments += ["--budget", repr(spec.budget.pairs), "--seed", str(spec.seed)]
        arguments += ["--jobs", "1", "--status", str(path), *(["--retry"] if again else [])]
        # A little less urgent than the page, so that the page stays quick.
        nice = ["nice", "-n", "5"] if shutil.which("nice") else []
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        try:
            folder().mkdir(parents=True, exist_ok=True)
            with path.with_suffix(".log").open("wb") as log:
                process = subprocess.Popen(
                    nice + arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                )
            # The process takes longer to import anything than this takes to write.
            _write(path, process.pid, "running", 0.0, "starting")
        except OSError as error:
            raise UserError(f"The run could not start ({error}): see that {folder()} can be written to.") from error
        return Job(spec, "running", 0.0, "starting", None, process.pid)


def cancel(spec: RunSpec) -> None:
    """Stop a run and all processes it started; what it was making is lost, finished runs stay.

    Raises:
        UserError: it is not ours to stop.
    """
    job = read(spec)
    if job is None or not job.running:
        return
    path = _file(spec)
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(job.pid, number)
        except ProcessLookupError:
            break
        except PermissionError as error:
            raise UserError(f"The run is another user's process, {job.pid}: whoever started it can stop it.") from error
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and _alive(job.pid, path):
            time.sleep(0.05)
        if not _alive(job.pid, path):
            break
    _write(path, job.pid, "cancelled", job.fraction, "cancelled")


def running() -> int:
    """How many runs are under way on this machine, whoever started them."""
    count = 0
    for path in folder().glob("*.json"):
        try:
            words = json.loads(path.read_text())
            count += words["state"] == "running" and _alive(int(words["pid"]), path)
        except BROKEN:
            continue  # a file that says nothing runs nothing
    return count


def under_way(specs: Sequence[RunSpec]) -> list[Job]:
    """Those of `specs` that are running now."""
    here = {path.stem for path in folder().glob("*.json")}
    jobs = [read(spec) for spec in specs if spec.id in here]
    return [job for job in jobs if job and job.running]


def _file(spec: RunSpec) -> Path:
    return folder() / f"{spec.id}.json"


def _write(path: Path, pid: int, state: str, fraction: float, sentence: str) -> None:
    words = {
        "pid": pid,
        "state": state,
        "fraction": fraction,
        "sentence": sentence,
        "seconds_left": None,
        "updated": time.time(),
    }
    with replacing(path) as aside:
        aside.write_text(json.dumps(words))


def _alive(pid: int, path: Path) -> bool:
    """Whether `pid` is the sweep that writes `path`: a number alone may belong to a stranger after a restart."""
    return pid > 1 and path.name in _command(pid)


def _command(pid: int) -> str:
    """The command line of a process, "" when there is none (or it has ended and nobody has asked how)."""
    if Path("/proc/self/cmdline").exists():
        # The line is empty for an instant while a process becomes another program (nice becomes Python), and for good
        # once it has ended.
        for _ in range(20):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
                ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
            except OSError:
                return ""
            if line or ended:
                return line.decode(errors="replace")
            time.sleep(0.01)
        return ""
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout


def _last_words(path: Path) -> str:
    """Why a process that left its status at "running" ended, as far as its log tells."""
    try:
        lines = path.with_suffix(".log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    said = f" Its last line: {lines[-1][:300]}" if lines else ""
    return f"The process ended before the run was made; start it again.{said}"
