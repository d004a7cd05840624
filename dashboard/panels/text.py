"""Words, with errors marked where it is known what was said."""

from __future__ import annotations

import streamlit as st

from dashboard import worddiff
from dashboard.panels.beside import Beside
from engines.core import Spec


def show(value: str, spec: Spec, beside: Beside) -> None:
    st.html(worddiff.html(value, beside.reference, beside.tokens))
