"""Radiographs as RGB pictures, with what was found laid over them, and the growth chart; arrays in, pictures out."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import theme

Rgb = NDArray[np.uint8]
Grey = NDArray[np.float32]
ZOOM = 3  # pixels of a page for one of a small picture
STAMP = "NOT FOR CLINICAL USE"


def xray(pixels: Grey, note: str = "") -> Rgb:
    """(height, width) in [0, 1] -> RGB, enlarged where it is small, stamped with what it must not be taken for."""
    return stamped(_enlarged(_grey(pixels)), note)


def overlay(pixels: Grey, labels: NDArray[np.uint8], note: str = "", opacity: float = 0.45) -> Rgb:
    """The picture with every label but 0 in a colour of its own."""
    colours = np.array(
        [(0, 0, 0), *(colour(number) for number in range(1, int(labels.max(initial=0)) + 1))], np.float32
    )
    base = _grey(pixels).astype(np.float32)
    mixed = np.where(labels[..., None] > 0, (1 - opacity) * base + opacity * colours[labels], base)
    return stamped(_enlarged(mixed.astype(np.uint8)), note)


def heat(pixels: Grey, weights: Grey, note: str = "") -> Rgb:
    """The picture, redder where `weights` (rows, columns, laid over the whole of it) are larger."""
    rows = np.linspace(0, weights.shape[0] - 1, pixels.shape[0])
    columns = np.linspace(0, weights.shape[1] - 1, pixels.shape[1])
    spread = np.stack([np.interp(columns, np.arange(weights.shape[1]), row) for row in weights])
    spread = np.stack([np.interp(rows, np.arange(weights.shape[0]), column) for column in spread.T], axis=1)
    share = (spread / max(float(spread.max()), 1e-9))[..., None] ** 0.7
    base = _grey(pixels).astype(np.float32)
    mixed = base * (1 - 0.75 * share) + np.array([255.0, 96.0, 0.0]) * 0.75 * share
    return stamped(_enlarged(mixed.astype(np.uint8)), note)


def sheet(patches: Grey, columns: int = 7) -> Rgb:
    """(k, side, side) of any scale -> one RGB picture of all, row by row; what is all zero stays black."""
    k, side, _ = patches.shape
    rows = -(-k // columns)
    whole = np.zeros((rows * (side + 2), columns * (side + 2)), np.float32)
    for place, patch in enumerate(patches):
        low, high = float(patch.min()), float(patch.max())
        top, left = (place // columns) * (side + 2), (place % columns) * (side + 2)
        whole[top : top + side, left : left + side] = (patch - low) / max(high - low, 1e-6) if high > low else 0
    return _enlarged(_grey(whole))


def colour(number: int) -> tuple[int, int, int]:
    """A colour for the nth label, far from those of its neighbours."""
    red, green, blue = colorsys.hsv_to_rgb((0.381 * number) % 1, 0.85, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def stamped(picture: Rgb, note: str) -> Rgb:
    """The words in the picture itself, so that they go wherever it goes."""
    from PIL import Image, ImageDraw, ImageFont

    said = "SIMULATED, " + STAMP if note.startswith("simulated") else STAMP
    drawn = Image.fromarray(picture)
    pen = ImageDraw.Draw(drawn)
    size = max(12, drawn.width // 26)
    font = ImageFont.load_default(size)
    pen.rectangle((0, 0, drawn.width, size + 8), fill=(0, 0, 0))
    pen.text((6, 3), said, fill=(255, 210, 0), font=font)
    return np.asarray(drawn)


def growth(
    ages: Sequence[float],
    average: Sequence[float],
    spread: Sequence[float],
    chance: Sequence[float],
    point: tuple[float, float],
    interval: tuple[float, float],
    colour: str,
    dark: bool,
) -> go.Figure:
    """Size in per cent of grown by age in months: the average with its band of two standard deviations, how likely each
    age is (grey, its own scale), and the point of this body with the interval of its age."""
    years = np.asarray(ages) / 12
    middle, wide = np.asarray(average), 2 * np.asarray(spread)
    likely = np.asarray(chance) / max(float(np.max(chance)), 1e-9)
    low = float((middle - wide).min())
    figure = go.Figure()
    figure.add_scatter(
        x=[*years, *years[::-1]],
        y=[*(middle + wide), *(middle - wide)[::-1]],
        fill="toself",
        fillcolor=theme.faded(theme.GREY, 0.2),
        line={"width": 0},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=years,
        y=low + 0.18 * (float(middle.max()) - low) * likely,
        line={"color": theme.GREY, "dash": "dot"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=years,
        y=middle,
        line={"color": theme.GREY, "width": 2},
        hovertemplate="average at %{x:.1f} years: %{y:.0f} % of grown<extra></extra>",
    )
    figure.add_scatter(
        x=[point[0] / 12],
        y=[point[1]],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [(interval[1] - point[0]) / 12],
            "arrayminus": [(point[0] - interval[0]) / 12],
        },
        mode="markers",
        marker={"size": 12, "color": colour},
        hovertemplate="this hand: %{x:.1f} years<extra></extra>",
    )
    return figure.update_layout(
        template=theme.template(dark),
        height=280,
        margin={"l": 56, "r": 8, "t": 8, "b": 44},
        xaxis={"title": {"text": "age in years"}, "fixedrange": True},
        yaxis={"title": {"text": "size, % of grown"}, "fixedrange": True},
        showlegend=False,
    )


def _grey(pixels: Grey) -> Rgb:
    grey = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _enlarged(picture: Rgb) -> Rgb:
    times = ZOOM if max(picture.shape[:2]) < 400 else 1
    return np.repeat(np.repeat(picture, times, axis=0), times, axis=1)
