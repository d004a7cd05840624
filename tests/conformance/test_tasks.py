"""Every task's data keep the promises that a fair comparison rests on."""

import dataclasses
import itertools

import numpy as np
import pytest

from engines.core import Budget, Engine, EngineInfo, UserError
from engines.runs import RunSpec, RunStore
from engines.sweep.measure import measure
from tests.conformance.conftest import data_of, tasks

ALL = pytest.mark.parametrize(("case", "task"), tasks(), ids=lambda value: value.slug)


@ALL
def test_budgets_nest(case, task):
    train = data_of(case.slug, task.slug).train
    small, large = (train.prefix(amount, np.random.default_rng([3, 0])) for amount in (task.tiny, 2 * task.tiny))
    assert 0 < len(small) <= len(large)
    assert [small.y[i] for i in range(len(small))] == [large.y[i] for i in range(len(small))]
    assert small.total >= task.tiny * (1 - 1e-6)


@ALL
def test_a_budget_larger_than_the_data_raises(case, task):
    data = data_of(case.slug, task.slug)
    with pytest.raises(UserError, match="there is only"):
        data.draw(Budget(data.train.total * 1.01 + 1), 0)
    with pytest.raises(UserError, match="above 0"):
        data.draw(Budget(0), 0)


@ALL
def test_every_default_budget_can_be_drawn(case, task):
    assert max(task.budgets) <= data_of(case.slug, task.slug).train.total * 1.001
    assert len(task.budgets) >= 8
    assert max(task.budgets) / min(task.budgets) >= 99
    assert set(task.models) <= set(task.budgets)
    assert len(task.seeds) >= 3


@ALL
def test_examples_are_what_the_task_declares(case, task):
    data = data_of(case.slug, task.slug)
    assert set(data.tests) == {"test", *task.variants}
    for split in (data.train, *data.tests.values()):
        assert task.x.problem(split.x[0]) is None
        assert task.y.problem(split.y[0]) is None
        assert (split.weight > 0).all()


@pytest.mark.parametrize(("case", "task"), [pair for pair in tasks() if pair[1].alike], ids=lambda value: value.slug)
def test_examples_that_are_alike_are_of_one_speaker_or_person(case, task):
    gold = list(data_of(case.slug, task.slug).tests["test"].gold)
    whose = [[str(truths[of]) for truths in gold] for of in gold[0]]
    assert any(task.alike == tuple(len(list(same)) for _, same in itertools.groupby(each)) for each in whose)


class Failing(Engine):
    name, shape, version = "failing", "pipeline", 1

    def fit(self, data, rng, progress=None):
        raise ZeroDivisionError("planted")

    def stages(self, reading=""):
        return ()

    def save(self, directory): ...

    @classmethod
    def load(cls, directory):
        return cls()

    @property
    def parameters(self):
        return 0


def test_a_failing_fit_becomes_a_recorded_run(tmp_path):
    task = next(task for case, task in tasks() if case.slug == "tones")
    info = EngineInfo("failing", "Failing", "pipeline", 1, f"{__name__}:Failing", "fails")
    store, spec = RunStore(tmp_path), RunSpec("tones", task.slug, "failing", Budget(task.tiny), 0, 1)
    run = measure(info, task, spec, data_of("tones", task.slug), store, True, lambda fraction, sentence: None)
    assert run.error == "ZeroDivisionError: planted"
    assert store.frame("error != ''").to_pylist()[0]["error"] == run.error
    assert store.has(spec)
    assert not store.model(spec).exists()
    assert dataclasses.is_dataclass(run)
