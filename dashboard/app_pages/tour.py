"""The tour: one case in five steps, from the question to one's own. Every step has its link, and each can be left."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import charts, findings, front, models, outlook, panels, theme, view, words
from dashboard.panels import inputs
from engines import registry
from engines.core import CaseStudy, EngineInfo, Task, resolve
from engines.runs import Point
from engines.runs.store import ROOT

TITLES = (
    "One question, several ways to build",
    "With little data",
    "With all the data there is",
    "A look inside",
    "And your own task?",
)
# A sentence on each shape, for those who meet it for the first time.
WAYS = {
    "pipeline": "a chain of stages that people designed, each trained or written by itself",
    "hybrid": "some stages designed, some learned together",
    "end_to_end": "one network from input to output, with nothing designed in between",
}
ABREAST = 2  # engines side by side


def where() -> tuple[int, CaseStudy, Task]:
    """The step, the case and the task that the link names; what it leaves out or names wrongly is chosen here."""
    asked = st.query_params.to_dict()
    step = int(asked["step"]) if asked.get("step", "") in [str(number + 1) for number in range(len(TITLES))] else 1
    cases = registry.cases()
    if asked.get("case") in cases:
        case = cases[asked["case"]]
        task = next((each for each in case.tasks if each.slug == asked.get("task")), front.telling(case)[0])
        return step, case, task
    told = [(case, *front.telling(case)) for case in cases.values()]
    case, task, _ = max(told, key=lambda each: len(front.shared(each[2])))
    if "case" in asked:
        st.info(f"There is no case of that name here; this is {case.title}.", icon=":material/info:")
    return step, case, task


def go(label: str, step: int, icon: str = "", position: str = "left", to: str = "", quiet: bool = False) -> None:
    """A button to another step, of this case or of another. (A link to the page that is shown would change the page
    and not its address.)"""
    st.button(
        label,
        key=f"tour_{label}",
        icon=icon or None,
        icon_position=position,
        disabled=not 1 <= step <= len(TITLES),
        on_click=lambda: st.query_params.from_dict(
            {"case": to, "step": str(step)} if to else {"case": case.slug, "task": task.slug, "step": str(step)}
        ),
        type="tertiary" if quiet else "secondary",
    )


def question() -> None:
    st.markdown(f"**{case.question}**")
    st.markdown(
        f"Here: {words.plain(task.summary)}{' Its data are synthetic.' if task.simulated else ''} Each way below is "
        f"trained on the same data and scored on the same test, by {task.metric.name}."
    )
    for info in engines:
        with st.container(border=True, gap="xsmall"):
            st.markdown(
                f":{theme.MARKDOWN[info.shape]}[{theme.SIGNS[info.shape]}] **{info.title}**: {WAYS[info.shape]}"
            )
            st.caption(info.summary)


def curve(points: Sequence[Point], budget: float, alt: str) -> None:
    figure = charts.curves(case, task, front.drawn(points), budget)
    st.plotly_chart(figure, key="tour_chart", config={"displayModeBar": False}, alt=alt)


def little() -> None:
    least = budgets[0]
    st.markdown(f"**{findings.verdict(case, task, points, least)}**")
    curve(points, least, f"Learning curves of {task.title}, the least data marked")
    st.caption(
        f"The line is at {words.amount(least, task.unit)}. From there the curves go on to more data; the bands are "
        "95 % intervals."
    )


def much() -> None:
    most = budgets[-1]
    st.markdown(f"**{findings.verdict(case, task, points, most)}**")
    finding = findings.headline(case, task, points)
    curve(points, most, finding)
    st.markdown(finding)
    found = outlook.outlook(case, task, points)
    if found and (told := outlook.sentence(case, task, found)):
        st.markdown(f"And beyond the data, by forecast: {told[:1].lower()}{told[1:]}")


def inside() -> None:
    """The first example, answered by a pipeline and a network whose models are kept, step by step."""
    examples = resolve(case.examples)(task) if case.examples else ()
    kept = models.kept(case, task)
    first = {info.shape: info for info in reversed(engines) if info.name in kept}
    there = [first[shape] for shape in ("pipeline", "end_to_end", "hybrid") if shape in first][:ABREAST]
    common = set.intersection(*(set(kept[info.name]) for info in there)) if there else set()
    if not (examples and there and case.decode):
        st.info("No trained model of this task is kept, so there is nothing to look into.", icon=":material/info:")
        return
    file = ROOT / case.slug / "examples" / examples[0].path
    x = resolve(case.decode)(file.read_bytes(), file.name, task)
    title = words.plain(examples[0].title.removesuffix("."))
    st.markdown(
        f"An example: **{title}**. A pipeline can be watched at every stage; a network shows what it was asked to show."
    )
    if examples[0].note:
        st.caption(words.plain(examples[0].note))
    for column, info in zip(st.columns(len(there), gap="medium"), there, strict=True):
        with column, view.said():
            steps(info, max(common or kept[info.name]), x)
    if examples[0].truth:
        st.markdown(f"True answer: **{words.plain(examples[0].truth)}**")


def steps(info: EngineInfo, budget: float, x: object) -> None:
    name = f":{theme.MARKDOWN[info.shape]}[**{theme.SIGNS[info.shape]} {info.title}**]"
    st.markdown(f"{name} with {words.amount(budget, task.unit)}", width="content")
    with st.spinner(f"{info.title} is answering"):
        trace = models.answer(info, models.kept(case, task)[info.name][budget], task, x)
    colour, seconds = theme.COLOURS[info.shape], inputs.seconds(task, x)
    beside = panels.Beside(f"tour-{info.name}", seconds, colour, width=1000 // ABREAST)
    panels.steps(trace.steps, beside)


def yours() -> None:
    link = {"case": case.slug, "task": task.slug}
    ways = [
        ("app_pages/explore.py", "Explore every budget, and what lies beyond the data", ":material/show_chart:", link),
        ("app_pages/advisor.py", "Ask the Advisor about a task of your own", ":material/lightbulb:", {}),
        ("app_pages/lecture.py", "Read how the lecture's claims fare", ":material/school:", {}),
        ("app_pages/data.py", "See the data and the methods", ":material/database:", {}),
    ]
    if case.decode:
        ways.insert(1, ("app_pages/try_it.py", "Try it with an input of your own", ":material/mic:", link))
    st.markdown("That was the question for one task. It has no answer for all of them, so measure:")
    for page, label, icon, params in ways:
        st.page_link(page, label=label, icon=icon, query_params=params)
    others = [other for other in registry.cases().values() if other is not case]
    if others:
        st.markdown("Or take the tour of another case:")
        with st.container(horizontal=True, gap="small"):
            for other in others:
                go(other.title, 1, to=other.slug)


with view.said():
    number, case, task = where()
    engines = [info for info in case.engines if not info.reference]
    points = front.main(case, task)
    budgets = front.shared(points) or sorted({point.budget for point in points})
    st.progress(number / len(TITLES), text=f"{case.title}: step {number} of {len(TITLES)}")
    st.title(TITLES[number - 1])
    # The way on keeps its place at the foot of the window, so that nothing moves it away under a finger, and is drawn
    # first: it is there while an engine is still answering.
    with st.bottom, st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        go("Back", number - 1, ":material/arrow_back:", quiet=True)
        go("Next", number + 1, ":material/arrow_forward:", "right")
        leave = {"case": case.slug, "task": task.slug}
        st.page_link("app_pages/explore.py", label="Leave the tour", icon=":material/close:", query_params=leave)
    if number in (2, 3) and not budgets:
        st.info(
            f"There are no runs of {view.heading(task)} yet: `python -m engines sweep {case.slug}` makes them.",
            icon=":material/info:",
        )
    else:
        (question, little, much, inside, yours)[number - 1]()
