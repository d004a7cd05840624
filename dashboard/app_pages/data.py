"""Data and methods: what each task's data is and under which terms; how each engine is built, tuned, and by how much
code."""

from __future__ import annotations

import streamlit as st

from dashboard import findings, theme, view, words
from dashboard.measured import load
from engines import registry
from engines.claims import design
from engines.core import CaseStudy, EngineInfo, Task
from engines.datasets import Dataset, dataset, find, how_to_get


def data(case: CaseStudy, task: Task) -> None:
    """One task: what is asked, and each of its data sets."""
    with st.container(border=True):
        st.subheader(view.heading(task))
        kind = "**Synthetic data**" if task.simulated else "**Real data**"
        budgets = words.span(task.budgets[0], task.budgets[-1], task.unit)
        counted = ""
        with view.said():
            counted = seeds(case, task)
        st.markdown(
            f"{words.plain(task.summary)}\n\n{kind}; {len(task.budgets)} budgets from {budgets}{counted}; scored by "
            f"{task.metric.name}."
        )
        signed = [f"{each.name}: {each.signature}" for each in (task.metric, *task.beside) if each.signature]
        if signed:
            st.caption(words.plain(f"How it is scored: {'; '.join(signed)}."))
        for test, what in task.variants.items():
            st.caption(f"Further test set, {test.replace('_', ' ')}: {what}.")
        for name in task.datasets:
            with view.said():
                st.markdown("  \n".join(lines(dataset(name))))
        if not task.datasets:
            st.caption("Made by the task itself from a seed; there is nothing to cite.")


def seeds(case: CaseStudy, task: Task) -> str:
    """ ", 1 to 3 seeds each", as the READMEs' tables count them from what was measured; "" where nothing was.

    Raises:
        UserError: a file of the store cannot be read.
    """
    counts = sorted({len(p.seeds) for p in findings.main_points(load(case, task).points) if not p.reference})
    if not counts:
        return ""
    span = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    return f", {span} {'seed' if counts[-1] == 1 else 'seeds'} each"


def lines(entry: Dataset) -> list[str]:
    """A data set: what it is, its terms, whom to cite, how large it is."""
    told = [f"**[{entry.title}]({entry.page})**: {entry.what}", f":gray[Licence:] {entry.licence}"]
    told.append(f":gray[Cite:] {entry.citation}")
    if entry.generated:
        return [*told, ":gray[Size:] generated here from a seed; nothing is downloaded"]
    size = [f"{entry.rows:,} rows"] if entry.rows else []
    if entry.bytes:
        size.append(f"{entry.bytes / 1e6:,.0f} MB to download" if entry.bytes >= 1e6 else "under 1 MB to download")
    told.append(f":gray[Size:] {', '.join(size) or 'not known'}")
    return [*told, f":gray[On this machine:] {'yes' if find(entry.name) else f'no: {how_to_get(entry.name)}'}"]


def engine(info: EngineInfo, effort: design.Effort | None, built: str) -> None:
    """One engine: its stages, what it was given, how much code it is, and how it is `built` in detail."""
    with st.container(border=True, gap="xsmall"):
        badge = " :gray-badge[reference]" if info.reference else ""
        st.markdown(f":{theme.MARKDOWN[info.shape]}[{theme.SIGNS[info.shape]}] **{info.title}**{badge}")
        st.markdown(info.summary)
        chain = "; or ".join(" → ".join(stage.replace("_", " ") for stage in each) for each in design.stages(info))
        lines = [f":gray[Stages:] {chain}"] if chain else []
        given = words.listing(list(info.supervision)) or "nothing"
        lines.append(f":gray[Given besides the pairs:] {given}")
        if info.readings:
            lines.append(f":gray[Also read] {words.listing(list(info.readings.values()))}")
        if effort:
            own = "all" if effort.own == effort.lines else f"{effort.own:,}" if effort.own else "none"
            lines.append(f":gray[Written by hand:] {effort.lines:,} lines, {own} of them for this engine alone")
        st.markdown("  \n".join(lines))
        if built:
            with st.expander("In detail", icon=":material/build:"):
                st.markdown(built)


def built(case: CaseStudy) -> None:
    st.subheader(f"How the engines of {case.title} are built")
    efforts = design.effort(case)
    each, tuned = design.told(case)
    for info in case.engines:
        engine(info, efforts.get(info.name), each.get(info.name, ""))
    if tuned:
        with st.expander("How they were tuned, and by which rules of the budget", icon=":material/tune:"):
            st.markdown(tuned)


def by_hand() -> None:
    """For every case, of the first engine of each shape: lines written by hand, and how much it was given."""
    shapes = ("pipeline", "hybrid", "end_to_end")
    heads = (f":{theme.MARKDOWN[shape]}[{theme.SIGNS[shape]}] {shape.replace('_', '-')}" for shape in shapes)
    rows = [f"| | {' | '.join(heads)} |", "|---|---:|---:|---:|"]
    for case in registry.cases().values():
        efforts, firsts = design.effort(case), findings.leading(case)
        cells = [
            f"{efforts[firsts[shape].name].lines:,}\u00a0+\u00a0{len(firsts[shape].supervision)}"
            if shape in firsts
            else "–"
            for shape in shapes
        ]
        rows.append(f"| {case.title} | {' | '.join(cells)} |")
    st.subheader("How much was designed by hand")
    st.markdown("Lines of code written by hand + how many things were given besides the pairs:")
    st.markdown("\n".join(rows))


st.title("Data and methods")
st.markdown(
    "Every figure in this dashboard comes from runs on the data below. A task is called synthetic where no person, "
    "place or event stands behind its examples."
)
by_hand()
st.caption(
    "Lines are counted from the source: every function, class and constant of this project's cases and their blocks "
    "that an engine names, and what those name in turn, its further readings included; without blank lines, comments "
    "and docstrings. Libraries are not counted, nor what all engines share. “For this engine alone”: no other engine "
    "of the case uses them."
)
for case in registry.cases().values():
    st.header(case.title)
    for task in case.tasks:
        data(case, task)
    built(case)
