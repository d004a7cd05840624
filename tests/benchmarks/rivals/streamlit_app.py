"""The chart in plain Streamlit: `streamlit run streamlit_app.py --server.port PORT -- FIGURES`."""

import json
import sys

import plotly.graph_objects as go
import streamlit as st


@st.cache_data
def read(file):
    with open(file, encoding="utf-8") as found:
        return json.load(found)


figures = read(sys.argv[1])
st.title("Learning curves")
labels = [each["label"] for each in figures]
picked = st.select_slider("Training data", labels, value=labels[len(labels) // 2])
figure = go.Figure(figures[labels.index(picked)]["figure"])
st.plotly_chart(figure, key="chart", config={"displayModeBar": False})
