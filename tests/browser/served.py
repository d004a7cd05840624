"""The dashboard, served as `make run` serves it, for as long as a block lasts."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 90  # seconds: test machines have few cores, and share them


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def served(folder: Path, settings: Mapping[str, str], *options: str, port: int | None = None) -> Iterator[str]:
    """The address of a dashboard with these environment `settings`; its log is `folder`/server.log, its
    process `folder`/server.pid."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/serve.py", "--server.port", str(port)]
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1", "--server.fileWatcherType", "none", *options],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    (folder / "server.pid").write_text(str(process.pid))
    try:
        address = f"http://127.0.0.1:{port}"
        answering(f"{address}/_stcore/health", process, log)
        yield address
    finally:
        process.terminate()
        process.wait()


def answering(url: str, process: subprocess.Popen, log: Path) -> None:
    """Wait until `url` answers.

    Raises:
        AssertionError: the process ended, or never answered; with the end of its log.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer: {log.read_text()[-2000:]}")
