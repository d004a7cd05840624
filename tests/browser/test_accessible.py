"""axe-core on every page, in both themes: nothing serious. Everything that matters is reached by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from engines import registry
from tests.browser.acts import at_rest, click
from tests.browser.served import served

PATIENCE = 300_000  # ms: the gate loads its models first
SERIOUS = ("serious", "critical")
# Views that a bare page does not show.
FURTHER = [
    "/explore?case=speech&task=digits&published=LibriSpeech+test-clean",
    "/explore?case=bone_age&published=RSNA+test+(200)",
    "/explore?case=none&budget=x",
    "/try_it?case=speech&task=digits",
    "/try_it?case=turnstile",
    "/try_it?case=translation",
    "/try_it?case=bone_age",
    "/gallery?search=nothing",
    *(f"/tour?case=speech&task=digits&step={number}" for number in range(1, 6)),
]


def drawn(page: Page) -> None:
    """The page stands still: no script runs, no forecast is awaited."""
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("[data-testid=stSkeleton], [data-testid=stSpinner]")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_text("is being worked out")).to_have_count(0, timeout=PATIENCE)
    at_rest(page)
    page.wait_for_timeout(700)  # fades end


def faults(page: Page) -> list[str]:
    """What axe-core finds serious, one line each."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response
    assert found["url"] == page.url
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


def pages(page: Page) -> list[str]:
    """The addresses of all pages, from the menu."""
    links = page.get_by_test_id("stTopNavLink").evaluate_all("links => links.map(each => new URL(each.href).pathname)")
    return sorted(set(links))


@pytest.mark.timeout(1800)  # twenty pages, of which some load models first
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(visit, filled, dark):
    every = pages(visit("/", at=filled))
    assert len(every) >= 8
    assert {"/", "/explore", "/lecture", "/data"} <= set(every)
    page = visit("/", dark=dark, at=filled)
    found = {}
    for path in [*every, *FURTHER]:
        page.goto(filled + path)
        page.wait_for_selector("h1")
        drawn(page)
        if wrong := faults(page):
            found[path] = wrong
    assert not found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_what_is_opened(visit, filled, dark):
    page = visit("/explore?case=speech&task=digits", dark=dark, at=filled)
    for title in ("The table behind the chart", "Save, share or take away"):
        click(page.get_by_text(title))
        drawn(page)
    assert not faults(page)


def test_axe_finds_nothing_serious_where_the_data_is_not_there_yet(visit, tmp_path):
    with served(tmp_path, {"CROSSOVER_DATA": str(tmp_path), "CROSSOVER_CACHE": str(tmp_path)}) as address:
        for dark in (False, True):
            page = visit("/try_it?case=speech&task=sentences", dark=dark, at=address)
            expect(page.get_by_text("which is not on this machine")).to_be_visible()
            drawn(page)
            assert not faults(page)


def test_axe_finds_what_is_wrong(visit, filled):
    """The finder itself: grey on grey and a picture without words are seen."""
    page = visit("/gallery", at=filled)
    page.evaluate(
        "document.querySelector('h1').insertAdjacentHTML('afterend',"
        ' \'<p style="color:#999;background:#aaa">unread</p><img src="favicon.png">\')'
    )
    assert {line.partition(":")[0] for line in faults(page)} >= {"color-contrast", "image-alt"}


def test_every_case_is_reached_from_the_front_page_by_keyboard(visit, filled):
    page = visit("/", at=filled)
    drawn(page)
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.href || document.activeElement.innerText || ''"))
    for case in registry.cases():
        assert any(f"explore?case={case}" in each for each in reached), case
    assert any(each.endswith("/advisor") for each in reached)
