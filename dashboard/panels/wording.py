"""Words on their way to other words: tokens, phrases and their order, options, candidates with their scores, links."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard.figures.links import matrix
from dashboard.panels.beside import Beside
from dashboard.words import plain
from engines.core import Spec
from engines.core.wording import Hypothesis, Links, NBest, Options, Phrased, Span, Tokens

COLOURS = ("blue", "green", "orange", "violet", "red", "gray")  # of phrases, in turn; their numbers say the same
PROBABILITY = "log probability"  # the part of a score that is one
MOST_OPTIONS, MOST_CANDIDATES, MOST_PIECES = 200, 10, 60


def tokens(value: Tokens, spec: Spec, beside: Beside) -> None:
    """A row of pieces a sentence; unknown ones marked and said."""
    del spec, beside
    for place, sentence in enumerate(value.sentences):
        unknown = set(value.unknown[place]) if value.unknown else set()
        pieces = [
            f":orange-badge[:material/help: {plain(word)}]" if i in unknown else f":gray-badge[{plain(word)}]"
            for i, word in enumerate(sentence)
        ]
        st.markdown(" ".join(pieces) or ":gray[nothing]")
        if unknown:
            names = ", ".join(plain(sentence[i]) for i in sorted(unknown))
            st.caption(f"Never seen in training: {names}.")


def phrases(value: Phrased, spec: Spec, beside: Beside) -> None:
    """Source and target with each phrase in its colour and under its number, and the word links inside them."""
    del spec
    for place, (words, found) in enumerate(zip(value.tokens.sentences, value.chosen, strict=True)):
        ordered = sorted(found.spans, key=lambda span: span.start)
        number = {(span.start, span.end): i for i, span in enumerate(ordered)}
        source = [_chip(words[span.start : span.end], i, span) for i, span in enumerate(ordered)]
        target = [
            _chip(found.words[span.first : span.last], number[span.start, span.end], span)
            for span in sorted(found.spans, key=lambda span: span.first)
        ]
        st.markdown(" ".join(source))
        st.markdown(" ".join(target))
        firsts = [span.first for span in ordered]
        kept = firsts == sorted(firsts)
        st.caption("The order is the source's." if kept else "Numbers show how phrases changed places.")
        grid = np.zeros((len(found.words), len(words)), np.float32)
        for i, j in value.links[place]:
            grid[j, i] = 1.0
        if grid.size and max(grid.shape) <= MOST_PIECES:
            alt = f"Word alignment inside the phrases, sentence {place + 1}"
            _plot(matrix(grid, words, found.words, beside.colour), beside, place, alt)


def options(value: Options, spec: Spec, beside: Beside) -> None:
    """The ways to translate each stretch of words, with the scores of the table."""
    del spec, beside
    rows = []
    for words, found in zip(value.tokens.sentences, value.sentences, strict=True):
        for option in found:
            row: dict[str, object] = {
                "Source": " ".join(words[option.start : option.end]),
                "Target": " ".join(option.target),
            }
            row |= {
                name.replace("_", " "): round(score, 2) for name, score in zip(value.names, option.scores, strict=False)
            }
            through = option.target == tuple(words[option.start : option.end])
            row["Unknown"] = ("passed through" if through else "as a word like it") if option.unknown else ""
            rows.append(row)
    st.dataframe(rows[:MOST_OPTIONS], hide_index=True, height=240, alt="Options for each phrase with their scores")
    if len(rows) > MOST_OPTIONS:
        st.caption(f"The first {MOST_OPTIONS} of {len(rows):,} options; scores are natural logarithms.")
    else:
        st.caption("Scores are natural logarithms.")


def n_best(value: NBest, spec: Spec, beside: Beside) -> None:
    """The candidates, the chosen one first, with what their score is made of."""
    del spec, beside
    for candidates in value.sentences:
        rows = [_candidate(each) for each in candidates[:MOST_CANDIDATES]]
        narrow = {"Candidate": st.column_config.TextColumn(width="medium")}
        st.dataframe(
            rows, hide_index=True, column_config=narrow, alt="Candidate translations with the parts of their score"
        )
        notes = dict.fromkeys(each.note for each in candidates if each.note)
        for note in notes:
            st.caption(f":material/warning: {plain(note)}")


def links(value: Links, spec: Spec, beside: Beside) -> None:
    """Which source pieces each target piece looked at. Attention is not an alignment, and the caption says so."""
    del spec
    for place, weights in enumerate(value.weights):
        if not weights.size:
            continue
        if max(weights.shape) > MOST_PIECES:
            st.caption(f"A sentence of more than {MOST_PIECES} pieces is not drawn.")
            continue
        alt = f"Attention of each target piece over the source pieces, sentence {place + 1}"
        _plot(matrix(weights, value.source[place], value.target[place], beside.colour), beside, place, alt)
    st.caption("Attention: where the network looked while it wrote. It is not a word alignment.")
    for note in value.notes:
        if note:
            st.caption(f":material/warning: {plain(note)}")


def _chip(words: Sequence[str], number: int, span: Span) -> str:
    mark = ":material/help: " if span.unknown else ""
    return f":{COLOURS[number % len(COLOURS)]}-badge[{mark}{number + 1} {plain(' '.join(words))}]"


def _plot(figure: go.Figure, beside: Beside, place: int, alt: str) -> None:
    st.plotly_chart(figure, key=f"{beside.key}-matrix-{place}", config={"displayModeBar": False}, alt=alt)


def _candidate(found: Hypothesis) -> dict[str, object]:
    """A row of the table. A log probability is told as a probability too."""
    parts: dict[str, object] = {name.replace("_", " "): round(value, 2) for name, value in found.parts}
    logs = dict(found.parts)
    if PROBABILITY in logs:
        parts["probability"] = f"{100 * math.exp(logs[PROBABILITY]):.2g} %"
    return {"Candidate": " ".join(found.words), "Score": round(found.score, 3), **parts}
