"""Colours, dashes, markers and type that every figure and page shares.

The three shapes keep their colour everywhere and in both themes. The colours are those of Okabe and Ito
(2008, "Color universal design"), the blue a little lighter, so that each has a contrast of 3 or more with
the light and with the dark background; dash and marker differ too, so that no reader has to rely on colour.
"""

from __future__ import annotations

import plotly.graph_objects as go

PIPELINE, HYBRID, END_TO_END = "pipeline", "hybrid", "end_to_end"

# shape of an engine -> its colour in figures
COLOURS = {PIPELINE: "#1173b4", HYBRID: "#009e73", END_TO_END: "#d55e00"}
# shape -> colour directive of Streamlit's Markdown (":blue[text]"); config.toml gives the same colours to
# the names
MARKDOWN = {PIPELINE: "blue", HYBRID: "green", END_TO_END: "orange"}
# shape -> marker of a measured point, and the sign that stands for it in text
SYMBOLS = {PIPELINE: "circle", HYBRID: "diamond", END_TO_END: "square"}
SIGNS = {PIPELINE: "●", HYBRID: "◆", END_TO_END: "■"}

# Approaches of a visitor's own that are none of the three shapes: (colour, marker, sign), in the order they come.
OTHERS = {
    "other_1": ("#9467bd", "triangle-up", "▲"),
    "other_2": ("#a0703c", "triangle-down", "▼"),
    "other_3": ("#d6609a", "star", "★"),
    "other_4": ("#8a94a3", "hexagon", "⬢"),
    "other_5": ("#7f8f1f", "cross", "✚"),
}

# For what is not an engine: a fourth hue, and a grey that is seen on both backgrounds.
ACCENT = "#cc79a7"
GREY = "#8a94a3"
GRID = "rgba(138, 148, 163, 0.28)"
# One-directional scale of heat maps, dark to light, readable without colour (viridis, Smith and van der Walt
# 2015).
SCALE = "Viridis"

SMALL, BODY, TITLE = 12, 14, 16  # px: ticks and labels in a figure, its axis titles, its title

BACKGROUND = {False: "#ffffff", True: "#11161d"}
TEXT = {False: "#111820", True: "#e6eaf0"}


def colour(shape: str) -> str:
    """The colour of a shape, or of one of the `OTHERS`."""
    return COLOURS[shape] if shape in COLOURS else OTHERS[shape][0]


def symbol(shape: str) -> str:
    """The marker of a shape, or of one of the `OTHERS`."""
    return SYMBOLS[shape] if shape in SYMBOLS else OTHERS[shape][1]


def sign(shape: str) -> str:
    """The sign that stands in text for a shape, or for one of the `OTHERS`."""
    return SIGNS[shape] if shape in SIGNS else OTHERS[shape][2]


def faded(colour: str, opacity: float) -> str:
    """A colour "#rrggbb" with an opacity in [0, 1], as Plotly wants it."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def template(dark: bool = False) -> go.layout.Template:
    """The Plotly template. On a page Streamlit lays the live theme's text and background colours over it, so
    that a switch between light and dark needs no new figure; a figure saved to a file takes these."""
    axis = {
        "gridcolor": GRID,
        "zeroline": False,
        "tickfont": {"size": SMALL},
        "title": {"font": {"size": BODY}},
    }
    return go.layout.Template(
        layout=go.Layout(
            font={"size": SMALL, "color": TEXT[dark], "family": "Source Sans, Source Sans Pro, sans-serif"},
            paper_bgcolor=BACKGROUND[dark],
            plot_bgcolor=BACKGROUND[dark],
            title={"font": {"size": TITLE}, "x": 0, "xanchor": "left"},
            colorway=[*COLOURS.values(), ACCENT, GREY],
            xaxis=axis,
            yaxis=axis,
            margin={"l": 8, "r": 8, "t": 8, "b": 8},
            hoverlabel={"font": {"size": SMALL}},
            showlegend=False,
        )
    )
