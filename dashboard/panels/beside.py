"""What a panel is told besides the value it draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import theme, worddiff
from engines.core import Step


@dataclass(frozen=True)
class Beside:
    """`key` is the panel's name on the page; `seconds` how long the input lasts (0 where it has no length), so that all
    panels share a time axis; `following` the step after; `reference` what was truly said, or "", and `tokens` the words
    in which answers are held against it; `width` how many pixels there are at least."""

    key: str
    seconds: float = 0.0
    colour: str = theme.GREY
    following: Step | None = None
    reference: str = ""
    tokens: worddiff.Tokens = worddiff.spaced
    width: int = 300


def plot(figure: Any, beside: Beside, alt: str) -> None:
    """A figure without a tool bar, as wide as there is room."""
    st.plotly_chart(figure, key=f"{beside.key}-figure", config={"displayModeBar": False}, alt=alt)
