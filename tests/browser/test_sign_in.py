"""Sign-in against an OpenID provider that the tests start, in a real browser: who comes in, who does not, who saved."""

import json
import os
import re
import secrets
from contextlib import contextmanager

import pytest
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import Page, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from engines.views import ViewStore
from tests.browser.acts import click
from tests.browser.served import free_port, served

ANN = "ann\u2060@a.org"  # as pages show it: no link is made of an address (dashboard/words.py: plain)
EXPLORE = "/explore?case=tones&task=pairs&budget=8"
PEOPLE = {
    "ann": {"email": "ann@a.org", "email_verified": True, "name": "Ann"},
    "bob": {"email": "bob@b.org", "email_verified": True, "name": "Bob"},
    "mallory": {"email": "mallory@a.org", "email_verified": False, "name": "Mallory"},
    "nameless": {"name": "Nobody"},
}


@contextmanager
def closed(folder, store, domains):
    """A dashboard that asks for a sign-in; its address and its folder of saved views."""
    people = [User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
    port = free_port()
    with run_server_in_thread(user_claims=people) as provider:
        (folder / "secrets.toml").write_text(
            "[auth]\n"
            f'redirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            f'cookie_secret = "{secrets.token_hex(32)}"\n'
            'client_id = "crossover"\n'
            f'client_secret = "{secrets.token_hex(16)}"\n'
            f'server_metadata_url = "http://localhost:{provider.server_port}/.well-known/openid-configuration"\n'
        )
        settings = {
            **store,
            "CROSSOVER_VIEWS": str(folder / "views"),
            "CROSSOVER_DOMAINS": domains,
            "AUTHLIB_INSECURE_TRANSPORT": "1",
        }
        with served(folder, settings, "--secrets.files", str(folder / "secrets.toml"), port=port) as address:
            yield address, folder / "views"


@pytest.fixture(scope="module")
def office(tmp_path_factory, settings):
    with closed(tmp_path_factory.mktemp("office"), settings, "a.org, c.org") as made:
        yield made


def sign_in(page: Page, who: str) -> None:
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    click(page.get_by_role("button", name="Sign in"))
    page.get_by_role("button", name=who, exact=True).click()


def sign_out(page: Page) -> None:
    """Here, and at the provider, which asks."""
    click(page.get_by_role("button", name="Sign out"))
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_without_a_sign_in_no_page_is_seen(visit, office):
    for path in ("/", EXPLORE, "/data", "/lecture", "/?saved=00000000000000000000"):
        page = visit(path, at=office[0])
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.locator("h1")).to_have_text("Crossover")
        expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)
        expect(page.locator(".js-plotly-plot")).to_have_count(0)


def test_who_signs_in_comes_back_to_the_link_and_saves_under_their_name(visit, office):
    address, views = office
    page = visit(EXPLORE, at=address)
    sign_in(page, "ann")
    expect(page.locator("h1")).to_contain_text("With 8 tones")
    expect(page).to_have_url(re.compile(r"/explore\?.*budget=8"))
    expect(page.get_by_text(f"Signed in as {ANN}")).to_be_visible()
    click(page.get_by_text("Save, share or take away"))
    page.get_by_label("Title").fill("What Ann saw")
    click(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("This link shows it")).to_be_visible()
    entries, damaged = ViewStore(views).entries()
    assert [(entry.title, entry.by) for entry in entries] == [("What Ann saw", "ann@a.org")]
    assert not damaged
    click(page.get_by_role("link", name="Saved views"))
    expect(page.get_by_text(ANN).last).to_be_visible()
    sign_out(page)
    page.goto(address + EXPLORE)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("bob", "You are signed in as bob\u2060@b.org, and this dashboard is open to addresses of a.org and c.org."),
        ("mallory", "which your provider has not verified"),
        ("nameless", "tells no e-mail address"),
    ],
)
def test_others_are_told_why_and_can_sign_out(visit, office, who, sentence):
    page = visit(EXPLORE, at=office[0])
    sign_in(page, who)
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)
    sign_out(page)
    sign_in(page, "ann")
    expect(page.get_by_text(f"Signed in as {ANN}")).to_be_visible()


def test_a_cookie_that_somebody_made_up_lets_nobody_in(visit, office):
    page = visit("/", at=office[0])
    person = json.dumps({**PEOPLE["ann"], "is_logged_in": True, "origin": office[0], "provider": "default"})
    forged = create_signed_value("a secret of somebody else's", "_streamlit_user", person).decode()
    page.context.add_cookies([{"name": "_streamlit_user", "value": forged, "url": office[0]}])
    page.goto(office[0] + EXPLORE)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_page_to_sign_in_is_accessible_in_both_themes(visit, office):
    from tests.browser.test_accessible import faults

    for dark in (False, True):
        page = visit("/", dark=dark, at=office[0])
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert not faults(page)


def test_secrets_that_cannot_be_read_keep_everybody_out(visit, settings, tmp_path):
    (tmp_path / "secrets.toml").write_text("[auth\n")
    with served(tmp_path, settings, "--secrets.files", str(tmp_path / "secrets.toml")) as address:
        page = visit(EXPLORE, at=address)
        expect(page.get_by_text("secrets.toml cannot be read, so nobody can sign in")).to_be_visible()
        expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)


def test_where_nothing_is_set_nobody_is_asked(visit):
    assert "CROSSOVER_DOMAINS" not in os.environ
    page = visit("/data")
    expect(page.get_by_test_id("stTopNavLink").first).to_be_visible()
    expect(page.get_by_text("Sign out")).to_have_count(0)
