"""Saved views: named by their content, never changed, safe among many writers, closed to what is not theirs."""

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engines.core import UserError
from engines.runs import Point
from engines.views import Entry, Snapshot, ViewStore


def point(budget: float = 8.0, mean: float = 12.3456789, engine: str = "pipeline") -> Point:
    return Point(
        "tones", "pairs", engine, engine, "", "test", "", False, budget, mean, 1.0, 10.0, 15.0, (mean, mean + 1),
        (0, 1), 1.5, 0.1, 7, ("a", "b"), 40, (12.0, 13.0), devices=("cpu", "cuda"), beside={"chrF": 1 / 3},
    )  # fmt: skip


def snapshot(**changed) -> Snapshot:
    given_ = {
        "page": "explore",
        "params": {"case": "tones", "budget": "8"},
        "points": [point(8), point(2), point(8, 30, "end_to_end")],
        "runs": {"a": "pipeline 1 f00"},
        "title": "What we saw",
        "note": "In March.",
    }
    return Snapshot.of(**{**given_, **changed})


@pytest.fixture
def store(tmp_path: Path) -> ViewStore:
    return ViewStore(tmp_path / "views")


def test_a_view_comes_back_as_it_was(store):
    kept = snapshot()
    name = store.save(kept)
    assert store.load(name) == kept
    assert kept.points[0].mean == 12.3457
    assert kept.points[0].beside == {"chrF": 0.333333}
    assert name == kept.id
    assert [path.name for path in (store.root / "snapshots").iterdir()] == [f"{name}.json"]


def test_the_name_is_made_of_everything():
    kept = snapshot()
    other = [replace(kept, **{name: "x"}) for name in ("page", "title", "note", "by", "made")]
    other += [replace(kept, params={}), replace(kept, points=()), replace(kept, runs={})]
    assert len({each.id for each in [kept, *other]}) == len(other) + 1


def test_a_changed_file_is_not_shown(store):
    name = store.save(snapshot())
    path = store.root / "snapshots" / f"{name}.json"
    path.write_text(path.read_text().replace("12.3457", "2.3457"))
    with pytest.raises(UserError, match="changed"):
        store.load(name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "x" * 20, "A" * 20, "0" * 1000, "0" * 19 + "\n"])
def test_names_that_are_none(store, name):
    with pytest.raises(UserError, match="name of a saved view"):
        store.load(name)
    with pytest.raises(UserError):
        store.unlist(name)


def test_a_view_that_is_not_here(store):
    with pytest.raises(UserError, match="not here"):
        store.load("0" * 20)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "1",
        '{"schema":1}',
        '{"schema":1,"points":[{}],"page":"x","params":{}}',
        "\x00",
        '{"schema":"1"}',
    ],
)
def test_text_that_is_no_snapshot(text):
    with pytest.raises(UserError):
        Snapshot.read(text)


def test_the_gallery_lists_finds_and_forgets(store):
    first = store.save(replace(snapshot(title="Speech, March"), made="2026-03-01T00:00:00+00:00"))
    last = store.save(replace(snapshot(title="Faces", note="at the gate"), made="2026-06-01T00:00:00+00:00"))
    quiet = store.save(snapshot(title="Not listed"), listed=False)
    found, damaged = store.entries()
    assert ([each.id for each in found], damaged) == ([last, first], 0)
    assert [each.id for each in store.entries("GATE faces")[0]] == [last]
    assert not store.entries("gate speech")[0]
    assert found[0].curves == (("pipeline", ((2.0, 12.3457), (8.0, 12.3457))), ("end_to_end", ((8.0, 30.0),)))
    assert store.unlist(last)
    assert not store.unlist(last)
    assert [each.id for each in store.entries()[0]] == [first]
    assert store.load(last).title == "Faces"  # who has the link keeps it
    assert store.load(quiet).title == "Not listed"


def test_a_damaged_entry_hides_no_other(store):
    name = store.save(snapshot())
    folder = store.root / "gallery"
    whole = folder.joinpath(f"{name}.json").read_text()
    texts = ["", "{}", "[1]", '{"id":1,"curves":[]}', whole]
    for number, params in enumerate((["tones"], {"case": 1}, {"case": None}, "tones"), len(texts)):
        texts.append(json.dumps({**json.loads(whole), "id": f"{number:020x}", "params": params}))
    for number, text in enumerate(texts):
        (folder / f"{number:020x}.json").write_text(text)
    (folder / ".half.partial").write_text("{")
    found, damaged = store.entries()
    assert [each.id for each in found] == [name]
    assert damaged == len(texts)
    assert [each.id for each in store.entries("saw")[0]] == [name]


def test_what_is_too_long_is_one_sentence(store):
    with pytest.raises(UserError, match="shorten"):
        snapshot(title="x" * 121)
    with pytest.raises(UserError, match="shorten"):
        snapshot(note="x" * 2001)
    with pytest.raises(UserError, match="download"):
        snapshot(params={"points": "x" * 2_000_000})
    with pytest.raises(UserError, match="download"):
        store.save(snapshot(points=[point()] * 20_000))


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="CROSSOVER_VIEWS"):
        ViewStore(tmp_path / "file").save(snapshot())
    assert ViewStore(tmp_path / "file").entries() == ([], 0)


def _save(job):
    root, number = job
    return ViewStore(root).save(snapshot(title=f"View {number % 4}", note=str(number % 4)))


def test_several_processes_save_at_once(tmp_path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        names = pool.map(_save, [(tmp_path, number) for number in range(16)])
    store = ViewStore(tmp_path)
    assert {each.id for each in store.entries()[0]} == set(names)
    assert all(store.load(name).id == name for name in names)
    assert not list(tmp_path.rglob("*.partial"))


@given(
    some.text(max_size=100), some.text(max_size=300), some.dictionaries(some.text(max_size=9), some.text(max_size=50))
)
def test_any_text_survives(title, note, params):
    kept = snapshot(title=title, note=note, params=params)
    assert Snapshot.read(kept.text().encode().decode()) == kept
    assert Entry.read(kept.entry().text()) == kept.entry()
