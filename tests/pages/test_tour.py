"""The tour: five steps of every case, each a link, left at any time."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import findings, front, words
from engines import registry
from engines.core import resolve

PAGE = str(Path(__file__).parents[2] / "dashboard" / "app.py")
STEPS = 5


def opened(step: str, **params: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=200)
    app.run()
    app.switch_page("app_pages/tour.py")
    for name, value in {"step": step, **params}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    return "\n".join(each.value for each in [*app.title, *app.markdown, *app.caption, *app.info])


@pytest.mark.parametrize("case", list(registry.cases()))
def test_every_case_can_be_toured(case):
    titles = []
    for step in range(1, STEPS + 1):
        app = opened(str(step), case=case)
        assert not app.error
        titles.append(app.title[0].value)
        if step == 1:
            shown = text(app)
            assert registry.case(case).question in shown
            assert all(info.title in shown for info in registry.case(case).engines if not info.reference)
        else:
            assert all(sentence in text(app) for sentence in said(case).get(step, []))
    assert len(set(titles)) == STEPS


def said(slug: str) -> dict[int, list[str]]:
    """What the steps in the middle say of a case."""
    case = registry.case(slug)
    task, points = front.telling(case)
    if slug == "tones":
        return {2: ["There are no runs of"], 3: ["There are no runs of"], 4: ["nothing to look into"]}
    least, *_, most = front.shared(points)
    example = resolve(case.examples)(task)[0]
    title = words.plain(example.title.removesuffix("."))
    return {
        2: [f"**{findings.verdict(case, task, points, least)}**"],
        3: [f"**{findings.verdict(case, task, points, most)}**", findings.headline(case, task, points)],
        4: [f"An example: **{title}**. A pipeline can", words.plain(example.note)],
    }


@pytest.mark.parametrize(
    ("step", "params"),
    [("0", {}), ("6", {}), ("x", {}), ("-1", {}), ("1" * 400, {}), ("1", {"case": "none"}), ("1", {"task": "<b>"})],
)
def test_a_bad_link_begins_at_the_beginning(step, params):
    assert opened(step, **params).title[0].value == "One question, several ways to build"


def test_without_runs_the_tour_says_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    for step in ("2", "3"):
        assert "python -m engines sweep" in text(opened(step, case="tones"))
    assert "nothing to look into" in text(opened("4", case="tones"))
