"""What visitors bring to the bone-age case: bad files are refused in one sentence, and who the patient is stays out."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    generate_uid,
)

from engines import registry
from engines.cases.bone_age import check, decode, dicom, examples, simulate
from engines.cases.bone_age.anatomy import LONG
from engines.core import UserError
from engines.core.radiograph import Measures, Radiograph

CASE = registry.case("bone_age")
TASK, LENGTHS = CASE.task("simulated"), CASE.task("lengths")


@pytest.fixture(autouse=True)
def _without_a_model(monkeypatch):
    """Whether it is a hand is asked of a trained pipeline, in a test of its own."""
    monkeypatch.setattr(check, "_segmenter", lambda: None)


def png(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def xray(seed: int = 3) -> Radiograph:
    return simulate.shoot(np.random.default_rng(seed)).radiograph


def dcm(pixels: np.ndarray | None, spacing: str | None = "PixelSpacing", **tags) -> bytes:
    """A DICOM file of 16-bit grey with a patient in its header."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = tags.pop("syntax", ExplicitVRLittleEndian)
    made = FileDataset("x.dcm", {}, file_meta=meta, preamble=b"\0" * 128)
    made.PatientName, made.PatientID, made.PatientSex = "Doe^Jane", "SECRET-4711", "F"
    made.PatientBirthDate = "20150401"
    if pixels is not None:
        made.Rows, made.Columns = pixels.shape
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
        made.PixelData = pixels.astype(np.uint16).tobytes()
    if spacing:
        setattr(made, spacing, [0.3, 0.3])
    for name, value in tags.items():
        setattr(made, name, value)
    file = io.BytesIO()
    pydicom.dcmwrite(file, made, enforce_file_format=True)
    return file.getvalue()


def coded(frame: bytes, rows: int, columns: int) -> bytes:
    """A DICOM file that says rows and columns, with one JPEG 2000 picture in it."""
    made = pydicom.dcmread(io.BytesIO(dcm(grey16(), Rows=rows, Columns=columns)))
    made.file_meta.TransferSyntaxUID = JPEG2000Lossless
    made.PixelData = encapsulate([frame])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    file = io.BytesIO()
    made.save_as(file)
    return file.getvalue()


def grey16() -> np.ndarray:
    pixels = np.repeat(np.repeat(xray().pixels, 3, axis=0), 3, axis=1)
    return np.rint(pixels * 4000).astype(np.uint16)


def refused(content: bytes, name: str, match: str, task=TASK) -> None:
    with pytest.raises(UserError, match=match) as caught:
        decode.decode(content, name, task)
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert "Doe" not in said
    assert "4711" not in said


def test_what_the_project_writes_it_reads_back():
    made = xray()
    assert decode.decode(decode.encode(made), "any.png", TASK) == made


def test_every_example_can_be_decoded():
    found = {task.slug: examples.examples(task) for task in CASE.tasks}
    assert all(found.values())
    for task in (TASK, LENGTHS):
        for example in found[task.slug]:
            path = examples.Path(__file__).parents[2] / "precomputed" / "bone_age" / "examples" / example.path
            x = decode.decode(path.read_bytes(), path.name, task)
            assert task.x.problem(x) is None


def test_a_hand_is_made_as_chosen():
    content, name, truth = examples.make(TASK, sex="boy", years=12.0, ahead=6.0, number=3)
    made = decode.decode(content, name, TASK)
    assert (made.sex, made.note) == ("M", simulate.NOTE)
    assert truth == "skeleton 12 y 6 mo, calendar 12 y 0 mo"
    assert examples.make(TASK, sex="boy", years=12.0, ahead=6.0, number=4)[0] != content


def test_a_photograph_in_colour_is_refused():
    rng = np.random.default_rng(0)
    refused(png(rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)), "cat_0.2mm.png", "photograph in colour")


def test_a_blank_picture_is_refused():
    refused(png(np.full((200, 200), 77, np.uint8)), "blank_0.2mm.png", "one colour")


def test_twenty_thousand_pixels_square_are_refused_from_the_header():
    tall = png(np.zeros((1, 1), np.uint8))
    size = (20000).to_bytes(4, "big")
    import zlib

    head = b"IHDR" + size + size + tall[24:29]
    forged = tall[:12] + head + zlib.crc32(head).to_bytes(4, "big") + tall[33:]
    refused(forged, "huge_0.1mm.png", "megapixels|too many pixels")


