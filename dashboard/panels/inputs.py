"""How a visitor gives an input: record, upload, or pick an example. The input's kind decides which widgets there are.

An input stays in the memory of the visitor's session (st.session_state): it is never cached for all, written or
logged. A bad one is answered with a sentence, and the one before it stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import links, panels, worddiff, words
from dashboard.panels import maker
from dashboard.panels.beside import Beside
from dashboard.words import plain
from engines import datasets
from engines.core import CaseStudy, Example, Task, UserError, resolve
from engines.runs.store import ROOT

RECORDED, UPLOADED, EXAMPLE, TYPED = "recorded", "uploaded", "example", "typed"
# What st.audio_input can record at, in samples a second.
_RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000)
# What a recording is called, by its kind.
_RECORDED_AS = {"picture": "the camera's picture.jpg"}
# Names in the session; what is wrong with an input, and its right answer, are of one case each (`of`).
CLIP, PROBLEM, REFERENCE, ROUND = "try_clip", "try_problem", "try_reference", "try_round"
PICKED = "example"  # the parameter of an address that names one


@dataclass(frozen=True)
class Clip:
    """An input as it came: its bytes, so that another task can decode it at another rate. `truth` is the known answer
    of an example, `key` the name it has in the URL."""

    name: str
    data: bytes
    source: str
    truth: str = ""
    key: str = ""

    @property
    def id(self) -> str:
        return hashlib.sha256(self.data).hexdigest()[:16]


def of(name: str, case: CaseStudy) -> str:
    """What the session calls a case's PROBLEM or REFERENCE."""
    return f"{name}_{case.slug}"


def current(case: CaseStudy) -> Clip | None:
    clip: Clip | None = st.session_state.get(CLIP, {}).get(case.slug)
    return clip


def decoded(case: CaseStudy, task: Task, clip: Clip) -> Any:
    """The input as the task's engines take it.

    Raises:
        UserError: it cannot be used; the message says why.
    """
    return _held(case, task, clip)[0]


def remark(case: CaseStudy, task: Task, clip: Clip) -> str:
    """What is wrong with an input that can be used all the same, or "". Raises UserError as `decoded` does."""
    return _held(case, task, clip)[1]


def _held(case: CaseStudy, task: Task, clip: Clip) -> tuple[Any, str]:
    """The input and the remark on it; decoded once a clip and task."""
    name = (case.slug, task.slug, clip.id, clip.name)
    held = st.session_state.get("try_decoded")
    if held is None or held[0] != name:
        x = resolve(case.decode)(clip.data, clip.name, task)
        held = (name, x, resolve(case.remark)(clip.data, clip.name) if case.remark else "")
        st.session_state["try_decoded"] = held
    return held[1:]


def take(case: CaseStudy, task: Task, clip: Clip) -> bool:
    """Make a clip the current one if it can be used; otherwise keep what there is and remember why."""
    before = current(case)
    try:
        decoded(case, task, clip)
    except UserError as error:
        st.session_state[of(PROBLEM, case)] = str(error)
        return False
    st.session_state[of(PROBLEM, case)] = ""
    st.session_state.setdefault(CLIP, {})[case.slug] = clip
    if clip.source == EXAMPLE:
        st.session_state[of(REFERENCE, case)] = clip.truth
    else:
        # What an example said is not what this clip says; what the visitor typed may well be.
        said = st.session_state.get(of(REFERENCE, case))
        if before is not None and before.source == EXAMPLE and said == before.truth:
            st.session_state[of(REFERENCE, case)] = ""
    links.put((PICKED,), {PICKED: clip.key} if clip.key else {})
    links.wrote(PICKED, clip.key)
    return True


