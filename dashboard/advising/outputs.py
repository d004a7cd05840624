"""The Advisor's answer, drawn: sentences first, then the chart, what it costs, how to collect, what to measure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import background
from dashboard.advising import inputs, report, saved, starts
from dashboard.advising.answer import Answer, answer
from dashboard.advising.asked import Asked, asked
from dashboard.advising.drawing import LOOKS, figure
from dashboard.advising.question import Question
from dashboard.advising.reading import Read, read
from dashboard.advising.telling import Telling
from dashboard.words import plain
from engines.core import UserError

POLL = 0.5  # seconds between two looks at an answer that is being worked out
READ = "advisor_read"
EXAMPLE = "published/translation/WMT13 en-es"


def show(question: Question, top: DeltaGenerator, below: DeltaGenerator, right: DeltaGenerator) -> None:
    """Draw the answer: its sentences at the `top`, what is wrong `below` the table, the rest at the `right`."""
    numbers, wrong = asked(question)
    try:
        points = _read(question)
    except UserError as error:
        top.info(plain(str(error)), icon=":material/info:")
        _told(below, wrong)
        return
    _told(below, (*points.problems, *wrong))
    for note in points.notes:
        below.caption(plain(note))
    if not points.series:
        _nothing_yet(top, right)
        return
    work = partial(answer, question, points, numbers)
    name = _name(question, points, numbers)
    try:
        found = background.ask(name, work)
    except UserError as error:
        top.info(plain(str(error)), icon=":material/info:")
        return
    with top:
        if found is None:
            _awaited(name, work)
            return
        st.markdown("  \n".join(f"**{plain(sentence)}**" for sentence in found.sentences))
    with right:
        _chart(question, found)
        _tables(found)
        _take_away(question, found)


def _read(question: Question) -> Read:
    """The points, read once for each table: a long one takes seconds."""
    made_of = (question.rows, question.higher, question.best, question.score_unit)
    kept = st.session_state.get(READ)
    if kept and kept[0][0] is made_of[0] and kept[0][1:] == made_of[1:]:
        found: Read = kept[1]
        return found
    found = read(question)
    st.session_state[READ] = (made_of, found)
    return found


def _name(question: Question, points: Read, numbers: Asked) -> str:
    """A name for all that the answer depends on."""
    digest = hashlib.sha256(repr((replace(question, rows=(), look=""), points.best, numbers)).encode())
    for series in points.series:
        digest.update(series.name.encode())
        for values in (series.sizes, series.scores, series.errors):
            digest.update(values.tobytes())
    return f"advice {digest.hexdigest()}"


def _told(place: DeltaGenerator, sentences: Sequence[str]) -> None:
    if sentences:
        place.warning("  \n".join(plain(sentence) for sentence in sentences), icon=":material/warning:")


def _nothing_yet(top: DeltaGenerator, right: DeltaGenerator) -> None:
    top.info(
        "Fill in amounts of data and scores: the answer appears here as you type. Four points an approach are enough.",
        icon=":material/edit:",
    )
    with right, st.container(border=True):
        st.markdown(
            "**What you will see here**\n\n- when one approach overtakes the other, how sure that is, or never\n"
            "- how much data a score takes, and what it costs\n- in which rounds to collect, and what to measure next"
        )
        offered = {name: start for name, start in starts.starts().items() if name == EXAMPLE}
        for start in offered.values():
            st.button(
                "Show me with published points",
                icon=":material/play_arrow:",
                on_click=lambda start=start: inputs.take(start.make(), start.source),
            )


@st.fragment(run_every=POLL)
def _awaited(name: str, work: partial[Answer]) -> None:
    try:
        ready = background.ask(name, work) is not None
    except UserError:
        ready = True
    if ready:
        st.rerun()
    st.caption(":material/hourglass_top: The answer is being worked out.")


def _chart(question: Question, found: Answer) -> None:
    telling = Telling(question)
    looks = [look for look in LOOKS if look * found.reach <= found.horizon * (1 + 1e-9)]
    slot = st.container()
    look = _look(question, telling, found, looks)
    slot.plotly_chart(
        figure(found.lines, found.overtaking, telling, found.reach, look),
        key="advisor_chart",
        config={"displayModeBar": False},
        alt=" ".join(found.sentences),
    )
    st.caption(
        "Line: mean of the points; band: 95 % interval. Dashes: forecast, its band holds nine times in ten."
        + (" On the axis: the 90 % interval of the crossover, its median a diamond." if found.overtaking else "")
    )


def _look(question: Question, telling: Telling, found: Answer, looks: Sequence[float]) -> float:

    def short(size: float) -> str:
        return telling.size(size).removesuffix(telling.unit or "units").strip()

    nearest = min(looks, key=lambda look: abs(look - _number(question.look)))
    chosen = st.segmented_control(
        "How far to look",
        looks,
        default=nearest,
        required=True,
        format_func=lambda look: "your data" if look == 1 else f"to {short(look * found.reach)}",
        key=inputs.key("look"),
    )
    return float(chosen or nearest)


def _tables(found: Answer) -> None:
    for title, rows in report.sections(found):
        st.subheader(title)
        # A table that wraps is read at once on any screen; these have a row an approach.
        table = pd.DataFrame([{plain(name): plain(cell) for name, cell in row.items()} for row in rows])
        st.table(table.set_index("Approach").rename_axis(None), border="horizontal")
    if found.plan:
        st.subheader("How to collect")
        st.markdown("\n".join(f"- {plain(step)}" for step in found.plan))
    if found.measurement:
        st.subheader("What to measure next")
        st.markdown(plain(found.measurement))
    if found.warnings:
        st.subheader("What to know")
        st.markdown("\n".join(f"- {plain(warning)}" for warning in found.warnings))


def _take_away(question: Question, found: Answer) -> None:
    st.subheader("Take it with you")
    telling = Telling(question)
    files = (
        # Made when it is asked for: with the chart's own script it has 5 MB.
        ("Report (HTML)", "advice.html", "text/html", ":material/description:", lambda: report.html(
            question, found, figure(found.lines, found.overtaking, telling, found.reach, _number(question.look))
        )),
        ("Numbers (CSV)", "advice.csv", "text/csv", ":material/table:", lambda: report.facts(found)),
        ("Your points (CSV)", "points.csv", "text/csv", ":material/download:", lambda: report.points(question)),
    )  # fmt: skip
    with st.container(horizontal=True):
        for label, name, mime, icon, make in files:
            st.download_button(label, make, file_name=name, mime=mime, icon=icon, on_click="ignore")
    st.caption("The address of this page holds all that you entered: copy it to come back or to share it.")
    with st.expander("Save it under a short link", icon=":material/bookmark_add:"):
        saved.offer(question, found)


def _number(look: str) -> float:
    return max(1.0, float(look)) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?", look) else 10.0
