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
READMES = [ROOT / "README.md", *sorted(ROOT.glob("engines/cases/*/README.md"))]
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


def test_every_setting_has_a_row_in_the_readme():
    code = "".join(file.read_text() for folder in ("engines", "dashboard") for file in (ROOT / folder).rglob("*.py"))
    read = set(re.findall(r"environ(?:\.get\(|\[)\"(CROSSOVER_\w+)\"", code))
    # Set by `sweep --device` for its own processes.
    assert read - {"CROSSOVER_DEVICE"} <= set(re.findall(r"^\| `(CROSSOVER_\w+)` \|", README, re.MULTILINE))


def test_every_folder_of_the_readme_exists():
    folders = re.findall(r"^\| `((?:engines|dashboard|tests)[\w/]*)`", README, re.MULTILINE)
    assert folders
    assert all((ROOT / folder).is_dir() for folder in folders)


@pytest.mark.parametrize("file", [file for file in READMES if "\n<!-- report:" in file.read_text()])
def test_the_tables_of_a_readme_are_those_of_the_runs(tmp_path, file):
    copy = tmp_path / "README.md"
    copy.write_text(file.read_text())
    renew(copy, registry.cases(), RunStore(ROOT / "precomputed"))
    assert copy.read_text() == file.read_text(), "run `make readme`"


def test_the_readme_has_a_table_of_every_case():
    tables = set(re.findall(r"^<!-- report: (\w+) -->$", README, re.MULTILINE))
    assert tables == {"speech", "turnstile", "translation", "bone_age"}
