"""Visitors at once on Explore, each moving the budget every two seconds: `python -m tests.benchmarks.visitors`.

    --visitors 20 --seconds 120 --every 2 --case speech --task digits

Starts the dashboard as `make run` does and speaks to it as browsers do, over Streamlit's WebSocket, without drawing:
twenty browsers would measure this machine's browsers, not the server. A redraw lasts from the moment a visitor moves
the slider to the server's word that all it changes was sent. Prints errors, redraws (median and slowest), the server's
own processor time for one, which others on the machine do not change, and its memory (from /proc, so Linux alone). The
runs shown are those of CROSSOVER_STORE.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.browser.served import served

PATIENCE = 120.0  # seconds that a visitor waits for a redraw
LABEL = "Training data"


@dataclass
class Visitor:
    """One open page: where its slider is, and what happened to it."""

    query: str
    redraws: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    slider: str = ""
    fragment: str = ""
    options: tuple[str, ...] = ()
    place: int = 0

    async def stay(self, address: str, seconds: float, every: float, opened: asyncio.Barrier) -> None:
        url = address.replace("http://", "ws://") + "/_stcore/stream"
        async with connect(url, subprotocols=["streamlit"], max_size=None, origin=address) as line:
            start = BackMsg()
            start.rerun_script.query_string = self.query
            start.rerun_script.page_name = "explore"
            await line.send(start.SerializeToString())
            await self.drawn(line)
            if not self.options:
                self.errors.append("the page came without its slider")
            await opened.wait()
            until, step = time.monotonic() + seconds, 1
            while time.monotonic() < until and self.options:
                began = time.monotonic()
                step = -step if not 0 <= self.place + step < len(self.options) else step
                self.place += step
                move = BackMsg()
                move.rerun_script.query_string = self.query
                move.rerun_script.fragment_id = self.fragment
                state = move.rerun_script.widget_states.widgets.add()
                state.id = self.slider
                state.string_array_value.data.append(self.options[self.place])
                await line.send(move.SerializeToString())
                await self.drawn(line, self.options[self.place])
                self.redraws.append(time.monotonic() - began)
                await asyncio.sleep(max(0.0, every - (time.monotonic() - began)))

    async def drawn(self, line: ClientConnection, wanted: str = "") -> None:
        """Read what the server sends until its script has ended. The title must speak of the budget `wanted`."""
        title = ""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = ForwardMsg()
                message.ParseFromString(await line.recv())
                kind = message.WhichOneof("type")
                if kind == "delta":
                    element = message.delta.new_element
                    sort = element.WhichOneof("type")
                    if sort == "slider" and element.slider.label == LABEL:
                        self.slider, self.options = element.slider.id, tuple(element.slider.options)
                        self.fragment = message.delta.fragment_id
                        self.place = self.options.index(element.slider.raw_value[0]) if wanted == "" else self.place
                    elif sort == "heading" and element.heading.tag == "h1":
                        title = element.heading.body
                    elif sort == "exception" or (sort == "alert" and "could not be drawn" in element.alert.body):
                        self.errors.append(element.exception.message or element.alert.body)
                elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    break
        if wanted and wanted not in title:
            self.errors.append(f"the budget {wanted} was asked for, and the page says “{title}”")


async def visit(address: str, query: str, count: int, seconds: float, every: float, server: int) -> None:
    visitors = [Visitor(query) for _ in range(count)]
    opened = asyncio.Barrier(count + 1)
    began = time.monotonic()
    stays = [asyncio.create_task(each.stay(address, seconds, every, opened)) for each in visitors]
    # The time runs from when all have their page.
    await opened.wait()
    print(f"{count} visitors have their page after {time.monotonic() - began:.1f} s; load {os.getloadavg()[0]:.1f}")
    held, spent = [memory(server)], processor(server)
    for _ in range(4):
        await asyncio.sleep(seconds / 4)
        held.append(memory(server))
    for each, ended in zip(visitors, await asyncio.gather(*stays, return_exceptions=True), strict=True):
        if isinstance(ended, BaseException):
            each.errors.append(f"{type(ended).__name__}: {ended}")
    spent = processor(server) - spent
    redraws = sorted(time for each in visitors for time in each.redraws)
    errors = [error for each in visitors for error in each.errors]
    print(f"{len(redraws)} redraws, {len(errors)} errors; load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    if redraws:
        slow = redraws[int(0.95 * (len(redraws) - 1))]
        print(
            f"redraw: median {statistics.median(redraws):.2f} s, 95 % within {slow:.2f} s, slowest {redraws[-1]:.2f} s"
        )
    if redraws:
        print(f"processor time of the server: {1000 * spent / len(redraws):.0f} ms a redraw")
    print("memory in MB, at each quarter: " + ", ".join(f"{each:.0f}" for each in held))
    for error in sorted(set(errors))[:5]:
        print(f"error: {error}")


def memory(process: int) -> float:
    """What a process holds, in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor(process: int) -> float:
    """Seconds of processor time that a process has used."""
    numbers = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--case", default="speech")
    parser.add_argument("--task", default="digits")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), {}) as address:
        server = int((Path(folder) / "server.pid").read_text())
        query = f"case={asked.case}&task={asked.task}"
        asyncio.run(visit(address, query, asked.visitors, asked.seconds, asked.every, server))


if __name__ == "__main__":
    main()
