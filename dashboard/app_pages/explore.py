"""Explore: with this much data, which approach makes fewer errors?"""

import streamlit as st

from dashboard import view

shown = view.pick()
st.title("With this much data: a pipeline or an end-to-end network?")
