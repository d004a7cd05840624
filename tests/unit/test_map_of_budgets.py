"""The map of the two budgets, from planted runs: who leads where, what side data are worth, when there is no map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashboard import findings, maps
from engines import registry
from engines.core import Budget, CaseStudy, SideBudget, Task
from engines.runs import Run, RunSpec, RunStore, Score, points

CASE = registry.case("turnstile")
SIDE = SideBudget("photos of others", {"pipeline_500": 500, "pipeline": 4529, "pipeline_2000": 2000}, "end_to_end")
TASK = replace(CASE.tasks[0], sides=(SIDE,), variants={}, alike=())
# miss rates in per cent at 62, 372 and 1,375 frames
PLANTED = {
    "pipeline_500": (50, 40, 30),
    "pipeline_2000": (30, 25, 20),
    "pipeline": (20, 10, 5),
    "end_to_end": (80, 40, 10),
}
BUDGETS = (62.0, 372.0, 1375.0)


def missed(rate: float, examples: int = 400) -> np.ndarray:
    """`rate` of 100 missed, in the form of the task's metric: on file, right, score, overlap, opened."""
    right = np.ones(examples)
    right[: round(examples * rate / 100)] = 0
    ones = np.ones(examples)
    return np.stack([ones, right, ones, 0.6 * ones, right], axis=1)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def plant(store: RunStore, names: tuple[str, ...] = tuple(PLANTED), budgets: tuple[float, ...] = BUDGETS) -> list:
    for name in names:
        for place, pairs in enumerate(budgets):
            rows = missed(PLANTED[name][place])
            spec = RunSpec(CASE.slug, TASK.slug, name, Budget(pairs), 0, CASE.engine(name).version)
            store.add(Run(spec, (Score(TASK.metric.score(rows), rows),), 1.0, 0.01, 10))
    return points(CASE, TASK, store)


def test_the_sentence_says_what_the_photos_are_worth_and_who_leads_where(store):
    found = maps.drawn(CASE, TASK, plant(store), SIDE)
    assert found is not None
    assert "With 1,375 frames, going from 500 to 4,529 photos of others takes the pipeline from" in found.sentence
    assert "from 30.0 % to 5.0 %" in found.sentence
    assert "with 500 photos of others it leads at 62 frames and trails at 1,375 frames; with 2,000" in found.sentence
    assert "with 2,000 photos of others it leads up to 372 frames and trails at 1,375 frames;" in found.sentence
    assert "with 4,529 photos of others it leads throughout" in found.sentence
    assert found.title == "The more photos of others, the longer the pipeline leads end-to-end"


def test_every_cell_holds_its_score_and_the_sign_of_who_clearly_leads(store):
    found = maps.drawn(CASE, TASK, plant(store), SIDE)
    text = np.array(found.figure.data[0].text).reshape(4, 3)
    assert text[0].tolist() == ["80.0", "40.0", "10.0"]  # the rival, which has no side data, lies lowest
    assert text[1].tolist() == ["●<br>50.0", "40.0", "■<br>30.0"]  # level in the middle: no sign
    assert text[3].tolist() == ["●<br>20.0", "●<br>10.0", "●<br>5.0"]
    assert list(found.figure.layout.yaxis.ticktext) == [
        "End-to-end",
        "500<br>photos of others",
        "2,000<br>photos of others",
        "4,529<br>photos of others",
    ]
    assert len(found.figure.layout.shapes) == 12
    assert found.figure.data[0].textfont.color is None, "it is the page's, which changes with the theme"


def test_what_was_not_run_stays_empty(store):
    plant(store, ("pipeline_500", "pipeline"))
    found = maps.drawn(CASE, TASK, plant(store, ("end_to_end",), BUDGETS[:2]), SIDE)
    text = np.array(found.figure.data[0].text).reshape(3, 3)
    assert text[0].tolist() == ["80.0", "40.0", ""]
    assert text[1].tolist() == ["●<br>50.0", "40.0", "30.0"]  # no rival to be compared with
    assert "leads throughout" in found.sentence


def test_there_is_no_map_without_two_amounts_or_without_a_rival(store, tmp_path):
    assert maps.drawn(CASE, TASK, plant(store, ("pipeline", "end_to_end")), SIDE) is None
    other = RunStore(tmp_path / "other")
    assert maps.drawn(CASE, TASK, plant(other, ("pipeline", "pipeline_500")), SIDE) is None


def declared() -> list[tuple[CaseStudy, Task, SideBudget]]:
    found = [(case, task, side) for case in registry.cases().values() for task in case.tasks for side in task.sides]
    assert len(found) >= 2, "face turnstile and bone age declare one each"
    return found


@pytest.mark.parametrize(("case", "task", "side"), declared(), ids=lambda value: getattr(value, "slug", ""))
def test_what_a_task_declares_exists(case, task, side):
    assert len(side.points) >= 2
    assert len(set(side.points.values())) == len(side.points)
    assert not case.engine(side.against).reference
    for name in side.points:
        engine, _, reading = name.partition("+")
        assert not reading or reading in case.engine(engine).readings
        assert name not in task.without
    most = max(side.points, key=side.points.__getitem__)
    first = findings.leading(case)[case.engine(most.partition("+")[0]).shape].name
    assert bool(side.called) == (most != first), "what is not the shape's own curve is not called by the shape"


def test_points_that_are_not_the_shapes_own_curve_are_called_by_what_they_are(store):
    side = replace(SIDE, points={"pipeline_500": 500, "pipeline_2000": 2000})
    assert maps.called(CASE, SIDE) == "the pipeline"
    assert maps.called(CASE, side) == "the pipeline (2,000 photos of others)"
    assert maps.called(CASE, replace(side, called="a pipeline of two")) == "a pipeline of two"
    found = maps.drawn(CASE, TASK, plant(store), replace(side, called="a pipeline of two"))
    assert "going from 500 to 2,000 photos of others takes a pipeline of two from 30.0 %" in found.sentence
