"""What a case study is: metadata only, so that finding the cases imports nothing heavy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from engines.core.engine import Engine, Shape
from engines.core.errors import UserError
from engines.core.spec import Budget, Floats, Metric, Spec, resolve
from engines.core.split import TaskData


@dataclass(frozen=True)
class EngineInfo:
    """An engine of a case, named before its code is imported. `target` is "module:Class"; the class repeats name,
    shape, version and readings, and a conformance test holds the two against each other."""

    name: str
    title: str
    shape: Shape
    version: int
    target: str
    summary: str
    supervision: tuple[str, ...] = ()
    # reading -> title of it
    readings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    reference: bool = False
    # whether the default sweep keeps trained models of it, at the task's budgets for that
    kept: bool = True

    def read(self, reading: str) -> str:
        """The name of its points in a reading: "name", or "name+reading"."""
        return f"{self.name}+{reading}" if reading else self.name

    @property
    def curves(self) -> tuple[str, ...]:
        """The names of its points in every reading, the main one first."""
        return tuple(self.read(reading) for reading in ("", *self.readings))

    def further(self, task: Task) -> dict[str, str]:
        """Its readings beside the main one that say something in a task: reading -> title."""
        return {name: title for name, title in self.readings.items() if self.read(name) not in task.without}

    def given(self, task: Task) -> list[str]:
        """What it is given in a task besides the pairs."""
        return [each for each in self.supervision if each not in task.withheld]

    def create(self) -> Engine:
        engine: Engine = resolve(self.target)()
        return engine


@dataclass(frozen=True)
class SideBudget:
    """A second budget beside the pairs: amounts of `unit` ("masks", "photos of other people") that engines were given
    for a stage of theirs. `points` are those that differ in nothing else: name of an engine, or "engine+reading", ->
    amount. `against` is the engine that takes none of it. `called` names the points together in a sentence, "a pipeline
    with all measures", where they are not those of the first engine of their shape."""

    unit: str
    points: Mapping[str, float]
    against: str
    called: str = ""


@dataclass(frozen=True)
class Faults:
    """What goes wrong in answers, by kind. `kinds`: name of a kind -> what it means, in the order of `count`.

    `count` is "module:function"(input, answer, true output) -> floats (1 + kinds,): how much there was to get right in
    an example, in `unit`, and how often each kind went wrong in it.
    """

    kinds: Mapping[str, str]
    unit: str
    count: str

    def counted(self, x: Any, answer: Any, truth: Any) -> Floats:
        return np.asarray(resolve(self.count)(x, answer, truth), dtype=np.float64)


@dataclass(frozen=True)
class Task:
    """A data set, its unit and its metric.

    `load` is "module:function" -> TaskData. `budgets` are the pairs of the default sweep, `models` those whose trained
    models are kept for the live page, `tiny` one that a test can afford.
    """

    slug: str
    title: str
    summary: str
    x: Spec
    y: Spec
    metric: Metric
    unit: str
    load: str
    budgets: tuple[float, ...]
    models: tuple[float, ...]
    tiny: float
    simulated: bool
    datasets: tuple[str, ...]
    seeds: tuple[int, ...] = (0, 1, 2)
    # variant test set -> what it is
    variants: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    # second budgets that some of the case's engines are points of
    sides: tuple[SideBudget, ...] = ()
    # "engine+reading" names that say nothing here: not scored
    without: tuple[str, ...] = ()
    # what engines of the case are given elsewhere (`EngineInfo.supervision`) and not here
    withheld: tuple[str, ...] = ()
    # further scores of the statistics that `metric` keeps
    beside: tuple[Metric, ...] = ()
    # how many examples in a row, from a test's first one on, are of one speaker, of the next, ...; what follows them in
    # a longer test is each of another
    alike: tuple[int, ...] = ()
    # kinds of error that a sweep counts in every answer, besides the score
    faults: Faults | None = None
    # what the command line must be told besides its name: "--pairs FILE.tsv"
    besides: str = ""

    @property
    def option(self) -> str:
        """How the command line names it: "--task digits"."""
        return f"--task {self.slug} {self.besides}".rstrip()

    def data(self) -> TaskData:
        loaded: TaskData = resolve(self.load)()
        return loaded

    def default_budgets(self) -> tuple[Budget, ...]:
        return tuple(Budget(pairs) for pairs in self.budgets)

    def budget(self, amount: float) -> Budget:
        """The budget that somebody means by `amount`: one of the task's own where it is within a percent of it (2
        minutes are 0.0333 hours to whoever types them), so that no curve gets the same point twice."""
        return Budget(next((own for own in self.budgets if math.isclose(own, amount, rel_tol=0.01)), amount))


