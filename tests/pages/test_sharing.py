"""Views taken away and shared: saved with their numbers, opened as they were, listed, deleted; files of every kind."""

import io
from dataclasses import replace

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import outlook, takeaway
from dashboard.advising.question import Question
from dashboard.figures.thumbnail import thumbnail
from engines.__main__ import main
from engines.core import Budget, UserError
from engines.runs import Run, RunSpec, RunStore, Score
from engines.views import ViewStore
from tests.pages.app import opened

LINK = "explore?case=tones&task=pairs&budget=8"


def run_of(engine: str, pairs: float, rate: float, seed: int = 0) -> Run:
    errors = (np.arange(200) < 2 * rate).astype(float)[:, None]
    return Run(RunSpec("tones", "pairs", engine, Budget(pairs), seed, 1), (Score(rate, errors),), 1.0, 0.01, 7)


@pytest.fixture
def store(tmp_path, monkeypatch) -> RunStore:
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CROSSOVER_VIEWS", str(tmp_path / "views"))
    kept = RunStore()
    for place, pairs in enumerate((2, 4, 8, 16, 32)):
        kept.add(run_of("pipeline", pairs, 30 - place))
        kept.add(run_of("end_to_end", pairs, 60 - 10 * place))
    return kept


def text(app: AppTest) -> str:
    shown = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error, *app.success, *app.warning]
    return "\n".join(each.value for each in shown)


def saved(title: str = "What we saw") -> str:
    return ViewStore().save(takeaway.freeze(takeaway.shown(LINK), title, "In March."))


