"""What a claim is, what can speak for or against it, and the verdict."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = Path(__file__).parent / "claims.csv"
Speaks = Literal["for", "against", "nothing"]
Verdict = Literal["supported", "contradicted", "mixed", "not testable here"]


@dataclass(frozen=True)
class Claim:
    """One sentence of the lecture. case: the slug it is about, "any" for all of them. test: what would show it."""

    number: int
    case: str
    text: str
    test: str


@dataclass(frozen=True)
class Evidence:
    """One comparison. `text` is a sentence with its numbers; `source` who measured; `case`, `task`, `budget`,
    `published` say which view shows it, on which page of the dashboard."""

    speaks: Speaks
    text: str
    source: str
    measured: bool
    case: str = ""
    task: str = ""
    budget: float | None = None
    published: str = ""
    page: str = "explore"


@dataclass(frozen=True)
class Judged:
    claim: Claim
    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        return verdict(self.evidence)

    @property
    def measured(self) -> tuple[Evidence, ...]:
        return tuple(each for each in self.evidence if each.measured)

    @property
    def published(self) -> tuple[Evidence, ...]:
        return tuple(each for each in self.evidence if not each.measured)


def verdict(evidence: Sequence[Evidence]) -> Verdict:
    """By the rule at the head of `engines.claims`."""
    spoken = {each.speaks for each in evidence} - {"nothing"}
    if spoken == {"for", "against"}:
        return "mixed"
    if spoken == {"for"}:
        return "supported"
    return "contradicted" if spoken else "not testable here"


def claims(path: Path = FILE) -> tuple[Claim, ...]:
    """The claims in the order of the lecture, numbered from 1."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            Claim(number, row["case"], row["claim"], row["test"]) for number, row in enumerate(csv.DictReader(file), 1)
        )