def test_sixteen_bits_become_the_same_picture():
    made = xray()
    eight = decode.radiograph(png(np.rint(made.pixels * 255).astype(np.uint8)), "a_F_1mm.png")
    sixteen = decode.radiograph(png(np.rint(made.pixels * 65535).astype(np.uint16)), "a_F_1mm.png")
    assert np.abs(eight.pixels - sixteen.pixels).max() < 0.01
    assert (eight.mm_per_pixel, eight.sex) == (1.0, "F")


def test_a_picture_must_say_how_large_its_pixels_are():
    content = png(np.rint(xray().pixels * 255).astype(np.uint8))
    refused(content, "hand.png", "how large its pixels are")
    assert decode.decode(content, "hand_m_0.9mm.png", TASK).sex == "M"
    assert decode.decode(content, "hand 0.9mm.png", TASK).sex == ""


def test_a_larger_picture_keeps_its_scale():
    pixels = np.rint(np.kron(xray().pixels, np.ones((3, 4), np.float32)) * 255).astype(np.uint8)
    found = decode.decode(png(pixels), "hand_0.25mm.png", TASK)
    assert found.pixels.shape == (simulate.HEIGHT, simulate.WIDTH)
    assert found.mm_per_pixel == pytest.approx(0.25 * max(576 / 192, 576 / 144))


def test_text_that_is_no_picture_is_refused():
    refused(b"hello", "hand_0.2mm.png", "could not be read")
    refused(b"", "hand_0.2mm.png", "is empty")
    refused(b"sex,MC1\nF,30\n", "rows.csv", "choose the task of lengths")


@pytest.mark.parametrize("spacing", ["PixelSpacing", "ImagerPixelSpacing"])
def test_dicom_is_read_with_its_spacing_and_sex(spacing):
    plate = dicom.read(dcm(grey16(), spacing), "hand.dcm")
    assert (plate.mm, plate.sex) == (0.3, "F")
    assert plate.pixels.shape == grey16().shape
    x = decode.decode(dcm(grey16(), spacing), "hand.dcm", TASK)
    assert TASK.x.problem(x) is None
    assert x.mm_per_pixel == pytest.approx(0.9)


def test_inverted_dicom_becomes_bone_bright():
    plain = dicom.read(dcm(grey16()), "hand.dcm").pixels
    turned = dicom.read(dcm(4000 - grey16(), PhotometricInterpretation="MONOCHROME1"), "hand.dcm").pixels
    assert np.corrcoef(plain.ravel(), turned.ravel())[0, 1] > 0.99


def test_bad_dicom_is_refused_in_a_sentence():
    refused(dcm(None), "empty.dcm", "without a picture")
    refused(dcm(grey16(), None), "flat.dcm", "how large its pixels are")
    refused(dcm(grey16(), NumberOfFrames=3), "many.dcm", "several pictures")
    refused(dcm(np.full((200, 200), 9)), "grey.dcm", "one grey all over")
    refused(dcm(grey16(), Rows=20000, Columns=20000), "huge.dcm", "megapixels")
    refused(dcm(grey16())[:-5000], "cut.dcm", "damaged")
    refused(b"\0" * 128 + b"DICM" + b"garbage" * 9, "broken.dcm", "could not be read as DICOM|without a picture")


@pytest.mark.parametrize(
    ("tags", "good", "bad"),
    [
        ({"NumberOfFrames": 7531}, b"IS\x04\x007531", b"IS\x04\x00abc "),
        ({"Rows": [576, 576]}, b"", b""),
        ({"BitsAllocated": [16, 16]}, b"", b""),
        ({"EstimatedRadiographicMagnificationFactor": 1.75}, b"DS\x04\x001.75", b"DS\x04\x00abc "),
    ],
)
def test_damaged_dicom_is_refused_in_a_sentence(tags, good, bad):
    content = dcm(grey16(), "ImagerPixelSpacing", **tags)
    assert good in content
    refused(content.replace(good, bad, 1), "bad.dcm", "could not be read as DICOM")


def test_deflated_dicom_is_refused_before_it_is_inflated(monkeypatch):
    content = dcm(np.zeros((2000, 2000), np.uint16), syntax=DeflatedExplicitVRLittleEndian)
    assert len(content) < 100_000
    monkeypatch.setattr(pydicom, "dcmread", lambda *_, **__: pytest.fail("inflated"))
    for part in (content, content[:-50]):
        refused(part, "deflated.dcm", "deflated DICOM file.*export it uncompressed, or as PNG")


