"""Measured points as a table for a README: `python -m engines report --markdown`, and `--into FILE` to renew one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from engines.core import CaseStudy, Task, UserError
from engines.core.amounts import amount
from engines.core.files import replacing
from engines.runs.report import Point, points
from engines.runs.store import RunStore

BEGIN = "<!-- report: {case} -->"
END = "<!-- end of report -->"


def tables(case: CaseStudy, store: RunStore) -> str:
    """A table a task that has runs: budgets down, engines and their readings across, mean ± standard error."""
    return "\n\n".join(table for task in case.tasks if (table := _table(case, task, points(case, task, store))))


def renew(file: Path, cases: Mapping[str, CaseStudy], store: RunStore) -> str:
    """Put the tables of today between the marks of `file`; what stands outside them is kept.

    Raises:
        UserError: the file cannot be read or written, has no marks, or names a case that there is not.
    """
    try:
        text = file.read_text(encoding="utf-8")
        for name in (names := _marked(text)):
            if name not in cases:
                raise UserError(f"{file} has a mark for “{name}”, which is no case study: correct the mark.")
            begin = BEGIN.format(case=name)
            start = text.index(begin) + len(begin)
            text = f"{text[:start]}\n{tables(cases[name], store)}\n{text[text.index(END, start) :]}"
        if not names:
            raise UserError(f"{file} has no place for a table: write {BEGIN.format(case='CASE')} and {END} around one.")
        with replacing(file) as aside:
            aside.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be renewed ({error}): name another file.") from error
    return f"{file}: tables of {', '.join(names)}."


def _marked(text: str) -> list[str]:
    """The cases whose tables a text has a place for."""
    before, after = BEGIN.split("{case}")
    pieces = [piece.partition(after) for piece in text.split(before)[1:]]
    return [name for name, mark, rest in pieces if mark and END in rest]


def _table(case: CaseStudy, task: Task, found: Sequence[Point]) -> str:
    here = [point for point in found if point.test == "test" and not point.oracle]
    columns = {name: case.label(name) for name in case.curves if any(point.engine == name for point in here)}
    if not columns:
        return ""
    unit = f", {task.metric.unit}" if task.metric.unit else ""
    better = "lower" if task.metric.lower_is_better else "higher"
    lines = [
        f"**{task.title}**: {task.metric.name}{unit} ({better} is better)",
        "",
        f"| training data | {' | '.join(columns.values())} | seeds |",
        f"|{'---|' * (len(columns) + 2)}",
    ]
    for budget in sorted({point.budget for point in here if point.engine in columns}):
        row = {point.engine: point for point in here if point.budget == budget}
        seeds = sorted({len(point.seeds) for point in row.values()})
        cells = [_cell(row.get(name)) for name in columns]
        count = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
        lines.append(f"| {amount(budget, task.unit)} | {' | '.join(cells)} | {count} |")
    lines += [
        f"\n{case.engine(point.engine).title}: {_cell(point)}."
        for point in here
        if not point.reading and point.reference
    ]
    return "\n".join(lines)


def _cell(point: Point | None) -> str:
    return f"{point.mean:.1f} ± {point.standard_error:.1f}" if point else "–"
