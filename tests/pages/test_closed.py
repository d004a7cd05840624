"""A dashboard that was meant to be closed is never left open, however it is set up."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "dashboard" / "app.py")
PROVIDER = {"client_id": "us", "client_secret": "x", "server_metadata_url": "http://none", "cookie_secret": "y" * 32}


def opened(auth: dict | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=200)
    if auth is not None:
        app.secrets["auth"] = auth
    app.run()
    assert not app.exception
    return app


def seen(app: AppTest) -> str:
    return "\n".join(each.value for each in [*app.title, *app.markdown, *app.error])


def test_where_nothing_is_set_everybody_comes_in():
    app = opened()
    assert "Given this much data" in app.title[0].value
    assert "Sign" not in " ".join(each.label for each in app.button)


@pytest.mark.parametrize(
    ("auth", "labels"),
    [(PROVIDER, ["Sign in"]), ({"google": PROVIDER, "okta": PROVIDER}, ["Sign in with Google", "Sign in with Okta"])],
)
def test_each_provider_has_a_button_and_nothing_else_is_there(auth, labels):
    app = opened(auth)
    assert [each.label for each in app.button] == labels
    assert [each.value for each in app.title] == ["Crossover"]
    assert "Who leads" not in seen(app)


@pytest.mark.parametrize("auth", [{}, {"cookie_secret": "x"}, "nonsense"])
def test_a_section_without_a_provider_keeps_everybody_out(auth):
    app = opened(auth)
    assert "names no provider" in app.error[0].value
    assert not app.button


def test_domains_without_a_provider_keep_everybody_out(monkeypatch):
    monkeypatch.setenv("CROSSOVER_DOMAINS", "a.org")
    app = opened()
    assert "no section [auth]" in app.error[0].value
    assert [each.value for each in app.title] == ["Crossover"]


def test_domains_that_are_none_keep_everybody_out(monkeypatch):
    monkeypatch.setenv("CROSSOVER_DOMAINS", "everybody")
    assert "give domains as they stand in addresses" in opened(PROVIDER).error[0].value
