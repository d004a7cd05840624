"""The server: `streamlit run dashboard/serve.py`. Streamlit's own, with what `serving` adds; app.py draws the pages."""

import sys
from pathlib import Path

# Streamlit puts this file's folder on the path; the packages lie one above.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import streamlit as st
from starlette.middleware import Middleware

from dashboard.serving import Ahead, Compressed, Returning, Short, failed, long_links

long_links()
app = st.App(
    Path(__file__).with_name("app.py"),
    middleware=[Middleware(each) for each in (Compressed, Ahead, Returning, Short)],
    on_script_error=failed,
)
