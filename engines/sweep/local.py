"""Local worker processes for a sweep.

Each worker is a fresh process that loads a task's data once and makes one run after another. What is finished is in
the store, so killing anything at any time loses only the runs under way; the next sweep plans them again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from engines import registry
from engines.core import Task, TaskData, UserError
from engines.runs import RunSpec, RunStore
from engines.sweep.measure import measure
from engines.sweep.plan import keeps_model

DEATHS = 2
PATIENCE = 2.0  # seconds that a worker gets to end: less than a page gives the whole sweep (dashboard/jobs.py)


@dataclass(frozen=True)
class Event:
    """What a worker said of a run: "progress" (fraction, sentence), "done" (its score), "failed" (the run's error),
    "without" (a sentence for the user: the task's data cannot be had, so that it is left out, as are all others of the
    task), "stopped" (another: the sweep cannot go on), "died" (the process ended without a word) or "again" (it did,
    and the run is tried once more)."""

    kind: str
    spec: RunSpec
    fraction: float = 0.0
    sentence: str = ""
    seconds: float = 0.0
    # of a run that is done: how much of `seconds` grows with the budget
    train_seconds: float = 0.0


def run_all(specs: list[RunSpec], root: Path, jobs: int, keep: bool) -> Iterator[Event]:
    """Make all runs with `jobs` processes, telling what happens as it happens.

    A worker that dies (killed, or out of memory) is replaced and its run tried once more, then left for a later sweep.
    """
    waiting = list(reversed(specs))
    deaths: dict[str, int] = {}
    workers = [_Worker.start(root, keep) for _ in range(min(jobs, len(specs)))]
    try:
        for worker in workers:
            worker.give(waiting.pop())
        while busy := [worker for worker in workers if worker.spec]:
            for ready in wait([worker.pipe for worker in busy]):
                worker = next(worker for worker in busy if worker.pipe is ready)
                event = worker.hear()
                if event.kind == "died":
                    deaths[event.spec.id] = deaths.get(event.spec.id, 0) + 1
                    if deaths[event.spec.id] < DEATHS:
                        waiting.append(event.spec)
                        event = replace(event, kind="again")
                    worker.replace()
                left_out = []
                if event.kind == "without":
                    left_out = [spec for spec in waiting if spec.task == event.spec.task]
                    waiting = [spec for spec in waiting if spec.task != event.spec.task]
                if event.kind != "progress":
                    worker.spec = None
                    if waiting:
                        worker.give(waiting.pop())
                yield event
                yield from (replace(event, spec=spec, seconds=0.0) for spec in left_out)
    finally:
        _end([worker.process for worker in workers])


def _end(processes: list[Any]) -> None:
    """Tell worker processes to end and wait for it: they remove what they were writing."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        process.kill()  # in the middle of a long computation: it writes nothing then
        process.join()


@dataclass
class _Worker:
    root: Path
    keep: bool
    process: Any = None
    pipe: Any = None
    spec: RunSpec | None = None
    began: float = field(default=0.0)

    @classmethod
    def start(cls, root: Path, keep: bool) -> _Worker:
        worker = cls(root, keep)
        worker.replace()
        return worker

    def replace(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, os.getpid(), self.root, self.keep), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, spec: RunSpec) -> None:
        self.spec, self.began = spec, time.monotonic()
        try:
            self.pipe.send(spec)
        except OSError:  # it was killed between two runs
            self.replace()
            self.pipe.send(spec)

    def hear(self) -> Event:
        assert self.spec is not None
        try:
            kind, fraction, sentence, train_seconds = self.pipe.recv()
        except (EOFError, OSError):
            kind, fraction, train_seconds = "died", 0.0, 0.0
            sentence = "its process ended without a word (killed, or out of memory)"
        return Event(kind, self.spec, fraction, sentence, time.monotonic() - self.began, train_seconds)


def _work(pipe: Connection, parent: int, root: Path, keep: bool) -> None:
    """A worker's life: runs come in through `pipe`, words about them go out. It ends when its parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    store = RunStore(root)
    loaded: dict[tuple[str, str], TaskData] = {}
    try:
        while True:
            spec: RunSpec = pipe.recv()
            pipe.send(_one(spec, store, loaded, keep, _teller(pipe)))
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return


def _interrupt(number: int, frame: Any) -> None:
    """Being told to stop is like Ctrl-C, and is told but once: a second time must not break off the tidying up."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, frame: None)
    raise KeyboardInterrupt


def _end_with(parent: int) -> None:
    """Leave nothing running when the sweep was killed: what a run under way has made is not in the store yet."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _teller(pipe: Connection) -> Callable[[float, str], None]:
    last = 0.0

    def tell(fraction: float, sentence: str) -> None:
        nonlocal last
        if time.monotonic() - last > 0.2:
            last = time.monotonic()
            try:
                pipe.send(("progress", fraction, sentence, 0.0))
            except OSError:  # the sweep was killed: that is not the engine's failure
                os._exit(1)

    return tell


def _data(task: Task) -> TaskData:
    """Raises UserError where its files cannot be read, or what is made on the fly cannot be made."""
    try:
        data = task.data()
        for split in (data.train, *data.tests.values()):
            split.x[0]
        return data
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"The data of {task.title} cannot be read ({type(error).__name__}: {error}): fetch them again, see "
            "`python -m engines data list`."
        ) from error


def _one(
    spec: RunSpec,
    store: RunStore,
    loaded: dict[tuple[str, str], TaskData],
    keep: bool,
    tell: Callable[[float, str], None],
) -> tuple[str, float, str, float]:
    case = registry.case(spec.case)
    task, info = case.task(spec.task), case.engine(spec.engine)
    keeps = not info.reference and (keep or (info.kept and keeps_model(task, spec)))
    try:
        if (spec.case, spec.task) not in loaded:
            loaded.clear()
            tell(0.0, "reading the data")
            loaded[spec.case, spec.task] = _data(task)
    except UserError as error:
        return "without", 0.0, str(error), 0.0
    try:
        if store.failed(spec):  # it is to be measured again
            store.forget(spec)
        elif store.has(spec) and (not keeps or store.model(spec).is_dir()):
            return "done", 1.0, "another sweep has made it meanwhile", 0.0
        run = measure(info, task, spec, loaded[spec.case, spec.task], store, keeps, tell)
    except UserError as error:
        return "stopped", 0.0, str(error), 0.0
    if run.error:
        return "failed", 1.0, run.error, 0.0
    return "done", 1.0, f"{task.metric.name} {run.scores[0].score:.3g} {task.metric.unit}", run.train_seconds
