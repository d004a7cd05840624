"""The front door: every case with who leads, and links that lead where they say."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import findings, front
from dashboard.measured import load
from engines import registry
from tests.pages.app import opened

TASKS = [(case, task) for case in registry.cases().values() for task in case.tasks]


def text(app: AppTest) -> str:
    return "\n".join(each.value for each in [*app.title, *app.markdown, *app.caption])


def test_every_case_stands_there_with_its_question():
    shown = text(opened())
    for case in registry.cases().values():
        assert case.title in shown
        assert case.question in shown
        told = front.winners(case, *front.telling(case))
        assert f"**{told}**" in shown
        assert told.startswith("Not enough runs yet" if case.slug == "tones" else "Who leads: with ")


@pytest.mark.parametrize(("case", "task"), TASKS, ids=lambda each: each.slug)
def test_who_leads_is_whom_explore_says_to_build(case, task):
    for budget, leader in front.leaders(case, task, front.main(case, task)).items():
        said = findings.verdict(case, task, load(case, task).points, budget)
        if leader == front.NOBODY:
            assert said.endswith(("within its uncertainty.", "within their uncertainty."))
            continue
        built = said.rpartition(": build ")[2]
        engine, extra, _ = built.rpartition(" with that extra.")
        assert leader.startswith(f"{engine} ") if extra else built == f"{leader}."


def test_without_runs_nobody_is_said_to_win(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    shown = text(opened())
    assert shown.count("Not enough runs yet to say who wins.") == len(registry.cases())
    assert "Who leads" not in shown


@pytest.mark.parametrize("params", [{"case": "speech", "task": "digits"}, {"saved": "0" * 20}])
def test_a_link_to_the_root_that_says_what_to_show_means_explore(params):
    app = opened(**params)
    assert any(box.label == "Case" for box in app.selectbox)
