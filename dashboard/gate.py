"""What the gate's page works with: who is enrolled in this session, and how often a gate errs at a threshold.

Faces and what is computed from them live in the session's memory alone (st.session_state): nothing is cached for all,
written, logged or put into a link. All names in the session begin with PREFIX, so that everyone can be forgotten at
once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import theme, words
from dashboard.figures.det import LEAST, Trade
from dashboard.figures.filing import Growing
from dashboard.lessons import Lesson
from engines import registry
from engines.core import Budget, CaseStudy, EngineInfo, Task, Trace, UserError, resolve
from engines.core.sighting import Candidates, Enrols, Picture, rates
from engines.runs import RunSpec, RunStore

PREFIX = "gate_"
# The session's names: who -> pictures; why pictures would not do; what was worked out for the frame at the gate; run ->
# its engine's training with who was enrolled.
PEOPLE, REASONS, WORKED, LESSONS = (PREFIX + name for name in ("people", "reasons", "worked", "lessons"))
# How often the widgets were emptied that hold pictures of who is enrolled, and of who comes to the gate.
ENROLS, FRAMES = PREFIX + "enrols", PREFIX + "frames"
# What a visitor set rather than showed: it may stay.
SETTINGS = tuple(PREFIX + name for name in ("task", "way", "limit", "budget", "example", "camera"))
NAME = PREFIX + "name"  # what is typed for who is enrolled
# At most so many pictures and people in a session: its memory is shared by all visitors.
MOST_PICTURES, MOST_PEOPLE = 10, 20
Statistics = NDArray[np.float64]
Made = TypeVar("Made")


def tasks() -> list[tuple[CaseStudy, Task]]:
    """Those whose input is a picture and whose answer is who it may be."""
    pairs = [(case, task) for case in registry.cases().values() for task in case.tasks]
    return [(case, task) for case, task in pairs if (task.x.kind, task.y.kind) == ("picture", "candidates")]


def people() -> dict[str, list[Picture]]:
    """Who was enrolled in this session, with their pictures."""
    held: dict[str, list[Picture]] = st.session_state.setdefault(PEOPLE, {})
    return held


def enrol(case: CaseStudy, task: Task, engine: Enrols, name: str, files: Sequence[tuple[str, bytes]]) -> None:
    """Take the pictures that will do; why the others will not stays in the session until the next try."""
    name, held, reasons = " ".join(name.split()), people(), []
    wrong = ""
    if not name:
        wrong = "Say who it is: give a name."
    elif name.replace(" ", "_") in engine.people or name in engine.people:
        wrong = f"{name} is on file already: take another name."
    elif name not in held and len(held) >= MOST_PEOPLE:
        wrong = f"{MOST_PEOPLE} people are enrolled, and no more fit: forget everyone first."
    good: list[Picture] = []
    for file, content in files if not wrong else ():
        try:
            picture = resolve(case.decode)(content, file, task)
            reason = engine.unfit(picture)
        except UserError as error:
            picture, reason = None, str(error)
        if not reason and any(np.array_equal(picture, other) for other in [*held.get(name, ()), *good]):
            reason = "The same picture was enrolled before: bring another one."
        if not reason and len(held.get(name, ())) + len(good) >= MOST_PICTURES:
            reason = f"{MOST_PICTURES} pictures of a person are enough: this one was left out."
        if reason:
            # What a decoder says begins with the file's name already.
            reasons.append(reason if reason.startswith(file) else f"{file}: {reason}")
        else:
            good.append(picture)
    if good:
        held.setdefault(name, []).extend(good)
        st.session_state[ENROLS] = turn(ENROLS) + 1
    st.session_state[REASONS] = [wrong] if wrong else reasons


def forget() -> None:
    """Drop every face that this session holds: who was enrolled, who stands at the gate, all that was worked out.
    Widgets that hold files get new names, so that the server lets go of the files too. A training under way holds the
    pictures until its engine next tells how far it is, and ends then."""
    following = {widgets: turn(widgets) + 1 for widgets in (ENROLS, FRAMES)}
    for lesson in lessons().values():
        lesson.stopped = True
    for name in [name for name in st.session_state if str(name).startswith(PREFIX) and name not in SETTINGS]:
        del st.session_state[name]
    st.session_state.update(following)
    # The browser would go on showing what was typed.
    st.session_state[NAME] = ""


def lessons() -> dict[str, Lesson]:
    """Run -> the last training of its engine with the people of this session."""
    held: dict[str, Lesson] = st.session_state.setdefault(LESSONS, {})
    return held


def finished(run: str) -> Lesson | None:
    """The last training of a run's engine that came to its end, while another one may be under way."""
    lesson = lessons().get(run)
    return lesson.finished if lesson else None


def turn(widgets: str) -> int:
    """How often these widgets (ENROLS or FRAMES) were emptied."""
    return int(st.session_state.get(widgets, 0))


