"""An engine trained again in a visitor's session, on the people enrolled there too, by a thread of its own.

What is learned is held by the session alone: the thread keeps no more than a weak reference to the lesson. Once the
session has stopped it, or let go of it, the thread gives up when its engine next tells how far it is, which may take a
minute; it holds the pictures until then.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from engines import datasets
from engines.core import EngineInfo, Task, UserError, resolve
from engines.core.sighting import Learns, Picture
from engines.runs import RunSpec

# One training at a time on a server: it takes a whole processor core.
_TURN = threading.Lock()
WAITING = "waiting for another training to end"


@dataclass(eq=False)
class Lesson:
    """`people` (name, pictures) are those it learns besides the budget's own; `done` in [0, 1]. In the end there is an
    `engine`, or a `problem`; until there is an engine, `before` is the last lesson that came to one."""

    people: tuple[tuple[str, int], ...]
    done: float = 0.0
    told: str = "starting"
    engine: Learns | None = None
    problem: str = ""
    stopped: bool = False
    before: Lesson | None = None

    @property
    def finished(self) -> Lesson | None:
        """The last lesson that came to an engine: this one, or the one before."""
        return self if self.engine else self.before

    @property
    def running(self) -> bool:
        return self.engine is None and not self.problem and not self.stopped


class _Stop(Exception):
    """Nobody waits for this lesson any more."""


def possible(info: EngineInfo, task: Task) -> bool:
    """Whether the engine can be trained again here: it learns whom it knows, and the task's data is on this machine."""
    return hasattr(resolve(info.target), "again") and all(datasets.find(name) for name in task.datasets)


def begin(
    task: Task,
    info: EngineInfo,
    spec: RunSpec,
    people: Mapping[str, Sequence[Picture]],
    before: Lesson | None = None,
) -> Lesson:
    """Start training on the run's own data and these people."""
    shown = {name: list(pictures) for name, pictures in people.items()}
    lesson = Lesson(tuple((name, len(pictures)) for name, pictures in shown.items()), before=before)
    arguments = (weakref.ref(lesson), task, info, spec, shown)
    threading.Thread(target=_teach, args=arguments, name=f"lesson of {info.name}", daemon=True).start()
    return lesson


def _teach(
    reference: weakref.ref[Lesson],
    task: Task,
    info: EngineInfo,
    spec: RunSpec,
    people: Mapping[str, Sequence[Picture]],
) -> None:
    def told(done: float, text: str) -> None:
        lesson = reference()
        if lesson is None or lesson.stopped:
            raise _Stop
        lesson.done, lesson.told = done, text

    try:
        told(0.0, WAITING)
        while not _TURN.acquire(timeout=1.0):
            told(0.0, WAITING)
        try:
            told(0.0, "reading the data")
            data = resolve(task.load)().draw(spec.budget, spec.seed)
            engine = cast(Learns, info.create()).again(data, people, np.random.default_rng([spec.seed, 1]), told)
            told(1.0, "done")
        finally:
            _TURN.release()
        if lesson := reference():
            lesson.engine, lesson.before = engine, None
    except _Stop:
        return
    except UserError as error:
        if lesson := reference():
            lesson.problem = str(error)
    except Exception:
        if lesson := reference():
            lesson.problem = "The training failed; the server's log says why. Try again, or with other pictures."
        raise
