"""The gate: people are enrolled or told why not, the gate opens at rates that were measured, and everyone can be
forgotten."""

import io
import json
import os
import re
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageFilter
from streamlit.testing.v1 import AppTest

from dashboard import gate, lessons, models
from dashboard.figures.filing import filing
from engines import datasets, registry
from engines.core import Budget, Spec, Step, Trace, UserError
from engines.core.sighting import Candidates, rates
from engines.runs import RunSpec, RunStore, kept_models
from tests.pages import app

HERE = datasets.find("lfw") is not None and datasets.find("bsds500_backgrounds") is not None
PHOTOGRAPHS = pytest.mark.skipif(not HERE and "CI" not in os.environ, reason="the photographs are not here")


opened = partial(app.opened, "gate")


def jpeg(picture: np.ndarray | Image.Image) -> bytes:
    held = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(held, "JPEG", quality=92)
    return held.getvalue()


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)


def face(person: str, number: int = 0) -> Image.Image:
    """A photo of someone who is not on file, as large as a frame is high."""
    from engines.cases.turnstile import photos

    who = photos.parts().unseen
    name = sorted(who)[int(person)]
    return Image.fromarray(photos.photos().pixels(who[name][number])).resize((240, 240), Image.Resampling.LANCZOS)


def beside(*pictures: Image.Image) -> Image.Image:
    made = Image.new("RGB", (sum(picture.width for picture in pictures), max(p.height for p in pictures)), "grey")
    left = 0
    for picture in pictures:
        made.paste(picture, (left, 0))
        left += picture.width
    return made


def enrol(page: AppTest, name: str, *files: tuple[str, bytes]) -> AppTest:
    page.text_input(key="gate_name").set_value(name).run()
    uploader = next(each for each in page.file_uploader if each.key.startswith("gate_files"))
    uploader.set_value([(title, content, "image/jpeg") for title, content in files]).run()
    page.button(key="gate_take").click().run()
    assert not page.exception
    return page


def come(page: AppTest, content: bytes) -> AppTest:
    page.button_group(key="gate_way").set_value("Upload").run()
    next(each for each in page.file_uploader if each.key.startswith("gate_frame")).upload("me.jpg", content).run()
    assert not page.exception
    return page


def told(elements) -> list[str]:
    """Texts as a visitor reads them."""
    return [each.value.replace("\\", "") for each in elements]


def said(page: AppTest) -> str:
    return " ".join(told([*page.markdown, *page.caption, *page.success, *page.error, *page.warning]))


# --- what was measured


def planted() -> np.ndarray:
    """(on file, right, score): a thousand strangers with scores 0 to 0.999, people on file somewhat above."""
    strangers = np.stack([np.zeros(1000), np.zeros(1000), np.arange(1000) / 1000], 1)
    mates = np.stack([np.ones(400), np.ones(400), np.arange(400) / 400 + 0.5], 1)
    return np.concatenate([mates, strangers])


@pytest.mark.parametrize("limit", [0.003, 0.01, 0.1, 0.3])
def test_the_threshold_lets_in_as_many_strangers_as_were_chosen(limit):
    threshold = gate.threshold(planted(), limit)
    missed, let_in = rates(planted(), threshold)
    assert let_in == pytest.approx(limit, abs=1e-9)
    assert missed == pytest.approx(np.mean(np.arange(400) / 400 + 0.5 < 1 - limit - 1e-9), abs=0.003)


def test_of_equal_scores_none_is_let_in_where_not_all_may_be():
    rows = planted()
    rows[rows[:, 0] == 0, 2] = 0.7
    assert rates(rows, gate.threshold(rows, 0.01))[1] == 0.0


def test_the_trade_falls_and_ends_where_it_was_planted():
    info = next(info for case, _ in gate.tasks() for info in case.engines)
    line = gate.trade(info, planted())
    assert (np.diff(line.fpir) > 0).all()
    assert (np.diff(line.fnir) <= 0).all()
    assert float(np.interp(0.1, line.fpir, line.fnir)) == pytest.approx(0.4, abs=0.02)


def test_the_trade_is_drawn_at_the_rates_that_are_reached():
    rows = planted()
    rows[:, 2] = np.floor(10 * rows[:, 2]) / 10
    line = gate.trade(registry.case("turnstile").engine("pipeline"), rows)
    reached = [rates(rows, score) for score in (*np.arange(1, 11) / 10, np.inf)]
    assert {*zip(line.fnir, line.fpir, strict=True)} <= {*reached}
    assert (np.diff(line.fpir) >= 0).all()


