"""A file that is written aside is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.core.files import replacing


def test_takes_the_place_of_an_older_file(tmp_path: Path) -> None:
    target = tmp_path / "made" / "words.txt"
    for words in ("old", "new"):
        with replacing(target) as aside:
            aside.write_text(words)
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


class Stopped(BaseException):
    pass


def half(aside: Path) -> None:
    aside.write_text("half of the n")
    raise Stopped


def half_a_folder(aside: Path) -> None:
    aside.mkdir()
    (aside / "weights").write_text("half")
    raise Stopped


def test_leaves_the_older_file_and_nothing_else_when_stopped(tmp_path: Path) -> None:
    target = tmp_path / "words.txt"
    target.write_text("old")
    with pytest.raises(Stopped), replacing(target) as aside:
        half(aside)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_stopped_half_way_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Stopped), replacing(tmp_path / "model") as aside:
        half_a_folder(aside)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_stays(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for number in range(2):
        try:
            with replacing(target) as aside:
                aside.mkdir()
                (aside / "weights").write_text(str(number))
        except OSError:
            assert number == 1
    assert (target / "weights").read_text() == "0"
    assert list(tmp_path.iterdir()) == [target]
