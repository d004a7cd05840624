"""The gate: enrol people, present a frame, and see whether it opens; for every task that looks for someone in pictures.

Faces and what is computed from them live in this session's memory alone; see dashboard/gate.py.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from dashboard import gate, lessons, models, panels, theme, view, words
from dashboard.figures.det import det
from dashboard.figures.filing import filing
from dashboard.panels.beside import Beside, plot
from dashboard.view import is_dark
from dashboard.words import plain
from engines.core import CaseStudy, EngineInfo, Step, Task, Trace, UserError, resolve
from engines.core.sighting import Boxes, Candidates, Enrols, rates
from engines.runs import RunSpec
from engines.runs.store import ROOT

# FPIR that can be chosen: fewer than 3 of 1,000 strangers cannot be told from chance.
LIMITS = (0.003, 0.01, 0.03, 0.1, 0.3)
START = 0.1
COLUMNS = 2  # steps abreast
POLL = 1.0  # seconds between looks at a training

Opening = dict[str, tuple[EngineInfo, RunSpec]]


def main() -> None:
    st.title("The gate")
    found = gate.tasks()
    if not found:
        st.info("No case looks for someone in pictures.", icon=":material/info:")
        return
    case, task = found[0]
    if len(found) > 1:
        gates = {f"{case.title}: {view.title(task)}": (case, task) for case, task in found}
        case, task = gates[st.selectbox("Which gate", list(gates), key="gate_task")]
    st.markdown(
        "Enrol yourself and others, then come to the gate. It opens for those on file; “unknown” is an answer too. "
        "Nothing you show leaves the memory of this session."
    )
    kept = None
    with view.said():
        kept = models.kept(case, task)
    if kept is None:
        return
    infos = {info.name: info for info in case.engines if info.name in kept and not info.reference}
    budgets = sorted({budget for name in infos for budget in kept[name]})
    if not budgets:
        st.info(
            f"No trained model of {view.title(task)} is kept yet: train some with "
            f"`python -m engines sweep {case.slug} --task {task.slug}`, then come back.",
            icon=":material/model_training:",
        )
        return
    budget = budgets[-1]
    if len(budgets) > 1:
        budget = st.select_slider(
            "Training data",
            budgets,
            value=budget,
            format_func=lambda amount: words.amount(amount, task.unit),
            key="gate_budget",
            help="Every engine here learned from as much.",
        )
    opening = {name: (info, kept[name][budget]) for name, info in infos.items() if budget in kept[name]}
    engines = {}
    for name, (info, spec) in opening.items():
        with view.said():
            engines[name] = models.loaded(info, spec, task)
    comparing = [name for name, engine in engines.items() if hasattr(engine, "enrol")]
    if not comparing:
        st.info("No engine that can enrol people is to be had at this budget: pick another.", icon=":material/info:")
        return
    first = comparing[0]
    left, right = st.columns(2, gap="medium")
    with left:
        enrolling(case, task, engines[first])  # type: ignore[arg-type]
    with right, st.container(border=True, key="gate-present"):
        frame = presented(case, task)
    limit = st.select_slider(
        "Strangers who may be let in (FPIR)",
        LIMITS,
        value=START,
        format_func=_limit,
        key="gate_limit",
        help="NIST's terms. FPIR, the false-positive identification rate: of searches for strangers, the share that "
        "lets one in. FNIR, the false-negative identification rate: of searches for people on file, the share that "
        "does not bring up the right one above the threshold.",
    )
    beside = [name for name in engines if name not in comparing]
    if frame is None:
        for name in beside:
            under_way(*opening[name])
    else:
        with view.said():
            info, spec = opening[first]
            compared(info, spec, gate.with_people(engines[first], spec), frame, limit)  # type: ignore[arg-type]
        columns = st.columns(max(1, len(beside)), gap="medium")
        for column, name in zip(columns, beside, strict=False):
            with column.container(border=True, height="stretch"), view.said():
                trained(task, *opening[name], engines[name], frame, limit)
    with view.said():
        traded(opening, first, limit)
    filed(case)
    privacy()


def enrolling(case: CaseStudy, task: Task, engine: Enrols) -> None:
    """Bring pictures of someone; those that will not do are told why."""
    with st.container(border=True, key="gate-enrol"):
        st.subheader("Enrol", anchor="enrol")
        turn = gate.turn(gate.ENROLS)
        st.text_input("Name", key=gate.NAME, max_chars=40, placeholder="Who is it?")
        files = st.file_uploader(
            "One picture or several", type=list(case.accepts), accept_multiple_files=True, key=f"gate_files_{turn}"
        )
        shot = None
        if st.toggle("Use the camera", key="gate_camera"):
            shot = st.camera_input("Look into the camera, alone", key=f"gate_shot_{turn}")
        given = [(file.name, file) for file in files] + ([("The camera's picture", shot)] if shot else [])

        def take() -> None:
            with_bytes = [(title, file.getvalue()) for title, file in given]
            gate.enrol(case, task, engine, st.session_state.get(gate.NAME, ""), with_bytes)

        st.button("Enrol", on_click=take, disabled=not given, icon=":material/person_add:", key="gate_take")
        for reason in st.session_state.get(gate.REASONS, []):
            st.warning(plain(reason), icon=":material/no_photography:")
        held = gate.people()
        if held:
            st.markdown(
                f"You enrolled {words.listing([f'{plain(who)} ({len(shown)})' for who, shown in held.items()])}. "
                f"With them {len(engine.people) + len(held)} people are on file."
            )
            shown = [(who, picture) for who, pictures in held.items() for picture in pictures][:12]
            st.image([picture for _, picture in shown], caption=[plain(who) for who, _ in shown], width=110)
        else:
            st.caption(f"{len(engine.people)} people are on file, by the frames of the budget.")


def presented(case: CaseStudy, task: Task) -> np.ndarray | None:
    """The frame at the gate, by upload, camera or example; what is wrong with a bad one."""
    st.subheader("Come to the gate", anchor="present")
    turn = gate.turn(gate.FRAMES)
    examples = {example.title: example for example in resolve(case.examples)(task)} if case.examples else {}
    ways = [*(["Example"] if examples else []), "Upload", "Camera"]
    way = st.segmented_control(
        "How", ways, default=ways[0], required=True, key="gate_way", label_visibility="collapsed"
    )
    content, name, file = None, "The camera's picture", None
    if way == "Camera":
        file = st.camera_input("The gate's camera", key=f"gate_frame_camera_{turn}")
    elif way == "Upload":
        file = st.file_uploader("A picture of who comes", type=list(case.accepts), key=f"gate_frame_file_{turn}")
        name = file.name if file else ""
    elif way == "Example":
        picked = examples[st.selectbox("Who comes", list(examples), key="gate_example")]
        path = ROOT / case.slug / "examples" / picked.path
        content, name = path.read_bytes(), path.name
        if picked.note:
            st.caption(plain(picked.note))
    if file is not None:
        content = file.getvalue()
    if content is None:
        st.info("Give a picture, and the gate answers.", icon=":material/arrow_upward:")
        return None
    try:
        frame: np.ndarray = resolve(case.decode)(content, name, task)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    return frame


def answered(engine: Any, spec: RunSpec, frame: np.ndarray, people: tuple[tuple[str, int], ...] = ()) -> Trace:
    """Every step, worked out once for this frame, whatever slider moves."""
    return gate.once(("answer", spec.id, gate.digest(frame), people), lambda: models.traced(engine, frame))


def verdict(answer: Candidates) -> None:
    show = st.success if answer.opens else st.error
    show(f"**{plain(str(answer))}**", icon=":material/lock_open:" if answer.opens else ":material/lock:")


def named(info: EngineInfo) -> None:
    st.markdown(f":{theme.MARKDOWN[info.shape]}[**{theme.SIGNS[info.shape]} {info.title}**]")


def compared(info: EngineInfo, spec: RunSpec, engine: Enrols, frame: np.ndarray, limit: float) -> None:
    """The engine that compares with everybody on file: whether it opens, and how it came to it."""
    trace = answered(engine, spec, frame, gate.enrolled())
    answer, told = gate.judged(spec, trace, limit)
    with st.container(border=True, key="gate-pipeline"):
        named(info)
        verdict(answer)
        more = " Whom you enrolled is not in these numbers; the more people are on file, the more strangers look like "
        st.caption(told + (more + "one of them." if gate.people() else ""))
        seen = [step.value for step in trace.steps if isinstance(step.value, Boxes)]
        if seen and len(seen[0].boxes) > 1:
            st.caption(
                f"{len(seen[0].boxes)} faces are in the picture. The gate asks the one nearest to it, the largest that "
                "is surely a face, drawn in green; the others are grey."
            )
        steps = steps_to(answer, trace)
        for start in range(0, len(steps), COLUMNS):
            some = list(enumerate(steps))[start : start + COLUMNS]
            for column, (place, step) in zip(st.columns(COLUMNS, gap="medium"), some, strict=False):
                with column:
                    panels.step(step, place + 1, Beside(f"gate-{place}", colour=theme.COLOURS[info.shape]))


def steps_to(answer: Candidates, trace: Trace) -> list[Step]:
    """The steps of a trace, the last with the answer at the threshold that was chosen here."""
    return [*trace.steps[:-1], replace(trace.steps[-1], value=answer)]


def trained(task: Task, info: EngineInfo, spec: RunSpec, engine: Any, frame: np.ndarray, limit: float) -> None:
    """An engine that knows only whom it was trained on: its answer, and a way to train it again."""
    finished = gate.finished(spec.id)
    named(info)
    if finished:
        trace = answered(finished.engine, spec, frame, finished.people)
        answer = trace.answer
        told = "Trained again just now: what strangers do at it was not measured, and the threshold is its own."
    else:
        trace = answered(engine, spec, frame)
        answer, told = gate.judged(spec, trace, limit)
    verdict(answer)
    st.caption(told)
    knowing(task, info, spec)
    panels.steps(steps_to(answer, trace), Beside(f"gate-{info.name}", colour=theme.COLOURS[info.shape]))


def under_way(info: EngineInfo, spec: RunSpec) -> None:
    """The training of an engine while nobody stands at the gate."""
    lesson = gate.lessons().get(spec.id)
    if lesson and lesson.running:
        named(info)
        watched(info, spec)


def knowing(task: Task, info: EngineInfo, spec: RunSpec) -> None:
    """Whom such an engine can name, and a training that teaches it those who were enrolled here."""
    _, seconds = gate.measured(spec)
    lesson, finished = gate.lessons().get(spec.id), gate.finished(spec.id)
    learned = dict(finished.people) if finished else {}
    never = [plain(name) for name in gate.people() if name not in learned]
    st.markdown(
        "It can name only those whom it was trained on"
        + (f", and never {words.listing(never)}" if never else "")
        + ": to enrol one more person it has to be trained again on everybody’s frames, which took "
        + f"{words.duration(seconds)} of one processor core this time."
    )
    if learned:
        st.markdown(f"Trained again, it knows {words.listing([plain(name) for name in learned])} too.")
    if lesson and lesson.problem:
        st.error(plain(lesson.problem), icon=":material/error:")
    new = [plain(name) for name, count in gate.enrolled() if learned.get(name) != count]
    if lesson and lesson.running:
        watched(info, spec)
    elif new and lessons.possible(info, task):

        def teach() -> None:
            gate.lessons()[spec.id] = lessons.begin(task, info, spec, gate.people(), gate.finished(spec.id))

        label = f"Train it again with {words.listing(new)}"
        st.button(label, on_click=teach, icon=":material/model_training:", key=f"gate-teach-{info.name}")


@st.fragment(run_every=POLL)
def watched(info: EngineInfo, spec: RunSpec) -> None:
    """A training as it goes, which can be stopped; the page goes on meanwhile."""
    lesson = gate.lessons().get(spec.id)
    if lesson is None or not lesson.running:
        st.rerun()
    assert lesson is not None

    def stop() -> None:
        lesson.stopped = True

    st.progress(min(lesson.done, 1.0), f"Training: {plain(lesson.told)}")
    st.button("Stop", on_click=stop, icon=":material/stop_circle:", key=f"gate-stop-{info.name}")


def _limit(share: float) -> str:
    return words.share(share, 1).replace(".0 ", " ")


def traded(opening: Opening, first: str, limit: float) -> None:
    """Every engine's trade of one error for the other, as measured."""
    lines, kept_out, mark = [], [], None
    for name, (info, spec) in opening.items():
        statistics, _ = gate.measured(spec)
        if statistics is None:
            continue
        missed, let_in = rates(statistics, gate.threshold(statistics, limit))
        lines.append(gate.trade(info, statistics))
        kept_out.append((missed, info.title))
        if name == first:
            mark = (let_in, missed)
    if not lines:
        return
    st.subheader("One error for the other", anchor="rates")
    st.caption(
        "A lower threshold opens for more of those on file, and for more strangers. The ring is where the gate now "
        "stands; lower and farther left is better."
    )
    told = "; ".join(f"{title} {words.share(missed)}" for missed, title in sorted(kept_out))
    told = f"Kept out of those on file, where at most {_limit(limit)} of strangers are let in: {told}."
    st.markdown(told)
    plot(det(lines, mark, is_dark()), Beside("gate-det"), told)


