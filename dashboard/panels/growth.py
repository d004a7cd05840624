"""What was measured on a body, and where it lies in a table of averages: bones, growth curve, age."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import words
from dashboard.figures import body
from dashboard.panels.beside import Beside, plot
from dashboard.view import is_dark
from engines.core import Spec
from engines.core.radiograph import Age, Growth, Measures, in_years

CAUTION = "Not for clinical use."


def measures(value: Measures, spec: Spec, beside: Beside) -> None:
    """Lengths as a table; what has no unit, and what could not be measured, in a line each."""
    rows = [(n, float(v), u) for n, v, u in zip(value.names, value.values, value.units, strict=True)]
    lengths = [(name, number) for name, number, unit in rows if unit and np.isfinite(number)]
    st.dataframe(
        {"bone": [name for name, _ in lengths], "length in mm": [round(number, 1) for _, number in lengths]},
        hide_index=True,
        height=240,
        key=f"{beside.key}-table",
    )
    lost = [name for name, number, unit in rows if unit and not np.isfinite(number)]
    others = sum(1 for _, number, unit in rows if not unit and np.isfinite(number))
    sex = {"F": "A girl's", "M": "A boy's"}.get(value.sex, "Sex not known")
    st.caption(
        f"{sex}. "
        + (f"Could not be measured and left out: {words.listing(lost)}. " if lost else "")
        + (f"Beside the lengths, {others} signs of maturity were measured. " if others else "")
        + CAUTION
    )


def growth(value: Growth, spec: Spec, beside: Beside) -> None:
    figure = body.growth(
        value.ages.tolist(),
        value.average.tolist(),
        value.spread.tolist(),
        value.chance.tolist(),
        (value.months, value.size),
        (value.low, value.high),
        beside.colour,
        is_dark(),
    )
    plot(figure, beside, f"Growth curve; this hand fits {in_years(value.months)} best")
    st.dataframe(
        {
            "bone": list(value.names),
            "length in mm": np.round(value.found, 1).tolist(),
            "average at that age": np.round(value.usual, 1).tolist(),
            "z-score": np.round(value.z, 1).tolist(),
        },
        hide_index=True,
        height=240,
        key=f"{beside.key}-table",
    )
    st.caption(
        "Grey band: two standard deviations around the average; dotted: how well each age fits. "
        + (f"Left out, since they were not found: {words.listing(list(value.left_out))}. " if value.left_out else "")
        + CAUTION
    )


def age(value: Age, spec: Spec, beside: Beside) -> None:
    st.markdown(f"**{in_years(value.months)}**")
    between = ""
    if value.low is not None and value.high is not None:
        between = f"Nine times in ten between {in_years(value.low)} and {in_years(value.high)}. "
    st.caption(between + CAUTION)
