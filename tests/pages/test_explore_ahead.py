"""Explore beyond the data: forecasts, the crossover, published points, and what is said where there are none."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import background, outlook
from dashboard import view as view_module
from engines import registry
from engines.core import Budget
from engines.datasets.published import PublishedGroup, PublishedPoint, PublishedSeries, published
from engines.runs import Run, RunSpec, RunStore, Score
from tests.pages.test_explore import TASKS, opened, statistics

OWN = "another test"


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    return RunStore()


def filled(
    store: RunStore, case: str, task: str, rates: dict[str, list[float]], seeds: int = 2, examples: int = 400
) -> None:
    """Runs with these error rates, by shape of engine, at the task's first budgets."""
    study = registry.case(case)
    chosen = study.task(task)
    for info in study.engines:
        if info.reference or info.shape not in rates:
            continue
        for pairs, rate in zip(chosen.budgets, rates[info.shape], strict=False):
            for seed in range(seeds):
                errors = statistics(rate + seed if rate else 0, chosen.metric.name, examples)
                score = Score(chosen.metric.score(errors), errors)
                spec = RunSpec(case, task, info.name, Budget(pairs), seed, info.version)
                store.add(Run(spec, (score,), 12.0, 0.02, 1234))


FALLING = {
    "pipeline": [40, 34, 30, 27, 25, 23.5, 22],
    "hybrid": [50, 42, 36, 31, 28, 25.5, 24],
    "end_to_end": [90, 75, 62, 52, 44, 37, 31],
}


def said(page: AppTest) -> str:
    shown = [*page.title, *page.subheader, *page.markdown, *page.caption, *page.info, *page.error]
    return " ".join(element.value for element in shown)


def figure(page: AppTest, place: int = 0) -> dict:
    return json.loads(page.get("plotly_chart")[place].proto.spec)


@pytest.mark.parametrize(("case", "task"), TASKS)
def test_every_task_looks_ahead_and_says_when_end_to_end_overtakes(store, case, task):
    filled(store, case, task, FALLING)
    page = opened(case=case, task=task)
    assert "overtake" in said(page)
    drawn = figure(page)
    dashed = [trace for trace in drawn["data"] if trace.get("line", {}).get("dash") == "dash" and "marker" not in trace]
    engines = [info for info in registry.case(case).engines if not info.reference]
    assert len(dashed) == len(engines)
    assert "yaxis2" in drawn["layout"]
    assert any("Chance that" in note.get("text", "") for note in drawn["layout"]["annotations"])
    measured_only = page.segmented_control(key="view_look").set_value(1.0).run()
    assert not measured_only.exception
    assert "yaxis2" not in figure(measured_only)["layout"]


@pytest.mark.parametrize(("case", "task"), TASKS)
def test_every_published_layer_can_be_switched_on_and_has_its_sources(store, case, task):
    filled(store, case, task, FALLING)
    for group in published(case):
        page = opened(case=case, task=task, published=group.test_set)
        assert group.test_set in said(page)
        source = group.series[0].points[0].source
        assert page.dataframe[-1].value["Source"].str.contains(source.split("(")[0].strip()[:20], regex=False).any()


def test_how_far_to_look_and_the_layer_stand_in_the_url(store):
    filled(store, "speech", "digits", FALLING)
    page = opened(case="speech", task="digits", look="100", published="LibriSpeech test-clean")
    assert page.segmented_control(key="view_look").value == 100
    thin = [trace for trace in figure(page)["data"] if trace.get("line", {}).get("width") == 1]
    assert len(thin) == len(next(g for g in published("speech") if g.test_set == "LibriSpeech test-clean").sized)
    assert all("Source: " in text for trace in thin for text in trace["text"])
    page.selectbox(key="view_published").set_value("").run()
    assert "published" not in page.query_params
    page.segmented_control(key="view_look").set_value(1.0).run()
    assert page.query_params["look"] in ("1", ["1"])
    page.switch_page("app_pages/data.py").run()
    page.switch_page("app_pages/explore.py").run()
    assert page.segmented_control(key="view_look").value == 1


