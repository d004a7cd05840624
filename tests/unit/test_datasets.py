"""Downloads against a server on this machine: whole, cut, resumed, wrong, refused, no room."""

from __future__ import annotations

import argparse
import hashlib
import io
import resource
import shutil
import signal
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from engines import datasets
from engines.core import UserError
from engines.datasets import entries
from engines.datasets.catalogue import Dataset, Source
from engines.datasets.cli import add_parser
from engines.datasets.convert import TEST_SPEAKERS
from engines.datasets.download import download
from engines.datasets.fetch import fetch
from engines.datasets.verify import content, undecodable, verify

BODY = np.random.default_rng(0).bytes(3_000_000)


@dataclass
class Site:
    """What the server holds, and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    # bytes after which an answer is cut, one entry an answer; then none
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    held = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = held.files.get(self.path)
            wanted = self.headers.get("Range", "")
            held.asked.append(wanted)
            if body is None:
                return self.send_error(404)
            start = int(wanted[6:-1]) if wanted and held.ranges else 0
            if start >= len(body) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            stop = start + held.cuts.pop(0) if held.cuts else len(body)
            self.wfile.write(body[start:stop])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield held
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path))
    monkeypatch.delenv("CROSSOVER_DATA", raising=False)
    return tmp_path


def source(site: Site, sha256: str | None = None, size: int = 0) -> Source:
    site.files.setdefault("/file.bin", BODY)
    return Source((f"{site.url}/file.bin",), "file.bin", size, sha256)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def one_sentence(error: pytest.ExceptionInfo[UserError]) -> str:
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_a_file_arrives_whole(site: Site, tmp_path: Path) -> None:
    file = download(source(site, hashlib.sha256(BODY).hexdigest()), tmp_path, show=False)
    assert file.read_bytes() == BODY
    assert names(tmp_path) == ["file.bin"]
    download(source(site), tmp_path, show=False)
    assert len(site.asked) == 1, "a file that is there is not downloaded again"


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_goes_on_by_itself(site: Site, tmp_path: Path, ranges: bool) -> None:
    site.cuts, site.ranges = [1_000_000, 1_500_000], ranges
    file = download(source(site, hashlib.sha256(BODY).hexdigest()), tmp_path, show=False)
    assert file.read_bytes() == BODY
    assert site.asked[:2] == ["", "bytes=1000000-"]


def test_a_download_cut_for_good_is_resumed_by_the_next_command(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000, 0]
    with pytest.raises(UserError, match=r"cut after 1\.0 MB.*goes on from there") as caught:
        download(source(site), tmp_path, show=False)
    one_sentence(caught)
    assert names(tmp_path) == ["file.bin.partial"]
    assert download(source(site), tmp_path, show=False).read_bytes() == BODY
    assert site.asked[-1] == "bytes=1000000-"
    assert names(tmp_path) == ["file.bin"]


def test_a_partial_that_is_whole_or_too_long_is_seen(site: Site, tmp_path: Path) -> None:
    partial = tmp_path / "file.bin.partial"
    for left in (BODY, BODY + b"more"):
        partial.write_bytes(left)
        file = download(source(site, hashlib.sha256(BODY).hexdigest()), tmp_path, show=False)
        assert file.read_bytes() == BODY
        file.unlink()


def test_a_wrong_checksum_leaves_nothing(site: Site, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="checksum") as caught:
        download(source(site, "0" * 64), tmp_path, show=False)
    one_sentence(caught)
    assert names(tmp_path) == []


def test_a_missing_file_and_a_second_address(site: Site, tmp_path: Path) -> None:
    site.files["/file.bin"] = BODY
    gone = f"{site.url}/gone"
    with pytest.raises(UserError, match="404") as caught:
        download(Source((gone,), "a", 0), tmp_path, show=False)
    one_sentence(caught)
    assert names(tmp_path) == []
    assert download(Source((gone, f"{site.url}/file.bin"), "a", 0), tmp_path, show=False).read_bytes() == BODY


def test_no_network(tmp_path: Path) -> None:
    for address in ("http://127.0.0.1:9/file", "http://no-such-host.invalid/file"):
        with pytest.raises(UserError, match=r"cannot be reached.*check the network") as caught:
            download(Source((address,), "a", 0), tmp_path, show=False)
        one_sentence(caught)
    assert names(tmp_path) == []


def test_a_disk_that_is_too_small_is_seen_before(site: Site, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="free some space") as caught:
        download(source(site, size=10**18), tmp_path, show=False)
    one_sentence(caught)
    assert site.asked == []


def test_what_has_arrived_needs_no_further_room(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    half = shutil.disk_usage(tmp_path)._replace(free=len(BODY) // 2)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: half)
    (tmp_path / "file.bin.partial").write_bytes(BODY[: 2 * len(BODY) // 3])
    assert download(source(site, size=len(BODY)), tmp_path, show=False).read_bytes() == BODY


def test_a_disk_that_fills_up_gets_its_room_back(site: Site, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(UserError, match="free some space") as caught:
            download(source(site), tmp_path, show=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    one_sentence(caught)
    assert names(tmp_path) == []


def wav(seconds: float, rate: int, seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).normal(0, 0.1, int(seconds * rate))
    soundfile.write(buffer, noise, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def served(site: Site, monkeypatch: pytest.MonkeyPatch, name: str, body: bytes, rows: int) -> Dataset:
    """The catalogue's entry, its source on the test's server, `rows` rows."""
    site.files["/archive"] = body
    entry = replace(
        datasets.dataset(name), sources=(Source((f"{site.url}/archive",), "archive.tgz", 0),), rows=rows, content=""
    )
    monkeypatch.setattr(entries, "CATALOGUE", {**entries.CATALOGUE, name: entry})
    return entry


def fsdd_archive() -> bytes:
    recordings = {f"x-master/recordings/{d}_theo_{t}.wav": wav(0.3, 8000, d) for d in range(3) for t in (0, 4, 5, 49)}
    return archive({"x-master/README.md": b"hello", **recordings, "x-master/recordings/._0_theo_0.wav": b"?"})


def test_fsdd_becomes_its_ready_file(site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = served(site, monkeypatch, "fsdd", fsdd_archive(), rows=12)
    file = fetch(entry, show=False)
    assert file == datasets.path("fsdd")
    assert verify(entry, file) == ""
    rows = pq.read_table(file).to_pylist()
    assert [row["split"] for row in rows[:4]] == ["test", "test", "train", "train"]
    assert rows[0]["id"] == "0_theo_0"
    assert rows[0]["seconds"] == pytest.approx(0.3)
    samples, rate = soundfile.read(io.BytesIO(rows[0]["audio"]), dtype="int16")
    original, _ = soundfile.read(io.BytesIO(wav(0.3, 8000)), dtype="int16")
    assert rate == 8000
    np.testing.assert_array_equal(samples, original)
    assert names(cache / "datasets") == ["fsdd.parquet", "sources"]


def test_speechocean762_becomes_its_ready_files(site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, left_out = sorted(TEST_SPEAKERS)[0], "0024"
    files = {}
    for split, speakers in (("train", ["0001"]), ("test", [kept, left_out])):
        utterances = [f"{speaker}0{i}" for speaker in speakers for i in (1, 2)]
        files[f"s/{split}/text"] = "".join(f"{u}\tWE CALL\n" for u in utterances)
        files[f"s/{split}/utt2spk"] = "".join(f"{u}\t{u[:4]}\n" for u in utterances)
        files[f"s/{split}/spk2age"] = "".join(f"{s}\t7\n" for s in speakers)
        files[f"s/{split}/spk2gender"] = "".join(f"{s}\tf\n" for s in speakers)
    phones = (
        f"{s}0{i}.{w}\t{p}\n" for s in ("0001", kept) for i in (1, 2) for w, p in ((1, "K_B L_E"), (0, "W_B IY0_E"))
    )
    files["s/resource/text-phone"] = "".join(phones)
    files["s/resource/lexicon.txt"] = "WE W IY0\nCALL  K AO0 L\nCALL  K AO0 L\n"
    wavs = {f"s/WAVE/SPEAKER{u[:4]}/{u}.WAV": wav(1, 16000) for u in ("000101", "000102", f"{kept}01", f"{kept}02")}
    body = archive({name: text.encode() for name, text in files.items()} | wavs)
    entry = served(site, monkeypatch, "speechocean762", body, rows=4)
    rows = pq.read_table(fetch(entry, show=False)).to_pylist()
    assert [(row["id"], row["split"], row["age"]) for row in rows][2:] == [
        (f"{kept}01", "test", 7),
        (f"{kept}02", "test", 7),
    ]
    assert rows[0]["phones"] == ["W_B IY0_E", "K_B L_E"]
    samples, rate = soundfile.read(io.BytesIO(rows[0]["audio"]))
    assert (len(samples), rate) == (16000, 16000)
    lexicon = served(site, monkeypatch, "speechocean762_lexicon", body, rows=2)
    assert pq.read_table(fetch(lexicon, show=False)).to_pylist() == [
        {"word": "CALL", "phones": "K AO0 L"},
        {"word": "WE", "phones": "W IY0"},
    ]
    assert len(site.asked) == 1, "both come from one archive, downloaded once"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>not an archive</html>",
        fsdd_archive()[:3000],
        archive({"x/README": b""}),
        fsdd_archive()[:-8] + bytes(4) + fsdd_archive()[-4:],
    ],
    ids=["page", "cut", "other", "checksum"],
)
def test_a_damaged_archive_is_deleted(site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    entry = served(site, monkeypatch, "fsdd", body, rows=12)
    with pytest.raises(UserError, match="damaged") as caught:
        fetch(entry, show=False)
    one_sentence(caught)
    assert names(cache / "datasets") == ["sources"]
    assert names(cache / "datasets" / "sources") == []


def test_too_few_rows_are_refused(site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = served(site, monkeypatch, "fsdd", fsdd_archive(), rows=3000)
    with pytest.raises(UserError, match="12 rows instead of 3,000"):
        fetch(entry, show=False)
    assert datasets.find("fsdd") is None


def test_a_directory_of_ready_files_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror, cached = tmp_path / "mirror", tmp_path / "cache" / "datasets"
    for folder in (mirror, cached):
        folder.mkdir(parents=True)
        (folder / "fsdd.parquet").write_bytes(b"")
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CROSSOVER_DATA", str(mirror))
    assert datasets.path("fsdd") == mirror / "fsdd.parquet"
    (mirror / "fsdd.parquet").unlink()
    assert datasets.path("fsdd") == cached / "fsdd.parquet"
    (cached / "fsdd.parquet").unlink()
    with pytest.raises(UserError, match="python -m engines data fetch fsdd"):
        datasets.path("fsdd")


def command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    chosen = parser.parse_args(["data", *arguments])
    code: int = chosen.run(chosen)
    return code


def test_the_commands(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served(site, monkeypatch, "fsdd", fsdd_archive(), rows=12)
    assert command("verify") == 0
    assert "No data set is here yet" in capsys.readouterr().out
    assert command("fetch", "fsdd") == 0
    assert "fetched" in capsys.readouterr().out
    assert command("fetch", "fsdd") == 0
    assert "already here" in capsys.readouterr().out
    assert command("verify", "fsdd") == 0
    assert command("list") == 0
    listed = capsys.readouterr().out
    for name, entry in datasets.CATALOGUE.items():
        assert name in listed
        assert entry.licence in listed
        assert entry.citation in listed
    (cache / "datasets" / "fsdd.parquet").write_bytes(b"PAR1 not really")
    assert command("verify", "fsdd") == 2
    assert "cannot be read" in capsys.readouterr().out
    pq.write_table(pa.table({"text": ["a" * 1000]}), damaged := cache / "damaged.parquet", compression="none")
    damaged.write_bytes(damaged.read_bytes().replace(b"a" * 1000, b"a" * 400))
    for read in (datasets.table, content):
        with pytest.raises(UserError, match="damaged"):
            read(damaged)
    with pytest.raises(UserError, match="no data set 'nothing'"):
        command("fetch", "nothing")
    with pytest.raises(UserError, match="CROSSOVER_DATA"):
        command("fetch", "hand_bone_lengths")


def test_files_of_other_content_are_no_ready_files(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = served(site, monkeypatch, "fsdd", fsdd_archive(), rows=12)
    file = fetch(entry, show=False)
    entry = replace(entry, content=content(file))
    monkeypatch.setattr(entries, "CATALOGUE", {**entries.CATALOGUE, "fsdd": entry})
    assert command("verify", "fsdd") == 0
    rows = pq.read_table(file).to_pylist()

    def told(changed: list[dict[str, object]]) -> str:
        pq.write_table(pa.Table.from_pylist(changed), file)
        capsys.readouterr()
        assert command("verify", "fsdd") == 2
        return capsys.readouterr().out

    assert "not those that the stored runs were measured on" in told([{**row, "digit": 9} for row in rows])
    assert command("fetch", "fsdd") == 0  # it may be what the publisher gives today
    assert "see https" in capsys.readouterr().out
    silent = told([{**row, "audio": b"not audio"} for row in rows])
    assert "a recording that cannot be decoded, first in row 1: delete it and run" in silent
    cut = [{**row, "audio": row["audio"][: -len(row["audio"]) // 2] if place == 7 else row["audio"]}
           for place, row in enumerate(rows)]  # fmt: skip
    assert "first in row 8" in told(cut)


@pytest.mark.parametrize(("image", "row"), [(b"", 2), (b"not a picture", 2), (None, 2), ("cut", 2), ("whole", 0)])
def test_pictures_that_cannot_be_decoded_are_found(tmp_path: Path, image: object, row: int) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)).save(buffer, "JPEG")
    whole = buffer.getvalue()
    second = {"cut": whole[:-200], "whole": whole}.get(image, image)
    pq.write_table(pa.table({"image": pa.array([whole, second], pa.binary())}), tmp_path / "pictures.parquet")
    told = undecodable(datasets.dataset("bsds500_backgrounds"), tmp_path / "pictures.parquet")
    assert told == (f"holds a picture that cannot be decoded, first in row {row}" if row else "")


def test_content_does_not_depend_on_order_or_coding(tmp_path: Path) -> None:
    rows = [{"id": "a", "n": 1, "audio": b"x", "seconds": 1.0}, {"id": "b", "n": 2, "audio": b"y", "seconds": 2.0}]
    other = [{**row, "audio": b"z", "seconds": row["seconds"] + 1e-9} for row in reversed(rows)]
    changed = [{**row, "n": 3} for row in rows]
    hashes = []
    for number, table in enumerate((rows, other, changed)):
        pq.write_table(pa.Table.from_pylist(table), tmp_path / f"{number}.parquet")
        hashes.append(content(tmp_path / f"{number}.parquet"))
    assert hashes[0] == hashes[1] != hashes[2]


def test_every_entry_says_what_a_visitor_must_know() -> None:
    assert len(datasets.CATALOGUE) >= 4
    for name, entry in datasets.CATALOGUE.items():
        assert entry.name == name
        assert entry.licence
        assert entry.citation
        assert entry.page.startswith("http")
        assert entry.generated or (entry.file and entry.rows and entry.columns)
        assert entry.generated or bool(entry.convert) != bool(entry.by_hand)
