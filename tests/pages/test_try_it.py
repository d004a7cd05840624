"""Try it, for every case and task there is: what goes in, what comes out, and what stays when the input is bad."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from streamlit.testing.v1 import AppTest

from dashboard import models, panels
from engines import datasets, registry
from engines.core import CaseStudy, Task, resolve
from engines.core.spec import _CHECKS
from engines.runs import RunStore, kept_models
from tests.pages import app

TASKS = [(case.slug, task.slug) for case in registry.cases().values() for task in case.tasks]
assert ("tones", "pairs") in TASKS


def sound(pitch: float = 1500.0, seconds: float = 0.5, rate: int = 16000) -> bytes:
    """A tone that swells and fades, as a WAV file."""
    time = np.arange(int(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * pitch * time) * np.hanning(len(time))
    file = io.BytesIO()
    soundfile.write(file, wave + 1e-3 * np.random.default_rng(0).normal(size=len(wave)), rate, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def toy_store(tmp_path_factory):
    """A store with trained models of the toy at two budgets, made by a sweep in a process of its own: AppTest leaves
    the page behind as the main module, which a sweep's own processes would run again."""
    folder = tmp_path_factory.mktemp("store")
    command = [sys.executable, "-m", "engines", "sweep", "tones", "--seed", "0", "--jobs", "1"]
    environment = {**os.environ, "CROSSOVER_STORE": str(folder)}
    subprocess.run([*command, "--budget", "32", "--budget", "256"], env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def toy(toy_store, monkeypatch):
    """The page of the toy with a high tone given to it."""
    monkeypatch.setenv("CROSSOVER_STORE", str(toy_store))
    page = opened("tones", "pairs")
    page.file_uploader[0].upload("high.wav", sound()).run()
    assert not page.exception
    return page


def opened(case: str, task: str) -> AppTest:
    return app.opened("try_it", case=case, task=task)


def written(page: AppTest) -> str:
    return " ".join(element.value for element in page.html)


def given(case: CaseStudy, task: Task) -> tuple[str, bytes]:
    """A file that a visitor may bring: a sound where sounds are taken, a sentence where texts are, else an example."""
    if "wav" in case.accepts:
        return "given.wav", sound()
    if "txt" in case.accepts:
        return "given.txt", b"A man in a blue shirt is standing on a ladder."
    example = resolve(case.examples)(task)[0]
    file = RunStore().root / case.slug / "examples" / example.path
    return file.name, file.read_bytes()


@pytest.mark.parametrize(("case", "task"), TASKS)
def test_every_case_and_task_answers_or_says_what_is_missing(case, task):
    page = opened(case, task)
    study = registry.case(case)
    name, content = given(study, study.task(task))
    page.file_uploader[0].upload(name, content).run()
    assert not page.exception
    kept = kept_models(study, study.task(task), RunStore())
    if not kept:
        assert any("No trained model" in info.value and "sweep" in info.value for info in page.info)
        return
    shown = " ".join(element.value for element in page.markdown)
    for name in kept:
        assert study.engine(name).title in shown
    assert len(page.get("plotly_chart")) + len(page.dataframe) + len(page.get("image")) >= len(kept)
    told = " ".join(caption.value for caption in page.caption)
    for name in study.task(task).datasets:
        assert datasets.dataset(name).citation in told


def test_every_kind_of_value_has_a_panel():
    assert set(panels.SHOW) == set(_CHECKS)


def test_every_engine_answers_step_by_step_at_every_budget(toy):
    shown = written(toy)
    assert shown.count("HIGH") >= 2 + 4
    assert 'aria-label="The same input at every budget"' in shown
    assert "32 tones" in shown
    assert "256 tones" in shown
    # The input, then features and words of one engine, features and characters of the other.
    assert len(toy.get("plotly_chart")) == 5
    for info in registry.case("tones").engines:
        assert any(info.title in element.value for element in toy.markdown)


def test_a_reference_marks_errors_and_scores_them(toy):
    toy.text_input[0].set_value("low").run()
    assert not toy.exception
    assert "HIGH <small>≠ LOW</small>" in written(toy)
    assert "100 %" in written(toy)
    toy.text_input[0].set_value("High!").run()
    assert "≠ LOW" not in written(toy)
    toy.text_input[0].set_value("?!").run()
    assert [each.value for each in toy.warning] == ["The reference holds no words: type what was said in letters."]


BAD = {
    "text named .wav": ("notes.wav", b"These are notes, not sound.\n" * 50),
    "empty": ("empty.wav", b""),
    "too short": ("short.wav", sound(seconds=0.02)),
    "too long": ("long.wav", sound(seconds=35)),
    "too large": ("large.wav", sound() + bytes(20_500_000)),
    "a name that is markup": ("![x](y) `z`.wav", b"no sound"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_a_sentence_and_takes_nothing_away(toy, name):
    toy.text_input[0].set_value("low").run()
    before = written(toy)
    toy.file_uploader[0].upload(*BAD[name]).run()
    assert not toy.exception
    assert len(toy.error) == 1
    assert toy.error[0].value.endswith("What was here before is still below.")
    assert written(toy) == before
    assert toy.text_input[0].value == "low"
    assert len(toy.get("plotly_chart")) == 5


def test_a_file_that_was_cut_is_answered_with_a_remark(toy):
    whole = io.BytesIO()
    soundfile.write(whole, np.sin(np.arange(4 * 44100) / 5), 44100, format="MP3")
    toy.file_uploader[0].upload("cut.mp3", whole.getvalue()[: len(whole.getvalue()) // 2]).run()
    assert not toy.exception
    assert any("is cut or damaged" in caption.value for caption in toy.caption)
    assert "HIGH" in written(toy)


def test_a_recording_takes_over(toy):
    toy.audio_input[0].upload("recording.wav", sound(pitch=400)).run()
    assert not toy.exception
    assert "LOW" in written(toy)
    assert any("recorded" in element.value for element in toy.markdown)


def test_an_example_comes_with_its_truth_and_is_in_the_link(toy_store, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(toy_store))
    page = app.opened("try_it", case="tones", example="high")
    assert not page.exception
    assert page.text_input[0].value == "HIGH"
    assert "HIGH" in written(page)
    page.selectbox(key="try_example").select("low").run()
    assert page.text_input[0].value == "LOW"
    assert page.query_params["example"] == "low"
    # What the example said is not what a visitor's own file says; what the visitor types stays with the next file.
    page.file_uploader[0].upload("mine.wav", sound()).run()
    assert page.text_input[0].value == ""
    assert "example" not in page.query_params
    page.text_input[0].set_value("high").run()
    page.file_uploader[0].upload("again.wav", sound(pitch=1700)).run()
    assert page.text_input[0].value == "high"


def test_back_brings_the_example_before(toy_store, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(toy_store))
    page = app.opened("try_it", case="tones", example="high")
    page.selectbox(key="try_example").select("low").run()
    page.query_params["example"] = "high"  # late: of a click made before the browser heard of the other
    assert page.run().text_input[0].value == "LOW"
    monkeypatch.setattr("dashboard.links.went_back", lambda: True)
    page.query_params["example"] = "high"
    assert page.run().text_input[0].value == "HIGH"


def test_what_is_right_and_what_is_wrong_is_of_one_case(toy_store, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(toy_store))
    page = app.opened("try_it", case="tones", example="high")
    page.text_input[0].set_value("low").run()
    page.file_uploader[0].upload("words.wav", b"no sound").run()
    assert page.error
    page.selectbox(key="view_case").select("translation").run()
    assert not page.exception
    assert not page.error
    page.selectbox(key="view_case").select("tones").run()
    assert page.text_input[0].value == "low"


def test_the_same_picture_under_another_name_is_answered_anew(toy, monkeypatch):
    """The name is part of what comes in: of an X-ray it says the size of a pixel and the sex."""
    asked = []
    answer = models.answer
    monkeypatch.setattr(models, "answer", lambda *of: asked.append(of) or answer(*of))
    toy.file_uploader[0].upload("hand_F_0.14mm.wav", sound()).run()
    assert not toy.exception
    count = len(asked)
    assert count >= 4  # two engines at two budgets
    toy.run()
    assert len(asked) == count
    toy.file_uploader[0].upload("hand_M_0.28mm.wav", sound()).run()
    assert len(asked) == 2 * count


def test_what_says_nothing_in_a_task_is_not_drawn_there():
    page = opened("bone_age", "lengths")
    captions = [each.value for each in page.caption]
    shown = " ".join([*captions, *(each.value for each in page.markdown), written(page)])
    assert "with a regression on all measures" in shown
    assert "10 masks" not in shown
    assert "40 masks" not in shown
    assert "Besides the training pairs" not in shown
    assert any(each.startswith(("A girl's. ", "A boy's. ")) for each in captions)
    (pills,) = [each for each in page.get("pills") or page.get("button_group") if each.label == "Show"]
    assert len(pills.options) == 5


def test_a_budget_without_models_offers_the_nearest(toy_store, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(toy_store))
    page = app.opened("try_it", case="tones", budget="8")
    page.file_uploader[0].upload("high.wav", sound()).run()
    assert not page.exception
    assert any("no trained model is kept for it" in caption.value for caption in page.caption)
    assert page.select_slider[0].value == 32


def test_an_empty_store_says_how_to_fill_it(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    page = opened("tones", "pairs")
    assert any("python -m engines sweep tones --task pairs" in info.value for info in page.info)


def test_answering_brings_in_no_torch_that_the_engines_do_not_need(toy_store):
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_try_it
page = test_try_it.opened("tones", "pairs")
page.file_uploader[0].upload("high.wav", test_try_it.sound()).run()
assert "HIGH" in test_try_it.written(page)
assert "torch" not in sys.modules
"""
    environment = {**os.environ, "CROSSOVER_STORE": str(toy_store), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_typed_sentence_takes_over():
    page = opened("translation", "captions")
    assert page.session_state["try_clip"]["translation"].name == "captions-1.txt"
    page.text_area[0].set_value("A dog runs across the <b>beach</b>.").run()
    assert not page.exception
    assert page.session_state["try_clip"]["translation"].data == b"A dog runs across the <b>beach</b>."
    page.text_area[0].set_value("word " * 5000).run()
    assert len(page.error) == 1
    assert page.error[0].value.endswith("What was here before is still below.")
    assert page.session_state["try_clip"]["translation"].name == "your text"
