"""What the server (serve.py) runs for every visitor. One page for each question that somebody has."""

import sys
from pathlib import Path

# Streamlit puts this file's folder on the path; the packages lie one above.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import streamlit as st

from dashboard import background, gate, links, sign_in

HERE = Path(__file__).parent / "app_pages"

explore = st.Page(
    HERE / "explore.py",
    title="Explore",
    url_path="explore",
    help="With this much data: a pipeline or an end-to-end network? Measured error against data size.",
)
background.warm()
gates = [
    st.Page(
        HERE / "gate.py",
        title="The gate",
        url_path="gate",
        help="Enrol yourself, come to the camera, and see whether the gate opens, step by step. Nothing is stored.",
    )
]
pages = [
    explore,
    st.Page(
        HERE / "advisor.py",
        title="Advisor",
        url_path="advisor",
        help="Your own task: type a few points, and read when which approach wins, what it costs and what to measure.",
    ),
    st.Page(
        HERE / "try_it.py",
        title="Try it",
        url_path="try_it",
        help="Give an input of your own to models trained with the budget you picked, stage by stage.",
    ),
    # Where some task looks for someone in pictures.
    *(gates if gate.tasks() else []),
    st.Page(
        HERE / "lecture.py",
        title="The lecture",
        url_path="lecture",
        help="Thirteen claims of the lecture, each held against our runs and against published results.",
    ),
    st.Page(
        HERE / "gallery.py",
        title="Saved views",
        url_path="gallery",
        help="Views that somebody saved with their numbers, to open as they were or with the runs of today.",
    ),
    st.Page(
        HERE / "data.py",
        title="Data and methods",
        url_path="data",
        help="What each task's data is and under which terms; how each engine is built, tuned, and by how much code.",
    ),
]


home = st.Page(
    HERE / "home.py",
    title="Crossover",
    default=True,
    help="Given this much data: a pipeline of stages or one end-to-end network? Four cases, measured.",
)
admitted = sign_in.admitted()
# In a page of somebody else's (?embed=true) a view stands alone.
position = "top" if admitted and not st.context.is_embedded else "hidden"
tour = st.Page(HERE / "tour.py", title="The tour", url_path="tour", visibility="hidden")
page = st.navigation([home, *pages, tour], position=position)
# The icon is a file of ours, and the pages have none: Streamlit fetches the icon of a tab from the network.
icon = (HERE.parent / "favicon.svg").read_text()
st.set_page_config(page_title=f"{page.title} · Crossover", page_icon=icon, layout="wide")
links.arrived(page.url_path)
if admitted:
    sign_in.bar()
    page.run()
else:
    sign_in.ask()
background.drawn()
