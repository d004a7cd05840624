"""The gate: enrol people, present a frame, and see whether it opens; for every case that looks for someone in pictures.

Faces and what is computed from them live in this session's memory alone (st.session_state): nothing is cached for all,
written, logged or put into a link.
"""

from typing import Any

import numpy as np
import streamlit as st

from dashboard import models, panels, theme, view, words
from dashboard.words import plain
from engines import registry
from engines.core import CaseStudy, Engine, Task, UserError, resolve
from engines.core.sighting import Candidates, rates
from engines.runs import RunSpec, RunStore
from engines.runs.store import ROOT

ENROLLED = "gate_enrolled"  # name -> pictures, in the session
LIMITS = (0.003, 0.01, 0.03, 0.1)  # FPIR that can be chosen


def tasks() -> list[tuple[CaseStudy, Task]]:
    """Those whose input is a picture and whose answer is who it may be."""
    pairs = [(case, task) for case in registry.cases().values() for task in case.tasks]
    return [(case, task) for case, task in pairs if (task.x.kind, task.y.kind) == ("picture", "candidates")]


def main() -> None:
    st.title("The gate")
    found = tasks()
    if not found:
        st.info("No case looks for someone in pictures.", icon=":material/info:")
        return
    case, task = found[0]
    st.markdown(
        "Enrol yourself and others, then come to the gate. It opens for those on file; “unknown” is an answer too."
    )
    kept: dict[str, dict[float, RunSpec]] = {}
    with view.said():
        kept = models.kept(case, task)
    opening = [info for info in case.engines if info.name in kept and not info.reference]
    if not opening:
        st.info(
            f"No trained model of {view.title(task)} is kept yet: train some with "
            f"`python -m engines sweep {case.slug} --task {task.slug}`, then come back.",
            icon=":material/model_training:",
        )
        return
    specs = {info.name: kept[info.name][max(kept[info.name])] for info in opening}
    engines = {info.name: models.loaded(info, specs[info.name], task) for info in opening}
    comparing = [info for info in opening if hasattr(engines[info.name], "enrol")]
    if not comparing:
        st.info("No engine that can enrol people is kept: run the pipeline's sweep.", icon=":material/info:")
        return
    chosen = comparing[0]
    enrol(case, task, engines[chosen.name])
    picture = present(case, task)
    if picture is not None:
        opened(chosen.title, with_enrolled(engines[chosen.name]), specs[chosen.name], picture)
        others = [info for info in opening if not hasattr(engines[info.name], "enrol")]
        for info in sorted(others, key=lambda info: info.shape, reverse=True):
            with st.container(border=True):
                st.markdown(f":{theme.MARKDOWN[info.shape]}[**{theme.SIGNS[info.shape]} {info.title}**]")
                st.caption(
                    "It knows only those whom it was trained on, and nobody whom you enrolled: for it, enrolling "
                    "someone means training again."
                )
                step = models.traced(engines[info.name], picture).steps[-1]
                panels.show(step.value, step.spec, panels.Beside(f"gate-{info.name}", colour=theme.COLOURS[info.shape]))
    privacy()


def enrol(case: CaseStudy, task: Task, engine: Any) -> None:
    """Bring pictures of someone; those that will not do are told why."""
    held: dict[str, list[np.ndarray]] = st.session_state.setdefault(ENROLLED, {})
    with st.container(border=True):
        st.subheader("Enrol", anchor="enrol")
        name = st.text_input("Name", key="gate_name", max_chars=40, placeholder="Who is it?")
        turn = st.session_state.get("gate_turn", 0)
        files = st.file_uploader(
            "One picture or several", type=list(case.accepts), accept_multiple_files=True, key=f"gate_files_{turn}"
        )
        shot = st.camera_input("Or take one", key=f"gate_shot_{turn}") if st.toggle("Use the camera") else None
        if st.button("Enrol", disabled=not name.strip() or not (files or shot), icon=":material/person_add:"):
            good = []
            for file in [*files, *([shot] if shot else [])]:
                reason = ""
                try:
                    picture = resolve(case.decode)(file.getvalue(), file.name, task)
                    reason = engine.unfit(picture)
                except UserError as error:
                    picture, reason = None, str(error)
                if reason:
                    st.warning(f"{plain(file.name)}: {plain(reason)}", icon=":material/no_photography:")
                else:
                    good.append(picture)
            if good and name.strip() in engine.people:
                st.warning("Somebody of that name is on file already: take another name.", icon=":material/badge:")
            elif good:
                held.setdefault(name.strip(), []).extend(good)
                st.session_state["gate_turn"] = turn + 1
                st.rerun()
        if held:
            listed = words.listing([f"{plain(who)} ({len(pictures)})" for who, pictures in held.items()])
            st.markdown(f"You enrolled {listed}. With them {len(engine.people) + len(held)} people are on file.")
            st.button("Forget everyone", on_click=forget, icon=":material/delete_forever:")


