"""The lecture's page: every claim with its verdict, with our runs and without any."""

from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import background
from engines.claims import claims, judge
from engines.runs import RunStore
from tests.pages import app

ROOT = Path(__file__).parents[2]


opened = partial(app.opened, "lecture")


def shown(page: AppTest) -> str:
    return "\n".join(each.value for each in page.markdown)


def test_every_claim_stands_there_with_its_verdict():
    text = shown(opened())
    found = judge(RunStore())
    for each in found:
        assert f"{each.claim.number}. “{each.claim.text}”" in text
    assert text.count("tested by:") == len(claims())
    for verdict in {each.verdict for each in found}:
        assert f"{sum(each.verdict == verdict for each in found)} {verdict}" in text


def test_without_runs_published_results_alone_speak(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    text = shown(opened())
    assert "Deep Speech" in text or "GigaSpeech" in text
    assert any("No run of ours tests this yet." in each.value for each in opened().caption)


def test_a_page_does_not_wait_for_the_verdicts(monkeypatch):
    monkeypatch.setattr(background, "ask", lambda *_, **__: None)
    page = opened()
    assert any("held against the runs" in each.value for each in page.caption)


@pytest.mark.parametrize("text", ["<b>x</b>", "[a](javascript:1)", "$x$", ":red[x]", "a|b"])
def test_text_of_a_file_stays_text(text, monkeypatch):
    from engines.claims import Claim, Evidence, Judged

    row = Judged(Claim(1, "any", "A claim", "a test"), (Evidence("for", text, text, False),))
    monkeypatch.setattr(background, "ask", lambda *_, **__: (row,))
    said = next(each.value for each in opened().markdown if "For:" in each.value)
    assert "\\" in said
    assert text not in said
