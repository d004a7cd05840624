"""`python -m engines advise points.csv`: from a table of measured points to the advice, as text.

The file has a header and the columns approach, size, score, and if they are known seed and standard_error; one row a
measurement. Rows of one approach and one size are its seeds.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engines.core import UserError
from engines.curves.advice import (
    Approach,
    Prices,
    collection_plan,
    data_needed,
    for_budget,
    for_target,
    next_measurement,
    warnings,
)
from engines.curves.crossover import HORIZON, overtaking, size_text
from engines.curves.curve import Curve
from engines.curves.forecast import Forecast, forecasts

NAMES = {
    "approach": ("approach", "engine", "model", "learner", "series", "name"),
    "size": ("size", "train_size", "train_sizes", "data", "data_size", "budget", "n", "seen_examples"),
    "score": ("score", "value", "error", "test_error", "loss", "accuracy", "test_score"),
    "standard_error": ("standard_error", "stderr", "test_error_stderr"),
}
HIGHER = ("accuracy",)  # of these columns of scores higher is better, whatever else is said
MOST_ROWS = 2_000_000


def advise(chosen: argparse.Namespace) -> int:
    """Print the advice for the command line's arguments (those of `python -m engines advise --help`).

    Raises:
        UserError: the file or an argument is not usable.
    """
    for name in ("horizon", "available"):
        value = getattr(chosen, name)
        if value is not None and not 0 < value < math.inf:
            raise UserError(f"--{name} is an amount of data above 0, not {value:g}.")
    curves = read_points(chosen.points, not chosen.higher_is_better, chosen.best)
    made = forecasts(curves, np.random.default_rng(chosen.seed), chosen.draws)
    unit = f" {chosen.unit}" if chosen.unit else ""
    largest = max(float(curve.sizes[-1]) for curve in curves)
    horizon = chosen.horizon or HORIZON * largest
    _print_forecasts(made, horizon, unit)
    looked_at = [0.0]
    found = overtaking(made, chosen.challenger, horizon)
    if found is not None:
        print("\n" + found.sentence(chosen.unit))
        for size in (largest, 4 * largest, 16 * largest):
            if found.sizes[0] <= size <= horizon:
                print(f"  probability that it has by {size_text(size)}{unit}: {found.probability_by(size)[0]:.0%}")
        looked_at.append(found.median)
    approaches = [Approach(each) for each in made]
    prices = Prices(chosen.price)
    if chosen.target is not None:
        looked_at.append(_print_target(approaches, chosen, prices, horizon, unit))
    if chosen.budget is not None:
        looked_at.append(_print_budget(approaches, chosen.budget, prices, unit))
    if found is not None:
        following = next_measurement(found, made, chosen.available)
        print("\n" + (following.sentence(chosen.unit) if following else "No measurement at hand would change much."))
    for sentence in warnings(curves, max(size for size in looked_at if math.isfinite(size))):
        print(f"Note: {sentence}")
    return 0


def _print_forecasts(made: Sequence[Forecast], horizon: float, unit: str) -> None:
    print(f"{'approach':24} {'size' + unit:>14} {'score':>10}   90 % interval")
    for each in made:
        last = float(each.curve.sizes[-1])
        for size in [last * factor for factor in (1, 2, 4, 16, 100) if last * factor <= horizon * (1 + 1e-9)]:
            low, middle, high = each.quantiles(np.array([size]))[:, 0]
            print(
                f"{each.curve.name[:24]:24} {size_text(size):>14} {middle:>10.4g}   "
                f"{min(low, high):.4g} to {max(low, high):.4g}"
            )


def _print_target(
    approaches: Sequence[Approach], chosen: argparse.Namespace, prices: Prices, horizon: float, unit: str
) -> float:
    """Print what the target asks for; the largest median amount of data among those that reach it."""
    print(f"\nFor a score of {chosen.target:g}:")
    rows = for_target(approaches, chosen.target, prices, horizon)
    for row in rows:
        if not row.reached:
            print(f"  {row.name}: not within {size_text(horizon)}{unit}")
            continue
        low, middle, high = (_amount(value, unit) for value in row.data)
        middle = f"at most {middle}" if row.data[1] <= row.least else middle
        costs = " / ".join(_amount(value) for value in row.cost)
        print(
            f"  {row.name}: {middle} (90 %: {low} to {high}), cost {costs} (5, 50, 95 %), "
            f"reached within {size_text(horizon)}{unit} with probability {row.reached:.0%}"
        )
    if chosen.penalty is not None:
        best = next(each for each in approaches if each.name == rows[0].name)
        start = float(best.forecast.curve.sizes[-1])
        plan = collection_plan(data_needed(best.forecast, chosen.target, horizon), start, prices.data, chosen.penalty)
        print(f"  Plan for {best.name}, from the {size_text(start)}{unit} it has, stopping when the target is reached:")
        for number, each in enumerate(plan.rounds, 1):
            reached = f"reached by then with probability {each.reached:.0%}"
            print(f"    round {number}: collect up to {size_text(each.size)}{unit} ({reached})")
        cost = (
            f"expected cost {plan.cost:,.4g}" if plan.rounds else "collect nothing: more would cost more than it brings"
        )
        print(f"    {cost}; missed with probability {plan.missed:.0%}")
    finite = [row.data[1] for row in rows if math.isfinite(row.data[1])]
    return max(finite, default=0.0)


def _print_budget(approaches: Sequence[Approach], money: float, prices: Prices, unit: str) -> float:
    """Print what the money buys; the amount of data of the approach that is most probably the best."""
    print(f"\nFor {money:g} of money:")
    rows = for_budget(approaches, money, prices)
    for row in rows:
        low, middle, high = row.score
        if math.isnan(middle):
            print(f"  {row.name}: {size_text(row.data)}{unit}, less than it was measured with")
            continue
        print(
            f"  {row.name}: {size_text(row.data)}{unit} give {middle:.4g} (90 %: {min(low, high):.4g} to "
            f"{max(low, high):.4g}); the best of all with probability {row.best:.0%}"
        )
    return rows[0].data


def _amount(value: float, unit: str = "") -> str:
    return size_text(value) + unit if math.isfinite(value) else "never"


def read_points(path: Path, lower_is_better: bool = True, best: float | None = None) -> list[Curve]:
    """One curve an approach, in the file's order.

    Raises:
        UserError: the file cannot be read, lacks a column, or holds something that is no number, with its line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return parse_points(file.read(), lower_is_better, best)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): name a CSV file with a header.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8: save the table as CSV.") from error