@pytest.fixture
def growing(tmp_path, monkeypatch):
    """A store with a gallery that grew, all measures planted; its case and its file."""
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    case, _ = gate.tasks()[0]
    rows = [(62, 0.6, 0.01, False), (500, 0.5, 0.1, False), (900, 0.4, 0.2, False)]
    rows += [(900, 0.42, 0.25, True), (10_000, 0.2, 0.7, True)]
    info = case.engine("pipeline")
    kept = {
        "model": RunSpec(case.slug, "gate", info.name, Budget(1375), 0, info.version).id,
        "seen": 500,
        "growth": [dict(zip(("people", "rank1", "fpir", "forecast"), row, strict=True)) for row in rows],
        "verification": 0.81,
        "search": [{"people": 10_000, "search": 2e-4, "read": 1e-4}],
    }
    file = tmp_path / case.slug / "gallery.json"
    file.parent.mkdir()
    file.write_text(json.dumps(kept))
    return case, file


def test_what_is_measured_and_what_is_forecast_of_a_growing_gallery_are_kept_apart(growing):
    found = gate.filed(growing[0])
    first, let_in = found.rates
    assert list(first.people) == [62, 500, 900]
    assert list(first.values) == [0.6, 0.5, 0.4]
    assert first.ahead == ((10_000, 0.2),)
    assert let_in.ahead == ((10_000, 0.7),)
    assert "of 900, 42 % and 25 %; measured were 40 % and 20 %" in found.check
    assert found.searches == ((10_000, 2e-4, 1e-4),)
    figure = filing(found.rates)
    assert [line.line.dash for line in figure.data] == ["solid", "dot", "dash", "dot"]
    assert list(figure.data[1].x) == [900, 10_000]


def test_a_growing_gallery_tells_its_model_or_that_it_is_an_older_one(growing):
    case, file = growing
    model = gate.filed(case).model
    assert (model.engine, model.budget) == ("pipeline", Budget(1375))
    file.write_text(json.dumps({**json.loads(file.read_text()), "model": "of long ago"}))
    assert gate.filed(case).model is None


@pytest.mark.parametrize("content", ["", "{}", '{"growth": [], "seen": 1}'])
def test_a_damaged_gallery_says_so_and_none_is_none(growing, content):
    case, file = growing
    file.write_text(content)
    with pytest.raises(UserError, match="damaged: measure it again"):
        gate.filed(case)
    file.unlink()
    assert gate.filed(case) is None


def test_a_gallery_is_measured_of_a_model_that_is_kept(growing):
    from engines.cases.turnstile import gallery

    with pytest.raises(UserError, match="model is not kept yet: run `python -m engines sweep turnstile"):
        gallery.main()


# --- the page


