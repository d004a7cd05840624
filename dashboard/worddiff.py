"""An answer held against a reference, word by word, and marked so that colour is not needed to tell what went wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Kind = Literal["same", "substitution", "insertion", "deletion"]

# The longest reference a page takes, in characters: about two minutes of speech, and quick to align.
LONGEST = 2000
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


def html(answer: str, truth: str = "") -> str:
    """The answer as HTML with its errors marked against the true words; unmarked when there are none."""
    if not truth:
        return f'<div class="wd">{escape(answer)}</div>' if answer.strip() else NOTHING
    return f'<div class="wd">{" ".join(_one(mark) for mark in align(answer.split(), truth.split()))}</div>'


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
