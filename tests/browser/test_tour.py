"""The tour in a real browser: on and back by its links, left from any step, every step within a small screen."""

import re

import pytest
from playwright.sync_api import expect

PATIENCE = 60_000  # ms
TITLES = (
    "One question, several ways to build",
    "With little data",
    "With all the data there is",
    "A look inside",
    "And your own task?",
)


def test_five_steps_there_and_one_back_and_out(visit):
    page = visit("/tour?case=tones&task=pairs&step=1")
    for number, title in enumerate(TITLES, 1):
        expect(page.locator("h1")).to_have_text(title, timeout=PATIENCE)
        expect(page).to_have_url(re.compile(rf"step={number}"), timeout=PATIENCE)
        if number < len(TITLES):
            page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Back").click()
    expect(page.locator("h1")).to_have_text(TITLES[3], timeout=PATIENCE)
    expect(page).to_have_url(re.compile("step=4"), timeout=PATIENCE)
    expect(page.get_by_text("True answer")).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.locator("h1")).to_have_text(TITLES[3], timeout=PATIENCE)
    page.get_by_role("button", name="Back").click()
    expect(page.locator("h1")).to_have_text(TITLES[2], timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Leave the tour").click()
    expect(page).to_have_url(re.compile(r"/explore\?.*case=tones"), timeout=PATIENCE)


def test_the_front_page_leads_to_the_tour(visit):
    page = visit("/")
    page.get_by_role("link", name=re.compile("Take the tour")).click()
    expect(page.locator("h1")).to_have_text(TITLES[0], timeout=PATIENCE)


@pytest.mark.parametrize(
    "path", ["/", "/data", "/gallery", "/lecture", *(f"/tour?case=tones&step={n}" for n in "1234")]
)
def test_nothing_is_wider_than_a_telephone(visit, path):
    page = visit(path, width=390, dark=True)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)
    wide = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *')].filter("
        "e => e.getBoundingClientRect().right > 391 && !e.closest('svg')).map(e => e.outerHTML.slice(0, 200))"
    )
    assert not wide
