"""The gate in a real browser: enrol with a photograph, come to the gate, be let in, be forgotten."""

import os

import pytest
from playwright.sync_api import Page, expect

from engines import datasets
from tests.browser.acts import at_rest, click
from tests.browser.served import served

HERE = datasets.find("lfw") is not None and datasets.find("bsds500_backgrounds") is not None
pytestmark = pytest.mark.skipif(not HERE and "CI" not in os.environ, reason="the photographs are not here")


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """The dashboard with the models that the repository keeps."""
    with served(tmp_path_factory.mktemp("gate"), {}) as address:
        yield address


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A photo of someone who is not on file, and of somebody else."""
    from engines.cases.turnstile import photos

    folder, who = tmp_path_factory.mktemp("photographs"), photos.parts().unseen
    made = []
    for name in sorted(who)[3:5]:
        made.append(folder / f"{len(made)}.jpg")
        made[-1].write_bytes(photos.photos().files[who[name][0]].as_py())
    return made


def test_enrolled_let_in_and_forgotten(gate, visit, photographs):
    page = visit("/gate", at=gate)
    page.get_by_label("Name").fill("Ann Lee")
    page.get_by_label("Name").press("Enter")
    give(page, "gate-enrol", photographs[0])
    button = page.get_by_role("button", name="Enrol", exact=True)
    expect(button).to_be_enabled()
    click(button)
    expect(page.get_by_text("You enrolled Ann Lee (1)")).to_be_visible()
    come(page, photographs[0])
    opened = page.get_by_text("Ann Lee: opens").first
    expect(opened).to_be_visible()
    come(page, photographs[1])
    expect(opened).to_have_count(0)
    assert "Ann" not in page.url
    click(page.get_by_role("button", name="Forget everyone"))
    expect(page.get_by_text("You enrolled Ann Lee (1)")).to_have_count(0)
    expect(page.get_by_text("Give a picture, and the gate answers.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("")
    expect(page.get_by_text("Ann Lee")).to_have_count(0)
    expect(page.get_by_text("people are on file, by the frames of the budget")).to_be_visible()


def come(page: Page, file) -> None:
    chosen = page.locator(".st-key-gate-present").get_by_text("Upload", exact=True).first
    click(chosen)
    give(page, "gate-present", file)


def give(page: Page, where: str, file) -> None:
    """Choose a file once the page has run for what was done before: a run that starts in the instant in which the
    browser asks where to send the file drops the server's answer, and nothing is ever sent."""
    given = page.locator(f".st-key-{where} input[type=file]")
    # One that was emptied stays until the page has run.
    expect(given).to_have_count(1)
    at_rest(page)
    given.set_input_files(file)
    expect(page.locator(f".st-key-{where}").get_by_text(file.name).first).to_be_visible()
