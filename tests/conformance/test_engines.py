"""Every engine of every case passes the same checks."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from engines.claims.design import stages
from engines.core import TrainingData, UserError
from tests.conformance.conftest import data_of, fitted

EXAMPLES = 3


def same(a, b) -> bool:
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else a == b


def readings(engine) -> tuple[str, ...]:
    return ("", *engine.readings)


def test_the_class_says_what_its_metadata_says(subject):
    made = subject.info.create()
    assert (made.name, made.shape, made.version) == (subject.info.name, subject.info.shape, subject.info.version)
    assert made.readings == tuple(subject.info.readings)
    assert made.supervision == subject.info.supervision


def test_fit_gives_a_new_engine_that_learned_something(subject, engine):
    with pytest.raises(FrozenInstanceError):  # the one that was asked cannot have changed
        subject.info.create().anything = 1
    assert engine.parameters > 0


def check_steps(engine, task, x, reading="") -> None:
    trace = engine.trace(x, reading=reading)
    assert trace.steps
    for step in trace.steps:
        assert step.spec.problem(step.value) is None, step.stage
        assert step.seconds >= 0
        assert not step.replaced
    assert task.y.problem(trace.answer) is None


def test_every_step_is_what_its_spec_declares(subject, engine, data):
    for reading in readings(engine):
        for i in range(EXAMPLES):
            check_steps(engine, subject.task, data.tests["test"].x[i], reading)


def test_answers_can_be_scored(subject, engine, data):
    test = data.tests["test"]
    rows = np.stack([subject.task.metric.statistics(engine.answer(test.x[i]), test.y[i]) for i in range(EXAMPLES)])
    assert math.isfinite(subject.task.metric.score(rows))


def test_an_unknown_reading_is_refused_in_one_sentence(engine):
    with pytest.raises(UserError, match="cannot be read as"):
        engine.stages("no such reading")


def test_its_stages_are_told_from_its_source_in_their_order(subject, engine):
    own = [stage.name for stage in engine.stages()]
    assert any(own == [name for name in chain if name in own] for chain in stages(subject.info))
    further = {stage.name for reading in engine.readings for stage in engine.stages(reading)} - {*own}
    assert not any(further.intersection(chain) for chain in stages(subject.info))


def test_every_stage_accepts_an_oracle(engine, data):
    x = data.tests["test"].x[0]
    for reading in readings(engine):
        trace = engine.trace(x, reading=reading)
        for step in trace.steps:
            again = engine.trace(x, {step.stage: step.value}, reading)
            assert [other.stage for other in again.steps if other.replaced] == [step.stage]
            assert same(again.answer, trace.answer)
    with pytest.raises(UserError, match="has no stage"):
        engine.trace(x, {"no such stage": None})


def test_truths_are_values_of_their_stages(engine, data):
    test = data.tests["test"]
    specs = {stage.name: stage.gives for stage in engine.stages()}
    for i in range(EXAMPLES):
        for stage, value in engine.truths(test.x[i], test.gold[i]).items():
            assert specs[stage].problem(value) is None, stage
            assert subject_answer(engine.trace(test.x[i], {stage: value}))


def subject_answer(trace) -> bool:
    return trace.answer is not None


def check_alike(before, after) -> None:
    for one, other in zip(before.steps, after.steps, strict=True):
        assert one.stage == other.stage
        assert one.spec == other.spec
        assert same(one.value, other.value), one.stage


def test_a_saved_engine_answers_identically(subject, engine, data, tmp_path):
    engine.save(tmp_path)
    loaded = type(engine).load(tmp_path)
    assert loaded.parameters == engine.parameters
    for reading in readings(engine):
        for i in range(EXAMPLES):
            x = data.tests["test"].x[i]
            check_alike(engine.trace(x, reading=reading), loaded.trace(x, reading=reading))
    assert not list(tmp_path.rglob("*.pt")) + list(tmp_path.rglob("*.pkl"))


def test_the_same_seed_gives_the_same_answers(subject, engine, data):
    again = fitted(subject.case.slug, subject.task.slug, subject.info.name, again=1)
    for i in range(EXAMPLES):
        x = data.tests["test"].x[i]
        for one, other in zip(engine.trace(x).steps, again.trace(x).steps, strict=True):
            assert same(one.value, other.value), one.stage


def test_a_reference_answers_as_declared_and_identically_once_saved(reference, tmp_path):
    task, info = reference.task, reference.info
    engine = info.create().fit(TrainingData.nothing(task.x), np.random.default_rng(0))
    assert (engine.name, engine.shape, engine.version) == (info.name, info.shape, info.version)
    assert engine.parameters == 0
    engine.save(tmp_path)
    loaded = type(engine).load(tmp_path)
    x = data_of(reference.case.slug, task.slug).tests["test"].x[0]
    check_steps(engine, task, x)
    check_alike(engine.trace(x), loaded.trace(x))
