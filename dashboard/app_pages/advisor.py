"""Advisor: a visitor's own points in; when which approach wins, what it costs and what to measure next out."""

from __future__ import annotations

import streamlit as st

from dashboard.advising import inputs, outputs, saved

st.title("When does which approach win, for your own task?")
st.markdown(
    "Give a few scores at growing amounts of data, for two approaches or more: four points each are enough to begin. "
    "The link of this page holds all that you enter, and nothing is kept on the server unless you save it."
)
snapshot = saved.opened()
if snapshot:
    saved.banner(snapshot)
top = st.container()
left, right = st.columns([5, 7], gap="large")
with left:
    question, wrong = inputs.ask()
outputs.show(question, top, wrong, right)
