"""Explore: with this much data, which approach makes fewer errors?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import cards, charts, drawn, faults, findings, maps, outlook, sharing, view, words
from dashboard.measured import Measured, load
from engines.core import Task
from engines.datasets.published import PublishedGroup
from engines.runs import Point

CHART = "explore_chart"
POLL = 0.5  # seconds between two looks at a forecast that is being worked out


@st.fragment
def at_budget(measured: Measured) -> None:
    """All that depends on the budget: picking another one redraws this alone."""
    with drawn.TURN:
        redraw(measured)


def redraw(measured: Measured) -> None:
    shown = view.current()
    case, task = shown.case, shown.task
    options = sorted({*task.budgets, *measured.budgets()})
    budget = view.pick_budget(shown, options, default=measured.usual())
    test = view.pick_test(shown, {point.test for point in measured.points})
    if test in task.variants:
        st.caption(f"{_plain(test)}: {task.variants[test]}.")
    here = replace(measured, points=findings.on_test(measured.points, test))
    st.title(findings.titled(case, task, here.points, budget, test))
    found = None
    if here.points:
        found = outlook.outlook(case, task, here.points)
        if found is None:
            awaited(shown, here)
        elif told := outlook.sentence(case, task, found):
            st.markdown(f"**{told}**")
    chart, beside = st.columns([2, 1], gap="medium")
    with chart, view.said():
        if measured.points:
            draw(shown, here, budget, options, found)
        else:
            empty(shown)
    with beside:
        cards.column(shown, here, budget)
        cards.elsewhere(shown, measured, budget)
    if measured.points:
        behind(shown, measured, budget, test)
        maps.offer(case, task, here.points)
        if measured.snapshot is None and test == "test":  # a saved view holds scores, and kinds are of the main test
            faults.offer(case, task)
        sharing.offer(shown, measured, budget)


@st.fragment(run_every=POLL)
def awaited(shown: view.View, measured: Measured) -> None:
    """What stands in the place of the forecast while it is worked out; then the page is drawn anew."""
    if outlook.outlook(shown.case, shown.task, measured.points) is not None:
        st.rerun()
    st.caption(":material/hourglass_top: The forecast is being worked out; what was measured is all here.")


def draw(
    shown: view.View, measured: Measured, budget: float, options: list[float], found: outlook.Outlook | None
) -> None:
    """The chart, with its finding above, what it shows chosen below, and how the other engines compare."""
    case, task = shown.case, shown.task
    finding = drawn.once(
        ("headline", case.slug, task.slug, drawn.of(measured.points)),
        lambda: findings.headline(case, task, measured.points),
    )
    st.subheader(finding)
    slot = st.container()
    look, reach = 1.0, max(measured.budgets(), default=0.0)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if found and found.ahead:
            look = view.pick_look(outlook.LOOKS, reach, task.unit)
        group = view.pick_published(case.slug)
    alike = group is not None and group.shares_axes(task.metric, task.unit)
    there = {point.engine for point in measured.points}
    chosen = view.pick_curves(shown, there, lambda name: findings.short(case, name))
    here = findings.drawn(measured.points, chosen)
    layer = group if group and alike else None
    of = drawn.of(here)
    foretold = found and drawn.of(measured.points)  # a forecast is made of all points, whichever are drawn
    name = ("curves", case.slug, task.slug, budget, look, reach, foretold, layer and layer.test_set, of)
    slot.plotly_chart(
        drawn.once(name, lambda: charts.curves(case, task, here, budget, found, look, layer, reach)),
        key=CHART,
        on_select=lambda: clicked(options),
        selection_mode="points",
        config={"displayModeBar": False},
        alt=finding,
    )
    st.caption(charts.reading(found, here, look))
    if found and found.notes:
        st.caption("\n".join(f"- {note}" for note in found.notes))
    if group:
        others(group, alike)
    told = drawn.once(("further", case.slug, task.slug, of), lambda: findings.further(case, task, here))
    st.markdown("\n".join(f"- {sentence}" for sentence in told))
    told = drawn.once(("variants", case.slug, task.slug, of), lambda: findings.variants(case, task, here))
    if told:
        with st.expander("What the variants of an approach are worth", icon=":material/alt_route:"):
            st.markdown("\n".join(f"- {sentence}" for sentence in told))


def others(group: PublishedGroup, alike: bool) -> None:
    """What others published: on axes of its own where the units are not the task's, and always with its sources."""
    hangs = "Where such lines cross hangs on how each system was built and tuned too, and on what it was tested on."
    if alike:
        st.caption(
            f"Thin lines: {group.title}, published by others and measured on other data than ours. "
            f"{hangs} Hover over a point for its source."
        )
    elif group.sized:
        st.markdown(f"**Published by others, on axes of its own: {group.title}**")
        st.plotly_chart(
            charts.published_curves(group),
            key="explore_published",
            config={"displayModeBar": False},
            alt=f"Published results: {group.title}",
        )
        st.caption(
            f"Its units are {group.metric} against {group.unit}, not those of the chart above: heights and amounts "
            f"cannot be compared. {hangs} Hover over a point for its source."
        )
    else:
        st.caption(f"{group.title}: no source says how much data was used, so there is no curve to draw.")
    sources = st.expander("The published points and their sources", icon=":material/menu_book:")
    sources.dataframe(
        pd.DataFrame(charts.published_table(group)), hide_index=True, alt=f"Published results on {group.test_set}"
    )


