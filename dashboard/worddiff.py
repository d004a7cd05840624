"""An answer held against a reference, word by word, and marked so that colour is not needed to tell what went wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Kind = Literal["same", "substitution", "insertion", "deletion"]

Tokens = Callable[[str], Sequence[tuple[str, str]]]  # a text -> (a word as written, what of it is compared) in order
_NO_WORD = re.compile(r"[^\w']+|_")


@dataclass(frozen=True)
class Mark:
    """One step of the alignment. `written` is the answer's word ("" where one was left out), `wanted` the
    reference's ("" where one was added)."""

    kind: Kind
    written: str
    wanted: str


def words(text: str) -> list[str]:
    """The words of a typed text as transcripts spell them: upper case, no punctuation but apostrophes."""
    plain = unicodedata.normalize("NFC", text).replace("\u2019", "'").upper()
    return [word.strip("'") for word in _NO_WORD.sub(" ", plain).split() if word.strip("'")]


def align(written: Sequence[str], wanted: Sequence[str]) -> list[Mark]:
    """The alignment with the fewest errors (Levenshtein 1966), in order.

    Of equally good ones that with most substitutions is taken, as scoring programs do.
    """
    rows, columns = len(written) + 1, len(wanted) + 1
    cost = [[0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            if i == 0 or j == 0:
                cost[i][j] = i + j
                continue
            both = cost[i - 1][j - 1] + (written[i - 1] != wanted[j - 1])
            cost[i][j] = min(both, cost[i - 1][j] + 1, cost[i][j - 1] + 1)
    marks: list[Mark] = []
    i, j = rows - 1, columns - 1
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + (written[i - 1] != wanted[j - 1]):
            i, j = i - 1, j - 1
            kind: Kind = "same" if written[i] == wanted[j] else "substitution"
            marks.append(Mark(kind, written[i], wanted[j]))
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            marks.append(Mark("insertion", written[i], ""))
        else:
            j -= 1
            marks.append(Mark("deletion", "", wanted[j]))
    return marks[::-1]


# Each kind of error has a sign and a line of its own besides its colour; the colours are mixed into whatever the
# theme's background is, so they hold in light and dark.
STYLE = """
.wd { line-height: 1.9; overflow-wrap: anywhere; }
.wd span { border-radius: .25em; padding: .08em .3em; white-space: nowrap; }
.wd .sub { background: color-mix(in srgb, #e69f00 26%, transparent); border-bottom: 2px dashed #e69f00; }
.wd .ins { background: color-mix(in srgb, #56b4e9 26%, transparent); border-bottom: 2px solid #56b4e9; }
.wd .del { background: color-mix(in srgb, #d55e00 18%, transparent); border-bottom: 2px dotted #d55e00; }
.wd small { opacity: .85; font-size: .78em; }
.wd .none { opacity: .65; font-style: italic; padding: 0; }
"""
LEGEND = (
    '<div class="wd" style="font-size:.85rem">'
    '<span class="sub">WRITTEN <small>\u2260 RIGHT</small></span> another word &ensp;'
    '<span class="ins">+\u2009WORD</span> a word too many &ensp;'
    '<span class="del">\u2212\u2009<s>WORD</s></span> a word left out</div>'
)
NOTHING = '<div class="wd"><span class="none">(nothing)</span></div>'


def spaced(text: str) -> list[tuple[str, str]]:
    """What stands between spaces, compared as it is."""
    return [(word, word) for word in text.split()]


def html(answer: str, truth: str = "", tokens: Tokens = spaced) -> str:
    """The answer as HTML with its errors marked against the true words, which `tokens` tells apart; unmarked when there
    is no truth."""
    if not truth:
        return f'<div class="wd">{escape(answer)}</div>' if answer.strip() else NOTHING
    ours, theirs = tokens(answer), tokens(truth)
    written = iter([(word, gap) for (word, _), gap in zip(ours, _gaps(answer, ours), strict=True)])
    wanted = iter([word for word, _ in theirs])
    shown = ""
    for mark in align([word for _, word in ours], [word for _, word in theirs]):
        own, gap = next(written) if mark.written else ("", " ")
        right = next(wanted) if mark.wanted else ""
        shown += (gap if shown else "") + _one(Mark(mark.kind, own, right))
    return f'<div class="wd">{shown}</div>'


def _gaps(text: str, tokens: Sequence[tuple[str, str]]) -> list[str]:
    """What stands before each word of a text: a space, or nothing."""
    gaps, at = [], 0
    for word, _ in tokens:
        place = text.find(word, at)
        gaps.append("" if place == at else " ")
        at = place + len(word) if place >= 0 else at
    return gaps


def _one(mark: Mark) -> str:
    written, wanted = escape(mark.written), escape(mark.wanted)
    if mark.kind == "substitution":
        title = f"{written} written, {wanted} right"
        return f'<span class="sub" title="{title}">{written} <small>\u2260 {wanted}</small></span>'
    if mark.kind == "insertion":
        return f'<span class="ins" title="{written} is not in it">+\u2009{written}</span>'
    if mark.kind == "deletion":
        return f'<span class="del" title="{wanted} was left out">\u2212\u2009<s>{wanted}</s></span>'
    return written
