"""An answer to take away: one HTML file that needs nothing else, and a table of its numbers."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from dashboard import documents
from dashboard.advising.answer import Answer
from dashboard.advising.question import Question


def html(question: Question, found: Answer, figure: go.Figure) -> str:
    """The whole report as one page: no file, font or script is fetched from elsewhere."""
    parts = [f'<p class="answer">{escape(" ".join(found.sentences))}</p>', documents.chart(figure)]
    for title, rows in sections(found):
        parts.append(f"<h2>{escape(title)}</h2>{documents.table(rows)}")
    if found.plan:
        parts.append(f"<h2>How to collect</h2>{documents.items(found.plan)}")
    if found.measurement:
        parts.append(f"<h2>What to measure next</h2><p>{escape(found.measurement)}</p>")
    if found.warnings:
        parts.append(f"<h2>What to know</h2>{documents.items(found.warnings)}")
    points = [
        {"Approach": row[0], f"Data ({question.unit})": row[1], question.metric or "score": row[2], "±": row[3]}
        for row in question.rows[:2000]
        if any(row[1:])
    ]
    parts.append(f"<h2>The points</h2>{documents.table(points)}")
    parts.append(
        '<p class="small">Forecasts are averages over eleven families of learning curves, with intervals that hold '
        "nine times in ten on learning curves like those of LCDB (CC BY 4.0). Made with Crossover.</p>"
    )
    return documents.page("When does which approach win?", parts)


def sections(found: Answer) -> list[tuple[str, Sequence[Mapping[str, str]]]]:
    """The tables of an answer with their titles, those that there are."""
    every: list[tuple[str, Sequence[Mapping[str, str]]]] = [
        ("What the target takes", found.target),
        ("What the money buys", found.money),
        ("What to expect", found.expected),
    ]
    return [(title, rows) for title, rows in every if rows]


def facts(found: Answer) -> str:
    """The numbers of an answer as CSV, a row a number with its 90 % interval; empty is unknown, "never" is infinite."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["section", "approach", "what", "low", "middle", "high", "unit"])
    for fact in found.facts:
        numbers = [_number(value) for value in (fact.low, fact.middle, fact.high)]
        writer.writerow([fact.section, _cell(fact.approach), _cell(fact.what), *numbers, _cell(fact.unit)])
    for place, sentence in enumerate([*found.sentences, *found.warnings]):
        kind = "answer" if place < len(found.sentences) else "warning"
        writer.writerow([kind, "", _cell(sentence), "", "", "", ""])
    return file.getvalue()


def points(question: Question) -> str:
    """The table as it was typed, as CSV that can be uploaded again."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["approach", "size", "score", "standard_error"])
    writer.writerows([_cell(cell) for cell in row] for row in question.rows)
    return file.getvalue()


def _number(value: float) -> str:
    return "" if math.isnan(value) else "never" if math.isinf(value) else f"{value:.6g}"


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: a number may have a sign."""
    signed = text[:1] in ("+", "-") and not re.fullmatch(r"[+-]?[\d.,\s]+(e[+-]?\d+)?\s*%?", text, re.IGNORECASE)
    return f"'{text}" if signed or text[:1] in ("=", "@", "\t", "\r") else text
