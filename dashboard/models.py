"""Trained models that answer on a page. The only part of the dashboard that brings torch in, and only when a model must
answer."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import streamlit as st

from engines import registry
from engines.core import CaseStudy, Engine, EngineInfo, Task, Trace, TrainingData
from engines.runs import RunSpec, RunStore, kept_models, load_model

# Models at hand in this process, of all visitors together: three engines at about eight budgets.
AT_HAND = 24
# One answer at a time: visitors wait for one another rather than slow one another down, and the pages stay quick.
_ANSWERING = threading.Lock()
# Engines that have answered in this process: the first answer waits for what is compiled or built once.
_WARM: set[tuple[str, str]] = set()


def kept(case: CaseStudy, task: Task) -> dict[str, dict[float, RunSpec]]:
    """Engine name -> budget -> run whose model was kept; looked up anew once new runs are there."""
    folder = RunStore().root / case.slug
    stamps = tuple((folder / name).stat().st_mtime_ns if (folder / name).is_dir() else 0 for name in ("runs", "models"))
    return _kept(case.slug, task.slug, str(folder), stamps)


@st.cache_resource(max_entries=32, show_spinner=False)
def _kept(case: str, task: str, folder: str, stamps: tuple[int, ...]) -> dict[str, dict[float, RunSpec]]:
    study = registry.case(case)
    return kept_models(study, study.task(task), RunStore())


@st.cache_resource(max_entries=AT_HAND, show_spinner=False)
def _loaded(name: str, store: str, _info: EngineInfo, _spec: RunSpec | None, _task: Task) -> Engine:
    if _spec is not None:
        return load_model(_info, _spec, RunStore())
    # A reference learns nothing, but is told what the task's inputs are.
    return _info.create().fit(TrainingData.nothing(_task.x), np.random.default_rng(0))


def answer(info: EngineInfo, spec: RunSpec | None, task: Task, x: Any, reading: str = "") -> Trace:
    """What the model of a run (None: a reference, trained elsewhere) makes of input `x`, stage by stage. The seconds
    are those of an engine that has answered before.

    Raises:
        UserError: the model is damaged or cannot be had, or the input cannot be answered.
    """
    return traced(loaded(info, spec, task), x, reading, info.target)


def loaded(info: EngineInfo, spec: RunSpec | None, task: Task) -> Engine:
    """The trained engine of a run, or a reference (None), shared by all visitors.

    Raises:
        UserError: the model is damaged or cannot be had.
    """
    name = spec.id if spec else f"{info.target} {task.slug}"
    engine: Engine = _loaded(name, str(RunStore().root), info, spec, task)
    return engine


def traced(engine: Engine, x: Any, reading: str = "", target: str = "") -> Trace:
    """What an engine makes of input `x`; one visitor's turn at a time. `target` names what is built at a first answer.

    Raises:
        UserError: the input cannot be answered.
    """
    with _ANSWERING:
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)
        if (target or engine.name, reading) not in _WARM:
            engine.trace(x, reading=reading)
            _WARM.add((target or engine.name, reading))
        return engine.trace(x, reading=reading)
