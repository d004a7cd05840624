"""What a visitor can do with a view of Explore: save it for the team, take it away, open a saved one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import links, takeaway, view, words
from dashboard.measured import Measured
from engines import registry
from engines.core import UserError
from engines.views import Snapshot, ViewStore
from engines.views.snapshot import MOST_NOTE, MOST_TITLE

NAMED = "saved"  # the parameter of an address that names a saved view
SAVED = "saved_last"
TODAY = "Below are the runs of today."
FREEZES = (
    "The link of this page shows the runs of the day on which it is opened. A saved view freezes the numbers that you "
    "see now, and is listed in the gallery."
)
FILES = (
    (".png", "Picture (PNG)", "image/png"),
    (".svg", "Drawing (SVG)", "image/svg+xml"),
    (".html", "Chart (HTML)", "text/html"),
    (".report.html", "Report (HTML)", "text/html"),
    (".csv", "Data (CSV)", "text/csv"),
    (".parquet", "Data (Parquet)", "application/vnd.apache.parquet"),
)


def offer(shown: view.View, measured: Measured, budget: float) -> None:
    """The buttons below the chart."""
    if not measured.points:
        return
    box = st.expander("Save, share or take away", icon=":material/ios_share:", key="share", on_change="rerun")
    if not box.open:
        return
    with box:
        what = takeaway.now(shown, measured.points, budget, measured.snapshot)
        st.markdown("**Take it away**")
        browser = takeaway.browser()
        with st.container(horizontal=True, gap="small"):
            for kind, label, mime in FILES:
                picture = kind in (".png", ".svg")
                st.download_button(
                    label,
                    _file(what, kind),
                    file_name=f"{shown.case.slug}_{shown.task.slug}{kind}",
                    mime=mime,
                    on_click="ignore",
                    key=f"take{kind}",
                    disabled=picture and not browser,
                )
        if not browser:
            st.caption(takeaway.NO_BROWSER)
        if measured.snapshot is None:
            save(shown.params, what.title, FREEZES, lambda title, note: takeaway.freeze(what, title, note, visitor()))


def _file(what: takeaway.Shown, kind: str) -> Callable[[], bytes]:
    return lambda: takeaway.KINDS[kind](what)


def save(shown: object, title: str, why: str, freeze: Callable[[str, str], Snapshot]) -> None:
    """The form that saves what is `shown`; `freeze` makes a snapshot of it with a title and a note. The link to what
    was saved, or what went wrong, stands until something else is shown: a page also redraws by itself, when a forecast
    arrives."""
    st.markdown("**Save it for your team**")
    st.caption(why)
    titled, noted, usual = "save_title", "save_note", title[:MOST_TITLE]
    with st.form("save", border=False):
        st.text_input("Title", max_chars=MOST_TITLE, key=titled, placeholder=usual)
        st.text_area("Note", max_chars=MOST_NOTE, height=80, placeholder="What should the others look at?", key=noted)
        # Saved by the callback: the page's own redraw can end a run before it comes to this line.
        st.form_submit_button(
            "Save",
            icon=":material/bookmark_add:",
            on_click=lambda: _save(
                shown, lambda: freeze(st.session_state[titled].strip() or usual, st.session_state[noted])
            ),
        )
    of, name, problem = st.session_state.get(SAVED, (None, "", ""))
    if of != shown:
        return
    if problem:
        st.error(problem, icon=":material/error:")
    else:
        st.success("Saved. This link shows it to everyone who can open this dashboard:", icon=":material/check:")
        st.code(f"{address()}?saved={name}", language=None)


def _save(shown: object, freeze: Callable[[], Snapshot]) -> None:
    name = problem = ""
    try:
        name = ViewStore().save(freeze())
    except UserError as error:
        problem = str(error)
    st.session_state[SAVED] = (shown, name, problem)


def visitor() -> str:
    """Who is signed in, where visitors sign in; or ""."""
    user = st.user
    return str(user.get("email", "")) if user.get("is_logged_in") else ""


def address() -> str:
    """Of the page that is shown, without its parameters."""
    url = st.context.url or "explore"
    return url.partition("?")[0]


def named(page: str, instead: str) -> tuple[str, Snapshot] | None:
    """The saved view that the link of a `page` names, with its name; None where it names none, or none that can be
    shown: then a sentence says why, and what is shown `instead`."""
    name = st.query_params.get(NAMED)
    if not name:
        return None
    if links.late(NAMED, name):
        links.drop(NAMED)
        return None
    try:
        snapshot = ViewStore().load(name)
        if snapshot.page != page:
            raise UserError("That saved view belongs to another page.")
    except UserError as error:
        st.error(f"{error} {instead}", icon=":material/error:")
        return None
    return name, snapshot


def opened() -> Snapshot | None:
    """The saved view of Explore that the link names, its choices put into the page's; None where there is none to show,
    or its case or task is not here."""
    found = named("explore", TODAY)
    if found is None:
        return None
    name, snapshot = found
    if not _here(snapshot):
        whose = ", task ".join(snapshot.params.get(key, "?")[:40] for key in ("case", "task"))
        st.error(
            f"That saved view belongs to case {words.plain(whose)}, which is not on this server: open its link on the "
            f"Crossover that saved it. {TODAY}",
            icon=":material/error:",
        )
        return None
    if links.asks(NAMED, name):
        links.wrote(NAMED, name)
        said = {key: value for key, value in st.query_params.to_dict().items() if key in view.PARAMS}
        # What the link says besides was picked on the saved view; its numbers are those of its own case and task.
        own = {key: value for key, value in snapshot.params.items() if key in ("case", "task")}
        params = {**snapshot.params, **said, **own}
        st.session_state[view.KEPT] = params
        links.put(view.PARAMS, params)
    return snapshot


def _here(snapshot: Snapshot) -> bool:
    """Whether the case and the task that were saved are what its parameters lead to here."""
    found = view.resolve(snapshot.params, {}, registry.cases())
    return (found.case.slug, found.task.slug) == (snapshot.params.get("case"), snapshot.params.get("task"))


def about(snapshot: Snapshot) -> None:
    """What a saved view is called, and who saved it when."""
    st.markdown(f"**:material/bookmark: {words.plain(snapshot.title)}**")
    if snapshot.note:
        st.markdown(words.plain(snapshot.note))
    by = f" by {words.plain(snapshot.by)}" if snapshot.by else ""
    st.caption(f"Saved on {words.plain(snapshot.made[:10])}{by}; the numbers are those of that day.")


def banner(snapshot: Snapshot) -> None:
    """What a saved view is, above it."""
    with st.container(border=True, gap="xsmall"):
        about(snapshot)
        with view.said():
            more = takeaway.newer(snapshot)
            told = (
                f"{more} newer {'run is' if more == 1 else 'runs are'} here now." if more else "No newer run is here."
            )
            st.caption(told)
        st.button(
            "Show the runs of today", icon=":material/update:", type="tertiary", on_click=links.drop, args=(NAMED,)
        )
