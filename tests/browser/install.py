"""Finds a Chromium for the browser tests, or installs one: `python -m tests.browser.install`.

A system Chromium is used where there is one. Else Debian's package is installed (as root, or with sudo), and where
there is no apt, Playwright downloads its own.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def system_chromium() -> str | None:
    """The path of a Chromium on this system, or None: then Playwright's own is used."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def install() -> None:
    if system_chromium():
        return
    if shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            if subprocess.run([*sudo, "apt-get", "-qq", *command], check=False, **quiet).returncode:
                break
        if system_chromium():
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"], check=True)


if __name__ == "__main__":
    install()
