"""Explore against the same chart in Dash, Gradio and plain Streamlit, in a real browser.

    python -m tests.benchmarks.pages --rounds 5 --case speech --task digits --environment FOLDER

The three others are told nothing but the finished figures, one for each budget, and show a slider and the chart;
Explore reads the runs, works out the figure, the forecast, the sentences and the cards. Dash and Gradio are installed
into a throw-away environment, or used from --environment where that was kept; where they cannot be had, they are left
out with a sentence. All take turns, so that what else the machine does falls on all alike. Measured, as the median of
the rounds:

- server start to chart: from the start of the process to the chart in a browser that was waiting (once each);
- open to chart: a fresh browser, empty cache, from the click to the curves; also at 20 Mbit/s and 40 ms there and back;
- control to chart: from the key that moves the slider to the chart with the other budget marked;
- bytes: all that the fresh browser received until the page stood still, headers included (WebSocket frames as they are
  uncompressed).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from dashboard import charts
from engines import registry
from engines.core.amounts import amount
from engines.runs import RunStore, points
from tests.browser.install import system_chromium
from tests.browser.served import ROOT, answering, free_port, served

RIVALS = Path(__file__).parent / "rivals"
PACKAGES = ("dash==4.4.1", "gradio==6.31.0", "plotly==7.1.0")
SLOW = {"offline": False, "latency": 20, "downloadThroughput": 20e6 / 8, "uploadThroughput": 5e6 / 8}
CURVE = ".js-plotly-plot .scatterlayer .trace"
MARKED = (
    "wanted => [...document.querySelectorAll('.js-plotly-plot .annotation-text')].some(e => e.textContent === wanted)"
)
PATIENCE = 120_000  # ms


@dataclass
class Measured:
    start: float = float("nan")
    opened: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    redrawn: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)


def figures(case_slug: str, task_slug: str) -> list[dict]:
    """The chart of Explore without its forecast, one for each budget."""
    case = registry.case(case_slug)
    task = case.task(task_slug)
    found = points(case, task, RunStore())
    budgets = sorted({point.budget for point in found if not point.reference})
    return [
        {"label": amount(budget, task.unit), "figure": json.loads(charts.curves(case, task, found, budget).to_json())}
        for budget in budgets
    ]


def environment(folder: Path) -> Path | None:
    """A Python with Dash and Gradio; None, with a sentence, where they cannot be installed."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        done = subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], capture_output=True, check=False)
        if done.returncode:
            print(f"Dash and Gradio are left out, they cannot be installed: {done.stderr.decode()[-300:].strip()}")
            return None
    return python


@contextmanager
def process(folder: Path, command: list[str], port: int) -> Iterator[str]:
    log = folder / f"{port}.log"
    settings = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    with log.open("wb") as file:
        running = subprocess.Popen(command, cwd=folder, env={**os.environ, **settings}, stdout=file, stderr=file)
    try:
        answering(f"http://127.0.0.1:{port}/", running, log)
        yield f"http://127.0.0.1:{port}/"
    finally:
        running.terminate()
        running.wait()


def chart(page: Page) -> None:
    page.wait_for_selector(CURVE, state="attached", timeout=PATIENCE)


def fresh(browser: Browser, url: str, slow: bool, labels: list[str]) -> tuple[float, int, float]:
    """Seconds to the chart, bytes until then, seconds from the slider's key to the chart redrawn."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    if slow:
        line.send("Network.emulateNetworkConditions", SLOW)
    received = [0.0]

    def add(count: float) -> None:
        received[0] += count

    line.on("Network.loadingFinished", lambda event: add(event["encodedDataLength"]))
    # Frames that are not text come as base64.
    line.on(
        "Network.webSocketFrameReceived",
        lambda event: add(len(event["response"]["payloadData"]) * (1 if event["response"]["opcode"] == 1 else 0.75)),
    )
    began = time.monotonic()
    page.goto(url, wait_until="commit")
    chart(page)
    opened = time.monotonic() - began
    page.wait_for_timeout(1500)  # the rest arrives, and the page stands still
    size = int(received[0])
    slider = page.locator("[role=slider], input[type=range]").first
    slider.focus()
    began = time.monotonic()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(MARKED, arg=labels[len(labels) // 2 + 1], timeout=PATIENCE)
    redrawn = time.monotonic() - began
    context.close()
    return opened, size, redrawn


def run(rounds: int, case: str, task: str, kept: Path | None) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = figures(case, task)
        labels = [each["label"] for each in made]
        file = folder / "figures.json"
        file.write_text(json.dumps(made))
        python = environment(kept or folder / "environment")
        budget = labels[len(labels) // 2]
        servers: dict[str, Callable] = {
            "Crossover": lambda: served(folder, {}),
            "Streamlit": lambda: plain(folder, file),
        }
        for name in ("Dash", "Gradio") if python else ():
            servers[name] = lambda name=name: rival(folder, python, name, file)
        # Explore begins with the budget that the others begin with.
        sizes = sorted(
            {point.budget for point in points(registry.case(case), registry.case(case).task(task), RunStore())}
        )
        place = [size for size in sizes if size > 0][len(labels) // 2]
        query = {"Crossover": f"/explore?case={case}&task={task}&budget={place:g}"}
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=system_chromium(), args=["--no-sandbox"]
        )
        found = {name: Measured() for name in servers}
        print(
            f"{budget} marked, {len(labels)} budgets; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
            flush=True,
        )
        addresses = {}
        for name, serve in servers.items():
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            began = time.monotonic()
            addresses[name] = stack.enter_context(serve()).rstrip("/") + query.get(name, "/")
            page.goto(addresses[name], wait_until="commit")
            chart(page)
            found[name] = replace(found[name], start=time.monotonic() - began)
            context.close()
        for turn in range(rounds):
            for name, url in addresses.items():
                opened, size, redrawn = fresh(browser, url, False, labels)
                found[name].opened.append(opened)
                found[name].bytes.append(size)
                found[name].redrawn.append(redrawn)
                if turn < max(1, rounds // 2):
                    found[name].slow.append(fresh(browser, url, True, labels)[0])
        browser.close()
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print("| | server start to chart | open to chart | at 20 Mbit/s | control to chart | bytes |")
    print("|---|---|---|---|---|---|")
    for name, each in found.items():
        times = [each.start, *map(statistics.median, (each.opened, each.slow, each.redrawn))]
        cells = " | ".join(f"{seconds:.2f} s" for seconds in times)
        print(f"| {name} | {cells} | {statistics.median(each.bytes) / 1e6:.2f} MB |")


def rival(folder: Path, python: Path, name: str, file: Path):
    port = free_port()
    return process(folder, [str(python), str(RIVALS / f"{name.lower()}_app.py"), str(file), str(port)], port)


def plain(folder: Path, file: Path):
    port = free_port()
    options = ["--server.port", str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false"]
    script = str(RIVALS / "streamlit_app.py")
    return process(folder, [sys.executable, "-m", "streamlit", "run", script, *options, "--", str(file)], port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", default="speech")
    parser.add_argument("--task", default="digits")
    parser.add_argument("--environment", type=Path, help="where Dash and Gradio are kept from one run to the next")
    asked = parser.parse_args()
    os.chdir(ROOT)
    run(asked.rounds, asked.case, asked.task, asked.environment)


if __name__ == "__main__":
    main()
