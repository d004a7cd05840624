"""Arrays in, plotly Figure out; no streamlit."""
