"""Photographs out of archives shaped like the official ones."""

import io
import tarfile

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from engines.datasets import dataset, pictures
from engines.datasets.verify import _parquet_columns


def jpeg(width: int, height: int) -> bytes:
    held = io.BytesIO()
    ramp = np.tile(np.linspace(0, 255, width), (height, 1)).astype(np.uint8)
    Image.fromarray(ramp).convert("RGB").save(held, "JPEG")
    return held.getvalue()


def archive(path, files: dict[str, bytes]):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_photographs_of_the_chosen_people(tmp_path):
    face = jpeg(250, 250)
    source = archive(
        tmp_path / "lfw.tgz",
        {
            "lfw/Zoran_Djindjic/Zoran_Djindjic_0002.jpg": face,
            "lfw/Zoran_Djindjic/Zoran_Djindjic_0001.jpg": face,
            "lfw/AJ_Cook/AJ_Cook_0001.jpg": face,
            "lfw/No_Such_Person/No_Such_Person_0001.jpg": face,
            "lfw/AJ_Cook/notes.txt": b"not a photograph",
        },
    )
    pictures.lfw([source], tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(row["person"], row["take"]) for row in rows] == [
        ("AJ_Cook", 1),
        ("Zoran_Djindjic", 1),
        ("Zoran_Djindjic", 2),
    ]
    picture = np.asarray(Image.open(io.BytesIO(rows[0]["image"])))
    assert picture.shape == (150, 150, 3)
    assert picture[75, 10, 0] < 60
    assert picture[75, 140, 0] > 200
    assert _parquet_columns(tmp_path / "out.parquet")[0] == dict(dataset("lfw").columns)


def test_backgrounds_of_all_three_parts(tmp_path):
    source = archive(
        tmp_path / "bsds.tgz",
        {
            "BSR/BSDS500/data/images/train/100075.jpg": jpeg(481, 321),
            "BSR/BSDS500/data/images/val/101085.jpg": jpeg(321, 481),
            "BSR/BSDS500/data/images/test/100007.jpg": jpeg(481, 321),
            "BSR/BSDS500/data/images/test/Thumbs.db": b"",
            "BSR/BSDS500/data/groundTruth/test/100007.mat": b"",
            "BSR/bench/data/images/2018.jpg": jpeg(481, 321),
        },
    )
    pictures.bsds500([source], tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["id"] for row in rows] == ["100007", "100075", "101085"]
    assert [(row["width"], row["height"]) for row in rows] == [(400, 267), (400, 267), (267, 400)]
    assert Image.open(io.BytesIO(rows[2]["image"])).size == (267, 400)
    assert _parquet_columns(tmp_path / "out.parquet")[0] == dict(dataset("bsds500_backgrounds").columns)


@pytest.mark.parametrize("convert", [pictures.lfw, pictures.bsds500])
def test_an_archive_of_something_else_is_told_apart(tmp_path, convert):
    source = archive(tmp_path / "other.tgz", {"readme.txt": b"hello"})
    with pytest.raises(KeyError):
        convert([source], tmp_path / "out.parquet")


def test_the_list_of_people_is_the_catalogue_s():
    names = pictures.PEOPLE.read_text().split()
    assert len(names) == len(set(names)) == 2897
    assert names == sorted(names)
