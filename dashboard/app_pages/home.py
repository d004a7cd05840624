"""The front door: the question, the cases with who wins where, and the way to one's own voice and one's own task."""

from __future__ import annotations

import streamlit as st

from dashboard import findings, theme, view, words
from dashboard.figures.thumbnail import thumbnail
from dashboard.measured import load
from engines import registry
from engines.core import CaseStudy, Task
from engines.runs import Point

PICTURE = (560, 150)
LINKED = ("case", "task", "budget", "saved", "look", "published")

# A link to the site's root that says what to show means Explore.
if any(name in st.query_params for name in LINKED):
    st.switch_page("app_pages/explore.py", query_params=dict(st.query_params))


def telling(case: CaseStudy) -> tuple[Task, list[Point]]:
    """The task that tells most: real data before simulated, then the most runs; and its main points."""
    every = []
    for task in case.tasks:
        here = [p for p in findings.main_points(load(case, task).points) if not (p.reference or p.reading)]
        every.append((bool(here) and not task.simulated, len(here), task, here))
    *_, task, here = max(every, key=lambda each: each[:2])
    return task, here


def winners(case: CaseStudy, task: Task, points: list[Point]) -> str:
    """Who leads with the least and with the most data that all were measured with, in one sentence."""
    names = {point.engine for point in points}
    each = [{point.budget for point in points if point.engine == name} for name in names]
    shared = sorted(set.intersection(*each)) if each else []
    if len(names) < 2 or not shared:
        return "Not enough runs yet to say who wins."
    ends = []
    for budget in dict.fromkeys((shared[0], shared[-1])):
        here = sorted((point for point in points if point.budget == budget), key=lambda point: point.mean)
        here = here if task.metric.lower_is_better else here[::-1]
        first, second = here[:2]
        _, clear = findings.difference(first, second, task.metric)
        leads = findings.spoken(case, first.engine) if clear else "nobody clearly"
        ends.append(f"with {words.amount(budget, task.unit)} {leads}")
    sentence = ", ".join(ends)
    return f"Who leads: {sentence}."


def card(case: CaseStudy) -> None:
    task, points = telling(case)
    lines: dict[str, list[tuple[float, float]]] = {}
    shapes = {point.engine: point.shape for point in points}
    for point in sorted(points, key=lambda point: point.budget):
        lines.setdefault(point.engine, []).append((point.budget, point.mean))
    link = {"case": case.slug, "task": task.slug}
    with st.container(border=True, gap="xsmall", height="stretch"):
        st.markdown(f"## {case.title}")
        st.markdown(case.question)
        if lines:
            st.image(
                thumbnail([(theme.colour(shapes[name]), line) for name, line in lines.items()], *PICTURE),
                width="stretch",
                alt=f"{words.title(task.metric.name)} of each approach against the amount of data: {view.title(task)}",
            )
            st.caption(f"{view.title(task)}: {task.metric.name} against {task.unit}")
        st.markdown(f"**{winners(case, task, points)}**")
        with st.container(horizontal=True, gap="small"):
            st.page_link(
                "app_pages/explore.py", label="See the curves", icon=":material/show_chart:", query_params=link
            )
            st.page_link("app_pages/try_it.py", label="Try it yourself", icon=":material/mic:", query_params=link)


st.title("Given this much data: a pipeline of stages, or one end-to-end network?")
st.markdown(
    "A rule of thumb says that with little data the traditional pipeline wins, with a great deal the end-to-end "
    "network, and in between a hybrid may. Here it is measured: three ways to build the same thing, trained on growing "
    "amounts of the same data, scored on the same test."
)
signs = (("pipeline", "pipeline"), ("hybrid", "hybrid"), ("end_to_end", "end-to-end"))
st.markdown(" · ".join(f":{theme.MARKDOWN[shape]}[{theme.SIGNS[shape]}] {name}" for shape, name in signs))
every = list(registry.cases().values())
for start in range(0, len(every), 2):
    for column, case in zip(st.columns(2, gap="medium"), every[start : start + 2], strict=False):
        with column, view.said():
            card(case)
with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
    st.markdown("**Your own task?** Four measured points are enough for a forecast, a price and what to measure next.")
    st.page_link("app_pages/advisor.py", label="Ask the Advisor", icon=":material/lightbulb:")
    st.page_link("app_pages/lecture.py", label="The lecture, claim by claim", icon=":material/school:")
