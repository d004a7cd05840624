"""The chart in Dash: `python dash_app.py FIGURES PORT`."""

import json
import sys
from pathlib import Path

from dash import Dash, Input, Output, callback, dcc, html

figures = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
labels = [each["label"] for each in figures]
app = Dash(__name__)
app.layout = html.Div(
    [
        html.H1("Learning curves"),
        dcc.Slider(0, len(labels) - 1, 1, value=len(labels) // 2, id="budget", marks=dict(enumerate(labels))),
        dcc.Graph(id="chart", figure=figures[len(labels) // 2]["figure"], config={"displayModeBar": False}),
    ]
)


@callback(Output("chart", "figure"), Input("budget", "value"), prevent_initial_call=True)
def draw(place):
    return figures[int(place)]["figure"]


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[2]), debug=False)
