"""The gallery: views that somebody saved, to open as they were or with the runs of today."""

from __future__ import annotations

import streamlit as st

from dashboard import theme, view, words
from dashboard.figures.thumbnail import thumbnail
from engines import registry
from engines.views import Entry, ViewStore

A_PAGE = 24  # views drawn at once
PAGES = {"explore": "Explore", "advisor": "Advisor"}


def draw(entry: Entry, store: ViewStore) -> None:
    """One view: of Explore with its curves, of the Advisor with its answer."""
    with st.container(border=True, gap="xsmall"):
        if entry.curves:
            curves = [(theme.colour(shape), line) for shape, line in entry.curves]
            st.image(thumbnail(curves), width="stretch", alt=f"Curves of {entry.title}")
        st.markdown(f"**{words.plain(entry.title or 'Without a title')}**")
        slug = entry.params.get("case", PAGES[entry.page])
        about = registry.case(slug).title if slug in registry.cases() else slug
        by = f" · {words.plain(entry.by)}" if entry.by else ""
        st.caption(f"{words.plain(about)} · {words.plain(entry.made[:10])}{by}")
        for text in (entry.params.get("answer", ""), entry.note.replace("\n", " ")):
            if text:
                st.markdown(f":small[{words.plain(text)}]")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            page = f"app_pages/{entry.page}.py"
            st.page_link(page, label="Open", icon=":material/visibility:", query_params={"saved": entry.id})
            if entry.page == "explore":
                params = dict(entry.params)
                st.page_link(page, label="With the runs of today", icon=":material/update:", query_params=params)
            with st.popover("Delete", icon=":material/delete:", type="tertiary"):
                st.markdown("It goes from the gallery for everyone. Its link goes on working for those who have it.")
                if st.button("Delete it", key=f"delete_{entry.id}"):
                    with view.said():
                        store.unlist(entry.id)
                        st.rerun()


st.title("Saved views")
st.markdown(
    "Views of Explore and answers of the Advisor that somebody saved with their numbers, so that a link shared in "
    "March shows in June what it showed in March. Save one under its chart."
)
store = ViewStore()
search = st.text_input(
    "Search", key="gallery_search", placeholder="words of the title, the note, the case, who saved it"
)
with view.said():
    every, damaged = store.entries(search)
    found = [entry for entry in every if entry.page in PAGES]
    if damaged:
        st.warning(f"{damaged} of the gallery's files cannot be read and are not shown.", icon=":material/warning:")
    if not found:
        st.info(
            f"No saved view says “{words.plain(search)}”." if search else "Nobody has saved a view yet.",
            icon=":material/bookmark:",
        )
        if not search:
            st.page_link("app_pages/explore.py", label="Find one on Explore", icon=":material/show_chart:")
    columns = st.columns(3, gap="medium") if found else []
    for place, entry in enumerate(found[:A_PAGE]):
        with columns[place % 3]:
            draw(entry, store)
    if len(found) > A_PAGE:
        st.caption(f"The latest {A_PAGE} of {len(found)} are shown: search for the others.")
