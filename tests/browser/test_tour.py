"""The tour in a real browser: on and back by its links, left from any step, every step within a small screen."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acts import click

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
        expect(page.locator("h1")).to_have_text(title)
        expect(page).to_have_url(re.compile(rf"step={number}"))
        if number < len(TITLES):
            click(page.get_by_role("button", name="Next"))
    click(page.get_by_role("button", name="Back"))
    expect(page.locator("h1")).to_have_text(TITLES[3])
    expect(page).to_have_url(re.compile("step=4"))
    expect(page.get_by_text("True answer")).to_be_visible()
    page.reload()
    expect(page.locator("h1")).to_have_text(TITLES[3])
    click(page.get_by_role("button", name="Back"))
    expect(page.locator("h1")).to_have_text(TITLES[2])
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    click(page.get_by_role("link", name="Leave the tour"))
    expect(page).to_have_url(re.compile(r"/explore\?.*case=tones"))


def test_the_front_page_leads_to_the_tour(visit):
    page = visit("/")
    click(page.get_by_role("link", name=re.compile("Take the tour")))
    expect(page.locator("h1")).to_have_text(TITLES[0])


@pytest.mark.parametrize(
    "path", ["/", "/data", "/gallery", "/lecture", *(f"/tour?case=tones&step={n}" for n in "1234")]
)
def test_nothing_is_wider_than_a_telephone(visit, path):
    page = visit(path, width=390, dark=True)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    wide = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *')].filter("
        "e => e.getBoundingClientRect().right > 391 && !e.closest('svg')).map(e => e.outerHTML.slice(0, 200))"
    )
    assert not wide