@dataclass(frozen=True)
class Choice:
    """What a visitor may set when an input is made for them: one of `options`, or a number from `low` to `high`."""

    name: str
    title: str
    low: float = 0.0
    high: float = 1.0
    step: float = 0.1
    start: float = 0.0
    unit: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseStudy:
    """A question with its tasks and engines. `accepts` says what a visitor may bring: file endings, limits; `place` is
    where it stands among the cases, which otherwise follow their titles."""

    slug: str
    title: str
    question: str
    tasks: tuple[Task, ...]
    engines: tuple[EngineInfo, ...]
    # "module:function"(bytes, file name, Task) -> input x, or "" where a visitor can bring nothing
    decode: str = ""
    accepts: tuple[str, ...] = ()
    limits: str = ""
    # "module:function"(bytes, file name) -> a sentence on what is wrong with an input that `decode` takes all the same,
    # or ""
    remark: str = ""
    # "module:function"(Task) -> tuple[Example, ...]: inputs a visitor can pick
    examples: str = ""
    # "module:function"(typed text, Task) -> (true output y, remark): what a visitor says is right, in the task's own
    # form, and a sentence on what cannot be answered in it, or ""
    reference: str = ""
    # characters of it at most: about two minutes of speech, and quick to hold answers against
    longest: int = 2000
    # "module:function"(Task, **choices) -> (bytes of a file that `decode` takes, its name, its true output in words),
    # an input made as a visitor chooses, or ""
    make: str = ""
    choices: tuple[Choice, ...] = ()
    # by stage, what its truth is called where "true <stage>" does not say it
    truths: Mapping[str, str] = field(default_factory=dict)
    place: int = 9
    # whether `sweep --device cuda` can train its networks
    on_gpu: bool = False

    @property
    def curves(self) -> tuple[str, ...]:
        """The names of all its engines' points; references are dots, not curves."""
        return tuple(name for info in self.engines if not info.reference for name in info.curves)

    def label(self, point: str) -> str:
        """ "Pipeline", or "End-to-end with the pipeline's lexicon and language model" for the name of a point."""
        name, _, reading = point.partition("+")
        info = self.engine(name)
        return f"{info.title} {info.readings.get(reading, reading)}" if reading else info.title

    def truth(self, stage: str) -> str:
        """What the truth of a stage's output is called: "true phonemes"."""
        return self.truths.get(stage, f"true {stage.replace('_', ' ')}")

    def task(self, slug: str | None) -> Task:
        """The task of that name, or the first when `slug` is None.

        Raises:
            UserError: there is no such task.
        """
        if slug is None:
            return self.tasks[0]
        for task in self.tasks:
            if task.slug == slug:
                return task
        names = ", ".join(task.slug for task in self.tasks)
        raise UserError(f"{self.slug} has no task {slug!r}: choose one of {names}.")

    def engine(self, name: str) -> EngineInfo:
        """The engine of that name.

        Raises:
            UserError: there is no such engine.
        """
        for engine in self.engines:
            if engine.name == name:
                return engine
        names = ", ".join(engine.name for engine in self.engines)
        raise UserError(f"{self.slug} has no engine {name!r}: choose one of {names}.")


@dataclass(frozen=True)
class Example:
    """An input that a visitor can pick: `path` of a file (under precomputed/<case>/examples unless absolute), its true
    output."""

    title: str
    path: str
    truth: str
    note: str = ""
