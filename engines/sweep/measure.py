"""One run: draw the budget, fit, answer every test example, score."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from engines.core import Engine, EngineInfo, Progress, Split, Task, TaskData, TrainingData, UserError, effort
from engines.runs import Run, RunSpec, RunStore, Score

ORACLE_EXAMPLES = 150
FIT_SHARE = 0.8
NO_ROOM = ("out of memory", "can't allocate memory")  # what torch says in a RuntimeError, of a GPU and of the processor


def measure(
    info: EngineInfo,
    task: Task,
    spec: RunSpec,
    data: TaskData,
    store: RunStore,
    keep: bool,
    progress: Progress,
) -> Run:
    """Make one run and put it into the store, and its model with it where `keep`.

    An engine that fails is a finding: the run is kept with its error. A budget that the data cannot give and a machine
    that has no room left, or is too slow, say nothing about the engine: the run has an error and is not kept.
    """
    try:
        training = TrainingData.nothing(task.x) if info.reference else data.draw(spec.budget, spec.seed)
    except UserError as error:
        return Run(spec, error=str(error))
    try:
        run, fitted = _fit_and_score(info, task, spec, training, data, progress)
    except Exception as error:
        if isinstance(error, (MemoryError, OSError)) or any(words in str(error) for words in NO_ROOM):
            return Run(spec, error=f"{type(error).__name__}: {error}")
        if isinstance(error, UserError) and (info.reference or isinstance(error.__cause__, (OSError, ImportError))):
            # Nor do weights that cannot be had say anything, or inputs that could not be made for want of room or of
            # what makes them.
            return Run(spec, error=str(error))
        run, fitted = Run(spec, error=f"{type(error).__name__}: {error}", finished=now()), None
    if keep and fitted is not None and not info.reference:
        store.add_model(spec, fitted.save)
    store.add(run)
    return run


def _fit_and_score(
    info: EngineInfo, task: Task, spec: RunSpec, training: TrainingData, data: TaskData, progress: Progress
) -> tuple[Run, Engine]:
    with effort.counted() as spent:
        fitted = info.create().fit(
            training, np.random.default_rng([spec.seed, 1]), lambda done, text: progress(FIT_SHARE * done, text)
        )

    main = data.tests["test"]
    ways = [("", name, split) for name, split in data.tests.items()]
    ways += [(reading, "test", main) for reading in info.further(task)]
    scores, answer_seconds = [], 0.0
    for place, (reading, test, split) in enumerate(ways):

        def told(done: float, place: int = place, what: str = f"answering {test} {reading}".strip()) -> None:
            progress(FIT_SHARE + (1 - FIT_SHARE) * (place + done) / (len(ways) + 1), what)

        fitted.answer(main.x[0], reading)  # what is built at the first answer is not part of an answer's time
        answers, statistics, seconds = _answers(fitted, task, split, reading, told)
        if not reading and test == "test":
            answer_seconds = seconds / len(split)
        faults = _faults(task, split, answers)
        scores.append(Score(task.metric.score(statistics), statistics, reading, test, faults=faults))
    if spec.seed == task.seeds[0]:
        scores += _oracles(fitted, task, main)
    progress(1.0, "done")
    run = Run(
        spec,
        tuple(scores),
        spent.seconds,
        answer_seconds,
        fitted.parameters,
        data_hash(training.train),
        environment(spent.device),
        finished=now(),
    )
    return run, fitted


def _answers(
    engine: Engine, task: Task, split: Split, reading: str, told: Callable[[float], None]
) -> tuple[list[Any], np.ndarray, float]:
    """Every answer, where the task counts kinds of error in them, the statistics (examples, k) of each, and the seconds
    that answering alone took."""
    answers, rows, seconds = [], [], 0.0
    for place, (x, truth) in enumerate(zip(split.x, split.y, strict=True)):
        start = effort.clock()
        answer = engine.answer(x, reading)
        seconds += effort.clock() - start
        rows.append(task.metric.statistics(answer, truth))
        if task.faults:
            answers.append(answer)
        told(place / len(split))
    return answers, np.stack(rows), seconds


def _faults(task: Task, split: Split, answers: list[Any]) -> np.ndarray | None:
    """What went wrong in each answer, (examples, 1 + kinds); None where the task names no kinds of error."""
    if task.faults is None:
        return None
    each = zip(split.x, answers, split.y, strict=True)
    return np.stack([task.faults.counted(x, answer, truth) for x, answer, truth in each])


def _oracles(engine: Engine, task: Task, split: Split) -> list[Score]:
    """Scores with one stage's output replaced by the truth, for every stage whose truth is known, on the first test
    examples; made for the first seed alone. What is left is the doing of the other stages. The last stage is the
    answer itself and is left out."""
    count = min(len(split), ORACLE_EXAMPLES)
    found: dict[str, list[np.ndarray]] = {}
    last = engine.stages()[-1].name
    for i in range(count):
        x = split.x[i]
        for stage, value in engine.truths(x, split.gold[i]).items():
            if stage != last:
                answer = engine.trace(x, {stage: value}).answer
                found.setdefault(stage, []).append(task.metric.statistics(answer, split.y[i]))
    return [
        Score(task.metric.score(np.stack(rows)), np.stack(rows), oracle=stage)
        for stage, rows in found.items()
        if len(rows) == count
    ]


def data_hash(split: Split) -> str:
    """A name for the training examples: their answers and weights."""
    digest = hashlib.sha256()
    for y in split.y:
        digest.update(repr(y).encode())
    digest.update(np.asarray(split.weight, dtype=np.float64).tobytes())
    return digest.hexdigest()[:16]


def environment(device: str) -> dict[str, object]:
    """Of a run that was trained on `device`."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    return {
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "machine": platform.machine(),
        "device": device,
        "threads": int(threads) if threads.isdigit() else 0,  # 0: not said, or one number a level
    }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
