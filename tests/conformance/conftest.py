"""Finds every case, task and engine, and fits each once on the task's tiny budget."""

import os
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from engines import datasets, registry
from engines.core import Budget, CaseStudy, Engine, EngineInfo, Task, TaskData, TrainingData, UserError

SEED = 0
# References by the name of the package that they come in.
SHIPPED = ("pocketsphinx",)


@dataclass(frozen=True)
class Subject:
    """One engine on one task."""

    case: CaseStudy
    task: Task
    info: EngineInfo

    def __str__(self) -> str:
        return f"{self.case.slug}-{self.task.slug}-{self.info.name}"


def tasks() -> list[tuple[CaseStudy, Task]]:
    found = [(case, task) for case in registry.cases().values() for task in case.tasks]
    assert len(found) >= 4, "the speech tasks and the toy's are the least there is"
    return found


def subjects() -> list[Subject]:
    found = [Subject(case, task, info) for case, task in tasks() for info in case.engines if not info.reference]
    assert len(found) >= 11
    return found


def references() -> list[Subject]:
    """Those whose package brings their weights; wav2vec 2.0 would download its own."""
    return [Subject(case, task, info) for case, task in tasks() for info in case.engines if info.name in SHIPPED]


@cache
def data_of(case: str, task: str) -> TaskData:
    """The task's data; where real data are absent the test is skipped, but not in CI, unless users alone can bring
    them."""
    study = registry.case(case).task(task)
    try:
        return study.data()
    except UserError as error:
        if os.environ.get("CI") and not any(datasets.dataset(name).brought for name in study.datasets):
            raise
        pytest.skip(str(error))


@cache
def training_of(case: str, task: str) -> TrainingData:
    return data_of(case, task).draw(Budget(registry.case(case).task(task).tiny), SEED)


@cache
def fitted(case: str, task: str, engine: str, again: int = 0) -> Engine:
    """`again` tells fits of the same seed apart."""
    info = registry.case(case).engine(engine)
    return info.create().fit(training_of(case, task), np.random.default_rng([SEED, 1]))


@pytest.fixture(params=subjects(), ids=str)
def subject(request) -> Subject:
    return request.param


@pytest.fixture(params=references(), ids=str)
def reference(request) -> Subject:
    pytest.importorskip(request.param.info.name)
    return request.param


@pytest.fixture
def engine(subject) -> Engine:
    return fitted(subject.case.slug, subject.task.slug, subject.info.name)


@pytest.fixture
def data(subject) -> TaskData:
    return data_of(subject.case.slug, subject.task.slug)
