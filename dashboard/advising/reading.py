"""From what was typed to numbers; what cannot be read gets a sentence, and the rest is used."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.advising.question import Cells, Question
from engines.core import Floats, UserError

MOST_APPROACHES = 8
LONGEST_NAME = 48
TOLD = 5  # sentences about rows; more are counted
_SCALES = {"k": 1e3, "K": 1e3, "M": 1e6}
_DECIMAL_COMMA = re.compile(r"[+-]?(0,\d+|\d+,(\d{1,2}|\d{4,}))\s*%?")  # its comma cannot stand between thousands
_SPACES = dict.fromkeys(map(ord, " \u00a0\u2009\u202f'’_"), None)


@dataclass(frozen=True, eq=False)
class Series:
    """An approach's measurements, one each: sizes, scores and standard errors, (n,); those are NaN where not given."""

    name: str
    sizes: Floats
    scores: Floats
    errors: Floats


@dataclass(frozen=True)
class Read:
    """`problems` say which rows were left out and why; `notes` what was taken for granted."""

    series: tuple[Series, ...]
    best: float
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def number(text: str, decimal_comma: bool = False) -> float:
    """A number as people write it: 12.5, 12,5, 1,000, 1 000, 5 %, 10k, 1.5M. `decimal_comma`: 1,234 is not 1234.

    Raises:
        ValueError: it is none, or not a finite one.
    """
    plain = text.strip().translate(_SPACES).replace("\u2212", "-").removesuffix("%")
    scale = 1.0
    if plain[-1:] in _SCALES and plain[:1] not in ("", *_SCALES):
        scale, plain = _SCALES[plain[-1]], plain[:-1]
    if decimal_comma and plain.count(",") == 1:
        plain = plain.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", plain):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"[+-]?[1-9]\d{0,2}(\.\d{3}){2,}(,\d*)?", plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    value = scale * float(plain)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def amount(text: str, what: str, least: float = 0.0, above: bool = False) -> float | None:
    """A field's number, None where it was left empty.

    Raises:
        UserError: it is no number, or less than it may be.
    """
    if not text.strip():
        return None
    try:
        value = number(text)
    except (ValueError, OverflowError):
        raise UserError(f"{what}: {quoted(text)} is not a number.") from None
    if value < least or (above and value <= least):
        raise UserError(f"{what} must be {'more than' if above else 'at least'} {least:g}, not {value:g}.")
    return value


def read(question: Question) -> Read:
    """The approaches in the order they come. Rows without size and score are still to be filled in.

    Raises:
        UserError: the score of a perfect answer is no number, or has to be given.
    """
    kept: list[tuple[str, float, float, float, int]] = []
    problems: list[str] = []
    notes: list[str] = []
    above = ""
    fast = _fast(question.rows)
    commas = [any(_DECIMAL_COMMA.fullmatch(row[column].strip()) for row in question.rows) for column in (1, 2, 3)]
    for place, row in enumerate(question.rows):
        name = _name(row[0])
        if not any(cell.strip() for cell in row[1:]):
            above = name or above
            continue
        if not name:
            name = above or "Approach"
            if len(notes) < TOLD:
                notes.append(f"Row {place + 1} has no approach, so it counts for “{name}”.")
        above = name
        if fast is not None:
            size, score, error = fast[place]
        else:
            try:
                size, score, error = _numbers(row, commas)
            except UserError as wrong:
                problems.append(f"Row {place + 1} ({name}): {wrong}")
                continue
        if not size > 0:
            problems.append(f"Row {place + 1} ({name}): the amount of data must be more than 0, not {size:g}.")
            continue
        kept.append((name, size, score, error, place))
    best = _perfect(question, [score for _, _, score, _, _ in kept])
    if best == 1 and question.score_unit.strip() == "%" and not question.best.strip():
        notes.append("No score is above 1, so a perfect one is taken to be 1: say under “Perfect score” if it is not.")
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for name, size, score, error, place in kept:
        if score > best if question.higher else score < best:
            problems.append(f"Row {place + 1} ({name}): a score of {score:g} is better than a perfect one, {best:g}.")
            continue
        groups.setdefault(name, []).append((size, score, error))
    if len(groups) > MOST_APPROACHES:
        problems.append(f"There are {len(groups)} approaches; the first {MOST_APPROACHES} are compared.")
    series = tuple(
        Series(name, *np.array(rows, dtype=np.float64).T) for name, rows in list(groups.items())[:MOST_APPROACHES]
    )
    if len(problems) > TOLD:
        problems = [*problems[:TOLD], f"{len(problems) - TOLD:,} more rows cannot be used, for reasons like these."]
    return Read(series, best, tuple(problems), tuple(notes))


def quoted(text: str) -> str:
    """What was typed, fit to be quoted in a sentence."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return f"“{plain if len(plain) <= 40 else plain[:39] + '…'}”"


def _numbers(row: Cells, commas: Sequence[bool]) -> tuple[float, float, float]:
    values = []
    for cell, what, comma in zip(row[1:], ("amount of data", "score", "standard error"), commas, strict=True):
        if not cell.strip():
            if what == "standard error":
                values.append(math.nan)
                continue
            raise UserError(f"the {what} is missing.")
        try:
            values.append(number(cell, comma))
        except (ValueError, OverflowError):
            raise UserError(f"the {what}, {quoted(cell)}, is not a number.") from None
    if values[2] < 0:
        raise UserError("the standard error must be at least 0.")
    return values[0], values[1], values[2]


def _fast(rows: Sequence[Cells]) -> Floats | None:
    """All numbers at once (rows, 3) where every cell is a plain finite one, as in long tables; else None."""
    if len(rows) < 1000:
        return None
    try:
        made = np.array([[cell or "nan" for cell in row[1:]] for row in rows], dtype=np.float64)
    except ValueError:
        return None
    fine = np.isfinite(made[:, :2]).all() and not np.isinf(made).any() and not (made[:, 2] < 0).any()
    return made if fine else None


def _name(text: str) -> str:
    plain = unicodedata.normalize("NFC", text)
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in plain).split())
    return plain if len(plain) <= LONGEST_NAME else plain[: LONGEST_NAME - 1] + "…"


def _perfect(question: Question, scores: Sequence[float]) -> float:
    given = None
    if question.best.strip():
        try:
            given = number(question.best)
        except (ValueError, OverflowError):
            raise UserError(f"The perfect score, {quoted(question.best)}, is not a number.") from None
    if given is not None:
        return given
    if not question.higher:
        return 0.0
    highest = max(scores, default=0.0)
    # Most scores of which higher is better end at 1 or 100. What lies above is told row by row, unless all do.
    inside = [score for score in scores if score <= 100]
    if highest > 100 and len(inside) < len(scores) / 2:
        raise UserError(f"Scores go up to {highest:g}: say under “Perfect score” what a perfect answer would score.")
    return 1.0 if max(inside, default=0.0) <= 1 else 100.0
