"""What a visitor does to a page, done when they would: when it stands still."""

from playwright.sync_api import Locator, Page, expect

STILL = 400  # ms without a change of the page's height
# A chart that appears between pressing and letting go moves a button away, and the click is nobody's.
STANDS = f"""() => {{
    const height = document.querySelector("[data-testid=stMain] > *")?.scrollHeight;
    if (window.stood?.height !== height) window.stood = {{height, since: performance.now()}};
    return performance.now() - window.stood.since > {STILL};
}}"""


def at_rest(page: Page) -> None:
    """Wait until the page has run, nothing on it is of an older run, and it no longer grows."""
    expect(page.locator("[data-test-script-state=notRunning]")).to_have_count(1)
    expect(page.locator("[data-stale=true]")).to_have_count(0)
    page.wait_for_function(STANDS)


def click(what: Locator) -> None:
    """Click once the page it is on is at rest."""
    expect(what).to_be_visible()
    at_rest(what.page)
    what.click()