def test_an_empty_store_says_how_to_fill_it(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    page = opened()
    case, task = gate.tasks()[0]
    assert any(f"sweep {case.slug} --task {task.slug}" in info.value for info in page.info)


def test_runs_that_cannot_be_read_are_told_and_nothing_else_is_claimed(monkeypatch):
    def kept(case, task):
        raise UserError("x.parquet is no readable run: delete it.")

    monkeypatch.setattr(models, "kept", kept)
    page = opened()
    assert told(page.error) == ["x.parquet is no readable run: delete it."]
    assert not page.info


def test_an_engine_that_is_damaged_is_left_out_and_the_others_answer(monkeypatch):
    loaded = models.loaded

    def damaged(info, spec, task):
        if info.shape != "hybrid":
            return loaded(info, spec, task)
        raise UserError("The trained model is damaged: sweep again.")

    monkeypatch.setattr(models, "loaded", damaged)
    page = come(opened(), jpeg(noise()))
    assert [each for each in told(page.error) if "stays shut" not in each] == [
        "The trained model is damaged: sweep again."
    ]
    assert len([each for each in told(page.error) if "stays shut" in each]) == 2
    assert "It can name only those" in said(page)


def test_of_several_gates_one_is_chosen(monkeypatch):
    tones = registry.case("tones")
    found = [*gate.tasks(), (tones, tones.task("pairs"))]
    monkeypatch.setattr(gate, "tasks", lambda: found)
    page = opened()
    box = page.selectbox(key="gate_task")
    assert len(box.options) == 2
    assert page.text_input(key=gate.NAME)
    box.set_value(box.options[1]).run()
    assert not page.exception
    assert any("No trained model of" in each.value for each in page.info)


@pytest.mark.parametrize(
    ("budget", "words"),
    [(None, "an older model than those that answer above."), (372, "Pipeline, trained on 372 frames")],
)
def test_the_page_tells_which_model_a_growing_gallery_is_of(budget, words, monkeypatch):
    case, _ = gate.tasks()[0]
    model = budget and RunSpec(case.slug, "gate", "pipeline", Budget(budget), 0, 1)
    found = replace(gate.filed(case), model=model)
    monkeypatch.setattr(gate, "filed", lambda case: found)
    assert f"Measured with {words}" in said(opened())


def test_box_and_sentence_give_the_same_rates():
    page = come(opened(), jpeg(noise()))
    infos = {info.title for info in registry.case("turnstile").engines}
    for limit in (0.003, 0.01, 0.03, 0.1, 0.3):
        page.select_slider(key="gate_limit").set_value(limit).run()
        titles = [title for title in re.findall(r"\[\*\*\S (.+?)\*\*\]", said(page)) if title in infos]
        boxes = re.findall(r"\*\*(\d+ %)\*\* of [\d,]+ searches", said(page))
        sentence = next(each.value for each in page.markdown if each.value.startswith("Kept out of those on file"))
        assert len(titles) == 3
        for title, missed in zip(titles, boxes, strict=True):
            assert re.search(rf"[:;] {title} {missed}[;.]", sentence)


def test_what_is_no_picture_of_a_face_is_answered_with_a_sentence():
    page = opened()
    enrol(page, "Ann", ("noise.jpg", jpeg(noise())), ("notes.jpg", b"no picture"), ("tiny.png", jpeg(noise()[:9, :9])))
    reasons = told(page.warning)
    assert len(reasons) == 3
    assert "No face can be seen" in reasons[0]
    assert "could not be read as a picture" in reasons[1]
    assert "9 x 9 pixels" in reasons[2]
    assert "You enrolled" not in said(page)
    page = come(page, b"no picture either")
    assert any("could not be read" in each for each in told(page.error))
    page = come(page, jpeg(noise()))
    assert any("unknown: stays shut" in each for each in told(page.error))


def test_a_name_on_file_is_taken():
    page = opened()
    case, task = gate.tasks()[0]
    spec = max(kept_models(case, task, RunStore())["pipeline"].values(), key=lambda spec: spec.budget.pairs)
    name = json.loads((RunStore().model(spec) / "engine.json").read_text())["people"][0].replace("_", " ")
    enrol(page, name, ("x.jpg", b"x"))
    assert any("is on file already" in each for each in told(page.warning))


@PHOTOGRAPHS
def test_the_quality_gate_tells_why_a_photo_will_not_do():
    page = opened()
    one, other = face("3"), face("5")
    far = Image.new("RGB", (320, 240), "grey")
    far.paste(one.resize((70, 70)), (100, 90))
    enrol(
        page,
        "Ann",
        ("two.jpg", jpeg(beside(one, other))),
        ("blurred.jpg", jpeg(one.filter(ImageFilter.GaussianBlur(5)))),
        ("far.jpg", jpeg(far)),
        ("good.jpg", jpeg(one)),
        ("again.jpg", jpeg(one)),
    )
    reasons = " | ".join(told(page.warning))
    assert "two.jpg" in reasons
    for words in ("be alone in the picture", "blurred: hold still", "too small: come nearer", "was enrolled before"):
        assert words in reasons
    assert len(page.warning) == 4
    assert "You enrolled Ann (1)" in said(page)


@PHOTOGRAPHS
def test_who_was_enrolled_is_let_in_and_forgotten_at_once(written, tmp_path):
    page = opened()
    written.watching = True
    (tmp_path / "seen").write_text("The watch is awake.")
    enrol(page, "Ann Lee", ("a.jpg", jpeg(face("3"))))
    page = come(page, jpeg(face("3")))
    assert any("Ann Lee: opens" in each for each in told(page.success))
    assert "never Ann Lee" in said(page)
    # Somebody else stands beside, farther away: the nearest is asked, and the page says so.
    small = Image.new("RGB", (140, 240), "grey")
    small.paste(face("6").resize((110, 110)), (10, 40))
    page = come(page, jpeg(beside(face("3"), small)))
    assert any("Ann Lee: opens" in each for each in told(page.success))
    assert "2 faces are in the picture" in said(page)
    # Nothing of it in the link or on disk.
    assert "Ann" not in str(page.query_params)
    page.button(key="gate-forget").click().run()
    written.watching = False
    assert written.files == [str(tmp_path / "seen")]
    assert not page.exception
    assert "You enrolled" not in said(page)
    assert page.session_state[gate.PEOPLE] == {}
    assert gate.WORKED not in page.session_state
    assert not any(each.value for each in page.file_uploader)
    assert page.text_input(key=gate.NAME).value == ""
    page = come(page, jpeg(face("3")))
    assert not any("Ann Lee" in each for each in told(page.success))


@PHOTOGRAPHS
def test_who_stands_at_the_gate_stays_there_while_people_are_enrolled():
    page = come(opened(), jpeg(face("3")))
    assert not page.success
    enrol(page, "Ann *Lee*", ("a.jpg", jpeg(face("3"))))
    assert any("Ann *Lee*: opens" in each for each in told(page.success))
    assert page.get("image")[0].captions[0] == r"Ann \*Lee\*"


class Written:
    """Files that this process opens for writing, or moves into their place, while `watching`. Python's audit hooks see
    every such call and cannot be taken away again."""

    def __init__(self) -> None:
        self.watching, self.files = False, []
        sys.addaudithook(self.hear)

    def hear(self, event: str, details: tuple[object, ...]) -> None:
        if not self.watching:
            return
        if event == "os.rename":
            self.files.append(str(details[1]))
        elif event == "open":
            path, mode, flags = details
            writes = set(mode) & set("wax+") if isinstance(mode, str) else int(flags or 0) & (os.O_WRONLY | os.O_RDWR)
            if writes and isinstance(path, str) and "__pycache__" not in path and not path.startswith("/dev/"):
                self.files.append(path)


@pytest.fixture(scope="module")
def written() -> Written:
    return Written()


@PHOTOGRAPHS
def test_a_stricter_gate_lets_in_fewer_strangers_and_keeps_more_people_out():
    page = opened()
    found = []
    for limit in (0.3, 0.01):
        page.select_slider(key="gate_limit").set_value(limit).run()
        assert not page.exception
        measured = next(each.value for each in page.caption if "are kept out (FNIR)" in each.value)
        numbers = [float(part.split("%")[0]) for part in measured.split("**")[1::2]]
        found.append(numbers)
    info = registry.case("turnstile").engine("pipeline")
    statistics, _ = gate.measured(RunSpec("turnstile", "gate", "pipeline", Budget(1375), 0, info.version))
    scores = statistics[statistics[:, 0] == 0, 2]
    shares = [np.mean(scores >= score) for score in scores]
    for limit, numbers in zip((0.3, 0.01), found, strict=True):
        # As many as may be: those who share a score come in together or not at all.
        let_in = max(share for share in shares if share <= limit + 1e-9)
        assert limit - 0.005 < let_in
        assert numbers[0] == pytest.approx(100 * let_in, abs=0.051)
    assert found[1][1] > found[0][1]


def test_nothing_measured_means_the_engine_s_own_threshold():
    spec = RunSpec("nowhere", "gate", "pipeline", Budget(1.0), 0, 1)
    assert gate.measured(spec) == (None, 0.0)
    answer = Candidates((("Ann", 0.7),), 0.6)
    found, told = gate.judged(spec, Trace((Step("candidates", answer, Spec("candidates"), 0.0),)), 0.1)
    assert found == answer
    assert "the threshold is the engine's own" in told


@PHOTOGRAPHS
def test_who_was_enrolled_can_be_taught_and_a_training_can_be_stopped_and_forgotten(monkeypatch):
    trained = []

    def begin(task, info, spec, people, before):
        shown = tuple((name, len(pictures)) for name, pictures in people.items())
        lesson = lessons.Lesson(shown, 0.4, "lesson 1", before=before)
        trained.append((info, spec, lesson))
        return lesson

    monkeypatch.setattr(lessons, "begin", begin)
    page = come(enrol(opened(), "Ann Lee", ("a.jpg", jpeg(face("3")))), jpeg(face("3")))
    unable = said(page).count("never Ann Lee")
    assert unable

    def button(start: str):
        return next((each for each in page.button if str(each.key).startswith(start)), None)

    button("gate-teach").click().run()
    assert not page.exception
    assert button("gate-stop") is not None
    # It can be stopped while nobody stands at the gate too.
    page.button_group(key="gate_way").set_value("Camera").run()
    button("gate-stop").click().run()
    assert trained[0][2].stopped
    assert button("gate-stop") is None
    page = come(page, jpeg(face("3")))
    button("gate-teach").click().run()
    info, spec, lesson = trained[1]
    lesson.engine = models.loaded(info, spec, gate.tasks()[0][1])
    page.run()
    assert not page.exception
    assert "Trained again, it knows Ann Lee too" in said(page)
    assert "Trained again just now" in said(page)
    assert said(page).count("never Ann Lee") == unable - 1
    # With one more picture it can be trained again; it knows her, and answers, until that has come to its end.
    enrol(page, "Ann Lee", ("b.jpg", jpeg(face("3").transpose(Image.Transpose.FLIP_LEFT_RIGHT))))
    assert button("gate-teach").label == "Train it again with Ann Lee"
    assert said(page).count("never Ann Lee") == unable - 1
    for end in ({"stopped": True}, {"problem": "No picture shows a face."}):
        button("gate-teach").click().run()
        assert "Training: lesson 1" in "".join(each.proto.text for each in page.get("progress"))
        assert "Trained again, it knows Ann Lee too" in said(page)
        vars(trained[-1][2]).update(end)
        page.run()
        assert not page.exception
        assert "Trained again just now" in said(page)
    assert "No picture shows a face." in said(page)
    page.button(key="gate-forget").click().run()
    assert trained[-1][2].stopped
    assert page.session_state[gate.LESSONS] == {}
    assert "Trained again" not in said(page)
