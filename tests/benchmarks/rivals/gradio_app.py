"""The chart in Gradio: `python gradio_app.py FIGURES PORT`."""

import json
import sys
from pathlib import Path

import gradio as gr
import plotly.graph_objects as go

figures = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


def draw(place):
    return go.Figure(figures[int(place)]["figure"])


with gr.Blocks(analytics_enabled=False) as app:
    gr.Markdown("# Learning curves")
    budget = gr.Slider(0, len(figures) - 1, value=len(figures) // 2, step=1, label="Training data")
    chart = gr.Plot(draw(len(figures) // 2))
    budget.change(draw, budget, chart)

if __name__ == "__main__":
    app.launch(server_name="127.0.0.1", server_port=int(sys.argv[2]), quiet=True)