@pytest.mark.usefixtures("store")
def test_every_kind_of_file_is_written(tmp_path, capsys):
    for kind in takeaway.KINDS:
        if kind in (".png", ".svg"):
            continue
        assert main(["export", f"http://localhost:8501/{LINK}", "--to", str(tmp_path / f"view{kind}")]) == 0
    assert "bytes" in capsys.readouterr().out
    rows = pq.read_table(tmp_path / "view.parquet")
    assert rows.num_rows == pyarrow.csv.read_csv(tmp_path / "view.csv").num_rows == 10
    assert set(rows["mean"].to_pylist()) >= {30.0, 60.0, 20.0}
    for name in ("view.html", "view.report.html"):
        page = (tmp_path / name).read_text()
        assert "plotly" in page
        assert 'src="http' not in page
    report = (tmp_path / "view.report.html").read_text()
    assert "The runs behind them" in report
    assert run_of("pipeline", 8, 0).spec.id in report
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.usefixtures("store")
@pytest.mark.skipif(not takeaway.browser(), reason="no browser to draw with")
def test_pictures_are_drawn(tmp_path):
    takeaway.export(LINK, tmp_path / "view.png")
    takeaway.export(LINK, tmp_path / "view.svg")
    assert (tmp_path / "view.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "view.svg").read_text()[:200]


@pytest.mark.usefixtures("store")
def test_without_a_browser_a_picture_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    with pytest.raises(UserError, match="BROWSER_PATH"):
        takeaway.export(LINK, tmp_path / "view.png")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("link", "to", "said"),
    [
        ("explore?case=nonsense", "a.csv", "no case"),
        ("explore?case=tones&budget=lots", "a.csv", "not a budget"),
        ("advisor?points=1", "a.csv", "only views of Explore"),
        ("explore?saved=../../etc/passwd", "a.csv", "name of a saved view"),
        (f"explore?saved={'0' * 20}", "a.csv", "not here"),
        ("explore?case=tones", "a.doc", "ends in nothing"),
        ("explore?case=tones", "no/such/folder/a.csv", "cannot be written"),
        ("http://[", "a.csv", "no link"),
        ("explore?case=" + "x" * 1_000_000, "a.csv", "characters"),
        ("explore?case=<script>alert(1)</script>", "a.csv", "no case"),
    ],
)
def test_a_link_that_makes_no_sense_is_one_sentence(link, to, said, tmp_path, capsys):
    assert main(["export", link, "--to", str(tmp_path / to)]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_a_saved_view_shows_what_it_showed(store):
    name = saved()
    before = text(opened(saved=name))
    for pairs in (2, 4, 8, 16, 32):  # new runs, which turn the result round
        store.add(run_of("pipeline", pairs, 90, seed=1))
        store.add(run_of("end_to_end", pairs, 1, seed=1))
    app = opened(saved=name)
    after = text(app)
    assert app.title[0].value in before
    assert "What we saw" in after
    assert "10 newer runs are here now" in after
    assert "No newer run is here" in before
    assert opened(case="tones", task="pairs", budget="8").title[0].value != app.title[0].value
    assert takeaway.shown(f"explore?saved={name}").title == app.title[0].value


@pytest.mark.usefixtures("store")
def test_a_view_is_saved_on_the_page():
    app = opened(case="tones", task="pairs", budget="8")
    app.session_state["share"] = True
    app.run()
    app.text_input[0].set_value("Ours <b>bold</b>")
    app.button[-1].click().run()
    assert not app.exception
    assert [entry.title for entry in ViewStore().entries()[0]] == ["Ours <b>bold</b>"]
    assert any("take away" in box.label for box in app.expander)


@pytest.mark.usefixtures("store")
def test_a_click_on_save_counts_when_the_forecast_arrives_at_that_moment(monkeypatch):
    app = opened(case="tones", task="pairs", budget="8")
    app.session_state["share"] = True
    app.run()
    found, looks = outlook.outlook, []

    def arriving(*of):
        looks.append(of)
        return None if len(looks) == 1 else found(*of)

    monkeypatch.setattr(outlook, "outlook", arriving)
    app.text_input[0].set_value("Ours")
    next(button for button in app.button if button.label == "Save").click().run()
    assert len(looks) > 2  # the page was drawn anew before it came to the form
    assert [entry.title for entry in ViewStore().entries()[0]] == ["Ours"]
    assert "Saved. This link shows it" in text(app)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("count", [6, 900])  # the longer table is too long for a link
def test_an_answer_of_the_advisor_is_saved_and_shown_to_somebody_else(count):
    sizes = np.geomspace(10, 10_000, count)
    rows = tuple(
        (name, f"{size:.6g}", f"{scale * size**slope:.6g}", "")
        for name, scale, slope in (("Old", 50, -0.1), ("New", 300, -0.5))
        for size in sizes
    )
    page = opened("advisor")
    page.session_state["advisor_question"] = Question(rows=rows, metric="mistakes")
    page.session_state["advisor_turn"] = 5
    page.run()
    assert not page.exception
    title = next(box for box in page.text_input if box.label == "Title")
    assert title.placeholder == "Mistakes against examples"
    title.set_value("Old against new")
    next(button for button in page.button if button.label == "Save").click().run()
    assert not page.exception
    (entry,) = ViewStore().entries()[0]
    assert (entry.page, entry.title) == ("advisor", "Old against new")
    assert "Saved. This link shows it" in text(page)
    assert "Saved. This link shows it" in text(page.run())  # as a page does by itself when its forecast is there
    next(box for box in page.text_input if box.label == "Score").set_value("errors").run()
    assert "Saved. This link shows it" not in text(page)
    assert "New overtakes Old" in entry.params["answer"]
    assert "Old against new" in text(opened("gallery"))

    other = opened("advisor")
    other.query_params["saved"] = entry.id
    other.run()
    assert not other.exception
    assert other.session_state["advisor_question"].rows == rows
    assert "The answer of that day: **New overtakes Old" in text(other)
    assert (other.query_params["saved"], "q" in other.query_params) == (entry.id, False)
    next(box for box in other.text_input if box.label == "Score").set_value("errors").run()
    assert "saved" not in other.query_params
    assert "The answer of that day" not in text(other.run())


@pytest.mark.usefixtures("store")
def test_a_saved_view_opened_again_shows_its_own_numbers_and_is_left_by_a_click():
    name = saved()
    app = opened(saved=name)
    first = app.title[0].value
    app.switch_page("app_pages/try_it.py").run()
    app.selectbox(key="view_case").select("translation").run()
    app.switch_page("app_pages/gallery.py").run()
    app.query_params.clear()
    app.query_params["saved"] = name
    app.switch_page("app_pages/explore.py").run()
    assert app.title[0].value == first
    assert app.query_params["case"] in ("tones", ["tones"])
    app.select_slider[0].set_value(16).run()
    next(button for button in app.button if button.label == "Show the runs of today").click().run()
    assert "saved" not in app.query_params
    app.query_params["saved"] = name  # of a click made before the browser heard of it
    app.run()
    assert "saved" not in app.query_params
    assert "What we saw" not in text(app)
    assert "16 tones" in app.title[0].value
    # A link to a saved view that was looked at with another budget, as a reload sends it.
    assert "32 tones" in opened(saved=name, case="tones", task="pairs", budget="32").title[0].value


@pytest.mark.usefixtures("store")
def test_a_saved_answer_opened_again_shows_its_own_table():
    rows = tuple(("Old", f"{10 * 2**i}", f"{50 - i}", "") for i in range(6))
    page = opened("advisor")
    page.session_state["advisor_question"] = Question(rows=rows)
    page.session_state["advisor_turn"] = 5
    page.run()
    next(button for button in page.button if button.label == "Save").click().run()
    (entry,) = ViewStore().entries()[0]
    for _ in range(2):
        page.switch_page("app_pages/gallery.py").run()
        page.query_params.clear()
        page.query_params["saved"] = entry.id
        page.switch_page("app_pages/advisor.py").run()
        assert page.session_state["advisor_question"].metric == "error rate"
        next(box for box in page.text_input if box.label == "Score").set_value("mistakes").run()
        page.query_params["saved"] = entry.id  # late
        page.run()
        assert page.session_state["advisor_question"].metric == "mistakes"


@pytest.mark.usefixtures("store")
def test_a_saved_view_of_another_page_is_a_sentence():
    name = saved()
    page = opened("advisor")
    page.query_params["saved"] = name
    page.run()
    assert "belongs to another page. The table is what it was." in text(page)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("name", ["0" * 20, "../x", "<script>"])
def test_a_saved_view_that_is_gone_shows_the_runs_of_today(name):
    app = opened(case="tones", saved=name)
    assert "Below are the runs of today" in text(app)
    assert app.title


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("what", "told"), [("case", "case gone, task pairs"), ("task", "case tones, task gone")])
def test_a_saved_view_whose_task_is_not_here_shows_no_numbers_under_another(what, told):
    frozen = takeaway.freeze(takeaway.shown(LINK), "What we saw", "")
    name = ViewStore().save(replace(frozen, params={**frozen.params, what: "gone"}))
    app = opened(case="translation", saved=name)
    for _ in range(2):
        (error,) = app.error
        assert f"belongs to {told}, which is not on this server: open its link" in error.value
        assert "Below are the runs of today." in error.value
        assert "What we saw" not in text(app)
        assert not app.metric  # nobody has run a translation
        app.run()


