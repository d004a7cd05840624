"""Someone looked for in a picture: the picture, boxes on it, what was cut out, where a network looked, candidates."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dashboard import words
from dashboard.panels.beside import Beside
from engines.core import Spec
from engines.core.sighting import Attention, Box, Boxes, Candidates, Cutting, Embedding

# Pixels of a drawn picture: small ones are enlarged, so that lines on them stay thin.
_WIDE = 640
_FIRST, _OTHER, _POINT = (18, 184, 134), (222, 226, 230), (255, 212, 59)
_SHOWN = 5  # candidates


def picture(value: NDArray[np.uint8], spec: Spec, beside: Beside) -> None:
    width = "stretch" if value.shape[1] >= beside.width else "content"
    st.image(value, width=width, alt="The picture, as it came")


def boxes(value: Boxes, spec: Spec, beside: Beside) -> None:
    st.image(drawn(value), width="stretch", alt="The picture with a box around each face that was found")
    others = len(value.boxes) - 1
    if others < 0:
        st.caption("No face was found.")
        return
    first = value.boxes[0]
    more = f"; {others} more, farther away or less sure" if others else ""
    st.caption(
        f"The nearest face, {first.right - first.left:.0f} x {first.bottom - first.top:.0f} pixels, "
        f"{words.share(first.confidence)} sure{more}."
    )


def drawn(value: Boxes) -> NDArray[np.uint8]:
    """The picture with its boxes: the one that counts in green and its points in yellow, the others in grey."""
    enlarged, share = _enlarged(value.picture)
    pen = ImageDraw.Draw(enlarged)
    for place, box in reversed(list(enumerate(value.boxes))):
        pen.rectangle(_scaled(box, share), outline=_FIRST if place == 0 else _OTHER, width=3)
        for x, y in box.points if place == 0 else ():
            pen.ellipse((x * share - 3, y * share - 3, x * share + 3, y * share + 3), fill=_POINT)
    return np.asarray(enlarged)


def cutting(value: Cutting, spec: Spec, beside: Beside) -> None:
    if not value.picture.size:
        st.caption("There was no face to cut out.")
        return
    st.image(value.picture, width=160, alt="The face that was cut out")
    st.caption("The face, turned upright by eyes, nose and mouth: this is all that the next step sees.")


def embedding(value: Embedding, spec: Spec, beside: Beside) -> None:
    """A direction of many numbers, as a strip of colours: the same person should give much the same strip."""
    if not value.vector.any():
        st.caption("Nothing to describe.")
        return
    largest = max(float(np.abs(value.vector).max()), 1e-9)
    share = value.vector / largest
    colours = np.stack(
        [255 * (1 + np.minimum(share, 0)), 255 * (1 - np.abs(share)), 255 * (1 - np.maximum(share, 0))], 1
    )
    rows = 4 if len(value.vector) % 4 == 0 else 1
    strip = colours.astype(np.uint8).reshape(rows, -1, 3)
    enlarged = np.kron(strip, np.ones((12, 12, 1), np.uint8))
    st.image(enlarged, width="stretch", alt="The numbers that describe the face, as a strip of colours")
    st.caption(f"The face as {len(value.vector)} numbers, red above and blue below zero. Faces are compared by these.")


def attention(value: Attention, spec: Spec, beside: Beside) -> None:
    st.image(overlaid(value), width="stretch", alt="The picture, bright where the network looked")
    st.caption("Where the network looked: bright is what counted for its answer.")


def overlaid(value: Attention) -> NDArray[np.uint8]:
    """The picture, dark where the network did not look."""
    height, width = value.picture.shape[:2]
    heat = value.heat / max(float(value.heat.max()), 1e-9)
    grown = np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)
    lit = value.picture * (0.25 + 0.75 * grown[:, :, None])
    return np.asarray(_enlarged(lit.astype(np.uint8))[0])


def candidates(value: Candidates, spec: Spec, beside: Beside) -> None:
    """The nearest people, their scores as bars, and the threshold that the best has to reach."""
    if not value.people:
        st.markdown(f"**{escape(str(value))}**")
        return
    shown = value.people[:_SHOWN]
    scores = [score for _, score in shown] + [value.threshold]
    low, high = min(scores), max(scores)
    room = max(high - low, 1e-6)
    line = 10 + 80 * (value.threshold - low) / room
    rows = "".join(
        '<div style="display:flex;align-items:center;gap:.5rem;margin:.15rem 0">'
        f'<div style="flex:0 0 9.5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">'
        f"{escape(name.replace('_', ' '))}</div>"
        '<div style="position:relative;flex:1;height:1rem;background:rgba(138,148,163,.15)">'
        f'<div style="width:{10 + 80 * (score - low) / room:.1f}%;height:100%;background:{beside.colour};'
        f'opacity:{1 if score >= value.threshold else 0.45}"></div>'
        f'<div style="position:absolute;top:-2px;bottom:-2px;left:{line:.1f}%;border-left:2px dashed"></div>'
        f'</div><div style="flex:0 0 3.5rem;text-align:right">{score:.2f}</div></div>'
        for name, score in shown
    )
    margin = f", {shown[0][1] - shown[1][1]:.2f} ahead of the next" if len(shown) > 1 else ""
    st.html(f'<div role="img" aria-label="{escape(str(value))}">{rows}</div>')
    st.caption(
        f"The gate {'opens' if value.opens else 'stays shut'}: best score {shown[0][1]:.2f}{margin}; the dashed "
        f"line is the threshold, {value.threshold:.2f}."
    )


def _enlarged(value: NDArray[np.uint8]) -> tuple[Image.Image, float]:
    share = max(1.0, _WIDE / value.shape[1])
    size = (round(value.shape[1] * share), round(value.shape[0] * share))
    return Image.fromarray(value).resize(size, Image.Resampling.BICUBIC), share


def _scaled(box: Box, share: float) -> tuple[float, float, float, float]:
    return box.left * share, box.top * share, box.right * share, box.bottom * share
