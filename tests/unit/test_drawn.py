"""Figures that visitors share: made once, bounded, and not changed by being shown."""

import plotly.graph_objects as go
from streamlit.testing.v1 import AppTest

from dashboard import drawn


def test_a_figure_is_made_once_and_the_oldest_give_way(monkeypatch):
    monkeypatch.setattr(drawn, "_kept", type(drawn._kept)())
    monkeypatch.setattr(drawn, "MOST", 3)
    made = []

    def make(key):
        return drawn.once(key, lambda: made.append(key) or go.Figure())

    assert make("a") is make("a")
    for key in "bc":
        make(key)
    make("a")
    make("d")
    assert len(drawn._kept) == 3
    make("a")
    make("b")
    assert made == ["a", "b", "c", "d", "b"]


def test_nothing_is_a_figure_too(monkeypatch):
    monkeypatch.setattr(drawn, "_kept", type(drawn._kept)())
    assert [drawn.once("none", lambda: None), drawn.once("none", go.Figure)] == [None, None]


def test_a_figure_that_is_shown_stays_as_it_was():
    def page():
        import plotly.graph_objects as go
        import streamlit as st

        from dashboard import drawn, theme

        shown = drawn.once("shown", lambda: go.Figure(go.Scatter(x=[1], y=[2]), {"template": theme.template()}))
        before = shown.to_json()
        st.plotly_chart(shown, key="chart", on_select="rerun")
        st.text(str(shown.to_json() == before))

    assert AppTest.from_function(page).run().text[0].value == "True"