def once(key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
    """What `make` gives, made once for this frame and these people; kept in the session, the latest few alone."""
    worked: dict[tuple[Any, ...], Any] = st.session_state.setdefault(WORKED, {})
    if key not in worked:
        for old in list(worked)[: max(0, len(worked) - 8)]:
            del worked[old]
        worked[key] = make()
    made: Made = worked[key]
    return made


def with_people(engine: Enrols, spec: RunSpec) -> Enrols:
    """The engine with the session's people on file besides its own."""

    def made() -> Enrols:
        grown = engine
        for name, pictures in people().items():
            grown = grown.enrol(name, pictures)
        return grown

    return once(("on file", spec.id, enrolled()), made)


def enrolled() -> tuple[tuple[str, int], ...]:
    """(name, pictures) of everybody enrolled in this session."""
    return tuple((name, len(pictures)) for name, pictures in people().items())


def digest(frame: Picture) -> str:
    """A name for a frame within the session."""
    return hashlib.blake2b(np.ascontiguousarray(frame), digest_size=12).hexdigest()


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(run: str, case: str, root: str) -> tuple[Statistics | None, float]:
    """(answers where strangers came too, of shape (examples, columns); seconds of training). No visitor's face is in
    it: these are the scores of a run."""
    rows = RunStore().frame("id = ? and reading = '' and oracle = ''", (run,), case=case).to_pylist()
    for row in rows:
        statistics = np.asarray(row["statistics"], np.float64)
        if row["test"] != "test" and (statistics[:, 0] == 0).any():
            return statistics, float(row["train_seconds"])
    return None, float(rows[0]["train_seconds"]) if rows else 0.0


def measured(spec: RunSpec) -> tuple[Statistics | None, float]:
    """What a run measured with strangers at the gate, or None; and how many seconds its training took."""
    return _measured(spec.id, spec.case, str(RunStore().root))


def threshold(statistics: Statistics, limit: float) -> float:
    """The lowest score at which at most `limit` of the strangers are let in; a score that equals it is let in too."""
    strangers = np.sort(statistics[statistics[:, 0] == 0, 2])[::-1]
    highest_out = strangers[min(int(limit * len(strangers) + 1e-9), len(strangers) - 1)]
    return float(np.nextafter(highest_out, np.inf))


def trade(info: EngineInfo, statistics: Statistics) -> Trade:
    """Its line in a figure: FNIR against FPIR, from one stranger let in to all of them."""
    count = int((statistics[:, 0] == 0).sum())
    limits = np.unique(np.round(np.geomspace(max(1, LEAST * count), count * 0.999, 60)).astype(int)) / count
    points = np.array([rates(statistics, threshold(statistics, limit)) for limit in limits])
    return Trade(info.title, info.shape, points[:, 1], points[:, 0])


def judged(spec: RunSpec, trace: Trace, limit: float) -> tuple[Candidates, str]:
    """The answer at the threshold that lets in at most `limit` of strangers, and what was measured there."""
    answer: Candidates = trace.answer
    statistics, _ = measured(spec)
    if statistics is None:
        return answer, "What strangers do at this gate was not measured: the threshold is the engine's own."
    score = threshold(statistics, limit)
    missed, let_in = rates(statistics, score)
    strangers, mates = int((statistics[:, 0] == 0).sum()), int((statistics[:, 0] > 0).sum())
    told = (
        f"Measured at the score of {score:.2f}: **{words.share(let_in, 1)}** of {strangers:,} strangers are let in "
        f"(FPIR), and **{words.share(missed)}** of {mates:,} searches for people on file are kept out (FNIR)."
    )
    return Candidates(answer.people, score, answer.box), told


@dataclass(frozen=True)
class Filed:
    """What was measured as people came on file: the run whose model it was (None: an older one), rates, accuracy of
    verification (a share), and (people, seconds of a search, seconds of reading the gallery once)."""

    model: RunSpec | None
    rates: tuple[Growing, ...]
    check: str
    verification: float
    searches: tuple[tuple[int, float, float], ...]


def filed(case: CaseStudy) -> Filed | None:
    """What is kept of a growing gallery beside the case's runs, or None where nothing is, or nothing that can be read.

    Raises:
        UserError: the file is there and damaged.
    """
    file = RunStore().root / case.slug / "gallery.json"
    if not file.exists():
        return None
    specs = (
        RunSpec(case.slug, task.slug, info.name, Budget(budget), task.seeds[0], info.version)
        for task in case.tasks
        for info in case.engines
        for budget in task.models
    )
    try:
        kept = json.loads(file.read_text())
        model = next((spec for spec in specs if spec.id == kept["model"]), None)
        seen = [row for row in kept["growth"] if not row["forecast"]]
        most = seen[-1]["people"]
        ahead = [row for row in kept["growth"] if row["forecast"] and row["people"] > most]
        check = next((row for row in kept["growth"] if row["forecast"] and row["people"] == most), None)
        rates = tuple(
            Growing(
                title,
                colour,
                dash,
                np.array([row["people"] for row in seen], np.float64),
                np.array([row[name] for row in seen], np.float64),
                tuple((row["people"], row[name]) for row in ahead),
            )
            for title, name, colour, dash in (
                ("right person first", "rank1", theme.COLOURS[theme.PIPELINE], "solid"),
                ("strangers let in", "fpir", theme.ACCENT, "dash"),
            )
        )
        told = (
            ""
            if check is None
            else (
                f"From the first {kept['seen']:,} alone the same forecast said, of {most:,}, "
                f"{words.share(check['rank1'])} and {words.share(check['fpir'])}; measured were "
                f"{words.share(seen[-1]['rank1'])} and {words.share(seen[-1]['fpir'])}."
            )
        )
        searches = tuple((row["people"], row["search"], row["read"]) for row in kept["search"])
        return Filed(model, rates, told, float(kept["verification"]), searches)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(
            f"{file.name} of {case.slug} is damaged: measure it again, as the case's README says."
        ) from error
