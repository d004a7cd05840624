"""`python -m engines sweep`: plan, run, tell how far it is."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from engines import registry
from engines.core import UserError
from engines.core.files import replacing
from engines.runs import RunSpec, RunStore
from engines.sweep.local import Event, run_all
from engines.sweep.measure import FIT_SHARE
from engines.sweep.plan import Estimate, asked, failed, plan

UNKNOWN = "time left not known yet"
AGAIN = "the same command with --retry measures {} again."


@dataclass
class Watch:
    """How far a sweep is, on the terminal and, where a page watches, in a status file."""

    total: int
    jobs: int
    estimate: Estimate
    status: Path | None = None
    left: dict[str, RunSpec] = field(default_factory=dict)
    fractions: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    ended: int = 0
    reason: str = ""  # of the last run that failed
    # task whose data cannot be had -> why
    without: dict[str, str] = field(default_factory=dict)
    _told: float = 0.0

    def seconds_left(self) -> float | None:
        """Seconds until the last run ends, or None while some run is like none made before."""
        each = [self.estimate.seconds(spec) for spec in self.left.values()]
        if any(seconds is None for seconds in each):
            return None
        done = [1 - self.fractions.get(name, 0.0) for name in self.left]
        work = [seconds * rest for seconds, rest in zip(each, done, strict=True) if seconds is not None]
        return max(sum(work) / self.jobs, max(work, default=0.0))

    def hear(self, event: Event) -> None:
        spec = event.spec
        name = f"{spec.task} {spec.engine} {spec.budget.pairs:.4g} seed {spec.seed}"
        if event.kind == "again":
            say(f"{name}: {event.sentence}; it is tried once more")
            return
        if event.kind == "progress":
            self.fractions[spec.id] = event.fraction
            if event.fraction > 0.05 and self.estimate.seconds(spec) is None:
                self.estimate.add(spec, event.seconds / event.fraction, FIT_SHARE * event.seconds / event.fraction)
            self.tell("running", f"{name}: {event.sentence}")
            return
        self.left.pop(spec.id, None)
        self.ended += 1
        if event.kind == "without":
            self.leave_out(spec.task, event.sentence)
            return
        if event.kind != "done":
            self.failed += 1
            self.reason = event.sentence
        elif event.train_seconds:  # else it was there already, or takes no training
            self.estimate.add(spec, event.seconds, event.train_seconds)
        say(f"[{self.ended}/{self.total}] {name}: {event.sentence} ({event.seconds:.0f} s, {self.time_left()})")
        self.tell("running", f"{name}: {event.sentence}", force=True)

    def leave_out(self, task: str, reason: str) -> None:
        """Say once why a task's runs are left out, where others go on."""
        if task not in self.without and any(spec.task != task for spec in self.left.values()):
            say(f"{task} is left out: {reason}")
        self.without[task] = reason
        self.tell("running", f"{task} is left out", force=True)

    def time_left(self) -> str:
        seconds = self.seconds_left()
        return UNKNOWN if seconds is None else f"about {duration(seconds)} left"

    def tell(self, state: str, sentence: str, force: bool = False) -> None:
        """Write the status file (aside, then renamed), at most twice a second unless `force`."""
        if time.monotonic() - self._told < 0.5 and not force:
            return
        self._told = time.monotonic()
        if sys.stderr.isatty() and state == "running":
            print(
                f"\r\x1b[K{self.ended}/{self.total} · {sentence} · {self.time_left()}",
                end="",
                file=sys.stderr,
                flush=True,
            )
        if self.status is None:
            return
        fraction = (self.ended + sum(self.fractions.get(name, 0.0) for name in self.left)) / max(1, self.total)
        words = {
            "pid": os.getpid(),
            "state": state,
            "fraction": min(1.0, fraction),
            "sentence": sentence,
            "seconds_left": self.seconds_left(),
            "updated": time.time(),
        }
        try:
            with replacing(self.status) as aside:
                aside.write_text(json.dumps(words))
        except (OSError, ValueError) as error:
            if self.ended:  # runs are worth more than words about them
                return
            raise UserError(f"{self.status} cannot be written ({error}): name another file.") from error


def say(line: str) -> None:
    """Print a line; where nobody reads any more (`sweep | head`), the sweep goes on in silence."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def sweep(
    case_slug: str,
    tasks: list[str],
    engines: list[str],
    budgets: list[float],
    seeds: list[int],
    jobs: int,
    device: str,
    keep: bool = False,
    retry: bool = False,
    status: Path | None = None,
) -> int:
    """Make the missing runs of a case; the exit code is 0 when all were made, 1 when some failed, 130 on Ctrl-C.

    Raises:
        UserError: an unknown case, task or engine, no GPU, a store that cannot be written to; after all runs of other
            tasks, data that are not there.
    """
    case, store = registry.case(case_slug), RunStore()
    if device == "cuda" and not case.on_gpu:
        raise UserError(f"The networks of {case.slug} are trained on the processor alone: leave --device out.")
    if device == "cuda" and not _cuda():
        raise UserError("No CUDA GPU can be used here: leave --device out.")
    specs = plan(case, store, tasks, engines, budgets, seeds, retry, keep)
    watch = Watch(len(specs), jobs, Estimate(case, store, device), status, {spec.id: spec for spec in specs})
    if not specs:
        lost = failed(case, store) & {spec.id for spec in asked(case, tasks, engines, budgets, seeds)}
        say(f"Nothing is missing: every run of {case.slug} that was asked for is in {store.root}.")
        if lost:
            say(f"{len(lost)} of them failed: {AGAIN.format('them')}")
        watch.tell("failed" if lost else "done", "nothing was missing", force=True)
        return 1 if lost else 0
    store.prepare(case)
    say(f"{len(specs)} runs to make with {jobs} processes; {watch.time_left()}.")
    watch.tell("running", "starting", force=True)
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, threads)
    os.environ["CROSSOVER_DEVICE"] = device
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # being told to stop is like Ctrl-C
    try:
        for event in run_all(specs, store.root, jobs, keep):
            if event.kind == "stopped":
                raise UserError(event.sentence)
            watch.hear(event)
    except KeyboardInterrupt:
        say("\nStopped. Finished runs are kept; the same command goes on from here.")
        watch.tell("cancelled", "stopped", force=True)
        return 130
    except UserError as error:
        watch.tell("failed", str(error), force=True)
        raise
    if watch.failed:
        say(_failures(watch, len(failed(case, store) & {spec.id for spec in specs})))
    without = " ".join(dict.fromkeys(watch.without.values()))
    watch.tell("failed" if watch.failed or without else "done", without or _made(watch), force=True)
    if without:
        raise UserError(without)
    return 1 if watch.failed else 0


def _made(watch: Watch) -> str:
    if watch.failed == watch.total == 1:
        return watch.reason
    return f"{watch.ended - watch.failed} of {watch.total} runs made"


def _failures(watch: Watch, kept: int) -> str:
    """How many runs failed, and, of those that are in the store as failures, how they are made again."""
    said = f"{watch.failed} of {watch.total} runs failed"
    return f"{said}: {AGAIN.format('them' if kept == watch.failed else f'{kept} of them')}" if kept else f"{said}."


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()