def offer(case: CaseStudy, task: Task) -> tuple[Clip, Any] | None:
    """Draw the ways in, and what is wrong with the last input; return the current clip and its decoded value."""
    try:
        examples = _examples(case, task)
        lacking = ""
    except UserError as error:
        examples, lacking = (), str(error)
    _start(case, task, examples)
    recorder = RECORDERS.get(task.x.kind)
    columns = st.columns(1 + (recorder is not None) + bool(examples or lacking), gap="medium")
    if recorder is not None:
        with columns[0]:
            recorder(case, task, _widget(RECORDED))
    with columns[int(recorder is not None)]:
        key = _widget(UPLOADED)
        st.file_uploader(
            "Upload a file",
            type=list(case.accepts),
            key=key,
            on_change=_given,
            args=(case, task, key, UPLOADED),
            help=f"{', '.join(case.accepts)}; {case.limits}.",
        )
    if examples or lacking:
        with columns[-1]:
            _pick(case, task, examples, lacking)
    st.caption(
        f"Takes {case.limits}. What you give stays in the memory of this session until you leave: "
        "it is neither stored nor logged."
    )
    if problem := st.session_state.get(of(PROBLEM, case)):
        stays = " What was here before is still below." if current(case) else ""
        st.error(plain(problem) + stays, icon=":material/error:")
    clip = current(case)
    if clip is None:
        return None
    try:
        return clip, decoded(case, task, clip)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def reference(case: CaseStudy, task: Task, typed: str) -> tuple[str, str]:
    """What a visitor says is right, in the task's form ("" for nothing typed), and a remark on it.

    Raises:
        UserError: it cannot be the right answer; the message says why.
    """
    if not typed.strip():
        return "", ""
    if len(typed) > case.longest:
        raise UserError(f"The right answer has {len(typed):,} characters: type at most {case.longest:,}.")
    if case.reference:
        truth, remark = resolve(case.reference)(typed, task)
        return truth, remark
    if not (plainly := worddiff.words(typed)):
        raise UserError("The reference holds no words: type what was said in letters.")
    return " ".join(plainly), ""


def show(task: Task, clip: Clip, x: Any) -> None:
    """The current input: what it is called, a way to play it, its picture."""
    with st.container(border=True, gap="xsmall"):
        origin = "an example" if clip.source == EXAMPLE else clip.source
        st.markdown(f"**Input** :small[· {_short(clip.name)}, {origin}]")
        if task.x.kind in PLAYERS:
            PLAYERS[task.x.kind](x, task)
        panels.show(x, task.x, Beside("try-input", seconds(task, x)))


def seconds(task: Task, x: Any) -> float:
    """How long an input lasts; 0 where it has no length in time."""
    return len(x) / task.x.rate if task.x.rate else 0.0


def _start(case: CaseStudy, task: Task, examples: tuple[Example, ...]) -> None:
    """An example to begin with: the one the URL names, else the first. An example of another task gives way, and any
    input to the example that the URL asks for."""
    clip = current(case)
    keys = [_key(example) for example in examples]
    wanted = st.query_params.get(PICKED, "")
    asked = wanted in keys and (clip is None or clip.key != wanted) and links.asks(PICKED, wanted)
    if clip is not None and not asked and (clip.source != EXAMPLE or clip.key in keys):
        return
    if clip is not None:
        del st.session_state[CLIP][case.slug]
    if not examples:
        links.put((PICKED,), {})
        return
    chosen = examples[keys.index(wanted) if wanted in keys else 0]
    _take_example(case, task, chosen)


def _examples(case: CaseStudy, task: Task) -> tuple[Example, ...]:
    return tuple(resolve(case.examples)(task)) if case.examples else ()


