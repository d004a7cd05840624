"""`python -m engines answer`: a trained engine's trace in words."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from engines import registry
from engines.core import Step, TrainingData, UserError, resolve
from engines.core.amounts import amount
from engines.core.radiograph import in_years
from engines.runs import RunStore, kept_models, load_model


def answer(
    case_slug: str,
    engine_name: str,
    source: Path,
    task_slug: str | None,
    pairs: float | None,
    reading: str = "",
) -> str:
    """The trace of one answer, a paragraph a stage.

    Raises:
        UserError: an unknown case, task, engine or reading, an input that cannot be used, no kept model.
    """
    case = registry.case(case_slug)
    task, info = case.task(task_slug), case.engine(engine_name)
    store = RunStore()
    models = kept_models(case, task, store).get(info.name, {})
    if info.reference:
        engine = info.create().fit(TrainingData.nothing(task.x), np.random.default_rng(0))
        budget = "trained elsewhere"
    elif models:
        if pairs is not None and not 0 < pairs < math.inf:
            raise UserError("A budget is more than 0, in the task's unit.")
        nearest = max(models) if pairs is None else min(models, key=lambda p: abs(math.log(p / pairs)))
        engine, budget = load_model(info, models[nearest], store), amount(nearest, task.unit)
    else:
        raise UserError(
            f"No trained {info.name} of {case.slug}/{task.slug} is kept: train it with "
            f"`python -m engines sweep {case.slug} --task {task.slug} --engine {info.name}`."
        )
    if not case.decode:
        raise UserError(f"{case.slug} takes no input of a visitor's own.")
    try:
        data = source.read_bytes()
    except OSError as error:
        raise UserError(f"{source} cannot be read ({error.strerror}): name a file that exists.") from error
    x = resolve(case.decode)(data, source.name, task)
    trace = engine.trace(x, reading=reading)
    head = f"{info.title}, {budget}, {trace.seconds * 1000:.0f} ms"
    return "\n".join(
        [head, *(f"{step.stage} ({step.seconds * 1000:.0f} ms): {describe(step)}" for step in trace.steps)]
    )


def describe(step: Step) -> str:
    """One line on what a stage gave, by the kind of its value."""
    value, spec = step.value, step.spec
    if spec.kind == "text":
        return value or "(nothing)"
    if spec.kind == "segments":
        tiers = dict.fromkeys(segment.tier for segment in value)
        return (
            "; ".join(f"{tier}: {' '.join(s.label for s in value if s.tier == tier)}" for tier in tiers) or "(nothing)"
        )
    if spec.kind == "posteriors" and spec.labels:
        best = [spec.labels[column] for column in np.argmax(value, axis=1)]
        path = [label for place, label in enumerate(best) if place == 0 or label != best[place - 1]]
        return f"{value.shape[0]} frames, best path {' '.join(path)}"
    if isinstance(value, np.ndarray):
        return f"{' x '.join(map(str, value.shape))} {spec.kind}"
    if spec.kind == "measures":
        taken = zip(value.names, value.values, value.units, strict=True)
        return ", ".join(f"{name} {number:.1f} {unit}" for name, number, unit in taken if unit)
    if spec.kind == "growth":
        return f"fits {in_years(value.months)} best; left out: {', '.join(value.left_out) or 'nothing'}"
    return str(value) if spec.kind in ("age", "candidates") else spec.kind
