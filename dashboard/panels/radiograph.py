"""A radiograph, alone or with what was found in it: the regions, the parts cut out, where a network looked."""

from __future__ import annotations

import streamlit as st

from dashboard import words
from dashboard.figures import body
from dashboard.panels.beside import Beside
from dashboard.words import plain
from engines.core import Spec
from engines.core.radiograph import Crops, Radiograph, Regions, Saliency, in_years

MOST = 420  # pixels of a page's width


def show(value: Radiograph, spec: Spec, beside: Beside) -> None:
    st.image(body.xray(value.pixels, value.note), width=min(MOST, beside.width), alt="The radiograph")
    sex = {"F": "a girl's", "M": "a boy's"}.get(value.sex, "sex not known")
    st.caption(f"{value.mm_per_pixel:.2f} mm a pixel, {sex}. {plain(_note(value))}")


def regions(value: Regions, spec: Spec, beside: Beside) -> None:
    drawn = body.overlay(value.picture.pixels, value.labels, value.picture.note)
    st.image(drawn, width=min(MOST, beside.width), alt="The radiograph with the regions that were found in colour")
    found = {spec.labels[number] for number in set(value.labels.ravel().tolist()) - {0}}
    bones = [name for name in spec.labels[1:] if " " not in name]
    lacking = [name for name in bones if name not in found]
    apart = sum(1 for name in found if " " in name)
    st.caption(
        f"{len(bones) - len(lacking)} of {len(bones)} bones found, {apart} epiphyses still apart"
        + (f"; not found: {words.listing(lacking[:8])}" if lacking else "")
        + f". {plain(_note(value.picture))}"
    )


def crops(value: Crops, spec: Spec, beside: Beside) -> None:
    st.image(body.sheet(value.patches), width=min(MOST, beside.width), alt="The parts that were cut out, side by side")
    lost = [name for name, patch in zip(value.names, value.patches, strict=True) if not patch.any()]
    st.caption(
        f"{len(value.names) - len(lost)} parts cut out, each along its own axis"
        + (f"; not found: {words.listing(lost[:8])}" if lost else "")
        + ". Not for clinical use."
    )


def saliency(value: Saliency, spec: Spec, beside: Beside) -> None:
    drawn = body.heat(value.picture.pixels, value.heat, value.picture.note)
    st.image(drawn, width=min(MOST, beside.width), alt="The radiograph, orange where the network looked most")
    st.caption(
        f"Orange: where the network looked most on its way to {in_years(value.value)}. {plain(_note(value.picture))}"
    )


def _note(picture: Radiograph) -> str:
    return f"{picture.note[0].upper()}{picture.note[1:]}." if picture.note else "Not for clinical use."