def test_compressed_dicom_that_cannot_be_read_is_refused():
    refused(coded(b"\xff\x4f\xff\x51 no such stream", 576, 432), "small.dcm", "compressed in a way")
    made = pydicom.dcmread(io.BytesIO(dcm(grey16())))
    made.compress(RLELossless)  # which says nowhere how much it is inflated to
    file = io.BytesIO()
    made.save_as(file)
    refused(file.getvalue(), "runs.dcm", "compressed in a way")


def test_a_coded_picture_must_be_as_large_as_its_file_says(monkeypatch):
    file = io.BytesIO()
    Image.fromarray(grey16()).save(file, "JPEG2000", irreversible=False, no_jp2=True)
    plate = dicom.read(coded(file.getvalue(), 576, 432), "hand.dcm")
    assert plate.pixels == pytest.approx(dicom.read(dcm(grey16()), "hand.dcm").pixels, abs=1e-6)
    monkeypatch.setattr(pydicom.Dataset, "pixel_array", property(lambda _: pytest.fail("decoded")))
    refused(coded(file.getvalue(), 57, 43), "large.dcm", "damaged")


def test_nothing_that_engines_see_tells_who_the_patient_is():
    x = decode.decode(dcm(grey16()), "hand.dcm", TASK)
    kept = repr(x) + repr(vars(x)) + decode.encode(x).decode("latin-1")
    for secret in ("Doe", "Jane", "SECRET", "4711", "20150401"):
        assert secret not in kept
    named = png(np.rint(xray().pixels * 255).astype(np.uint8))
    assert "Doe" not in repr(vars(decode.decode(named, "Doe_Jane_F_1mm.png", TASK)))


def test_rows_of_lengths_are_read_and_bad_ones_refused():
    row = "sex,MC1,MC2,MC3,PP1,PP2,DP1\nM,40,60,58,27,35,\n"
    found = decode.decode(row.encode(), "hand.csv", LENGTHS)
    assert isinstance(found, Measures)
    assert found.sex == "M"
    np.testing.assert_allclose(found.lengths(("MC1", "PP2")), [40, 35])
    assert np.isnan(found.lengths(("DP1",)))[0]
    assert len(found.names) == len(LONG)
    refused(b"sex,MC1\nF,30\n", "few.csv", "fewer than five", LENGTHS)
    refused(row.encode() + b"F,41,60,58,27,35,\n", "two.csv", "2 rows", LENGTHS)
    assert decode.decode(row.encode() + b",,,,,,\n", "hand.csv", LENGTHS) == found
    refused(row.replace("60", "600").encode(), "giant.csv", "outside 2 to 120", LENGTHS)
    refused(b"sex,MC1\n", "none.csv", "no row", LENGTHS)
    refused(b"\xff\xfe\x00", "binary.csv", "not a CSV that can be read|no row", LENGTHS)
    refused(png(np.zeros((200, 200), np.uint8)), "hand.png", "not a CSV", LENGTHS)


@pytest.mark.parametrize(
    ("name", "written", "sex"),
    [
        ("sex", "Girl", "F"),
        ("Sex", "female", "F"),
        ("GENDER", "f", "F"),
        ("gender", "boy", "M"),
        (" SEX ", " Male ", "M"),
        ("sex", "", ""),
        ("hand", "left", ""),
    ],
)
def test_the_sex_of_a_row_is_read_however_it_is_written(name, written, sex):
    row = f"{name},mc1,mc2,MC3,pp1,PP2\n{written},40,60,58,27,35\n"
    found = decode.decode(row.encode(), "hand.csv", LENGTHS)
    assert found.sex == sex
    np.testing.assert_allclose(found.lengths(("MC1", "PP2")), [40, 35])


@pytest.mark.parametrize("written", ["w", "1", "fm", "m?", "mixed"])
def test_a_sex_that_is_not_read_is_refused_in_a_sentence(written):
    row = f"gender,MC1,MC2,MC3,PP1,PP2\n{written},40,60,58,27,35\n"
    refused(row.encode(), "hand.csv", "names a sex that is not read here: write F or M", LENGTHS)
