"""Explore in a real browser: the chart, the budget, the table, a run started, watched and cancelled, small screens."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import at_rest, click

TOY = "/explore?case=tones&task=pairs&budget=8"


def chart(page: Page):
    found = page.locator(".js-plotly-plot .main-svg").first
    found.wait_for()
    return found


def test_explore_opens_with_its_chart_and_the_root_leads_to_it(visit):
    page = visit("/?case=tones&budget=8")
    chart(page)
    assert "/explore" in page.url
    expect(page.locator("h1")).to_contain_text("With 8 tones")
    expect(page.get_by_text("Trains in").first).to_be_visible()


def test_a_link_of_a_megabyte_opens_the_page_all_the_same(visit):
    page = visit("/explore?case=" + "x" * 1_000_000)
    expect(page.locator("h1")).to_contain_text("Nothing has been run")
    expect(page.get_by_text("There is no case")).to_be_visible()


def test_another_budget_is_drawn_without_loading_the_page_again(visit):
    page = visit(TOY)
    chart(page)
    page.evaluate("window.kept = true")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_contain_text("With 16 tones")
    expect(page).to_have_url(re.compile("budget=16"))
    assert page.evaluate("window.kept")


def test_back_and_a_title_that_is_typed(visit):
    page = visit("/explore?case=tones&task=pairs")
    chart(page)
    first = page.locator("h1").inner_text()
    click(page.get_by_text("Save, share or take away"))
    page.get_by_label("Title").fill("Ours")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).not_to_have_text(first)
    expect(page).to_have_url(re.compile("budget="))
    expect(page.get_by_label("Title")).to_have_value("Ours")
    page.go_back()
    expect(page.locator("h1")).to_have_text(first)
    expect(page).not_to_have_url(re.compile("budget="))


def test_a_click_on_a_point_picks_its_budget(visit):
    page = visit(TOY)
    chart(page)
    at_rest(page)
    # The nth point of the first engine's line is its nth budget: 4, 8, 16, 32.
    lines = page.locator(".js-plotly-plot .scatterlayer .trace.scatter").filter(has=page.locator(".js-line"))
    # Forecasts have no points, and the mark of a crossover has but one.
    points = lines.filter(has=page.locator(".points path.point:nth-of-type(4)"))
    box = points.last.locator(".points path.point").nth(3).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("h1")).to_contain_text("With 32 tones")


def test_the_table_is_one_click_away_and_can_be_downloaded(visit):
    page = visit(TOY)
    click(page.get_by_text("The table behind the chart"))
    with page.expect_download() as download:
        click(page.get_by_role("button", name="Download as CSV", exact=True))
    rows = download.value.path().read_text().splitlines()
    assert len(rows) > 12
    assert "Engine" in rows[0]


def test_a_missing_run_is_made_and_appears(visit):
    page = visit("/explore?case=tones&task=pairs&budget=256")
    # Both cards are there, so that the first is the pipeline's.
    expect(page.get_by_role("button", name="Run it here")).to_have_count(2)
    click(page.get_by_role("button", name="Run it here").first)
    expect(page.get_by_role("button", name="Run seed 1")).to_be_visible()
    expect(page.locator("h1")).to_contain_text("With 256 tones the pipeline has an error rate")


def test_a_run_is_watched_survives_a_reload_and_is_cancelled(visit):
    page = visit("/explore?case=patience")
    click(page.get_by_role("button", name="Run it here"))
    expect(page.get_by_text(re.compile(r"\d+ %.*waiting"))).to_be_visible()
    page.reload()
    click(page.get_by_role("button", name="Cancel"))
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    expect(page.get_by_role("button", name="Run it here")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_a_small_screen_scrolls_down_only(visit, dark):
    page = visit(TOY, width=390, dark=dark)
    chart(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *')].filter("
        "e => e.getBoundingClientRect().right > 391 && !e.closest('svg')).length"
    )
    assert wide == 0
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert background == ("rgb(17, 22, 29)" if dark else "rgb(255, 255, 255)")


def test_pages_keep_the_view(visit):
    page = visit(TOY)
    click(page.get_by_role("link", name="Data and methods"))
    expect(page.locator("h1")).to_have_text("Data and methods")
    click(page.get_by_role("link", name="Explore"))
    expect(page.locator("h1")).to_contain_text("With 8 tones")
    expect(page).to_have_url(re.compile("case=tones.*budget=8|budget=8.*case=tones"))
