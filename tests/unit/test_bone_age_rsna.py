"""The RSNA task on a few pictures made here in the layout of the published archives: table, pictures, engines."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from engines import datasets, registry
from engines.__main__ import main
from engines.cases.bone_age import rsna, simulate
from engines.core import Budget, UserError

CASE = registry.case("bone_age")
TASK = CASE.task("rsna")
COUNT = 22
TESTED = 5  # of the pictures, by their names: all from the 17th on but one
INVERTED, SIXTEEN, WIDE = 3, 5, 7  # of the pictures, by their place


@pytest.fixture(scope="module")
def shots() -> list:
    return [simulate.shoot(np.random.default_rng([77, i])) for i in range(COUNT)]


def name(place: int) -> str:
    return str(1377 + 11 * place)


def grown(pixels: np.ndarray, place: int) -> np.ndarray:
    """As large as a film, in another shape for every picture; the hand reaches to the lower edge as it does there."""
    large = np.asarray(Image.fromarray(pixels).resize((144 * 4 + 10 * (place % 3), 192 * 4), Image.Resampling.BILINEAR))
    if place == WIDE:
        large = np.pad(large, ((0, 0), (200, 200)), mode="edge")
    if place == INVERTED:
        large = 1 - large
    return np.clip(large, 0, 1)


@pytest.fixture
def folder(tmp_path, shots, monkeypatch):
    """CROSSOVER_DATA with rsna_bone_age in it, one of the table's pictures missing."""
    home = tmp_path / "rsna_bone_age"
    (home / "boneage-training-dataset").mkdir(parents=True)
    lines = ["id,boneage,male"]
    for place, shot in enumerate(shots):
        lines.append(f"{name(place)},{round(shot.child.skeletal)},{shot.child.sex == 'M'}")
        values = grown(shot.radiograph.pixels, place)
        kept = np.rint(values * 65535).astype(np.uint16) if place == SIXTEEN else np.rint(values * 255).astype(np.uint8)
        Image.fromarray(kept).save(home / "boneage-training-dataset" / f"{name(place)}.png")
    lines.append("99999,120,True")  # in the table, without a picture
    (home / "boneage-training-dataset.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("CROSSOVER_DATA", str(tmp_path))
    rsna.rsna.cache_clear()
    yield home
    rsna.rsna.cache_clear()


def by_age(data) -> dict[float, list]:
    found: dict[float, list] = {}
    for split in (data.train, data.tests["test"]):
        for x, y in zip(split.x, split.y, strict=True):
            found.setdefault(y.months, []).append(x)
    return found


def test_every_picture_comes_with_its_age_and_sex(folder, shots):
    data = TASK.data()
    assert (len(data.train), len(data.tests["test"])) == (COUNT - TESTED, TESTED)
    found = by_age(data)
    for shot in shots:
        pictures = found[round(shot.child.skeletal)]
        assert any(picture.sex == shot.child.sex for picture in pictures)
        assert all(TASK.x.problem(picture) is None for picture in pictures)
        assert all("not for clinical use" in picture.note for picture in pictures)


@pytest.mark.parametrize("place", [0, INVERTED, SIXTEEN, WIDE])
def test_preprocessing_gives_the_picture_back(folder, shots, place):
    """Whatever its size, depth or polarity: bone is bright and lies where it lay."""
    x = rsna.picture(folder / "boneage-training-dataset" / f"{name(place)}.png", "F")
    assert x.pixels.shape == (simulate.HEIGHT, simulate.WIDTH)
    pixels = shots[place].radiograph.pixels
    if place == WIDE:  # wider than the working size: it is laid in smaller, at the lower edge
        assert (x.pixels[: simulate.HEIGHT // 4].std(axis=1) < 0.02).mean() > 0.4
        return
    assert np.corrcoef(x.pixels.ravel(), pixels.ravel())[0, 1] > 0.9


def test_the_same_pictures_are_the_test_however_many_are_there(folder):
    whole = {x.pixels.tobytes() for x in TASK.data().tests["test"].x}
    for place in (0, 1, COUNT - 1):
        (folder / "boneage-training-dataset" / f"{name(place)}.png").unlink()
    rsna.rsna.cache_clear()
    data = TASK.data()
    assert len(data.train) + len(data.tests["test"]) == COUNT - 3
    kept = {x.pixels.tobytes() for x in data.tests["test"].x}
    assert len(kept) == TESTED - 1
    assert kept <= whole
    assert not whole & {x.pixels.tobytes() for x in data.train.x}


def test_about_a_thousand_of_the_whole_set_are_the_test():
    assert 940 < sum(rsna._is_test(str(number)) for number in range(1377, 1377 + 12_611)) < 1060


def test_too_few_pictures_are_refused_in_a_sentence(folder):
    for file in (folder / "boneage-training-dataset").glob("*.png"):
        if rsna._is_test(file.stem):
            file.unlink()
    with pytest.raises(UserError, match="too few of the pictures"):
        TASK.data()


@pytest.mark.parametrize("info", CASE.engines, ids=lambda info: info.name)
def test_every_engine_learns_from_it_and_answers(folder, info):
    data = TASK.data()
    training = data.draw(Budget(TASK.tiny), 0)
    assert len(training.train) == TASK.tiny
    engine = info.create().fit(training, np.random.default_rng([0, 1]))
    x, y = data.tests["test"].x[0], data.tests["test"].y[0]
    for reading in ("", *info.readings):
        answer = engine.answer(x, reading)
        assert TASK.y.problem(answer) is None
        assert np.isfinite(TASK.metric.statistics(answer, y)).all()
        # Of four pictures networks hold none out, and cannot tell how far off they are.
        assert (answer.low is None) == (info.name != "pipeline")
    assert engine.truths(x, data.tests["test"].gold[0]) == {}


def test_a_folder_in_a_folder_is_fine(folder):
    inner = folder / "boneage-training-dataset" / "boneage-training-dataset"
    inner.mkdir()
    for file in list((folder / "boneage-training-dataset").glob("*.png")):
        file.rename(inner / file.name)
    assert len(TASK.data().train) == COUNT - TESTED


def test_another_table_is_refused_in_a_sentence(folder):
    (folder / "boneage-training-dataset.csv").write_text("id,age,sex\n1,2,M\n")
    with pytest.raises(UserError, match="not the table of the RSNA set") as caught:
        TASK.data()
    assert str(caught.value).endswith(".")


def test_a_table_without_its_pictures_is_refused_in_a_sentence(folder):
    for file in (folder / "boneage-training-dataset").glob("*.png"):
        file.unlink()
    with pytest.raises(UserError, match="unpack the archive"):
        TASK.data()


def test_a_damaged_picture_is_named(folder):
    data = TASK.data()
    for file in (folder / "boneage-training-dataset").glob("*.png"):
        file.write_bytes(file.read_bytes()[:500])
    rsna._grey.cache_clear()
    with pytest.raises(UserError, match=r"\.png is damaged"):
        _ = data.train.x[0]


def test_fetch_says_where_it_is_to_be_had_and_under_what_terms(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CROSSOVER_DATA", str(tmp_path))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    entry = datasets.dataset("rsna_bone_age")
    assert main(["data", "fetch", "rsna_bone_age"]) != 0
    said = "".join(capsys.readouterr())
    for part in (entry.page, "non-commercial research", "not to be passed on", "CROSSOVER_DATA"):
        assert part in said
    assert io.StringIO(said).readline().strip().endswith(".")