@pytest.mark.usefixtures("store")
def test_the_gallery_lists_searches_and_deletes():
    assert "Nobody has saved a view yet" in text(opened("gallery"))
    saved("Low tones")
    saved("High <script>alert(1)</script> tones")
    app = opened("gallery")
    assert "Low tones" in text(app)
    assert "<script>" not in text(app)
    app.text_input[0].set_value("low").run()
    assert "Low tones" in text(app)
    assert "High" not in text(app)
    app.button[0].click().run()
    assert not app.exception
    assert [entry.title for entry in ViewStore().entries()[0]] == ["High <script>alert(1)</script> tones"]
    app.text_input[0].set_value("[nonsense]").run()
    assert "No saved view says" in text(app)


@pytest.mark.usefixtures("store")
def test_a_hostile_title_stays_text_in_a_report():
    what = takeaway.shown(LINK)
    snapshot = replace(takeaway.freeze(what, "<script>alert(1)</script>", "<img src=x>"), by="<b>me</b>")
    page = takeaway.report(replace(what, snapshot=snapshot), 'https://x/"><script>alert(2)</script>')
    for bad in ("<script>alert", "<img src=x>", "<b>me"):
        assert bad not in page


def test_a_thumbnail_draws_what_it_is_given():
    drawn = thumbnail([("#123456", ((1.0, 50.0), (10.0, 20.0), (100.0, float("nan")), (-1.0, 3.0)))])
    assert drawn.count("<circle") == 2
    assert 'points="8.0,8.0 232.0,64.4"' in drawn
    assert "<script" not in thumbnail([('"><script>', ((1.0, 2.0),))])
    assert thumbnail([]).startswith("<svg")
    beside = thumbnail([("#123456", ((1.0, 5.0), (2.0, 4.0)))], variants=[("#abcdef", ((1.0, 5.0), (4.0, 3.0)))])
    assert beside.index("#abcdef") < beside.index("#123456")
    assert beside.count("<circle") == 2


def test_files_are_bytes(store):
    del store
    assert io.BytesIO(takeaway.csv(takeaway.shown(LINK))).readline().startswith(b'"case"')
