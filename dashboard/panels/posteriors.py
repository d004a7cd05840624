"""How likely each label is at each moment, and the best path through."""

from __future__ import annotations

import streamlit as st

from dashboard.figures import reduce, traces
from dashboard.panels.beside import Beside, plot
from dashboard.view import is_dark
from engines.core import Floats, Segment, Spec

# The tier that tells which label was taken when, where the step after gives one.
PATH = "phonemes"


def show(value: Floats, spec: Spec, beside: Beside) -> None:
    """`value` (frames, columns) are log scores; columns of one label are added up."""
    rate = spec.rate or 1.0
    labels = spec.labels or tuple(str(column) for column in range(value.shape[1]))
    probabilities, names = reduce.by_label(value, labels)
    path, how = _followed(beside, names)
    if not path:
        path, how = reduce.best_path(probabilities, names, rate), "the likeliest at each moment"
    columns = reduce.notable(probabilities, names, path)
    hidden = len(names) - len(columns)
    rest = f" ({hidden} unlikely ones hidden)" if hidden else ""
    st.caption(f"{len(names)} labels{rest}; line: {how}.")
    shown = [names[column] for column in columns]
    seconds = beside.seconds or len(value) / rate
    figure = traces.posteriors(probabilities[:, columns], shown, rate, path, seconds, beside.colour, is_dark())
    plot(figure, beside, f"Probability of {len(columns)} labels over time, and the best path through them")


def _followed(beside: Beside, names: list[str]) -> tuple[list[reduce.Run], str]:
    """The path that the step after took through these labels, where it tells."""
    if beside.following is None or beside.following.spec.kind != "segments":
        return [], ""
    taken: list[Segment] = [each for each in beside.following.value if each.tier == PATH]
    if not any(each.label in names for each in taken):
        return [], ""
    return [(each.start, each.end, each.label) for each in taken], "the path of the search"
