"""The numbers of a question besides its points: prices, aims, and what each approach needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dashboard.advising.question import Question
from dashboard.advising.reading import amount
from engines.core import UserError


@dataclass(frozen=True)
class Asked:
    """The numbers of a question besides its points; None where a field was left empty."""

    price: float
    training_price: float
    target: float | None
    money: float | None
    penalty: float | None
    available: float | None
    horizon: float | None
    needs: dict[str, tuple[str, float, float, float, float]]


def asked(question: Question) -> tuple[Asked, tuple[str, ...]]:
    """The numbers, and a sentence for each that cannot be used (it then counts as left empty)."""
    problems: list[str] = []

    def field(text: str, what: str, least: float = 0.0, above: bool = False) -> float | None:
        try:
            return amount(text, what, least, above)
        except UserError as error:
            problems.append(str(error))
            return None

    needs = {}
    for name, what, much, price, hours, each in question.needs:
        if not any(cell.strip() for cell in (what, much, price, hours, each)):
            continue
        titles = (
            "side data",
            "the price of side data",
            "training hours",
            f"training hours for each of {question.unit}",
        )
        numbers = [field(text, f"{name or 'An approach'}, {title}") or 0.0
                   for text, title in zip((much, price, hours, each), titles, strict=True)]  # fmt: skip
        needs[" ".join(name.split())] = (what.strip() or "side data", *numbers)
    price = field(question.price, "The price of data")
    made = Asked(
        1.0 if price is None else price,
        field(question.training_price, "The price of a training hour") or 0.0,
        field(question.target, "The target", -math.inf),
        field(question.money, "The money to spend", above=True),
        field(question.penalty, "What missing the target costs"),
        field(question.available, "The data at hand", above=True),
        field(question.horizon, "How far to forecast", above=True),
        needs,
    )
    return made, tuple(problems)
