"""The lecture, claim by claim: what our runs and published results say of it, and the verdict by rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard import background, measured, view, words
from engines import claims, registry
from engines.claims import Evidence, Judged
from engines.core import UserError
from engines.runs import RunStore

POLL = 0.5
SIGNS = {
    "supported": (":material/check_circle:", "green"),
    "contradicted": (":material/cancel:", "red"),
    "mixed": (":material/contrast:", "orange"),
    "not testable here": (":material/help:", "gray"),
}
# Where that is shown which is no score against data.
PAGES = {"data": ("Data and methods", ":material/database:"), "gate": ("The gate", ":material/door_front:")}
SPEAKS = {
    "for": ":material/add_circle: For:",
    "against": ":material/do_not_disturb_on: Against:",
    "nothing": ":material/radio_button_unchecked: Undecided:",
}


def judged() -> tuple[Judged, ...] | None:
    """All claims, judged once for each state of what was measured; None while that is being done."""
    store = RunStore()
    states = " ".join(state(store.root / slug) for slug in registry.cases())
    return background.ask(f"claims {store.root} {states}", lambda: claims.judge(store))


def state(folder: Path) -> str:
    """A name for what claims are held against in a case's folder: its runs, and a gallery that grew."""
    gallery = folder / "gallery.json"
    return f"{measured.state(folder / 'runs')} {gallery.stat().st_mtime_ns if gallery.exists() else 0}"


@st.fragment(run_every=POLL)
def awaited() -> None:
    try:
        ready = judged() is not None
    except UserError:
        ready = True  # the page tells it
    if ready:
        st.rerun()
    st.caption(":material/hourglass_top: The claims are being held against the runs; it takes a few seconds.")


def draw(each: Judged) -> None:
    """One claim: the words, the verdict, and what speaks."""
    sign, colour = SIGNS[each.verdict]
    with st.container(border=True, gap="small"):
        st.markdown(f"#### {each.claim.number}. “{each.claim.text}”")
        about = "All cases" if each.claim.case == "any" else _title(each.claim.case)
        st.markdown(
            f":{colour}-badge[{sign} {words.title(each.verdict)}] :gray[{about} · tested by: {_plain(each.claim.test)}]"
        )
        ours, others = st.columns(2, gap="medium")
        with ours.container(gap="xsmall"):
            evidence("Measured here", each.measured, "No run of ours tests this yet.")
        with others.container(gap="xsmall"):
            evidence("Published by others", each.published, "Nothing published that we know can be compared.")


def evidence(title: str, found: Sequence[Evidence], none: str) -> None:
    st.markdown(f"**{title}**")
    if not found:
        st.caption(none)
    for each in found:
        # A number and its per cent stay on one line.
        text = words.plain(each.text).replace(" %", "\u00a0%")
        st.markdown(f":small[{SPEAKS[each.speaks]} {text}]")
        if not each.measured:
            st.caption(f"Source: {words.plain(each.source)}")
        elif each.source != claims.HERE:
            st.caption(words.title(each.source))
        link(each)


def link(each: Evidence) -> None:
    """To the view of Explore that shows it; of what is no score, to the page that does."""
    if each.case not in registry.cases():
        return
    if each.page in PAGES:
        label, icon = PAGES[each.page]
        st.page_link(f"app_pages/{each.page}.py", label=f"See it on {label}", icon=icon)
        return
    task = each.task or registry.case(each.case).tasks[0].slug
    params = {"case": each.case, "task": task}
    if each.budget is not None:
        params["budget"] = f"{each.budget:g}"
    if each.published:
        params["published"] = each.published
    st.page_link("app_pages/explore.py", label="See it on Explore", icon=":material/show_chart:", query_params=params)


def _title(slug: str) -> str:
    return registry.case(slug).title if slug in registry.cases() else slug.replace("_", " ").capitalize()


def _plain(test: str) -> str:
    plain = test.replace("end_to_end", "end-to-end").replace(">=", "at least as good as").replace(">", "better than")
    return re.sub(r"\d{4,}", lambda number: f"{int(number[0]):,}", plain)


st.title("The lecture, claim by claim")
st.markdown(
    "Andrew Ng's lecture on end-to-end deep learning makes thirteen claims that can be tested. Each is turned into "
    "comparisons of scores. One of ours speaks for or against the claim when two approaches, each by the best way in "
    "which it was built, differ by more than 1.96 standard errors on the same test; one of published results when they "
    "share a test set and were trained on amounts of data within half a decade of each other. **Supported**: all that "
    "speak speak for it; **contradicted**: all speak against it; **mixed**: some do one, some the other; **not "
    "testable here**: none speaks. The verdicts are worked out from the runs, and change with them: "
    "`python -m engines claims` prints the same."
)
with view.said():
    found = judged()
    if found is None:
        awaited()
    else:
        counts = Counter(each.verdict for each in found)
        st.markdown(
            "  ".join(
                f":{colour}-badge[{sign} {counts[verdict]} {verdict}]" for verdict, (sign, colour) in SIGNS.items()
            )
        )
        for each in found:
            draw(each)
