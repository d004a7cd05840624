"""How a value is shown, by its Spec.kind and never by who made it. A new kind is a new module and a line in SHOW."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard import words
from dashboard.panels import growth, posteriors, radiograph, segments, sightings, spectrogram, text, waveform, wording
from dashboard.panels.beside import Beside
from engines.core import Spec, Step

__all__ = ["SHOW", "Beside", "show", "step", "steps"]

# kind -> what draws a value of it
SHOW: Mapping[str, Callable[[Any, Spec, Beside], None]] = {
    "waveform": waveform.show,
    "spectrogram": spectrogram.show,
    "posteriors": posteriors.show,
    "segments": segments.show,
    "text": text.show,
    "radiograph": radiograph.show,
    "regions": radiograph.regions,
    "crops": radiograph.crops,
    "saliency": radiograph.saliency,
    "measures": growth.measures,
    "growth": growth.growth,
    "age": growth.age,
    "picture": sightings.picture,
    "boxes": sightings.boxes,
    "cutting": sightings.cutting,
    "embedding": sightings.embedding,
    "attention": sightings.attention,
    "candidates": sightings.candidates,
    "tokens": wording.tokens,
    "phrases": wording.phrases,
    "options": wording.options,
    "n_best": wording.n_best,
    "links": wording.links,
}


def show(value: Any, spec: Spec, beside: Beside) -> None:
    """Draw a value; of a kind that nobody draws yet, say so."""
    if spec.kind in SHOW:
        SHOW[spec.kind](value, spec, beside)
    else:
        st.caption(f"There is no picture of {spec.kind} yet.")


def steps(taken: Sequence[Step], beside: Beside) -> None:
    """Draw the steps of a trace, one below the other. `beside.reference` is what the last one came to in truth."""
    for place, each in enumerate(taken):
        last = place == len(taken) - 1
        own = replace(
            beside,
            key=f"{beside.key}-{place}",
            following=None if last else taken[place + 1],
            reference=beside.reference if last else "",
        )
        step(each, place + 1, own)


def step(taken: Step, number: int, beside: Beside) -> None:
    """Draw one step of a trace under its name and the time it took."""
    took = "given, not computed" if taken.replaced else words.duration(taken.seconds)
    with st.container(gap="xxsmall"):
        st.markdown(f"**{number}. {taken.stage.replace('_', ' ')}** :small[· {took}]")
        show(taken.value, taken.spec, beside)
