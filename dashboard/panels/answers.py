"""Answers of several engines to one input: cards side by side, and the ladder of budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from dashboard import models, theme, worddiff, words
from dashboard.panels.inputs import Clip
from engines.core import EngineInfo, Task, Trace, UserError, resolve
from engines.runs import RunSpec

# Whole traces at hand in a session; of further answers the last step alone is kept.
TRACES = 12


@dataclass(frozen=True)
class Voice:
    """An engine in one of its readings: what gives one answer."""

    info: EngineInfo
    reading: str = ""

    @property
    def key(self) -> str:
        return self.info.read(self.reading)

    @property
    def title(self) -> str:
        return f"{self.info.title}, {self.info.readings[self.reading]}" if self.reading else self.info.title

    @property
    def sign(self) -> str:
        return theme.SIGNS[self.info.shape]

    @property
    def colour(self) -> str:
        return theme.COLOURS[self.info.shape]


@dataclass(frozen=True)
class Said:
    """An answer, or in `problem` why there is none."""

    answer: Any = None
    seconds: float = 0.0
    problem: str = ""


def voices(task: Task, infos: Sequence[EngineInfo]) -> list[Voice]:
    """Every engine in every reading that says something in this task."""
    return [Voice(info, reading) for info in infos for reading in ("", *info.further(task))]


def ask(clip: Clip, x: Any, task: Task, voice: Voice, spec: RunSpec | None) -> Said:
    """The answer, computed once an input, model and reading."""
    said = _held(clip, task)["said"]
    name = (voice.key, spec.id if spec else "")
    if name not in said:
        trace = _compute(clip, x, task, voice, spec)
        said[name] = trace if isinstance(trace, Said) else Said(trace.answer, trace.seconds)
    found: Said = said[name]
    return found


def trace(clip: Clip, x: Any, task: Task, voice: Voice, spec: RunSpec | None) -> Trace | Said:
    """All steps of the answer, or why there are none."""
    traces = _held(clip, task)["traces"]
    name = (voice.key, spec.id if spec else "")
    return traces[name] if name in traces else _compute(clip, x, task, voice, spec)


def _compute(clip: Clip, x: Any, task: Task, voice: Voice, spec: RunSpec | None) -> Trace | Said:
    try:
        made = models.answer(voice.info, spec, task, x, voice.reading)
    except UserError as error:
        return Said(problem=str(error))
    traces = _held(clip, task)["traces"]
    traces[voice.key, spec.id if spec else ""] = made
    while len(traces) > TRACES:
        del traces[next(iter(traces))]
    return made


def _held(clip: Clip, task: Task) -> dict[str, Any]:
    """What this session keeps of the present input; the answers to the one before are dropped."""
    name = (clip.id, clip.name, task.slug)
    held: dict[str, Any] = st.session_state.get("try_answers", {})
    if held.get("of") != name:
        held = {"of": name, "said": {}, "traces": {}}
        st.session_state["try_answers"] = held
    return held


def score(task: Task, said: Said, truth: str, named: bool = False) -> str:
    """How well the answer did against the truth, in the task's metrics; "" where that cannot be said."""
    if not truth or said.problem:
        return ""
    statistics = task.metric.statistics(said.answer, truth)
    each = [(metric, words.score(metric.score_alone(statistics), metric)) for metric in (task.metric, *task.beside)]
    return "; ".join(f"{value} {metric.name}" for metric, value in each) if named else each[0][1]


def tokens(task: Task) -> worddiff.Tokens:
    """The words in which the task's score holds an answer against the truth."""
    return resolve(task.metric.tokens) if task.metric.tokens else worddiff.spaced


def card(task: Task, info: EngineInfo, said: Mapping[str, Said], truth: str) -> None:
    """What an engine answered, in each of its readings that says something in this task."""
    main = Voice(info)
    st.markdown(f":{theme.MARKDOWN[info.shape]}[**{main.sign} {info.title}**]")
    _one(task, said[""], truth, large=True)
    for reading, name in info.further(task).items():
        if said[reading].problem and said[reading].problem == said[""].problem:
            continue
        st.markdown(f":gray[{name}]")
        _one(task, said[reading], truth, large=False)
    given = info.given(task)
    if given:
        st.caption(f"Besides the training pairs it was given: {words.listing(given)}.")


def _one(task: Task, said: Said, truth: str, large: bool) -> None:
    if said.problem:
        st.warning(said.problem, icon=":material/warning:")
        return
    result = score(task, said, truth, named=True)
    result = f"<b>{escape(result)}</b>, " if result else ""
    style = "font-size:1.2rem;font-weight:500" if large else "font-size:1rem"
    st.html(
        f'<div style="{style}">{_written(task, said, truth)}</div>'
        f'<div style="font-size:.85rem;opacity:.75">{result}answered in {words.duration(said.seconds)}</div>'
    )


def _written(task: Task, said: Said, truth: str) -> str:
    """An answer as HTML."""
    return worddiff.html(said.answer, truth, tokens(task)) if task.y.kind == "text" else escape(str(said.answer))


LADDER_STYLE = """
.ladder { overflow-x: auto; }
.ladder table { border-collapse: collapse; width: 100%; font-size: .9rem; }
.ladder th, .ladder td { text-align: left; vertical-align: top; padding: .45rem .7rem; min-width: 9.5rem;
  border-bottom: 1px solid rgba(138, 148, 163, .28); }
.ladder th:first-child { position: sticky; left: 0; min-width: 5rem; white-space: nowrap;
  backdrop-filter: blur(12px); z-index: 1; }
.ladder th small { display: block; font-weight: 400; opacity: .75; }
.ladder td small.score { display: block; opacity: .75; margin-top: .15rem; }
.ladder tr.now > * { background: rgba(138, 148, 163, .14); }
.ladder .wd { line-height: 1.6; }
"""


def ladder(
    task: Task, columns: Sequence[Voice], rows: Mapping[float, Mapping[str, Said | None]], now: float, truth: str
) -> str:
    """HTML of the same input answered at every budget: a row a budget, a column a voice. None is not answered yet, a
    voice that is not in a row has no model there."""
    head = "".join(
        f'<th scope="col" style="border-bottom:3px solid {voice.colour}">{voice.sign} {escape(voice.info.title)}'
        f"{f'<small>{escape(voice.info.readings[voice.reading])}</small>' if voice.reading else ''}</th>"
        for voice in columns
    )
    body = "".join(
        f'<tr{" class=now" if budget == now else ""}><th scope="row">{escape(words.amount(budget, task.unit))}'
        f"{'<small>shown above</small>' if budget == now else ''}</th>"
        + "".join(f"<td>{_cell(task, row, voice, truth)}</td>" for voice in columns)
        + "</tr>"
        for budget, row in rows.items()
    )
    table = f'<table><thead><tr><th scope="col">Budget</th>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="ladder" tabindex="0" role="region" aria-label="The same input at every budget">{table}</div>'


def _cell(task: Task, row: Mapping[str, Said | None], voice: Voice, truth: str) -> str:
    if voice.key not in row:
        return '<span style="opacity:.65">no model kept</span>'
    said = row[voice.key]
    if said is None:
        return '<span style="opacity:.65">…</span>'
    if said.problem:
        return f'<span style="opacity:.65" title="{escape(said.problem)}">no answer</span>'
    result = score(task, said, truth)
    result = f'<small class="score">{escape(result)}</small>' if result else ""
    return _written(task, said, truth) + result
