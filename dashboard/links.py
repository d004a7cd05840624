"""What the address of a page asks for, told from an echo of what the page wrote there itself.

A page writes its state into its address, and the browser sends the address with every click. A click that is made
before the browser has heard of the newest address brings an older one of the page's own: it asks for nothing, and what
the visitor did last must not give way to it. The same address asks for something when it comes from another page, from
the browser's Back, or later.
"""

from __future__ import annotations

import time
from collections.abc import Hashable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

WRITTEN, AT = "links_written", "links_at"
LATE = 10.0  # seconds in which a browser may still send an address that the page has replaced


def arrived(page: str) -> None:
    """A page is being drawn. What was written before the visitor came to it is no echo there."""
    if st.session_state.get(AT) != page:
        st.session_state[AT] = page
        st.session_state.pop(WRITTEN, None)


def asks(what: str, said: Hashable) -> bool:
    """Whether the address asks for what it has `said` of `what`: else the page wrote that itself."""
    replaced = _written(what).get(said)
    if replaced is None or _went_back():
        return True
    return replaced + LATE < time.monotonic()


def wrote(what: str, said: Hashable) -> None:
    """The page has put `said` into its address, in the place of what it said of `what` before."""
    now = time.monotonic()
    late = {older: min(replaced, now) for older, replaced in _written(what).items() if replaced + LATE > now}
    st.session_state[WRITTEN] = {**st.session_state.get(WRITTEN, {}), what: {**late, said: float("inf")}}


def _written(what: str) -> dict[Hashable, float]:
    """What was written, with the time at which something else took its place (never: infinity)."""
    written: dict[Hashable, float] = st.session_state.get(WRITTEN, {}).get(what, {})
    return written


def _went_back() -> bool:
    run = get_script_run_ctx()
    return run is not None and run.is_history_navigation
