"""References answer anything, learn nothing, and say plainly what is missing."""

from __future__ import annotations

import urllib.error

import numpy as np
import pytest

from engines.cases.speech import references
from engines.cases.speech.references import PocketSphinx, Wav2Vec2, resampled, spelled
from engines.core import Spec, Split, TrainingData, UserError


def nothing(rate: int) -> TrainingData:
    return TrainingData(Split([], [], np.zeros(0), []), {}, Spec("waveform", "s", (None,), rate=rate))


def test_pocketsphinx_answers_silence_and_clips_of_any_length(tmp_path) -> None:
    pytest.importorskip("pocketsphinx")
    fitted = PocketSphinx().fit(nothing(8000), np.random.default_rng(0))
    fitted.save(tmp_path)
    loaded = PocketSphinx.load(tmp_path)
    rng = np.random.default_rng(0)
    for samples in (0, 1, 400, 8000):
        clip = (0.1 * rng.standard_normal(samples)).astype(np.float32)
        trace = loaded.trace(clip)
        assert all(step.spec.problem(step.value) is None for step in trace.steps)
        assert trace.answer == trace.answer.upper()
        again = [step.value for step in loaded.trace(clip).steps]
        assert again == [step.value for step in trace.steps], "whatever was heard before"
    assert fitted.parameters == 0
    assert loaded.rate == 8000


def test_wav2vec2_without_a_network_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path))

    class Offline:
        def get_model(self, dl_kwargs: dict) -> None:
            raise urllib.error.URLError("no network")

    monkeypatch.setattr(references, "_bundle", Offline)
    with pytest.raises(UserError, match="could not be downloaded"):
        Wav2Vec2().fit(nothing(16_000), np.random.default_rng(0))


def test_damaged_weights_of_wav2vec2_are_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path))
    (tmp_path / "wav2vec2").mkdir()
    (tmp_path / "wav2vec2" / "wav2vec2_fairseq_base_ls960_asr_ls960.pth").write_bytes(b"junk")
    with pytest.raises(UserError, match="damaged"):
        Wav2Vec2().fit(nothing(16_000), np.random.default_rng(0))


def test_resampling_doubles_the_samples() -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(8000) / 8000).astype(np.float32)
    doubled = resampled(tone, 8000)
    assert abs(len(doubled) - 16_000) <= 1
    expected = np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(doubled[2000:14_000], expected[2000:14_000], atol=0.01)


def test_words_are_spelled_from_columns() -> None:
    assert spelled([2, 1, 1, 2, 3], ("-", "|", "A", "B")) == "A AB"
