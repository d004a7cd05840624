"""An input made as a visitor chooses, where a case can make one: a row of choices and a button."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.words import plain
from engines.core import CaseStudy, Choice, Task, UserError, resolve

SOURCE = "made here"


def offer(case: CaseStudy, task: Task, key: str) -> None:
    """Draw the choices; a click makes the input the current one."""
    if not case.make:
        return
    st.markdown("Make one")
    with st.popover("Choose what is simulated", icon=":material/tune:"):
        chosen = {choice.name: _widget(choice, key) for choice in case.choices}
        st.caption("Simulated; not for clinical use.")
        st.button("Make it", key=f"{key}-make", on_click=_made, args=(case, task, chosen))
    _told(case)


def _widget(choice: Choice, key: str) -> float | str:
    name = f"{key}-{choice.name}"
    if choice.options:
        return str(st.segmented_control(choice.title, choice.options, default=choice.options[0], key=name) or "")
    label = f"{choice.title} ({choice.unit})" if choice.unit else choice.title
    digits = 0 if choice.step == int(choice.step) else 1 if round(10 * choice.step, 9).is_integer() else 2
    shape = f"%.{digits}f"
    return float(st.slider(label, choice.low, choice.high, choice.start, choice.step, format=shape, key=name))


def _told(case: CaseStudy) -> None:
    """What is true of an input that was made here, and nobody could know of another."""
    from dashboard.panels import inputs

    clip = inputs.current(case)
    if clip is not None and clip.source == SOURCE and clip.truth:
        st.caption(f"Made so: {plain(clip.truth)}. Simulated; not for clinical use.")


def _made(case: CaseStudy, task: Task, chosen: dict[str, Any]) -> None:
    from dashboard.panels import inputs

    try:
        content, name, truth = resolve(case.make)(task, **chosen)
    except UserError as error:
        st.session_state[inputs.of(inputs.PROBLEM, case)] = str(error)
        return
    inputs.take(case, task, inputs.Clip(name, content, SOURCE, truth))
