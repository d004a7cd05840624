"""Training again in a session: it learns whom it was given, tells how far it is, stops, and outlives no session."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest

from dashboard import lessons
from engines import registry
from engines.core import Budget, EngineInfo, UserError
from engines.runs import RunSpec

GO = threading.Event()
SPEC = RunSpec("tones", "pairs", "taught", Budget(4.0), 0, 1)
PICTURES = {"Ann": [np.zeros((2, 2, 3), np.uint8)] * 3}


class Taught:
    """Waits for GO, telling how far it is, and is its people in the end."""

    people: tuple[str, ...] = ()

    def again(self, data, people, rng, progress):
        if "Nobody" in people:
            raise UserError("No picture of Nobody shows a face: bring one that does.")
        if "Crash" in people:
            raise ValueError("a bug")
        step = 0
        while not GO.is_set():
            step += 1
            progress(min(step / 1000, 0.9), f"step {step}")
            time.sleep(0.001)
        self.people = (*people, f"{len(data.train)} examples")
        return self


@pytest.fixture(autouse=True)
def waiting():
    GO.clear()
    yield
    GO.set()


@pytest.fixture
def start():
    task = registry.case("tones").task("pairs")
    info = EngineInfo("taught", "Taught", "end_to_end", 1, f"{__name__}:Taught", "Learns whom it is shown.")
    return lambda people=PICTURES, before=None: lessons.begin(task, info, SPEC, people, before)


def until(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def test_a_lesson_tells_how_far_it_is_and_gives_an_engine(start):
    lesson = start()
    until(lambda: lesson.told.startswith("step"))
    assert lesson.running
    assert 0 < lesson.done < 1
    GO.set()
    until(lambda: not lesson.running)
    assert (lesson.problem, lesson.people) == ("", (("Ann", 3),))
    # The very examples that the run learned from, and the visitor.
    assert lesson.engine.people == ("Ann", "4 examples")


def test_a_second_lesson_waits_for_the_first_and_a_stopped_one_makes_room(start):
    first = start()
    until(lambda: first.told.startswith("step"))
    second = start({"Bob": PICTURES["Ann"]})
    until(lambda: second.told == lessons.WAITING)
    first.stopped = True
    until(lambda: second.told.startswith("step"))
    assert first.engine is None
    assert not first.running
    GO.set()
    until(lambda: not second.running)
    assert second.engine.people[0] == "Bob"


def test_the_lesson_before_is_kept_until_there_is_an_engine(start):
    before = lessons.Lesson((), engine=Taught())
    failed = start({"Nobody": []}, before)
    until(lambda: failed.problem)
    following = start(before=failed.finished)
    assert following.finished is before
    GO.set()
    until(lambda: not following.running)
    assert following.finished is following
    until(lambda: following.before is None)


def test_a_lesson_that_the_session_let_go_of_ends(start):
    session = [start()]
    until(lambda: session[0].told.startswith("step"))
    gone = weakref.ref(session.pop())
    gc.collect()
    assert gone() is None
    until(lambda: not any(thread.name == "lesson of taught" for thread in threading.enumerate()))
    following = start()
    GO.set()
    until(lambda: following.engine is not None)


def test_bad_pictures_get_a_sentence(start):
    lesson = start({"Nobody": []})
    until(lambda: not lesson.running)
    assert lesson.problem == "No picture of Nobody shows a face: bring one that does."


def test_a_training_that_fails_says_so_and_the_log_says_why(start, monkeypatch):
    logged = []
    monkeypatch.setattr(threading, "excepthook", logged.append)
    lesson = start({"Crash": []})
    until(lambda: logged)
    assert "The training failed" in lesson.problem
    assert str(logged[0].exc_value) == "a bug"


def test_only_engines_that_learn_whom_they_know_can_be_trained_again():
    case = registry.case("tones")
    assert not lessons.possible(case.engines[0], case.task("pairs"))
