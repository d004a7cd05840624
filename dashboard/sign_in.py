"""Who may come in: sign-in by OpenID Connect through Streamlit's own login.

Off until Streamlit's secrets.toml has a section [auth]; then every page asks for it. CROSSOVER_DOMAINS, where it is
set, lists the e-mail domains that may come in. What is set up wrongly keeps everybody out, with a sentence: a dashboard
that was meant to be closed is never left open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import Error as StreamlitError

from dashboard import view, words
from engines.core import UserError

SETTING = "CROSSOVER_DOMAINS"


def domains() -> tuple[str, ...]:
    """The e-mail domains that may come in, in small letters; none: all may who can sign in.

    Raises:
        UserError: the setting lists something that is no domain.
    """
    named = os.environ.get(SETTING, "")
    found = [each.strip().lower().removeprefix("@") for each in named.replace(";", ",").split(",") if each.strip()]
    for each in found:
        if "@" in each or "*" in each or " " in each or "." not in each.strip("."):
            raise UserError(f"{SETTING} lists {each!r}: give domains as they stand in addresses, as in a.org, b.org.")
    if named.strip() and not found:
        raise UserError(f"{SETTING} names no domain: give one, as in a.org, or leave it out.")
    return tuple(found)


def refusal(person: Mapping[str, Any], allowed: tuple[str, ...]) -> str:
    """Why a signed-in person may not come in, in a sentence that ends where what to do begins; "" where they may.

    person: the claims of their ID token (OpenID Connect Core 1.0, section 5.1). An address counts unless the provider
    says that it was not verified.
    """
    if not allowed:
        return ""
    address = str(person.get("email") or "")
    open_to = f"this dashboard is open to addresses of {words.listing(list(allowed))}"
    if "@" not in address:
        return f"The account that you signed in with tells no e-mail address, and {open_to}."
    if address.rpartition("@")[2].lower() not in allowed:
        return f"You are signed in as {address}, and {open_to}."
    if str(person.get("email_verified", True)).lower() == "false":
        return f"You are signed in as {address}, which your provider has not verified, and {open_to}."
    return ""


def settings() -> Mapping[str, Any] | None:
    """The section [auth] of the secrets; None where sign-in is off.

    Raises:
        UserError: the secrets cannot be read, or domains are listed and there is no section.
    """
    try:
        section = st.secrets.get("auth")
    except StreamlitError as error:  # none, or none that can be read
        for file in map(Path, st.get_option("secrets.files")):
            if file.exists():
                raise UserError(f"{file.name} cannot be read, so nobody can sign in: put it right.") from error
        section = None
    if section is None and domains():
        raise UserError(f"{SETTING} lists who may come in, but secrets.toml has no section [auth]: add one.")
    if section is not None and not (isinstance(section, Mapping) and _providers(section)):
        raise UserError("The section [auth] of secrets.toml names no provider: give its client_id.")
    return section


def admitted() -> bool:
    """Whether the pages may be shown to this visitor."""
    try:
        return settings() is None or (_signed_in() and not refusal(st.user, domains()))
    except UserError:
        return False


def ask() -> None:
    """The page for who may not come in: how to sign in, or why they may not."""
    st.title("Crossover")
    with view.said():
        section, allowed = settings(), domains()
        if section is None:
            return
        if _signed_in():
            st.warning(words.plain(refusal(st.user, allowed)), icon=":material/lock:")
            st.markdown("Sign out, then come back with another account.")
            st.button("Sign out", icon=":material/logout:", on_click=st.logout)
            return
        st.markdown("Given this much data: a pipeline of stages, or one end-to-end network? Sign in to see.")
        for provider in _providers(section):
            label = f"Sign in with {words.plain(provider.capitalize())}" if provider else "Sign in"
            if st.button(label, icon=":material/login:", key=f"sign_in_{provider}"):
                _go(provider)


def bar() -> None:
    """Who is signed in, and the way out; nothing where sign-in is off."""
    if not _signed_in():
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        name = str(st.user.get("email") or st.user.get("name") or "somebody")
        st.caption(f"Signed in as {words.plain(name)}", width="content")
        st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=st.logout)


def _go(provider: str) -> None:
    try:
        st.login(provider or None)
    except StreamlitError as error:
        raise UserError(f"Sign-in is not set up rightly: {error}") from error


def _signed_in() -> bool:
    return st.user.get("is_logged_in") is True


def _providers(section: Mapping[str, Any]) -> list[str]:
    """The names of the providers; "" is the one that stands in [auth] itself."""
    named = [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]
    return [*([""] if "client_id" in section else []), *named]
