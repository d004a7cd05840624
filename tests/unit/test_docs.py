"""What the README tells people to type exists."""

import re
import shlex
from pathlib import Path

import pytest

from engines import registry
from engines.__main__ import command_line
from engines.runs import RunStore, renew

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^python -m engines ([^#\n]+)", README, re.MULTILINE)


def test_the_readme_shows_commands():
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_is_understood(line):
    chosen = command_line().parse_args(shlex.split(line))
    assert callable(chosen.run)
    case = getattr(chosen, "case", None)
    if case:
        assert case in registry.cases()
    source = getattr(chosen, "input", None)
    if source:
        assert (ROOT / source).exists()


@pytest.mark.parametrize("target", re.findall(r"`make (\w+)`|^make (\w+)$", README, re.MULTILINE))
def test_a_make_target_of_the_readme_exists(target):
    assert re.search(rf"^{''.join(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_folder_of_the_readme_exists():
    folders = re.findall(r"^\| `((?:engines|dashboard|tests)[\w/]*)`", README, re.MULTILINE)
    assert folders
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_the_tables_of_the_readme_are_those_of_the_runs(tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text(README)
    said = renew(copy, registry.cases(), RunStore(ROOT / "precomputed"))
    assert all(case in said for case in ("speech", "turnstile", "translation", "bone_age"))
    assert copy.read_text() == README, "run `make readme`"
