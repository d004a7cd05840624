"""Explore, for every case and task there is: with runs, without any, and with a link that makes no sense."""

import json
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import charts, drawn, jobs, outlook, words
from engines import registry
from engines.core import Budget, EngineInfo, UserError
from engines.runs import Run, RunSpec, RunStore, Score
from tests.pages.app import opened

TASKS = [(case.slug, task.slug) for case in registry.cases().values() for task in case.tasks]
assert ("tones", "pairs") in TASKS


def statistics(rate: float, metric: str = "", examples: int = 40) -> np.ndarray:
    """Planted errors of `rate` in 100, in the form that a metric keeps: wrong words of ten, as most do, unless the
    metric says otherwise."""
    wrong = np.zeros(examples)
    wrong[: round(examples * rate / 100)] = 1
    if metric == "miss rate":  # on file, right, score, overlap, opened
        ones = np.ones(examples)
        return np.stack([ones, 1 - wrong, ones, 0.6 * ones, 1 - wrong], axis=1)
    if metric == "BLEU":  # lengths of answer and reference, matching 1- to 4-grams; the rest is not looked at
        matches = [(10 - order) * (1 - 0.9 * wrong) for order in range(4)]
        return np.stack([10 + 0 * wrong, 10 + 0 * wrong, *matches, *[0 * wrong] * 14], axis=1)
    return np.stack([10 * wrong, np.full(examples, 10.0)], axis=1)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store in which every engine of every task has two seeds at all budgets but the last."""
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    kept = RunStore()
    for case in registry.cases().values():
        for task in case.tasks:
            for rank, info in enumerate(case.engines):
                for place, pairs in enumerate(task.budgets[:-1]):
                    for seed in (0, 1):
                        kind = task.metric.name
                        errors = statistics(max(90 - 10 * place + 5 * rank, 0), kind)
                        scores = [Score(task.metric.score(errors), errors)]
                        scores += [Score(50.0, statistics(50, kind), reading=reading) for reading in info.readings]
                        scores += [Score(60.0, statistics(60, kind), test=test) for test in task.variants]
                        scores.append(Score(20.0, statistics(20, kind), oracle="words"))
                        budget = Budget(0.0) if info.reference else Budget(pairs)
                        spec = RunSpec(case.slug, task.slug, info.name, budget, seed, info.version)
                        kept.add(Run(spec, tuple(scores), 12.0, 0.02, 1234))
    return kept


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "nothing"))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(("case", "task"), TASKS)
def test_every_task_has_its_answer_chart_cards_and_table(store, case, task):
    page = opened(case=case, task=task)
    assert page.title[0].value.startswith("With ")
    sides = registry.case(case).task(task).sides
    assert len(page.get("plotly_chart")) == 2 + len(sides)
    for side in sides:
        assert any(side.unit in heading.value for heading in page.subheader)
    engines = [info for info in registry.case(case).engines if not info.reference]
    assert len(page.metric) == len(engines)
    assert not page.dataframe
    page.session_state["explore_table"] = True
    table = page.run().dataframe[0].value
    assert len(table) >= len(engines) * (len(registry.case(case).task(task).budgets) - 1)
    if registry.case(case).task(task).simulated:
        assert "synthetic" in " ".join(caption.value for caption in page.caption).lower()


@pytest.mark.parametrize(("case", "task"), TASKS)
def test_an_empty_store_shows_the_command_and_offers_the_runs(empty, case, task):
    page = opened(case=case, task=task)
    assert page.code[0].value == f"python -m engines sweep {case} --task {task}"
    assert page.title[0].value.startswith("Nothing has been run with")
    assert [button.label for button in page.button].count("Run it here") == len(registry.case(case).engines)


def test_the_budget_moves_with_the_slider_and_stands_in_the_url(store):
    page = opened(case="tones", task="pairs", budget="8")
    assert "8 tones" in page.title[0].value
    page.select_slider[0].set_value(64).run()
    assert not page.exception
    assert "64 tones" in page.title[0].value
    assert page.query_params["budget"] in ("64", ["64"])


def test_an_address_that_the_browser_sends_late_takes_nothing_back(store):
    page = opened(case="tones", task="pairs", budget="8")
    page.select_slider[0].set_value(64).run()
    page.query_params["budget"] = "8"  # of a click made before the browser heard of 64
    page.run()
    assert "64 tones" in page.title[0].value
    assert page.query_params["budget"] in ("64", ["64"])
    page.query_params["budget"] = "16"  # which this page never wrote
    page.run()
    assert "16 tones" in page.title[0].value


def test_a_run_that_cannot_be_started_gets_a_sentence(store, monkeypatch):
    def refused(spec, again):
        raise UserError("Eight runs are under way: wait for one of them.")

    monkeypatch.setattr("dashboard.jobs.start", refused)
    page = opened(case="tones", task="pairs", budget="256")
    next(button for button in page.button if button.label == "Run it here").click().run()
    assert not page.exception
    assert [error.value for error in page.error] == ["Eight runs are under way: wait for one of them."]


def test_back_shows_what_was_shown_though_it_went_without_saying(store, monkeypatch):
    page = opened(case="tones", task="pairs")
    first = page.title[0].value
    page.select_slider[0].set_value(64).run()
    assert page.title[0].value != first
    monkeypatch.setattr("dashboard.links.went_back", lambda: True)
    del page.query_params["budget"]
    page.run()
    assert page.title[0].value == first
    assert "budget" not in page.query_params


def test_what_a_link_got_wrong_is_told_until_the_page_is_left(store):
    page = opened(case="nonsense")
    assert any("no case" in info.value for info in page.info)
    assert any("no case" in info.value for info in page.run().info)
    page.switch_page("app_pages/home.py").run()
    page.switch_page("app_pages/explore.py").run()
    assert not any("no case" in info.value for info in page.info)


def test_a_budget_without_runs_says_so_and_offers_them(store):
    page = opened(case="tones", task="pairs", budget="256")
    assert page.title[0].value == "Nothing has been run with 256 tones yet."
    assert [button.label for button in page.button].count("Run it here") == 2


@pytest.mark.parametrize(
    "params",
    [
        {"case": "nothing"},
        {"case": "tones", "task": "nothing"},
        {"case": "tones", "task": "pairs", "budget": "a lot"},
        {"case": "tones", "task": "pairs", "budget": "-1"},
        {"case": "x" * 3000, "budget": "0"},
    ],
)
def test_a_link_that_makes_no_sense_falls_back_with_one_sentence(store, params):
    page = opened(**params)
    assert len(page.info) == 1
    assert len(page.run().info) == 1, "a page redraws by itself when its forecast is there"
    page.selectbox(key="view_case").set_value("translation").run()
    assert not page.info
    assert page.title[0].value.startswith(("With ", "Nothing "))


def test_another_test_set_can_be_shown(store):
    page = opened(case="speech", task="digits")
    assert "Where the errors come from" in [each.value for each in page.subheader]
    page.get("segmented_control")[0].set_value("unseen_speakers").run()
    assert not page.exception
    assert any("Unseen speakers" in caption.value for caption in page.caption)
    assert page.title[0].value.startswith("Unseen speakers: with ")
    assert page.metric[0].value == "60.0 %"
    assert page.query_params["test"] == "unseen_speakers"
    assert "Where the errors come from" not in [each.value for each in page.subheader]
    other = opened(case="speech", task="digits", test="unseen_speakers")
    assert other.title[0].value == page.title[0].value


def lines(page: AppTest) -> int:
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    return sum(trace["mode"] == "lines+markers" for trace in figure["data"] if "mode" in trace)


def test_the_curves_that_are_drawn_stand_in_the_link(store):
    page = opened(case="speech", task="digits")
    every = lines(page)
    pills = next(each for each in page.get("pills") or page.get("button_group") if each.label == "Curves")
    pills.set_value(["pipeline", "end_to_end+language_model"]).run()
    assert not page.exception
    assert page.query_params["curves"] == "pipeline,end_to_end.language_model"
    assert lines(page) == 2 < every
    other = opened(case="speech", task="digits", curves="pipeline,end_to_end.language_model")
    assert lines(other) == 2
    assert lines(opened(case="speech", task="sentences")) == every


def test_a_chart_is_drawn_anew_when_its_forecast_changes(store, monkeypatch):
    """A forecast is made of all engines, of which one alone may be drawn."""
    made = []
    curves = charts.curves
    monkeypatch.setattr(charts, "curves", lambda *of: made.append(of) or curves(*of))
    monkeypatch.setattr(outlook, "outlook", lambda *_: outlook.Outlook({}, None, None, "", "", 1.0, ()))
    monkeypatch.setattr(drawn, "_kept", OrderedDict())
    link = {"case": "speech", "task": "digits", "curves": "pipeline"}
    opened(**link)
    opened(**link)
    assert len(made) == 1
    errors = statistics(1)
    version = registry.case("speech").engine("end_to_end").version
    budget = Budget(registry.case("speech").task("digits").budgets[0])
    store.add(Run(RunSpec("speech", "digits", "end_to_end", budget, 2, version), (Score(1.0, errors),), 12.0, 0.02, 1))
    opened(**link)
    assert len(made) == 2


def test_a_card_tells_what_its_engine_was_given_in_this_task(store):
    def given(task: str) -> list[str]:
        shown = [line for each in opened(case="bone_age", task=task).markdown for line in each.value.split("\n")]
        return [line for line in shown if "Given" in line]

    assert sum("masks of the bones" in line for line in given("simulated")) == 2
    lengths = given("lengths")
    assert len(lengths) == 3
    assert all("nothing but the pairs" in line for line in lengths)


def test_a_failed_run_is_shown_with_its_reason(store):
    version = registry.case("tones").engine("pipeline").version
    store.add(Run(RunSpec("tones", "pairs", "pipeline", Budget(256.0), 0, version), error="ValueError: planted"))
    page = opened(case="tones", task="pairs", budget="256")
    assert page.error[0].value == "Seed 0 failed: ValueError: planted"
    labels = [button.label for button in page.button]
    assert "Run seed 1" in labels, "the other seeds can be run all the same"
    assert "Try again" not in labels
    for seed in registry.case("tones").task("pairs").seeds[1:]:
        store.add(Run(RunSpec("tones", "pairs", "pipeline", Budget(256.0), seed, version), error="ValueError: other"))
    page = opened(case="tones", task="pairs", budget="256")
    assert page.error[0].value == "Seed 0 failed: ValueError: planted"
    assert "Try again" in [button.label for button in page.button]


def test_a_run_that_cannot_be_stopped_gets_a_sentence(store, monkeypatch):
    def refused(spec):
        raise UserError("The run is another user's process.")

    def read(spec):
        return jobs.Job(spec, "running", 0.5, "training", None, 12345) if spec.engine == "pipeline" else None

    monkeypatch.setattr(jobs, "read", read)
    monkeypatch.setattr(jobs, "cancel", refused)
    page = opened(case="tones", task="pairs", budget="256")
    next(button for button in page.button if button.label == "Cancel").click().run()
    assert not page.exception
    assert [error.value for error in page.error] == ["The run is another user's process."]


def test_a_broken_file_in_the_store_is_one_sentence(store):
    folder = store.root / "tones" / "runs"
    (folder / "broken.parquet").write_bytes(b"nonsense")
    page = opened(case="tones", task="pairs")
    assert len(page.error) == 1
    assert "broken.parquet is no readable run: delete it, and sweep again." in page.error[0].value
    assert page.selectbox


def test_pages_know_the_view_of_one_another(store):
    page = opened(case="tones", task="pairs", budget="64")
    page.switch_page("app_pages/data.py").run()
    assert not page.exception
    page.switch_page("app_pages/explore.py").run()
    assert "64 tones" in page.title[0].value


def test_data_lists_every_task_with_its_terms(empty):
    page = opened()
    page.switch_page("app_pages/data.py").run()
    assert not page.exception
    shown = {subheader.value for subheader in page.subheader}
    for case in registry.cases().values():
        for task in case.tasks:
            assert any(words.plain(task.title) in title for title in shown)
    assert any("synthetic" in title.lower() for title in shown)


def test_kinds_of_error_are_drawn_where_a_task_names_them(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    named = [(case, task) for case in registry.cases().values() for task in case.tasks if task.faults]
    assert named
    case, task = named[0]
    info, kinds = case.engines[0], list(task.faults.kinds)
    for pairs, wrong in ((task.budgets[0], 8.0), (task.budgets[1], 2.0)):
        rows = statistics(50, task.metric.name)
        faults = np.zeros((len(rows), 1 + len(kinds)))
        faults[:, 0], faults[:, 2] = 20, wrong
        spec = RunSpec(case.slug, task.slug, info.name, Budget(pairs), 0, info.version)
        RunStore().add(Run(spec, (Score(task.metric.score(rows), rows, faults=faults),)))
    page = opened(case=case.slug, task=task.slug)
    assert "What goes wrong, by kind" in [each.value for each in page.subheader]
    told = next(each.value for each in page.markdown if "goes wrong most often" in each.value)
    assert f"{kinds[1]} (10)" in told
    titles = [each.value.strip("*").lower() for each in page.markdown]
    assert all(kind in titles for kind in kinds)
    ticks = json.loads(page.get("plotly_chart")[-1].proto.spec)["layout"]["xaxis"]["ticktext"]
    assert ticks == [f"{budget:,g}" for budget in task.budgets[:2]]
    assert not page.dataframe
    page.session_state["explore_faults"] = True
    table = page.run().dataframe[-1].value
    assert table[words.title(kinds[1])].tolist() == [40.0, 10.0]
    assert table[f"Data ({task.unit})"].tolist() == list(task.budgets[:2])


def test_kinds_of_error_of_a_reference_are_left_out_and_hours_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    translation = registry.case("translation")
    elsewhere = EngineInfo("elsewhere", "Elsewhere", "pipeline", 1, "x:X", "trained elsewhere", reference=True)
    task = replace(translation.task("captions"), unit="hours")
    case = replace(translation, tasks=(task,), engines=(translation.engines[0], elsewhere))
    monkeypatch.setattr(registry, "case", lambda slug: case)
    rows = statistics(50, task.metric.name)
    faults = np.ones((len(rows), 1 + len(task.faults.kinds)))
    for info, hours in ((case.engines[0], 0.025), (case.engines[0], 1.5), (elsewhere, 0.0)):
        spec = RunSpec(case.slug, task.slug, info.name, Budget(hours), 0, info.version)
        RunStore().add(Run(spec, (Score(task.metric.score(rows), rows, faults=faults),)))

    def page() -> None:
        from dashboard import faults
        from engines import registry

        faults.offer(registry.case("translation"), registry.case("translation").task("captions"))

    shown = AppTest.from_function(page).run()
    assert not shown.exception
    axis = json.loads(shown.get("plotly_chart")[0].proto.spec)["layout"]["xaxis"]
    assert axis["ticktext"] == ["1.5 min", "1.5 h"]
    assert not any("Elsewhere" in caption.value for caption in shown.caption)
