"""A served dashboard and a Chromium to look at it with, shared by all browser tests."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from engines import registry
from engines.__main__ import main
from engines.views import Snapshot, ViewStore
from tests.browser.install import system_chromium
from tests.browser.served import PATIENCE, ROOT, served

HEIGHTS = {390: 844, 1440: 900}
expect.set_options(timeout=PATIENCE * 1000)  # a machine may be busy: five seconds are soon over


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    """Settings of a dashboard with runs of the toy (all but those of its largest budget) and models to try; its store
    and cache are its own."""
    folder = tmp_path_factory.mktemp("served")
    cases = os.pathsep.join([str(ROOT / "tests" / "cases"), str(ROOT / "tests" / "browser" / "cases")])
    made = {
        "CROSSOVER_STORE": str(folder / "store"),
        "CROSSOVER_CACHE": str(folder / "cache"),
        "CROSSOVER_CASES": cases,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSOVER_STORE", made["CROSSOVER_STORE"])
        budgets = [word for amount in (4, 8, 16, 32, 64, 128) for word in ("--budget", str(amount))]
        assert main(["sweep", "tones", "--jobs", "1", "--keep", *budgets]) in (0, 1)
    return made


@pytest.fixture(scope="session")
def server(settings, tmp_path_factory):
    """The address of a dashboard with the toy's `settings`."""
    with served(tmp_path_factory.mktemp("server"), settings) as address:
        yield address


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """The dashboard with the runs that come with it, and two saved views. Its cache and views are its own."""
    folder = tmp_path_factory.mktemp("filled")
    views = ViewStore(folder / "views")
    for case in list(registry.cases().values())[:2]:
        params = {"case": case.slug, "task": case.tasks[0].slug}
        views.save(Snapshot.of("explore", params, title=f"About {case.title}", note="Saved by a test.", by="ann@a.org"))
    settings = {"CROSSOVER_CACHE": str(folder / "cache"), "CROSSOVER_VIEWS": str(folder / "views")}
    with served(folder, settings) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        browser = playwright.chromium.launch(executable_path=system_chromium(), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, request):
    """`visit("/explore?case=tones", width=390, dark=True)`: the page, once it has drawn its title; `at` another address
    than the `server`'s.

    An error in the page's own scripts fails the test; a failed test leaves a picture in tests/browser/screenshots.
    """
    opened: list[Page] = []
    errors: list[str] = []

    def go(path: str, width: int = 1440, dark: bool = False, at: str = "") -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            color_scheme="dark" if dark else "light",
            permissions=["microphone"],
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        opened.append(page)
        page.goto((at or request.getfixturevalue("server")) + path)
        page.wait_for_selector("h1")
        return page

    failures = request.session.testsfailed
    yield go
    if opened and request.session.testsfailed > failures:
        folder = Path(__file__).parent / "screenshots"
        folder.mkdir(exist_ok=True)
        opened[-1].screenshot(path=folder / f"{request.node.name}.png")
    for page in opened:
        page.context.close()
    assert not errors, errors
