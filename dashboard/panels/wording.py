"""Words on their way to other words: tokens, phrases and their order, options, candidates with their scores, links."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.figures.links import matrix
from dashboard.panels.beside import Beside
from dashboard.words import plain, title
from engines.core import Spec
from engines.core.wording import Hypothesis, Links, NBest, Option, Options, Phrased, Span, Tokens

COLOURS = ("blue", "green", "orange", "violet", "red", "gray")  # of phrases, in turn; their numbers say the same
PROBABILITY = "log probability"  # the part of a score that is one
MOST_OPTIONS, MOST_CANDIDATES, MOST_PIECES = 1_000, 10, 60
A_SPAN = 5  # options that are listed of each stretch of words, while there are no more than MOST_OPTIONS of them
CELL = "text-align:left;vertical-align:top;padding:.25rem .4rem;border-bottom:1px solid rgba(138,148,163,.28)"
NUMBER, TEXT = f"{CELL};white-space:nowrap", f"{CELL};min-width:9rem;overflow-wrap:anywhere"
HEIGHT = "24rem"  # of the candidates of a long sentence, which then scroll


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
            names = ", ".join(f"“{plain(sentence[i])}”" for i in sorted(unknown))
            st.caption(f"{title(value.lack)}: {names}.")


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
        alt = f"Word alignment inside the phrases, sentence {place + 1}"
        _matrix(grid, words, found.words, beside, place, alt)


def options(value: Options, spec: Spec, beside: Beside) -> None:
    """The ways to translate each stretch of words, with the scores of the table."""
    del spec, beside
    for most in range(A_SPAN, 0, -1):
        rows = [
            _option(option, words, value.names)
            for words, found in zip(value.tokens.sentences, value.sentences, strict=True)
            for option in best_of_each(found, most)
        ]
        if len(rows) <= MOST_OPTIONS:
            break
    st.dataframe(rows[:MOST_OPTIONS], hide_index=True, height=240, alt="Options for each phrase with their scores")
    total = sum(map(len, value.sentences))
    told = []
    if len(rows) < total:
        told.append(f"The best {most} at most of each stretch of words: {len(rows):,} of {total:,} options.")
    if len(rows) > MOST_OPTIONS:
        told.append(f"The first {MOST_OPTIONS:,} of them are listed.")
    st.caption(" ".join([*told, "Scores are natural logarithms."]))


def best_of_each(options: Sequence[Option], most: int) -> list[Option]:
    """The first `most` options of each stretch of words, which come best first, in the order of the words."""
    seen: Counter[tuple[int, int]] = Counter()
    kept = []
    for option in sorted(options, key=lambda option: (option.start, option.end)):
        seen[option.start, option.end] += 1
        if seen[option.start, option.end] <= most:
            kept.append(option)
    return kept


def n_best(value: NBest, spec: Spec, beside: Beside) -> None:
    """The candidates, the chosen one first, and a table of what their scores are made of."""
    del spec, beside
    for candidates in value.sentences:
        if candidates[0].note:
            st.warning(plain(f"The best candidate: {candidates[0].note}."), icon=":material/warning:")
        shown = candidates[:MOST_CANDIDATES]
        st.html(_listed(shown))
        rows = [{"#": rank, **_parts(each)} for rank, each in enumerate(shown, 1)]
        st.dataframe(rows, hide_index=True, alt="What the scores of the candidates are made of")


def links(value: Links, spec: Spec, beside: Beside) -> None:
    """Which source pieces each target piece looked at. Attention is not an alignment, and the caption says so."""
    del spec
    for place, weights in enumerate(value.weights):
        alt = f"Attention of each target piece over the source pieces, sentence {place + 1}"
        _matrix(weights, value.source[place], value.target[place], beside, place, alt)
    st.caption("Attention: where the network looked while it wrote. It is not a word alignment.")
    for note in value.notes:
        if note:
            st.caption(f":material/warning: {plain(note)}")


def _chip(words: Sequence[str], number: int, span: Span) -> str:
    mark = ":material/help: " if span.unknown else ""
    return f":{COLOURS[number % len(COLOURS)]}-badge[{mark}{number + 1} {plain(' '.join(words))}]"


def _matrix(
    weights: NDArray[np.float32], across: Sequence[str], down: Sequence[str], beside: Beside, place: int, alt: str
) -> None:
    """The matrix of a sentence, or that it is too long for one."""
    if not weights.size:
        return
    if max(weights.shape) > MOST_PIECES:
        st.caption(f"A sentence of more than {MOST_PIECES} pieces is not drawn.")
        return
    figure = matrix(weights, across, down, beside.colour)
    st.plotly_chart(figure, key=f"{beside.key}-matrix-{place}", config={"displayModeBar": False}, alt=alt)


def _option(option: Option, words: Sequence[str], names: Sequence[str]) -> dict[str, object]:
    """A row of the table."""
    source = tuple(words[option.start : option.end])
    through = "passed through" if option.target == source else "as a word like it"
    return {
        "Source": " ".join(source),
        "Target": " ".join(option.target),
        **{name.replace("_", " "): round(score, 2) for name, score in zip(names, option.scores, strict=False)},
        "Unknown": through if option.unknown else "",
    }


def _parts(found: Hypothesis) -> dict[str, object]:
    """A row of the table."""
    return {
        "Score": round(found.score, 3),
        **{name.replace("_", " "): round(value, 2) for name, value in found.parts},
    }


def _listed(candidates: Sequence[Hypothesis]) -> str:
    """HTML of a list that needs no width: ranks, scores, a log probability as a probability, and whole texts."""
    chances = [dict(each.parts).get(PROBABILITY) for each in candidates]
    likely, noted = any(chance is not None for chance in chances), any(each.note for each in candidates)
    heads = ["#", "Score", *(["Probability"] if likely else []), "Candidate", *(["Failure"] if noted else [])]
    head = "".join(f'<th scope="col" style="{CELL}">{name}</th>' for name in heads)
    body = ""
    for rank, (each, chance) in enumerate(zip(candidates, chances, strict=True), 1):
        numbers = [f"{rank}", f"{each.score:.3f}"]
        if likely:
            numbers.append("" if chance is None else f"{100 * math.exp(chance):.2g} %")
        texts = [" ".join(each.words) or "(nothing)", *([each.note] if noted else [])]
        cells = [f'<td style="{NUMBER}">{number}</td>' for number in numbers]
        cells += [f'<td style="{TEXT}">{escape(text)}</td>' for text in texts]
        body += f"<tr>{''.join(cells)}</tr>"
    return (
        f'<div style="overflow:auto;max-height:{HEIGHT}" tabindex="0" role="region" aria-label="Candidates">'
        f'<table style="border-collapse:collapse;width:100%;font-size:.85rem"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
