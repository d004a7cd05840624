"""The front door: the question, the cases with who wins where, and the way to one's own voice and one's own task."""

from __future__ import annotations

import streamlit as st

from dashboard import theme, view, words
from dashboard.figures.thumbnail import thumbnail
from dashboard.front import drawn, telling, winners
from engines import registry
from engines.core import CaseStudy

PICTURE = (560, 150)
# kind of a task's input -> how the way to an input of one's own is called
TRY = {"waveform": ("Try it with your voice", ":material/mic:")}
OTHERWISE = ("Try it yourself", ":material/play_circle:")
LINKED = ("case", "task", "budget", "saved", "look", "published")

# A link to the site's root that says what to show means Explore.
if any(name in st.query_params for name in LINKED):
    st.switch_page("app_pages/explore.py", query_params=dict(st.query_params))


def card(case: CaseStudy) -> None:
    task, points = telling(case)
    lines: dict[str, list[tuple[float, float]]] = {}
    shapes = {point.engine: point.shape for point in points}
    for point in sorted(drawn(points), key=lambda point: point.budget):
        lines.setdefault(point.engine, []).append((point.budget, point.mean))
    # The first engine of each shape is drawn in full, its variants thin behind it.
    leading = {info.shape: info.name for info in reversed(case.engines) if info.name in lines}.values()
    full, thin = (
        [(theme.colour(shapes[name]), line) for name, line in lines.items() if (name in leading) is wanted]
        for wanted in (True, False)
    )
    link = {"case": case.slug, "task": task.slug}
    with st.container(border=True, gap="xsmall", height="stretch"):
        st.markdown(f"## {case.title}")
        st.markdown(case.question)
        if lines:
            st.image(
                thumbnail(full, *PICTURE, variants=thin),
                width="stretch",
                alt=f"{words.title(task.metric.name)} of each approach against the amount of data: {view.title(task)}",
            )
            st.caption(f"{view.heading(task)}: {task.metric.name} against {task.unit}")
        st.markdown(f"**{winners(case, task, points)}**")
        with st.container(horizontal=True, gap="small"):
            st.page_link(
                "app_pages/explore.py", label="See the curves", icon=":material/show_chart:", query_params=link
            )
            label, icon = TRY.get(task.x.kind, OTHERWISE)
            st.page_link("app_pages/try_it.py", label=label, icon=icon, query_params=link)


st.title("Given this much data: a pipeline of stages, or one end-to-end network?")
st.markdown(
    "A rule of thumb says that with little data the traditional pipeline wins, with a great deal the end-to-end "
    "network, and in between a hybrid may. Here it is measured: three ways to build the same thing, trained on growing "
    "amounts of the same data, scored on the same test."
)
st.page_link("app_pages/tour.py", label="Take the tour: one case in five steps", icon=":material/tour:")
signs = (("pipeline", "pipeline"), ("hybrid", "hybrid"), ("end_to_end", "end-to-end"))
st.markdown(" · ".join(f":{theme.MARKDOWN[shape]}[{theme.SIGNS[shape]}] {name}" for shape, name in signs))
every = list(registry.cases().values())
for start in range(0, len(every), 2):
    for column, case in zip(st.columns(2, gap="small"), every[start : start + 2], strict=False):
        with column, view.said():
            card(case)
with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
    st.markdown("**Your own task?** Four measured points are enough for a forecast, a price and what to measure next.")
    st.page_link("app_pages/advisor.py", label="Ask the Advisor", icon=":material/lightbulb:")
    st.page_link("app_pages/lecture.py", label="The lecture, claim by claim", icon=":material/school:")