def filed(case: CaseStudy) -> None:
    """What was measured as many people came on file."""
    found = None
    with view.said():
        found = gate.filed(case)
    if found is None:
        return
    st.subheader("As people come on file", anchor="filed")
    of = "an older model than those that answer above"
    if found.model is not None:
        learned = words.amount(found.model.budget.pairs, case.task(found.model.task).unit)
        of = f"{case.engine(found.model.engine).title}, trained on {learned}, whatever is chosen above"
    st.caption(
        f"Measured with {of}. The threshold stays where it lets in one stranger in a hundred with the first people on "
        f"file. Dotted, beyond the people that there are: a forecast. {found.check}"
    )
    ends = [
        f"{rate.name}: {words.share(rate.values[-1])} with {rate.people[-1]:,.0f} on file, "
        f"{words.share(rate.values[0])} with {rate.people[0]:,.0f}"
        for rate in found.rates
    ]
    told = words.title("; ".join(ends)) + "."
    st.markdown(told)
    plot(filing(found.rates, is_dark()), Beside("gate-filed"), told)
    searches = [
        f"one of {people:,} takes {words.duration(search)}, reading them once {words.duration(read)}"
        for people, search, read in found.searches
    ]
    st.caption(
        f"A search compares with everybody: {'; '.join(searches)}. Whether two photos show one person, of people it "
        f"never saw, the verifier tells right {words.share(found.verification, 1)} of the time (chance: 50 %)."
    )


def privacy() -> None:
    st.divider()
    st.button("Forget everyone", on_click=gate.forget, icon=":material/delete_forever:", key="gate-forget")
    st.caption(
        "**Privacy.** Pictures, and what is computed from them, stay in the memory of this session until you forget "
        "everyone or leave: they are in no file, cache, log or link. A training under way ends at its next step of "
        "progress, within a minute or so, and holds the pictures until then. Place, time and camera that a file tells "
        "are dropped when it is read."
    )
    st.caption(
        "**Liveness.** This gate does not test it: a photograph held before the camera passes. Do not guard anything "
        "with it."
    )
    st.caption(
        "**Whom it fails.** Such systems fail some people more often than others: NIST found false positives ten to a "
        "hundred times as often for West and East African and East Asian faces as for Eastern European ones, and more "
        "often for women, children and the old ([NISTIR 8280, 2019](https://doi.org/10.6028/NIST.IR.8280)). The people "
        "on file here are mostly men, photographed for the news; how this gate fails for others was not measured."
    )


main()
