"""`python -m engines advise points.csv`: from a table of measured points to the advice, as text.

The file has a header and the columns approach, size, score, and if they are known seed and standard_error; one row a
measurement. Rows of one approach and one size are its seeds.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Sequence
from pathlib import Path

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
from engines.curves.crossover import HORIZON, Crossover, crossover, size_text
from engines.curves.curve import Curve
from engines.curves.forecast import Forecast, forecasts

NAMES = {
    "approach": ("approach", "engine", "model", "learner", "series", "name"),
    "size": ("size", "train_size", "train_sizes", "data", "data_size", "budget", "n", "seen_examples"),
    "score": ("score", "value", "error", "test_error", "loss", "accuracy", "test_score"),
    "standard_error": ("standard_error", "stderr", "test_error_stderr"),
}
MOST_ROWS = 2_000_000


def advise(chosen: argparse.Namespace) -> int:
    """Print the advice for the command line's arguments (those of `python -m engines advise --help`).

    Raises:
        UserError: the file or an argument is not usable.
    """
    curves = read_points(chosen.points, not chosen.higher_is_better, chosen.best)
    made = forecasts(curves, np.random.default_rng(chosen.seed), chosen.draws)
    unit = f" {chosen.unit}" if chosen.unit else ""
    largest = max(float(curve.sizes[-1]) for curve in curves)
    horizon = chosen.horizon or HORIZON * largest
    _print_forecasts(made, horizon, unit)
    looked_at = None
    found = _asked(made, chosen.challenger, horizon)
    if found is not None:
        print("\n" + found.sentence(chosen.unit))
        for size in (largest, 4 * largest, 16 * largest):
            if found.sizes[0] <= size <= horizon:
                print(f"  probability that it has by {size_text(size)}{unit}: {found.probability_by(size)[0]:.0%}")
        looked_at = found.median
    approaches = [Approach(each) for each in made]
    prices = Prices(chosen.price)
    if chosen.target is not None:
        reached = _print_target(approaches, chosen, prices, horizon, unit)
        looked_at = max(looked_at or 0.0, reached)
    if chosen.budget is not None:
        _print_budget(approaches, chosen.budget, prices, unit)
    if found is not None:
        following = next_measurement(found, made, chosen.available)
        print("\n" + (following.sentence(chosen.unit) if following else "No measurement at hand would change much."))
    for sentence in warnings(curves, looked_at):
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


def _asked(made: Sequence[Forecast], challenger: str | None, horizon: float) -> Crossover | None:
    """The crossover asked for: the named approach against the rest. Unless one is named, it is the one that leads at
    the largest size that all have measured, if another led at the smallest; else, of those that trail, the one with
    the best median at the horizon."""
    if len(made) < 2:
        return None
    names = [each.curve.name for each in made]
    if challenger is None:
        ends = [max(each.curve.sizes[0] for each in made), min(each.curve.sizes[-1] for each in made), horizon]
        first, now, far = np.array([np.median(each.log_draws(np.array(ends)), axis=0) for each in made]).T
        place = int(now.argmin())
        if place == int(first.argmin()):
            far[place] = np.inf
            place = int(far.argmin())
    elif challenger in names:
        place = names.index(challenger)
    else:
        raise UserError(f"There is no approach {challenger!r}; there are {', '.join(names)}.")
    return crossover(made[place], *(each for each in made if each is not made[place]), horizon=horizon)


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


def _print_budget(approaches: Sequence[Approach], money: float, prices: Prices, unit: str) -> None:
    print(f"\nFor {money:g} of money:")
    for row in for_budget(approaches, money, prices):
        low, middle, high = row.score
        print(
            f"  {row.name}: {size_text(row.data)}{unit} give {middle:.4g} (90 %: {min(low, high):.4g} to "
            f"{max(low, high):.4g}); the best of all with probability {row.best:.0%}"
        )


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
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise UserError("The table is empty: give a header (approach, size, score) and a row for each measurement.")
    if len(lines) > MOST_ROWS:
        raise UserError(f"The table has {len(lines):,} rows; give at most {MOST_ROWS:,}.")
    separator = max(",;\t", key=lines[0].count)
    reader = csv.reader(lines, delimiter=separator)
    header = [name.strip().lower() for name in next(reader)]
    places = {key: _place(header, known) for key, known in NAMES.items()}
    missing = [key for key in ("size", "score") if places[key] is None]
    if missing:
        raise UserError(
            f"The table has no column {' and no column '.join(missing)}: its header is {', '.join(header)}."
        )
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        cells = {
            key: row[place].strip() if place is not None and place < len(row) else "" for key, place in places.items()
        }
        size, score = (_number(cells[key], key, reader.line_num) for key in ("size", "score"))
        spread = (
            _number(cells["standard_error"], "standard error", reader.line_num) if cells["standard_error"] else math.nan
        )
        groups.setdefault(cells["approach"] or "approach", []).append((size, score, spread))
    if not groups:
        raise UserError("The table has a header and no row: give a row for each measurement.")
    return [_curve(name, rows, lower_is_better, best) for name, rows in groups.items()]


def _curve(name: str, rows: list[tuple[float, float, float]], lower_is_better: bool, best: float | None) -> Curve:
    sizes, scores, spreads = np.array(rows).T
    known = None if np.isnan(spreads).any() else spreads
    return Curve(sizes, scores, lower_is_better=lower_is_better, name=name, best=best, standard_errors=known)


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