def behind(shown: view.View, measured: Measured, budget: float, test: str) -> None:
    """What stands behind the chart: the table and, of the main test set, which stage the errors come from."""
    case, task = shown.case, shown.task
    behind_it = st.expander(
        "The table behind the chart", icon=":material/table_chart:", key="explore_table", on_change="rerun"
    )
    # The browser loads what draws tables only for those who open it.
    if behind_it.open:
        table = pd.DataFrame(charts.table(case, task, measured.points))
        behind_it.dataframe(table, hide_index=True, alt=f"Every measured point of {task.title}")
        behind_it.download_button(
            "Download as CSV",
            table.to_csv(index=False),
            file_name=f"{case.slug}_{task.slug}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    if test != view.TEST:
        return
    name = ("blame", case.slug, task.slug, budget, drawn.of(measured.points))
    blame = drawn.once(name, lambda: charts.blame(case, task, measured.points, budget))
    if blame:
        st.subheader("Where the errors come from")
        st.markdown(charts.blamed(case, task, measured.points, budget))
        st.plotly_chart(blame, config={"displayModeBar": False}, alt="The score when a stage is replaced by the truth")
        st.caption(told_of_oracles(task, budget, findings.oracles(measured.points, budget)))


def told_of_oracles(task: Task, budget: float, oracles: Sequence[Point]) -> str:
    """How to read the bars: what is left, and why the truth may make an answer worse."""
    lower = task.metric.lower_is_better
    left = "the errors that are left are" if lower else "what a full score still lacks is"
    worse = [p for p in oracles if p.as_is is not None and (p.mean > p.as_is if lower else p.mean < p.as_is)]
    return (
        f"With {words.amount(budget, task.unit)}, on the first {max((p.examples for p in oracles), default=0)} test "
        "examples, of the first seed. In the paler bars a stage's output is replaced by the truth: "
        f"{left} the doing of the other stages."
        + (
            " Where the truth makes it worse, what comes after had learned from that stage's own mistakes."
            if worse
            else ""
        )
    )


def empty(shown: view.View) -> None:
    """What stands in the place of the chart before the first run."""
    task = shown.task
    with st.container(border=True):
        st.subheader(f"No runs of “{view.heading(task)}” yet")
        count = len(task.budgets) * len(task.seeds) * sum(not info.reference for info in shown.case.engines)
        st.markdown(
            f"The curves appear here as soon as there are runs. This command makes all {count} of them; it can be "
            "stopped, and goes on where it stopped:"
        )
        st.code(f"python -m engines sweep {shown.case.slug} {task.option}", language="bash")
        st.markdown("Or start a single run on a card here.")


def clicked(options: list[float]) -> None:
    """A click on a point of the chart picks its budget."""
    for point in st.session_state[CHART].selection.points:
        budget = view.nearest(options, point["x"]) if point["x"] > 0 else None
        if budget and abs(budget / point["x"] - 1) < 0.01:
            view.set_budget(budget)


def _plain(test: str) -> str:
    return test.replace("_", " ").capitalize()


with view.said():
    saved = sharing.opened()
    if saved:
        sharing.banner(saved)
        page = view.current()
        at_budget(Measured(saved.points, {}, saved))
    else:
        page = view.pick()
        at_budget(load(page.case, page.task))
    view.sources(page.task)
