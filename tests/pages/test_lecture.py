"""The lecture's page: every claim with its verdict, with our runs and without any."""

import threading
from concurrent.futures import wait
from functools import partial
from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest, local_script_runner

from dashboard import background
from engines import claims as claims_of_the_lecture
from engines.claims import Claim, Evidence, Judged, claims, judge
from engines.core import UserError
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


def test_claims_are_held_anew_against_a_gallery_that_was_measured_again(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    file = tmp_path / "turnstile" / "gallery.json"
    file.parent.mkdir()

    def held(store):
        if not file.read_text():
            raise UserError("gallery.json is damaged: measure it again.")
        return (Judged(Claim(1, "any", file.read_text(), "a test"), ()),)

    monkeypatch.setattr(claims_of_the_lecture, "judge", held)
    for text in ("as it was", "", "as it is"):
        file.write_text(text)
        page = opened()
        assert [each.value for each in page.error] == ([] if text else ["gallery.json is damaged: measure it again."])
        assert f"“{text}”" in shown(page) or not text


def test_an_error_that_comes_while_a_page_waits_is_told_there(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path))
    monkeypatch.setattr(background, "PATIENCE", 0.0)
    known, calls = threading.Event(), []

    def wrong(store):
        calls.append(store)
        known.wait(20)
        raise UserError("gallery.json is damaged: measure it again.")

    monkeypatch.setattr(claims_of_the_lecture, "judge", wrong)
    page = opened()
    assert any("held against the runs" in each.value for each in page.caption)
    known.set()
    wait([asked.future for asked in background._kept.values()], 20)
    # The browser asks for the waiting part alone.
    (waiting,) = page._fragment_storage._fragments
    monkeypatch.setattr(local_script_runner, "RerunData", partial(RerunData, fragment_id_queue=[waiting]))
    page.run()
    assert not page.exception
    assert [each.value for each in page.error] == ["gallery.json is damaged: measure it again."]
    assert len(calls) == 1


@pytest.mark.parametrize("text", ["<b>x</b>", "[a](javascript:1)", "$x$", ":red[x]", "a|b"])
def test_text_of_a_file_stays_text(text, monkeypatch):
    row = Judged(Claim(1, "any", "A claim", "a test"), (Evidence("for", text, text, False),))
    monkeypatch.setattr(background, "ask", lambda *_, **__: (row,))
    said = next(each.value for each in opened().markdown if "For:" in each.value)
    assert "\\" in said
    assert text not in said
