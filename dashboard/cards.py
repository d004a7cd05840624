"""A card per engine: what it scored at the budget, what it was given and what it cost; or how to run it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard import findings, jobs, links, theme, words
from dashboard.measured import Measured, specs
from dashboard.view import View, said
from engines.core import EngineInfo, UserError
from engines.runs import Point, RunSpec

REFUSED = "run_refused"  # (run, why it was neither started nor stopped, on which visit to the page)
POLL = 1.5  # seconds between two looks at a run that is under way


def column(view: View, measured: Measured, budget: float) -> None:
    """A card for the first engine of every shape; then its variants that were run at `budget` and the engines that were
    not, each closed away where they are more than one; then the references."""
    case = view.case
    ours = [info for info in case.engines if not info.reference]
    run = {info.name for info in ours if measured.of(info.name, budget)}
    shapes = {info.shape for info in ours if info.name in run}
    leaders = {info.name for shape, info in findings.leading(case).items() if shape not in shapes}
    others = [spec for info in ours if info.name not in run for spec in specs(case, view.task, info, budget)]
    shown = run | leaders | {job.spec.engine for job in jobs.under_way(others)}
    firsts = {*findings.standing(case, [p for p in measured.points if p.budget == budget]).values(), *leaders}
    variants = [info for info in ours if info.name in run - firsts]
    rest = [info for info in ours if info.name not in shown]
    closed = [group for group in (variants, rest) if len(group) > 1]
    for info in ours:
        if not any(info in group for group in closed):
            with said():
                engine_card(view, measured, info, budget)
    for group in closed:
        told = "variants at this budget" if group is variants else "more without a run at this budget"
        with st.expander(f"{len(group)} {told}", icon=":material/more_horiz:"):
            for info in group:
                with said():
                    engine_card(view, measured, info, budget)
    for info in case.engines:
        if info.reference:
            with said():
                reference_card(view, measured, info)


def engine_card(view: View, measured: Measured, info: EngineInfo, budget: float) -> None:
    """The card of one engine at `budget`."""
    case, task = view.case, view.task
    point = measured.of(info.name, budget)
    with st.container(border=True, gap="xsmall"):
        if point is None:
            st.markdown(_title(info))
            st.caption(f"No run with {words.amount(budget, task.unit)} yet. {info.summary}")
        else:
            st.metric(_title(info), words.score(point.mean, task.metric), help=info.summary)
            st.caption(_certainty(view, point))
        lines = []
        for reading, title in info.readings.items():
            other = measured.of(info.read(reading), budget)
            if other:
                bounds = words.interval(other.low, other.high, task.metric).replace(" ", "\u00a0")
                lines.append(f"**{words.score(other.mean, task.metric)}** {title} :gray[({bounds})]")
        given = info.given(task)
        if given:
            lines.append(f":gray[Given besides the pairs:] {words.listing(given)}")
        else:
            lines.append(":gray[Given:] nothing but the pairs")
        if point:
            learned = "parameter" if point.parameters == 1 else "parameters"
            lines.append(
                f":gray[Trains in] {words.training(point)}:gray[, answers in] "
                f"{words.duration(point.answer_seconds)}:gray[;] {words.count(point.parameters)} :gray[{learned}]"
            )
        st.markdown("  \n".join(f":small[{line}]" for line in lines))
        _run(view, measured, info, specs(case, task, info, budget))


def reference_card(view: View, measured: Measured, info: EngineInfo) -> None:
    """The card of a reference: trained elsewhere, scored once."""
    point = next((p for p in findings.main_points(measured.points) if p.engine == info.name), None)
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{_title(info)} :gray-badge[reference]")
        if point:
            st.markdown(f"**{words.score(point.mean, view.task.metric)}** :gray[{_certainty(view, point)}]")
        st.caption(f"{info.summary} {words.title(words.listing(info.given(view.task)) or 'trained elsewhere')}.")
        _run(view, measured, info, specs(view.case, view.task, info, 0.0))


def elsewhere(view: View, measured: Measured, budget: float) -> None:
    """Runs of this task that are under way at other budgets than the one shown."""
    every = [
        spec
        for info in view.case.engines
        if not info.reference
        for amount in {*view.task.budgets, *measured.budgets()} - {budget}
        for spec in specs(view.case, view.task, info, amount)
    ]
    for job in jobs.under_way(every):
        amount = words.amount(job.spec.budget.pairs, view.task.unit)
        with st.container(border=True):
            st.markdown(f"{_title(view.case.engine(job.spec.engine))} with {amount}")
            _watch(job.spec)


def _run(view: View, measured: Measured, info: EngineInfo, wanted: Sequence[RunSpec]) -> None:
    """The state of the runs behind a card, and a button for the first one that is missing, those that failed last."""
    if measured.snapshot:  # what is frozen gains no runs
        return
    made = {run for point in measured.points for run in point.runs}
    missing = [spec for spec in wanted if spec.id not in made]
    going = next((spec for spec in missing if (job := jobs.read(spec)) and job.running), None)
    if going:
        _watch(going)
        return
    if not missing:
        return
    failed = [each for each in missing if each.id in measured.failures]
    spec = next((each for each in missing if each not in failed), missing[0])
    again, some = spec in failed, len(missing) < len(wanted)
    if failed:
        # The engine's own sentence; the name of the kind of error before it helps nobody here.
        reason = measured.failures[failed[0].id].removeprefix("UserError: ")
        if some:
            st.caption(f"Seed {failed[0].seed} failed: {reason}")
        else:
            which = "This run" if len(wanted) == 1 else f"Seed {failed[0].seed}"
            st.error(f"{which} failed: {reason}", icon=":material/error:")
    job = None if again else jobs.read(spec)
    if job and job.state == "failed":
        st.error(job.sentence, icon=":material/error:")
    elif job and job.state == "cancelled":
        st.caption("Cancelled.")
    text = f"Run seed {spec.seed}" if some or failed else "Run it here"
    if again or (job and job.state == "failed"):
        text = "Try again"
    st.button(
        text,
        key=f"run_{spec.id}",
        icon=":material/play_arrow:",
        type="tertiary" if some else "secondary",
        help=f"{_time(view, measured, info, spec.budget.pairs)} It runs in a process of its own on the machine that "
        "serves this page, and goes on when the page is closed.",
        # Started by the callback: the page's own redraw can end a run before it comes to this line.
        on_click=lambda: _asked(spec, lambda: jobs.start(spec, again=again)),
    )
    _refused(spec)


def _asked(spec: RunSpec, act: Callable[[], object]) -> None:
    """Do what a button of a run asks for; why it was refused is kept for the page to say."""
    st.session_state.pop(REFUSED, None)
    try:
        act()
    except UserError as error:
        st.session_state[REFUSED] = (spec.id, str(error), links.visit())


def _refused(spec: RunSpec) -> None:
    of, problem, visit = st.session_state.get(REFUSED, ("", "", 0))
    if (of, visit) == (spec.id, links.visit()):
        st.error(problem, icon=":material/error:")


@st.fragment(run_every=POLL)
def _watch(spec: RunSpec) -> None:
    """How far a run is, looked at again and again, with a button that stops it. When it ends the page is drawn anew."""
    job = jobs.read(spec)
    if job is None or not job.running:
        st.session_state.pop(REFUSED, None)
        st.rerun()
    left = "" if job.seconds_left is None else f", about {words.duration(job.seconds_left)} left"
    # The sweep names the run first; the card has said that already.
    doing = job.sentence.partition(f"seed {spec.seed}: ")[2] or job.sentence
    st.progress(job.fraction, text=f"{words.share(job.fraction)}{left}: {doing}")
    st.button(
        "Cancel",
        key=f"cancel_{spec.id}",
        icon=":material/stop:",
        on_click=lambda: _asked(spec, lambda: jobs.cancel(spec)),
    )
    _refused(spec)


def _title(info: EngineInfo) -> str:
    return f":{theme.MARKDOWN[info.shape]}[{theme.SIGNS[info.shape]}] **{info.title}**"


def _certainty(view: View, point: Point) -> str:
    bounds = words.interval(point.low, point.high, view.task.metric)
    seeds = f", {len(point.seeds)} seeds" if len(point.seeds) > 1 else ", 1 seed"
    return f"{view.task.metric.name}, 95 % interval {bounds}{'' if point.reference else seeds}"


def _time(view: View, measured: Measured, info: EngineInfo, budget: float) -> str:
    """How long a run may take, from the nearest one that was made."""
    known = [p for p in findings.main_points(measured.points) if p.engine == info.name and p.budget]
    if not known or not budget:
        return "How long it takes is not known yet."
    near = min(known, key=lambda point: abs(point.budget - budget))
    return f"With {words.amount(near.budget, view.task.unit)} the training took {words.training(near)}."
