"""Try it: give an input of your own to models trained with the budget you picked, and see every step of the answer."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import models, panels, theme, view, worddiff, words
from dashboard.panels import answers, inputs
from dashboard.panels.answers import Said, Voice
from engines.core import EngineInfo, Trace, UserError
from engines.runs import RunSpec

# As many as can be read side by side; more go on below.
ABREAST = 3

shown = view.pick()
case, task = shown.case, shown.task
st.title("Try it yourself")
st.html(f"<style>{worddiff.STYLE}{answers.LADDER_STYLE}</style>")
st.markdown(
    "Give one input to every engine, trained with as much data as you allow, and see how each comes to its answer."
    + (" These models learned from synthetic data." if task.simulated else "")
)

if not case.decode:
    st.info(f"{case.title} takes no input of your own: pick another case above.", icon=":material/info:")
    st.stop()

kept: dict[str, dict[float, RunSpec]] = {}
with view.said():
    kept = models.kept(case, task)
engines = [info for info in case.engines if not info.reference]
references = [info for info in case.engines if info.reference]
given = inputs.offer(case, task)

if not kept:
    st.info(
        f"No trained model of {view.heading(task)} is kept yet: train some with "
        f"`python -m engines sweep {case.slug} {task.option}{'' if task.models else ' --keep'}`, then come back.",
        icon=":material/model_training:",
    )
    st.stop()
if given is None:
    st.info("Give an input above, and every engine answers it here, step by step.", icon=":material/arrow_upward:")
    st.stop()
clip, x = given
budgets = sorted({budget for found in kept.values() for budget in found})


@st.fragment
def answered() -> None:
    """Everything that depends on the budget or the reference: redrawn alone when one of them changes."""
    budget = view.pick_budget(shown, budgets, lacking="no trained model is kept for it")
    truth = said() if task.y.kind == "text" else ""
    present = [info for info in engines if budget in kept.get(info.name, {})]
    asked = list(engines)
    if references and st.toggle(
        "Also ask the references, which were trained elsewhere on far more data", key="try_references"
    ):
        asked += references
        present += references
    cards(asked, present, budget, truth)
    if truth:
        st.html(worddiff.LEGEND)
        if task.metric.alone_note:
            st.caption(task.metric.alone_note)
    st.subheader("The same input at every budget", anchor="ladder")
    slot = st.empty()
    steps(present, budget, truth)
    climb(slot, budget, truth)


def said() -> str:
    """The right answer, if the visitor types it: in the form of the task's own, or "" with the reason."""
    heard = task.x.kind == "waveform"
    written = task.x.kind == "text"  # as long as what was given, and of as many lines
    typed = (st.text_area if written else st.text_input)(
        "What was said (optional): errors are then marked"
        if heard
        else "A right answer (optional): answers are then scored, and what differs from it is marked",
        key=inputs.of(inputs.REFERENCE, case),
        persist_state="session",
        placeholder="Type the words that were spoken" if heard else "Type an answer that you hold to be right",
    )
    try:
        truth, remark = inputs.reference(case, task, typed)
    except UserError as error:
        st.warning(str(error), icon=":material/warning:")
        return ""
    if remark:
        st.caption(remark)
    return truth


def cards(asked: list[EngineInfo], present: list[EngineInfo], budget: float, truth: str) -> None:
    """A card an engine: what it answers."""
    rows = [asked[start : start + ABREAST] for start in range(0, len(asked), ABREAST)]
    columns = [column for row in rows for column in st.columns(len(row), gap="small")]
    for column, info in zip(columns, asked, strict=True):
        with column.container(border=True, height="stretch", key=f"try-card-{info.name}"):
            if info not in present:
                away(info, budget)
                continue
            spec = None if info.reference else kept[info.name][budget]
            with st.spinner(f"{info.title} is answering"):
                voices = answers.voices(task, [info])
                said = {voice.reading: answers.ask(clip, x, task, voice, spec) for voice in voices}
            answers.card(task, info, said, truth)


def away(info: EngineInfo, budget: float) -> None:
    """No model of this engine is kept at this budget: the nearest ones are one click away."""
    st.markdown(f"**{info.title}**")
    st.caption(f"No trained model is kept at {words.amount(budget, task.unit)}.")
    found = sorted(kept.get(info.name, {}))
    near = {max((b for b in found if b < budget), default=None), min((b for b in found if b > budget), default=None)}
    for other in sorted(near - {None}):
        st.button(
            f"Go to {words.amount(other, task.unit)}",
            key=f"try-near-{info.name}-{other}",
            on_click=view.set_budget,
            args=(other,),
        )


def climb(slot: DeltaGenerator, budget: float, truth: str) -> None:
    """The ladder, drawn anew with every answer that comes in."""
    columns = answers.voices(task, [info for info in engines if info.name in kept])
    rows: dict[float, dict[str, Said | None]] = {
        each: {voice.key: None for voice in columns if each in kept[voice.info.name]} for each in budgets
    }
    for each in sorted(budgets, key=lambda other: other != budget):
        for voice in columns:
            if voice.key in rows[each]:
                rows[each][voice.key] = answers.ask(clip, x, task, voice, kept[voice.info.name][each])
        slot.html(answers.ladder(task, columns, rows, budget, truth))


def steps(present: list[EngineInfo], budget: float, truth: str) -> None:
    """What every stage of the chosen engines gave, engines side by side."""
    st.subheader("Step by step", anchor="steps")
    offered = {voice.key: voice for voice in answers.voices(task, present)}
    chosen = st.pills(
        "Show",
        list(offered),
        selection_mode="multi",
        default=[info.name for info in present],
        format_func=lambda key: f"{offered[key].sign} {offered[key].title}",
        key=f"try_steps_{len(offered)}",
        help="One alone is drawn wide.",
    )
    picked = [voice for key, voice in offered.items() if key in chosen]
    if not picked:
        st.caption("Pick an engine above to see its steps.")
        return
    for start in range(0, len(picked), ABREAST):
        abreast = picked[start : start + ABREAST]
        for column, voice in zip(st.columns(len(abreast), gap="medium"), abreast, strict=True):
            with column:
                chain(voice, budget, truth, 1000 // len(abreast))


def chain(voice: Voice, budget: float, truth: str, width: int) -> None:
    """The steps of one answer, one below the other."""
    st.markdown(f":{theme.MARKDOWN[voice.info.shape]}[**{voice.sign} {voice.title}**]")
    spec = None if voice.info.reference else kept[voice.info.name][budget]
    trace = answers.trace(clip, x, task, voice, spec)
    if not isinstance(trace, Trace):
        st.warning(trace.problem, icon=":material/warning:")
        return
    beside = panels.Beside(
        f"try-{voice.key}",
        inputs.seconds(task, x),
        voice.colour,
        reference=truth,
        tokens=answers.tokens(task),
        width=width,
    )
    panels.steps(trace.steps, beside)


inputs.show(task, clip, x)
if remark := inputs.remark(case, task, clip):
    st.caption(words.plain(remark))
answered()
view.sources(task)
