"""What the address of a page asks for, told from an echo of what the page wrote there itself.

A page writes its state into its address, and the browser sends the address with every click. A click that is made
before the browser has heard of the newest address brings an older one of the page's own: it asks for nothing, and what
the visitor did last must not give way to it. The same address asks for something when it comes from another page, from
the browser's Back, or later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Hashable, Mapping

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

WRITTEN, AT, VISIT = "links_written", "links_at", "links_visit"
LATE = 10.0  # seconds in which a browser may still send an address that the page has replaced


def arrived(page: str) -> None:
    """A page is being drawn. What was written before the visitor came to it is no echo there."""
    if st.session_state.get(AT) != page:
        st.session_state[AT] = page
        st.session_state[VISIT] = visit() + 1
        st.session_state.pop(WRITTEN, None)


def visit() -> int:
    """Which visit to a page this is, counted in the session: another one after every switch of pages."""
    return int(st.session_state.get(VISIT, 0))


def asks(what: str, said: Hashable) -> bool:
    """Whether the address asks for what it has `said` of `what`: else the page wrote that itself."""
    replaced = _written(what).get(said)
    return replaced is None or went_back() or replaced + LATE < time.monotonic()


def late(what: str, said: Hashable) -> bool:
    """Whether what the address has `said` of `what` is what the page has since replaced."""
    return not asks(what, said) and _written(what)[said] < math.inf


def wrote(what: str, said: Hashable) -> None:
    """The page has put `said` into its address, in the place of what it said of `what` before."""
    now = time.monotonic()
    older = {each: min(replaced, now) for each, replaced in _written(what).items() if replaced + LATE > now}
    st.session_state[WRITTEN] = {**st.session_state.get(WRITTEN, {}), what: {**older, said: math.inf}}


def put(names: Collection[str], values: Mapping[str, str]) -> None:
    """Have the address say `values`, and nothing else of `names`: in one step, which is one step for Back."""
    before = st.query_params.to_dict()
    after = {**values, **{name: value for name, value in before.items() if name not in names}}
    if after != before:
        st.query_params.from_dict(after)


def drop(name: str) -> None:
    """Have the address say nothing of a parameter any more."""
    wrote(name, "")
    put((name,), {})


def went_back() -> bool:
    """Whether the browser's Back or Forward led here."""
    run = get_script_run_ctx()
    return run is not None and run.is_history_navigation


def _written(what: str) -> dict[Hashable, float]:
    """What was written, with the time at which something else took its place (never: infinity)."""
    written: dict[Hashable, float] = st.session_state.get(WRITTEN, {}).get(what, {})
    return written