def forget() -> None:
    """Drop all faces of this session, the frame at the gate included."""
    for name in [key for key in st.session_state if str(key).startswith("gate_")]:
        if not str(name).startswith(("gate_files", "gate_shot", "gate_frame")):
            del st.session_state[name]
    st.session_state["gate_turn"] = int(np.random.default_rng().integers(1 << 30))


def with_enrolled(engine: Any) -> Any:
    """The engine with the session's people on file besides its own."""
    for name, pictures in st.session_state.get(ENROLLED, {}).items():
        engine = engine.enrol(name, pictures)
    return engine


def present(case: CaseStudy, task: Task) -> np.ndarray | None:
    """The frame at the gate, by upload, camera or example."""
    st.subheader("Come to the gate", anchor="present")
    turn = st.session_state.get("gate_turn", 0)
    examples = {example.title: example for example in resolve(case.examples)(task)} if case.examples else {}
    ways = ["Upload", "Camera", *(["Example"] if examples else [])]
    way = st.segmented_control("How", ways, default=ways[-1], key="gate_way", label_visibility="collapsed")
    content, name = None, "the picture"
    if way == "Camera":
        file = st.camera_input("The gate's camera", key=f"gate_frame_camera_{turn}")
    elif way == "Upload":
        file = st.file_uploader("A picture of who comes", type=list(case.accepts), key=f"gate_frame_file_{turn}")
    else:
        file = None
        picked = st.selectbox("An example", list(examples), key="gate_example") if way else None
        if picked:
            path = ROOT / case.slug / "examples" / examples[picked].path
            content, name = path.read_bytes(), path.name
    if file is not None:
        content, name = file.getvalue(), file.name
    if content is None:
        st.info("Give a picture, and the gate answers.", icon=":material/arrow_upward:")
        return None
    try:
        frame: np.ndarray = resolve(case.decode)(content, name, task)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    return frame


def opened(title: str, engine: Engine, spec: RunSpec, picture: np.ndarray) -> None:
    """Whether it opens, at the threshold of the false-positive rate that the visitor chose, and how it came to it."""
    statistics = measured(spec)
    trace = models.traced(engine, picture)
    answer: Candidates = trace.answer
    threshold = answer.threshold
    if statistics is not None:
        limit = st.select_slider(
            "Strangers who may be let in (FPIR)", LIMITS, value=0.01, format_func=lambda v: f"{v:.1%}", key="gate_limit"
        )
        strangers = np.sort(statistics[statistics[:, 0] == 0, 2])[::-1]
        threshold = float(np.nextafter(strangers[min(int(limit * len(strangers)), len(strangers) - 1)], np.inf))
        missed, let_in = rates(statistics, threshold)
        st.caption(
            f"Measured with {len(strangers):,} strangers at a score of {threshold:.3f}: {let_in:.1%} of strangers are "
            f"let in (FPIR), and {missed:.0%} of the people on file are kept out (FNIR). Whom you enrolled is not in "
            "these numbers; the more people are on file, the more strangers look like one of them."
        )
    answer = Candidates(answer.people, threshold, answer.box)
    show = st.success if answer.opens else st.error
    show(f"**{plain(str(answer))}**", icon=":material/lock_open:" if answer.opens else ":material/lock:")
    st.caption(f"{title}: every step.")
    columns = st.columns(len(trace.steps), gap="medium")
    for place, (column, step) in enumerate(zip(columns, trace.steps, strict=True)):
        with column:
            shown = answer if step is trace.steps[-1] else step.value
            st.markdown(f"**{place + 1}. {step.stage}** :small[· {words.duration(step.seconds)}]")
            panels.show(shown, step.spec, panels.Beside(f"gate-{place}", colour=theme.COLOURS["pipeline"]))


def measured(spec: RunSpec) -> np.ndarray | None:
    """What the run measured where strangers came too: (examples, columns)."""
    rows = RunStore().frame("id = ? and test != 'test' and reading = '' and oracle = ''", (spec.id,)).to_pylist()
    for row in rows:
        statistics = np.asarray(row["statistics"], float)
        if (statistics[:, 0] == 0).any():
            return statistics
    return None


def privacy() -> None:
    st.divider()
    st.caption(
        "Pictures and what is computed from them stay in the memory of this session until you forget everyone or "
        "leave; place, time and camera that a file tells are dropped when it is read. This gate does not test "
        "liveness: a photograph held before the camera passes. Such systems fail more often for some people than for "
        "others: NIST found false positives ten to a hundred times as often for West and East African and East Asian "
        "faces as for Eastern European ones, and more often for women, the old and children ([NISTIR 8280, 2019]"
        "(https://doi.org/10.6028/NIST.IR.8280)). The people on file here are mostly men photographed for the news."
    )


main()
