"""A waveform: pressure against time."""

from __future__ import annotations

import streamlit as st

from dashboard.figures import traces
from dashboard.panels.beside import Beside, plot
from dashboard.view import is_dark
from engines.core import Floats, Spec


def show(value: Floats, spec: Spec, beside: Beside) -> None:
    rate = spec.rate or 1.0
    seconds = len(value) / rate
    st.caption(f"Sound pressure: {seconds:.2f} s at {rate:,.0f} samples a second.")
    figure = traces.waveform(value, rate, beside.seconds or seconds, beside.colour, is_dark())
    plot(figure, beside, f"Waveform of {seconds:.2f} seconds")
