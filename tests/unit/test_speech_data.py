"""The speech tasks' data: what is in a budget, what never is, and that it is the same every time."""

from __future__ import annotations

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from engines.cases.speech import CASE, commands, data, digits, espeak, grammar, plans, sentences, shards
from engines.core import UserError


def coded(samples: np.ndarray, rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSOVER_DATA", str(tmp_path))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def small_corpus(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three speakers; the recording of utterance i is i / 100 throughout."""
    monkeypatch.setattr(sentences, "TEST_UTTERANCES", 2)
    rows = [
        ("3", "test", "c", "HELLO THERE", 1.0),
        ("0", "train", "a", "HELLO  THERE", 1.0),
        ("4", "test", "c", "GO ON", 2.0),
        ("1", "train", "a", "it's me, TOO", 2.0),
        ("5", "test", "c", "GO HOME", 3.0),
        ("2", "train", "b", "GO", 3.0),
    ]
    table = [
        {
            "id": name,
            "split": split,
            "speaker": speaker,
            "age": 6,
            "gender": "f",
            "text": text,
            "phones": ["W_B IY0_E"] * len(text.split()),
            "sample_rate": 16000,
            "seconds": seconds,
            "audio": coded(np.full(int(seconds * 16000), int(name) / 100), 16000),
        }
        for name, split, speaker, text, seconds in rows
    ]
    pq.write_table(pa.Table.from_pylist(table), folder / "speechocean762.parquet")
    words = [("GO", "G OW0"), ("ON", "AA1 N"), ("ON", "AO1 N"), ("ON", "AA0 N")]
    lexicon = [{"word": word, "phones": phones} for word, phones in words]
    pq.write_table(pa.Table.from_pylist(lexicon), folder / "speechocean762_lexicon.parquet")


@pytest.mark.usefixtures("small_corpus")
def test_sentences_keep_speakers_and_sentences_apart() -> None:
    task = data.sentences()
    assert list(task.train.y) == ["HELLO THERE", "IT'S ME TOO", "GO"]
    assert list(task.tests["test"].y) == ["GO ON", "GO HOME"]
    assert [round(float(x.mean()) * 100) for x in task.tests["test"].x] == [4, 5]
    assert task.train.total == pytest.approx(6 / 3600)
    assert [len(x) for x in task.train.x] == [16000, 32000, 48000]
    assert task.train.gold[1] == {"phonemes": [("W", "IY")] * 3, "speaker": "a"}
    assert task.side["lexicon"] == {"GO": [("G", "OW")], "ON": [("AA", "N"), ("AO", "N")]}


def test_without_data_a_sentence_says_how_to_get_it(folder: Path) -> None:
    with pytest.raises(UserError, match="data fetch speechocean762"):
        data.sentences()
    with pytest.raises(UserError, match="data fetch fsdd"):
        data.digits()


@pytest.fixture
def small_digits(folder: Path) -> None:
    """A digit d of take t by speaker s is a tone of its own level, 0.3 s long."""
    rows = []
    for speaker in ("george", "jackson", *digits.UNSEEN):
        for digit in range(10):
            for take in range(8):
                tone = 0.1 * (1 + digit) / 2 * np.sin(np.arange(2400) * (1 + take) / 10)
                rows.append(
                    {
                        "id": f"{digit}_{speaker}_{take}",
                        "split": "test" if take < 5 else "train",
                        "speaker": speaker,
                        "digit": digit,
                        "take": take,
                        "sample_rate": 8000,
                        "seconds": 0.3,
                        "audio": coded(tone, 8000),
                    }
                )
    pq.write_table(pa.Table.from_pylist(rows), folder / "fsdd.parquet")


@pytest.mark.usefixtures("small_digits")
def test_digit_strings_are_honest() -> None:
    task = data.digits()
    assert sum(len(y.split()) for y in task.train.y) == 2 * 10 * 3, "every training take exactly once"
    assert all(1 <= len(y.split()) <= digits.LONGEST for y in task.train.y)
    spoken = {gold["speaker"] for gold in task.train.gold}
    assert spoken == {"george", "jackson"}
    assert {gold["speaker"] for gold in task.tests["test"].gold} == spoken
    assert {gold["speaker"] for gold in task.tests["unseen_speakers"].gold} == set(digits.UNSEEN)
    for split in (task.train, *task.tests.values()):
        for i in range(0, len(split), 37):
            waveform = split.x[i]
            assert CASE.task("digits").x.problem(waveform) is None
            assert split.weight[i] == pytest.approx(len(waveform) / 8000 / 3600)
            assert np.mean(waveform == 0) < 0.01, "no digital silence"
            np.testing.assert_array_equal(waveform, split.x[i])


@pytest.mark.usefixtures("small_digits")
def test_test_takes_are_never_in_training_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    passes, one_pass = [], digits.one_pass

    def kept(recordings, rng):
        passes.append(recordings)
        return one_pass(recordings, rng)

    monkeypatch.setattr(digits, "one_pass", kept)
    digits._digits.cache_clear()
    task = data.digits()
    trained = [takes for takes in passes if not any(take.test or take.speaker in digits.UNSEEN for take in takes)]
    assert [len(takes) for takes in trained] == [sum(len(y.split()) for y in task.train.y)]


def test_a_digit_string_holds_its_recordings() -> None:
    """Planted: recordings of one level with quiet edges, so that starts and ends are known to the sample."""
    recordings = tuple(digits.Recording("s", d, 0, False, 0.1, d) for d in range(3))
    string = digits.DigitString(recordings, (100, 200, 300, 400), seed=1)
    recording = np.pad(np.full(600, 0.5, np.float32), 100)
    joined = digits.waveform(string, [recording] * 3)
    assert len(joined) == string.samples == 3 * 800 + 1000
    edges = np.flatnonzero(np.diff((np.abs(joined) > 0.25).astype(int)))
    assert list(edges + 1) == [200, 800, 1200, 1800, 2300, 2900]
    assert 0 < np.abs(joined[:100]).max() < 0.001


def test_real_data_if_it_is_here() -> None:
    """The numbers that the case's texts state; only where the data is on this machine."""
    try:
        task, strings = data.sentences(), data.digits()
    except UserError as missing:
        pytest.skip(str(missing))
    sentences_task, digits_task = CASE.task("sentences"), CASE.task("digits")
    assert len(task.tests["test"]) == 600
    assert task.train.total >= sentences_task.budgets[-1]
    assert strings.train.total >= digits_task.budgets[-1]
    heard = {word for y in task.train.y for word in y.split()}
    tested = [word for y in task.tests["test"].y for word in y.split()]
    assert 0.04 < np.mean([word not in heard for word in tested]) < 0.08
    assert all(word in task.side["lexicon"] for word in tested)
    assert not {g["speaker"] for g in task.train.gold} & {g["speaker"] for g in task.tests["test"].gold}
    assert sentences_task.x.problem(task.train.x[7]) is None


def test_the_grammar_speaks_only_its_words() -> None:
    rng = np.random.default_rng(0)
    words = set(grammar.vocabulary())
    texts = [grammar.draw(rng) for _ in range(3000)]
    assert {word for text in texts for word in text.split()} == words
    assert 200 < len(words) < 400
    assert len(set(texts)) > 2500
    assert set(plans.table()) == words == set(commands.lexicon())
    assert "{" not in "".join(texts)


def test_the_lexicon_is_arpabet() -> None:
    phones = {p for ways in commands.lexicon().values() for way in ways for p in way}
    known = {p for ways in digits.LEXICON.values() for way in ways for p in way}
    assert known <= phones
    assert len(phones) <= 39
    assert all(1 <= len(ways) <= 6 for ways in commands.lexicon().values())


def test_ipa_becomes_arpabet() -> None:
    assert espeak.arpabet("tˈɜːn") == ("T", "ER", "N")
    assert espeak.arpabet("ˈɔːɹɪndʒ") == ("AO", "R", "IH", "N", "JH")
    with pytest.raises(ValueError, match="ARPAbet"):
        espeak.arpabet("ɬa")


def test_commands_are_planned_without_sound() -> None:
    task = data.commands()
    train, test = task.train, task.tests["test"]
    assert train.total > 30
    assert 300 <= len(test) <= 500
    assert not set(test.y) & set(train.y[:20000])
    voices = {gold["speaker"].split("+")[1] for gold in test.gold}
    assert not voices & {train.gold[i]["speaker"].split("+")[1] for i in range(0, len(train), 9)}
    seconds = train.weight * 3600
    assert 0.5 < seconds.min() < seconds.max() < 10
    assert len(train.y[5].split()) == len(train.gold[5]["phonemes"])
    lexicon = task.side["lexicon"]
    for i in range(0, len(train), 501):
        assert all(p in lexicon[w] for w, p in zip(train.y[i].split(), train.gold[i]["phonemes"], strict=True))


def test_small_budgets_touch_few_shards_and_nest() -> None:
    train = data.commands().train
    indices = []
    for hours in (1 / 30, 0.3, 5):
        order = train.permutation(np.random.default_rng([3, 0]))
        count = int(np.searchsorted(np.cumsum(train.weight[order]), hours)) + 1
        prefix = train.prefix(hours, np.random.default_rng([3, 0]))
        assert len(prefix) == count
        assert prefix.total == pytest.approx(hours, abs=0.003)
        indices.append([int(i) for i in order[:count]])
        assert len({i // plans.UTTERANCES for i in indices[-1]}) <= hours / 0.09 + 1
    assert indices[0] == indices[1][: len(indices[0])]
    assert indices[1] == indices[2][: len(indices[1])]
    assert sorted(train.permutation(np.random.default_rng(1))) == list(range(len(train)))


def test_a_budget_beyond_the_pool_is_told_how_to_make_it_larger() -> None:
    train = data.commands().train
    with pytest.raises(UserError, match=r"there is only 34\.08: .*, or name more hours in CROSSOVER_COMMAND_HOURS\.$"):
        train.prefix(train.total * 1.1, np.random.default_rng(0))


def test_a_larger_pool_begins_with_the_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    small = data.commands().train
    monkeypatch.setenv("CROSSOVER_COMMAND_HOURS", "60")
    large = data.commands().train
    assert large.total > 60
    ours, theirs = (list(split.prefix(2, np.random.default_rng(5)).y) for split in (small, large))
    assert ours == theirs
    for wrong in ("many", "-1", "nan", "1e9"):
        monkeypatch.setenv("CROSSOVER_COMMAND_HOURS", wrong)
        with pytest.raises(UserError, match="CROSSOVER_COMMAND_HOURS"):
            data.commands()


def test_speech_that_nothing_can_make_is_no_engines_failure(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path))
    monkeypatch.setattr(espeak, "installed", lambda: False)
    with pytest.raises(UserError, match="pip install espeakng-loader") as told:
        shards.ensure("train", 0)
    assert isinstance(told.value.__cause__, ImportError)


needs_espeak = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader, an optional extra, is not installed")


@needs_espeak
def test_sound_is_as_planned_and_made_once(folder: Path) -> None:
    test = data.commands().tests["test"]
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(lambda _: test.x[0], range(4))
    for other in others:
        np.testing.assert_array_equal(first, other)
    made = sorted((folder / "cache" / "espeak_commands").iterdir())
    assert made == [shards.path("test", 0)], "one file, no lock or half file left"
    for i in range(0, plans.UTTERANCES, 7):
        waveform = test.x[i]
        assert CASE.task("commands").x.problem(waveform) is None
        assert len(waveform) == round(test.weight[i] * 3600 * 16000)
        plan = plans.shard_plans("test", 0)[i]
        assert np.abs(waveform).max() == pytest.approx(10 ** (-plan.level / 20), abs=1e-3)
    again = folder / made[0].name
    command = [sys.executable, "-m", "engines.cases.speech.render", "test", "0", str(again)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    assert again.read_bytes() == made[0].read_bytes(), "the same seed speaks the same sound"


def test_without_espeak_a_sentence_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "installed", lambda: False)
    with pytest.raises(UserError, match="pip install espeakng-loader"):
        data.commands().tests["test"].x[0]


@needs_espeak
def test_a_cache_that_cannot_be_written_gets_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("")
    monkeypatch.setenv("CROSSOVER_CACHE", str(folder / "file"))
    with pytest.raises(UserError, match="CROSSOVER_CACHE"):
        data.commands().tests["test"].x[0]


@pytest.mark.usefixtures("small_corpus", "small_digits")
def test_examples_decode() -> None:
    from engines.ml import audio

    committed = Path(__file__).parents[2] / "precomputed" / "speech" / "examples"
    for task in CASE.tasks:
        shown = data.examples(task)
        assert shown
        for example in shown:
            file = committed / example.path
            assert task.x.problem(audio.decode(file.read_bytes(), file.name, task)) is None
            assert example.truth
            assert example.note
    assert sum(file.stat().st_size for file in committed.iterdir()) < 100_000


@pytest.mark.usefixtures("small_digits")
def test_examples_found_once_are_read_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    from engines.cases.speech import examples

    first = data.examples(CASE.task("digits"))
    examples._real.cache_clear()
    monkeypatch.setattr(examples, "digits", lambda: pytest.fail("the data set was read again"))
    assert data.examples(CASE.task("digits")) == first
    lost = next(Path(each.path) for each in first if Path(each.path).is_absolute())
    lost.unlink()
    examples._real.cache_clear()
    with pytest.raises(pytest.fail.Exception):
        data.examples(CASE.task("digits"))