def _pick(case: CaseStudy, task: Task, examples: tuple[Example, ...], lacking: str) -> None:
    if lacking:
        st.markdown("Examples")
        st.info(lacking, icon=":material/download:")
        return
    by_key = {_key(example): example for example in examples}
    clip = current(case)
    st.session_state["try_example"] = clip.key if clip and clip.key in by_key else None

    def picked() -> None:
        chosen = st.session_state["try_example"]
        if chosen in by_key:
            _take_example(case, task, by_key[chosen])
            _empty(RECORDED)
            _empty(UPLOADED)

    st.selectbox(
        "Pick an example",
        list(by_key),
        index=None,
        format_func=lambda key: by_key[key].title,
        key="try_example",
        placeholder="Examples nobody trained on",
        on_change=picked,
    )
    if clip and clip.key in by_key and by_key[clip.key].note:
        st.caption(plain(by_key[clip.key].note))
    away = [name for name in task.datasets if datasets.find(name) is None and not datasets.dataset(name).generated]
    if away:
        st.caption(
            f"For examples from {datasets.dataset(away[0]).title}, which is not on this machine, "
            f"{datasets.how_to_get(away[0])}."
        )


def _take_example(case: CaseStudy, task: Task, example: Example) -> None:
    # An absolute path stays as it is.
    path = ROOT / case.slug / "examples" / example.path
    try:
        data = path.read_bytes()
    except OSError:
        st.session_state[of(PROBLEM, case)] = f"The example {path.name} is not there: get the repository again."
        return
    take(case, task, Clip(path.name, data, EXAMPLE, example.truth, _key(example)))


def _given(case: CaseStudy, task: Task, key: str, source: str) -> None:
    """A file came out of a widget (or was taken away: then nothing changes)."""
    file = st.session_state.get(key)
    if file is None:
        st.session_state[of(PROBLEM, case)] = ""
        return
    name = file.name if source == UPLOADED else _RECORDED_AS.get(task.x.kind, "recording.wav")
    if take(case, task, Clip(name, file.getvalue(), source)):
        _empty(RECORDED if source == UPLOADED else UPLOADED)


def _widget(source: str) -> str:
    """The present key of the widget that records or uploads."""
    return f"try_{source}_{st.session_state.get(ROUND, {}).get(source, 0)}"


def _empty(source: str) -> None:
    """Put a new widget where one holds what is no longer the current input."""
    if st.session_state.get(_widget(source)) is not None:
        turns = st.session_state.get(ROUND, {})
        st.session_state[ROUND] = {**turns, source: turns.get(source, 0) + 1}


def _key(example: Example) -> str:
    return Path(example.path).stem


def _short(name: str) -> str:
    """A file's name as text in Markdown."""
    return plain(name if len(name) <= 60 else name[:40] + "…" + name[-15:])


def _microphone(case: CaseStudy, task: Task, key: str) -> None:
    rate = min((each for each in _RATES if each >= (task.x.rate or 0)), default=_RATES[-1])
    st.audio_input(
        "Record",
        sample_rate=rate,
        key=key,
        on_change=_given,
        args=(case, task, key, RECORDED),
        help="The browser asks for your permission. It lends a microphone to https pages and to localhost only.",
    )


def _keyboard(case: CaseStudy, task: Task, key: str) -> None:
    def written() -> None:
        text = st.session_state.get(key) or ""
        if not text.strip():
            st.session_state[of(PROBLEM, case)] = ""
        elif take(case, task, Clip("your text", text.encode("utf-8", "replace"), TYPED)):
            _empty(UPLOADED)

    st.text_area(
        "Type or paste", key=key, on_change=written, height=110, placeholder="Write here; leave the box to send"
    )


def _camera(case: CaseStudy, task: Task, key: str) -> None:
    st.camera_input(
        "Take a picture",
        key=key,
        on_change=_given,
        args=(case, task, key, RECORDED),
        help="The browser asks for your permission. It lends a camera to https pages and to localhost only.",
    )


def _player(x: Any, task: Task) -> None:
    st.audio(x, sample_rate=int(task.x.rate or 16000), alt=f"The input, {words.duration(seconds(task, x))} long")


# kind of input -> the widget that records one, and the one that plays it back
RECORDERS: Mapping[str, Callable[[CaseStudy, Task, str], None]] = {
    "waveform": _microphone,
    "text": _keyboard,
    "radiograph": maker.offer,
    "picture": _camera,
}
PLAYERS: Mapping[str, Callable[[Any, Task], None]] = {"waveform": _player}