def test_the_look_is_as_far_whichever_curves_are_drawn(store):
    filled(store, "speech", "digits", {**FALLING, "pipeline": FALLING["pipeline"][:5]})
    reach = registry.case("speech").task("digits").budgets[len(FALLING["end_to_end"]) - 1]
    for curves, strip in (("", True), ("pipeline", False)):
        page = opened(case="speech", task="digits", curves=curves) if curves else opened(case="speech", task="digits")
        drawn = figure(page)
        assert 10 * reach < 10 ** drawn["layout"]["xaxis"]["range"][1] < 15 * reach
        assert ("yaxis2" in drawn["layout"]) == strip
        assert "Dashes without markers: the forecast" in said(page)
        assert ("Below: the chance" in said(page)) == strip


@pytest.mark.parametrize("params", [{"look": "far"}, {"look": "0.1"}, {"published": "<b>nothing</b>"}])
def test_a_link_that_asks_for_what_there_is_not_falls_back_with_a_sentence(store, params):
    filled(store, "tones", "pairs", FALLING)
    page = opened(case="tones", task="pairs", **params)
    assert len(page.info) == 1
    assert len(page.get("plotly_chart")) == 1


def test_a_layer_in_other_units_has_axes_of_its_own_and_says_so(store, monkeypatch):
    points = tuple(PublishedPoint(float(n), 20.0 + n / 10, "Someone 2020", "table 1") for n in (10, 20, 40))
    group = PublishedGroup("tones", OWN, "BLEU", "", False, "pairs", (PublishedSeries("Theirs", "pipeline", points),))
    monkeypatch.setattr(view_module, "published", lambda case: (group,) if case == "tones" else ())
    filled(store, "tones", "pairs", FALLING)
    page = opened(case="tones", task="pairs", published=OWN)
    assert len(page.get("plotly_chart")) == 2
    assert "on axes of its own" in said(page)
    assert "BLEU against pairs, not those of the chart above" in said(page)
    theirs = figure(page, 1)["data"][-1]
    assert "Source: Someone 2020, table 1" in theirs["text"][0]


def test_few_points_and_a_missing_engine_are_said_and_the_rest_is_forecast(store):
    filled(store, "tones", "pairs", {"pipeline": FALLING["pipeline"], "end_to_end": [90, 75]})
    page = opened(case="tones", task="pairs")
    assert "No forecast for end-to-end: 2 of the 4 budgets that it needs." in said(page)
    assert "overtake" not in " ".join(each.value for each in page.markdown)
    filled(store, "speech", "digits", {"pipeline": FALLING["pipeline"][:3]})
    page = opened(case="speech", task="digits")
    assert "No forecast for the pipeline: 3 of the 4 budgets" in said(page)
    assert "No forecast for the hybrid and end-to-end: no run yet." in said(page)
    assert not page.segmented_control


def test_one_seed_and_no_errors_are_said(store):
    filled(
        store, "speech", "digits", {"pipeline": [40, 20, 10, 5, 0, 0], "end_to_end": [90, 75, 60, 50, 40, 0]}, seeds=1
    )
    page = opened(case="speech", task="digits", budget="0.05")
    assert "Every run has one seed" in said(page)
    assert "The pipeline has perfect scores" in said(page)
    # 4,000 words without an error: at most 1 in 1,000 or so, not 0.
    assert "95 % interval 0 to 0.1 %" in said(page)


def test_the_measured_chart_does_not_wait_for_the_forecast(store, monkeypatch):
    monkeypatch.setattr(background, "ask", lambda key, work, patience=None: None)
    filled(store, "tones", "pairs", FALLING)
    page = opened(case="tones", task="pairs")
    assert "The forecast is being worked out" in said(page)
    assert len(page.get("plotly_chart")) == 1
    assert np.isfinite([trace["y"] is not None for trace in figure(page)["data"]]).all()


def test_a_forecast_that_cannot_be_made_is_a_sentence():
    """Scores that no curve can hold (better than perfect) end in a note, not in a traceback."""
    case = registry.case("tones")
    task = case.task("pairs")
    from tests.unit.test_findings import point

    made = [point("pipeline", float(n), -5.0, case="tones", task="pairs", shape="pipeline") for n in (2, 4, 8, 16, 32)]
    found = outlook.outlook(case, task, made)
    assert not found.ahead
    assert any("There is no forecast" in note for note in found.notes)
