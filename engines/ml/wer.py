"""Word error rate, and which words are wrong.

Source: Levenshtein (1966); the alignment with the fewest edits, as NIST's sclite counts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["equal", "substitute", "delete", "insert"]


@dataclass(frozen=True)
class Edit:
    """One step of an alignment. `truth` is "" for an insertion, `said` is "" for a deletion."""

    kind: Kind
    truth: str
    said: str


def words(text: str) -> list[str]:
    """Upper-case words; punctuation other than apostrophes counts as space."""
    return "".join(c if c.isalnum() or c == "'" else " " for c in text.upper().replace("’", "'")).split()


def edits(said: list[str], truth: list[str]) -> tuple[Edit, ...]:
    """The alignment of two lists of words with the fewest edits; among those, with the most equal words."""
    step, tie = 1 << 16, 1
    cost = np.zeros((len(truth) + 1, len(said) + 1), np.int64)
    cost[:, 0] = step * np.arange(len(truth) + 1)
    cost[0, :] = step * np.arange(len(said) + 1)
    for i, want in enumerate(truth, 1):
        row, above = cost[i], cost[i - 1]
        for j, got in enumerate(said, 1):
            row[j] = min(above[j - 1] + (step + tie) * (want != got), above[j] + step, row[j - 1] + step)
    out: list[Edit] = []
    i, j = len(truth), len(said)
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (step + tie) * (truth[i - 1] != said[j - 1]):
            i, j = i - 1, j - 1
            out.append(Edit("equal" if truth[i] == said[j] else "substitute", truth[i], said[j]))
        elif i and cost[i, j] == cost[i - 1, j] + step:
            i -= 1
            out.append(Edit("delete", truth[i], ""))
        else:
            j -= 1
            out.append(Edit("insert", "", said[j]))
    return tuple(out[::-1])


def marks(answer: str, truth: str) -> tuple[Edit, ...]:
    """Word by word, what an answer got right, swapped, left out or put in."""
    return edits(words(answer), words(truth))


def measure(answer: str, truth: str) -> np.ndarray:
    """Statistics of one example: [substitutions + deletions + insertions, words of the reference], float64."""
    steps = marks(answer, truth)
    errors = sum(step.kind != "equal" for step in steps)
    return np.array([errors, len(words(truth))], np.float64)


def combine(statistics: np.ndarray) -> float:
    """Word error rate in per cent of (n, 2) statistics; above 100 where there are more errors than words."""
    errors, total = np.asarray(statistics, np.float64).reshape(-1, 2).sum(0)
    return float(100 * errors / total) if total else float(100 * (errors > 0))
