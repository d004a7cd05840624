"""Advisor in a real browser: four points typed, a link opened by somebody else, what cannot be read, small screens."""

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard.advising.question import Question, decode, encode
from tests.browser.acts import click

DATA, SCORE = 2, 3  # columns of the grid, counted with the one that numbers its rows
ROWS = tuple(
    (name, str(size), str(score), "")
    for name, scores in (("Pipeline", (30, 24, 20, 17.5)), ("End-to-end", (60, 42, 29, 21)))
    for size, score in zip((100, 200, 400, 800), scores, strict=True)
)
LINK = f"/advisor?q={encode(Question(rows=ROWS, target='12'))}"


def answer(page: Page):
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    return page.get_by_text(re.compile("End-to-end .*overtake.* Pipeline")).first


def asked(page: Page) -> Question:
    return decode(re.search(r"[?&]q=([\w-]+)", page.url).group(1))


def test_four_points_are_typed_and_answered(visit):
    page = visit("/advisor")
    grid = page.get_by_test_id("stDataFrame").first
    grid.wait_for()
    box = grid.bounding_box()
    editor = page.locator("#portal").locator("input, textarea").first

    def reach(column: int, row: int) -> None:
        """Until the grid has handed the focus to a cell, keys are lost."""
        expect(grid.locator(f"#glide-cell-{column}-{row}")).to_be_focused()

    page.mouse.click(box["x"] + box["width"] * 0.55, box["y"] + 35 * 1.5)  # the first amount of data
    for row, (_, size, score, _) in enumerate(ROWS):
        if row:
            reach(SCORE, row)
            page.keyboard.press("ArrowLeft")
        # Tab goes on to the next cell, Enter to the one below.
        for column, text, onward in ((DATA, size, "Tab"), (SCORE, score, "Enter")):
            reach(column, row)
            page.keyboard.press("Enter")
            expect(editor).to_be_focused()
            editor.fill(text)
            editor.press(onward)
            expect(editor).to_be_hidden()
    expect(answer(page)).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]q="))
    page.wait_for_function("decodeURIComponent(location.search).length > 40")
    expect(page.get_by_text("What to measure next")).to_be_visible()
    # The answer stands since the fourth point; the last row reaches the address when the page has run once more.
    page.wait_for_function("q => new URLSearchParams(location.search).get('q') === q", arg=encode(Question(rows=ROWS)))
    assert asked(page).rows == ROWS


def test_a_link_shows_the_same_in_a_second_browser_and_the_report_is_one_file(visit):
    first, second = visit(LINK), visit(LINK)
    said = answer(first).inner_text()
    assert answer(second).inner_text() == said
    assert asked(second).rows == ROWS
    second.get_by_label("A score to reach").fill("15")
    second.get_by_label("A score to reach").press("Enter")
    expect(second.get_by_text(re.compile("cheapest way to 15 %")).first).to_be_visible()
    with second.expect_download() as download:
        click(second.get_by_role("button", name="Report (HTML)"))
    page = download.value.path().read_text()
    assert "cheapest way to 15 %" in page
    assert 'src="http' not in page


def test_back_brings_what_stood_before(visit):
    page = visit(LINK)
    target = page.get_by_label("A score to reach")
    for value in ("14", "16"):
        target.fill(value)
        target.press("Enter")
        rows = encode(Question(rows=ROWS, target=value))
        page.wait_for_function("q => new URLSearchParams(location.search).get('q') === q", arg=rows)
    page.go_back()
    expect(target.first).to_have_value("14")  # for a moment the old one is beside it
    expect(answer(page)).to_be_visible()
    assert asked(page) == Question(rows=ROWS, target="14")


def test_what_cannot_be_read_gets_a_sentence_and_stays(visit):
    rows = (*ROWS[:7], ("End-to-end", "many", "21", ""))
    page = visit(f"/advisor?q={encode(Question(rows=rows, target='low'))}")
    expect(page.get_by_text("Row 8 (End-to-end): the amount of data, “many”, is not a number.")).to_be_visible()
    expect(page.get_by_text("The target: “low” is not a number.")).to_be_visible()
    expect(page.get_by_label("A score to reach")).to_have_value("low")
    expect(answer(page)).to_be_visible()
    assert asked(page).rows == rows


@pytest.mark.parametrize("dark", [False, True])
def test_a_small_screen_scrolls_down_only(visit, dark):
    page = visit(LINK, width=390, dark=dark)
    answer(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
