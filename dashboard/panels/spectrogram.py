"""A spectrogram, or other features of a frame: a heat map."""

from __future__ import annotations

import streamlit as st

from dashboard.figures import traces
from dashboard.panels.beside import Beside, plot
from dashboard.view import is_dark
from engines.core import Floats, Spec


def show(value: Floats, spec: Spec, beside: Beside) -> None:
    rate = spec.rate or 1.0
    frames, bins = value.shape
    unit = f" ({spec.unit})" if spec.unit else ""
    st.caption(f"{bins} features, {rate:.3g} times a second{unit}.")
    seconds = beside.seconds or frames / rate
    figure = traces.spectrogram(value, rate, seconds, spec.labels, spec.unit, is_dark())
    plot(figure, beside, f"Heat map of {bins} features over {frames} frames")
