"""Stretches of the input with names: a row of bars a tier."""

from __future__ import annotations

import streamlit as st

from dashboard import words
from dashboard.figures import traces
from dashboard.panels.beside import Beside, plot
from dashboard.view import is_dark
from engines.core import Segment, Spec


def show(value: tuple[Segment, ...], spec: Spec, beside: Beside) -> None:
    if not value:
        st.caption("Nothing was found in the input.")
        return
    tiers = list(dict.fromkeys(segment.tier for segment in value))
    rows = [[segment for segment in value if segment.tier == tier] for tier in tiers]
    counts = [
        f"{len(row)} {tier if len(row) != 1 else tier.removesuffix('s')}" for tier, row in zip(tiers, rows, strict=True)
    ]
    sure = "; faint: unsure" if any(segment.confidence is not None for segment in value) else ""
    st.caption(f"{words.listing(counts)}{sure}.")
    figure = traces.segments(
        tiers,
        [[(segment.start, segment.end, segment.label) for segment in row] for row in rows],
        [[segment.confidence for segment in row] for row in rows],
        beside.seconds or max(segment.end for segment in value),
        beside.colour,
        is_dark(),
        beside.width,
    )
    plot(figure, beside, "; ".join(" ".join(segment.label for segment in row) for row in rows)[:300])
