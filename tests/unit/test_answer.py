"""What the command line answers, and what it says where it cannot."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from engines.__main__ import main
from engines.answer import MOST_BYTES


@pytest.fixture(scope="module")
def toy_store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    command = [sys.executable, "-m", "engines", "sweep", "tones", "--seed", "0", "--budget", "32", "--jobs", "1"]
    subprocess.run(command, env={**os.environ, "CROSSOVER_STORE": str(folder)}, check=True, capture_output=True)
    return folder


@pytest.fixture(autouse=True)
def store(toy_store, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(toy_store))


def tone() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(np.arange(4 * 44100) / 5), 44100, format="MP3")
    return file.getvalue()


@pytest.mark.parametrize("share", [1, 2])
def test_a_cut_recording_is_answered_with_a_remark(tmp_path, capsys, share):
    file = tmp_path / "tone.mp3"
    file.write_bytes(tone()[: len(tone()) // share])
    assert main(["answer", "tones", "pipeline", str(file)]) == 0
    told = capsys.readouterr().out
    assert "HIGH" in told
    assert told.startswith("tone.mp3 is cut or damaged") == (share == 2)


def test_of_a_file_that_is_too_large_no_more_is_read_than_shows_it(tmp_path, capsys):
    file = tmp_path / "12GB.wav"
    with file.open("wb") as sparse:
        sparse.truncate(12_000_000_000)
    assert main(["answer", "tones", "pipeline", str(file)]) == 2
    assert capsys.readouterr().err == "12GB.wav has more than the 20 MB that are taken: bring a smaller file.\n"
    os.truncate(file, MOST_BYTES)
    assert main(["answer", "tones", "pipeline", str(file)]) == 2
    assert "could not be read as audio" in capsys.readouterr().err


def test_a_model_that_no_sweep_keeps_is_not_to_be_swept_for(tmp_path, capsys):
    assert main(["answer", "turnstile", "pipeline_500", str(tmp_path)]) == 2
    assert "are not kept: ask another engine" in capsys.readouterr().err
    assert main(["answer", "turnstile", "pipeline", str(tmp_path)]) == 2
    assert "sweep turnstile --task" in capsys.readouterr().err
