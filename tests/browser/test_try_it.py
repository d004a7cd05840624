"""Try it in a real browser: an upload, the microphone, an example, a reference, a bad file, small screens."""

import re

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.acts import at_rest, click
from tests.browser.install import system_chromium
from tests.browser.served import PATIENCE

TOY = "/try_it?case=tones&task=pairs&budget=32"
ENGINES = ("Pitch, then a threshold", "Spectrum to answer")


@pytest.fixture(scope="module")
def high(tmp_path_factory):
    """A file with a high tone, long enough that a recording of any part of it holds sound."""
    file = tmp_path_factory.mktemp("sound") / "high.wav"
    time = np.arange(48_000 * 5) / 48_000
    noise = np.random.default_rng(0).normal(0, 0.01, len(time))
    soundfile.write(file, 0.4 * np.sin(2 * np.pi * 1500 * time) + noise, 48_000)
    return file


def answers(page: Page):
    return page.locator("[class*=st-key-try-card-]")


def heard(page: Page, answer: str) -> None:
    """Both engines answer so, at the budget picked and in the ladder, and their steps are drawn."""
    for title in ENGINES:
        expect(answers(page).filter(has_text=title)).to_contain_text(answer)
    expect(page.locator(".ladder tr.now td").filter(has_text=answer)).to_have_count(2)
    expect(page.locator(".js-plotly-plot .main-svg:first-child")).to_have_count(5)


def give(page: Page, file) -> None:
    expect(page.locator("input[type=file]")).to_have_count(1)
    at_rest(page)
    page.locator("input[type=file]").set_input_files(file)


def test_an_upload_is_answered_by_every_engine_at_every_budget(visit, high):
    page = visit(TOY)
    give(page, high)
    expect(page.get_by_text("high.wav, uploaded")).to_be_visible()
    heard(page, "HIGH")
    ladder = page.locator(".ladder tbody tr")
    assert ladder.count() >= 4
    expect(ladder.filter(has_text=re.compile("HIGH|LOW"))).to_have_count(ladder.count())
    expect(page.get_by_test_id("stAudio")).to_be_visible()


def test_a_bad_upload_takes_nothing_away(visit, high, tmp_path):
    page = visit(TOY)
    give(page, high)
    heard(page, "HIGH")
    reference = page.get_by_label("What was said")
    reference.fill("low tone")
    reference.press("Enter")
    expect(page.locator(".ladder .sub").first).to_be_visible()
    bad = tmp_path / "notes.wav"
    bad.write_text("These are notes, not sound.")
    give(page, bad)
    expect(page.get_by_role("alert")).to_contain_text("notes.wav could not be read as audio")
    heard(page, "HIGH")
    at_rest(page)  # while the page runs, the field of the run before can still stand beside this run's
    expect(reference).to_have_value("low tone")
    assert re.search("case=tones.*budget=32|budget=32.*case=tones", page.url)


def test_errors_are_marked_word_by_word_and_not_by_colour_alone(visit):
    page = visit(TOY + "&example=low")
    heard(page, "LOW")
    reference = page.get_by_label("What was said")
    expect(reference).to_have_value("LOW")
    reference.fill("a high tone")
    reference.press("Enter")
    card = answers(page).first
    expect(card.locator(".sub")).to_have_text(re.compile("LOW.≠ "))
    expect(card.locator(".del")).to_have_count(2)
    expect(card.locator(".del s").first).to_be_visible()


def test_an_example_is_picked(visit):
    page = visit(TOY)
    heard(page, "LOW")
    click(page.get_by_label("Pick an example"))
    click(page.get_by_role("option", name="A high tone"))
    heard(page, "HIGH")
    expect(page).to_have_url(re.compile("example=high"))


def test_another_budget_is_one_key_away(visit):
    page = visit(TOY + "&example=high")
    heard(page, "HIGH")
    expect(page.locator(".ladder tr.now")).to_contain_text("32 tones")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".ladder tr.now")).to_contain_text("16 tones")
    expect(page).to_have_url(re.compile("budget=16"))


def test_the_microphone_is_recorded_and_answered(server, chromium, high):
    """A Chromium of its own, whose microphone hears the file."""
    browser = chromium.browser_type.launch(
        executable_path=system_chromium(),
        args=[
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={high}",
        ],
    )
    try:
        page = browser.new_context(permissions=["microphone"]).new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(server + TOY)
        click(page.get_by_role("button", name="Record", exact=True))
        page.wait_for_timeout(2500)
        click(page.get_by_role("button", name="Stop recording", exact=True))
        expect(page.get_by_text("recording.wav, recorded")).to_be_visible()
        heard(page, "HIGH")
    finally:
        browser.close()


@pytest.mark.parametrize("dark", [False, True])
def test_a_small_screen_scrolls_down_only(visit, dark):
    page = visit(TOY + "&example=high", width=390, dark=dark)
    heard(page, "HIGH")
    wide = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *')].filter("
        "e => e.getBoundingClientRect().right > 391 && !e.closest('svg') && !e.closest('.ladder')).length"
    )
    assert wide == 0