def parse_points(text: str, lower_is_better: bool = True, best: float | None = None) -> list[Curve]:
    """As `read_points`, for the text of a file; commas, semicolons or tabs separate."""
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for row in read_rows(text):
        if lower_is_better and row.scored in HIGHER:
            raise UserError(
                f"Of the column {row.scored} higher is better: say so with --higher-is-better, or give errors in a "
                "column named error."
            )
        size, score = (_number(getattr(row, key), key, row.line) for key in ("size", "score"))
        spread = _number(row.standard_error, "standard error", row.line) if row.standard_error else math.nan
        groups.setdefault(row.approach or "approach", []).append((size, score, spread))
    return [_curve(name, rows, lower_is_better, best) for name, rows in groups.items()]


class Row(NamedTuple):
    """A row of a table as it was written; `line` is its line in the file, `scored` the name of its scores' column."""

    approach: str
    size: str
    score: str
    standard_error: str
    line: int
    scored: str = ""


def read_rows(text: str) -> list[Row]:
    """The cells of a table of points, as text. Commas, semicolons or tabs separate; a header names the columns.

    Tables that people paste are read too: without a header, two columns are size and score, three are approach, size
    and score; and with a column of sizes and no column named score, every further column is an approach.

    Raises:
        UserError: the table is empty or too long, or lacks a column.
    """
    lines = text.splitlines()
    empty = UserError("The table is empty: give a header (approach, size, score) and a row for each measurement.")
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise empty
    if len(lines) > MOST_ROWS:
        raise UserError(f"The table has {len(lines):,} rows; give at most {MOST_ROWS:,}.")
    separator = max(",;\t", key=first.count)
    # A quotation mark that is never closed would swallow the rest of the table as one cell, against csv's own limit.
    try:
        cells = [(number, row) for number, row in _cells(lines, separator) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UserError(f"The table cannot be read ({error}): see to its quotation marks.") from error
    if not cells:
        raise empty
    header = [name.strip().lower() for name in cells[0][1]]
    places = {key: _place(header, known) for key, known in NAMES.items()}
    body = cells[1:]
    if places["size"] is None and 2 <= len(header) <= 4 and _is_number(header[-1]):
        places = dict(zip(("approach", "size", "score", "standard_error"), range(4), strict=True))
        if len(header) == 2:
            places = {"approach": None, "size": 0, "score": 1, "standard_error": None}
        body = cells
    elif places["size"] is not None and places["score"] is None and places["approach"] is None and len(header) > 1:
        return _wide(cells, int(places["size"]))
    missing = [key for key in ("size", "score") if places[key] is None]
    if missing:
        raise UserError(
            f"The table has no column {' and no column '.join(missing)}: its header is {', '.join(header)[:200]}."
        )
    if not body:
        raise UserError("The table has a header and no row: give a row for each measurement.")
    approach, size, score, spread = (places[key] for key in NAMES)
    scored = "" if body is cells else header[int(score or 0)]
    return [
        Row(_cell(row, approach), _cell(row, size), _cell(row, score), _cell(row, spread), number, scored)
        for number, row in body
    ]


def _cells(lines: list[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=separator)
    for row in reader:
        yield reader.line_num, row


def _cell(row: list[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _wide(cells: list[tuple[int, list[str]]], size: int) -> list[Row]:
    names = cells[0][1]
    rows = [
        Row(name.strip(), _cell(row, size), _cell(row, place), "", line=number)
        for place, name in enumerate(names)
        if place != size
        for number, row in cells[1:]
        if _cell(row, place)
    ]
    if not rows:
        raise UserError("The table has a header and no row: give a row for each measurement.")
    return rows


def _is_number(cell: str) -> bool:
    try:
        float(cell.removesuffix("%").strip())
    except ValueError:
        return False
    return True


def _curve(name: str, rows: list[tuple[float, float, float]], lower_is_better: bool, best: float | None) -> Curve:
    sizes, scores, spreads = np.array(rows).T
    return Curve(sizes, scores, lower_is_better=lower_is_better, name=name, best=best, standard_errors=spreads)


def _place(header: list[str], known: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in known if name in header), None)


def _number(cell: str, what: str, line: int) -> float:
    try:
        value = float(cell.removesuffix("%").strip())
    except ValueError:
        raise UserError(f"Line {line}: the {what} {cell!r} is not a number (use a point for decimals).") from None
    if not math.isfinite(value):
        raise UserError(f"Line {line}: the {what} is {cell}, but must be a finite number.")
    return value
