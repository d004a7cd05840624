"""`python -m engines answer`: a trained engine's trace in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engines import registry
from engines.core import Step, TrainingData, UserError, resolve
from engines.core.amounts import amount
from engines.core.radiograph import in_years
from engines.core.wording import Hypothesis, Links, NBest, Options, Phrased, Tokens, Words
from engines.runs import RunStore, kept_models, load_model

MOST_BYTES = 20_000_000  # as on the pages (.streamlit/config.toml)


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
    elif not info.kept:
        raise UserError(f"Models of {info.name} are not kept: ask another engine of {case.slug}, `report` names them.")
    else:
        raise UserError(
            f"No trained {info.name} of {case.slug}/{task.slug} is kept: train it with "
            f"`python -m engines sweep {case.slug} {task.option} --engine {info.name}"
            f"{'' if task.models else ' --keep'}`."
        )
    if not case.decode:
        raise UserError(f"{case.slug} takes no input of a visitor's own.")
    data = _content(source)
    x = resolve(case.decode)(data, source.name, task)
    remark = resolve(case.remark)(data, source.name) if case.remark else ""
    trace = engine.trace(x, reading=reading)
    head = f"{info.title}, {budget}, {trace.seconds * 1000:.0f} ms"
    steps = [f"{step.stage} ({step.seconds * 1000:.0f} ms): {describe(step)}" for step in trace.steps]
    return "\n".join([*filter(None, [remark]), head, *steps])


def _content(source: Path) -> bytes:
    """What a file holds; of a large one no more is read than shows that it is too large."""
    try:
        with source.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{source} cannot be read ({error.strerror}): name a file that exists.") from error
    if len(data) > MOST_BYTES:
        raise UserError(
            f"{source.name} has more than the {MOST_BYTES // 1_000_000} MB that are taken: bring a smaller file."
        )
    return data


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
    if spec.kind in IN_WORDS:
        return IN_WORDS[spec.kind](value)
    if isinstance(value, np.ndarray):
        return f"{' x '.join(map(str, value.shape))} {spec.kind}"
    if spec.kind == "measures":
        taken = zip(value.names, value.values, value.units, strict=True)
        return ", ".join(f"{name} {number:.1f} {unit}" for name, number, unit in taken if unit)
    if spec.kind == "growth":
        return f"fits {in_years(value.months)} best; left out: {', '.join(value.left_out) or 'nothing'}"
    return str(value) if spec.kind in ("age", "candidates") else spec.kind


def _tokens(value: Tokens) -> str:
    """The tokens of each sentence, and those that are not known."""
    lacking = [sentence[i] for sentence, places in zip(value.sentences, value.unknown, strict=False) for i in places]
    return _spoken(value.sentences) + (f"; {value.lack}: {', '.join(dict.fromkeys(lacking))}" if lacking else "")


def _options(value: Options) -> str:
    """How many there are, and the words that no phrase translates."""
    pairs = [(words, o) for words, found in zip(value.tokens.sentences, value.sentences, strict=True) for o in found]
    spans = {(words, option.start, option.end) for words, option in pairs}
    lacking = dict.fromkeys(words[option.start] for words, option in pairs if option.unknown)
    told = f"; without a phrase: {', '.join(lacking)}" if lacking else ""
    return f"{len(pairs):,} ways to translate {len(spans):,} stretches of words{told}"


def _n_best(value: NBest) -> str:
    """The best candidate of each sentence."""
    return " / ".join(map(_best, value.sentences)) or "(nothing)"


def _best(candidates: Sequence[Hypothesis]) -> str:
    best = candidates[0]
    note = f"; {best.note}" if best.note else ""
    return f"{' '.join(best.words) or '(nothing)'} ({best.score:.2f}, the best of {len(candidates)}{note})"


def _phrases(value: Phrased) -> str:
    """Each phrase and what became of it, in the order of the answer."""
    told = []
    for words, found in zip(value.tokens.sentences, value.chosen, strict=True):
        spans = sorted(found.spans, key=lambda span: span.first)
        pairs = ((words[span.start : span.end], found.words[span.first : span.last]) for span in spans)
        told.append(" | ".join(f"{' '.join(source)} -> {' '.join(target)}" for source, target in pairs))
    return " / ".join(told) or "(nothing)"


def _links(value: Links) -> str:
    """How many pieces looked at how many, and what went wrong."""
    pairs = zip(value.target, value.source, strict=True)
    sizes = " / ".join(f"{len(target)} pieces looked at {len(source)}" for target, source in pairs)
    return "; ".join(filter(None, [sizes or "(nothing)", *dict.fromkeys(value.notes)]))


def _spoken(sentences: Sequence[Words]) -> str:
    return " / ".join(" ".join(sentence) for sentence in sentences) or "(nothing)"


# kind of `engines/core/wording.py` -> a line on a value of it
IN_WORDS: Mapping[str, Callable[[Any], str]] = {
    "tokens": _tokens,
    "options": _options,
    "n_best": _n_best,
    "phrases": _phrases,
    "links": _links,
}
