"""DICOM radiographs. Of what the file says only the tags named here are kept: nothing that engines see tells who the
patient is."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.core import UserError

MAX_PIXELS = 25_000_000
# Files of this transfer syntax are inflated whole before anything in them can be looked at.
_DEFLATED = b"1.2.840.10008.1.2.1.99"
# What is needed to show the picture, and how large its pixels are. Of the person, the sex alone.
_TAGS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
    "RescaleSlope",
    "RescaleIntercept",
    "PatientSex",
)


@dataclass(frozen=True)
class Plate:
    """`pixels` float32 (height, width) in [0, 1], bright where the film would be; `mm` of a pixel; `sex`."""

    pixels: NDArray[np.float32]
    mm: float
    sex: str


def looks_like_dicom(content: bytes, name: str) -> bool:
    return content[128:132] == b"DICM" or name.lower().endswith((".dcm", ".dicom"))


def read(content: bytes, name: str) -> Plate:
    """The picture in a DICOM file.

    Raises:
        UserError: it cannot be read, has no picture, several, too large a one, no pixel size, or is compressed in a way
            that is not read here (JPEG and JPEG 2000 are).
    """
    if _DEFLATED in content:
        raise UserError(f"{name} is a deflated DICOM file, which is not read here: export it uncompressed, or as PNG.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plate(content, name)
    except UserError:
        raise
    except Exception as error:  # whatever a damaged file makes pydicom stumble over
        raise UserError(
            f"{name} could not be read as DICOM, being damaged or compressed in a way that is not read here: export it "
            "again as uncompressed DICOM or PNG."
        ) from error


def _plate(content: bytes, name: str) -> Plate:
    import pydicom

    whole = pydicom.dcmread(io.BytesIO(content), specific_tags=[*_TAGS, "PixelData"])
    rows, columns = int(whole.get("Rows") or 0), int(whole.get("Columns") or 0)
    if rows * columns == 0 or "PixelData" not in whole:
        raise UserError(f"{name} is DICOM without a picture: bring the file that holds the radiograph.")
    if rows * columns > MAX_PIXELS:
        raise UserError(
            f"{name} has {rows * columns / 1e6:.0f} megapixels, more than the {MAX_PIXELS / 1e6:g} that are taken: "
            "export it smaller."
        )
    if int(whole.get("NumberOfFrames") or 1) > 1:
        raise UserError(f"{name} holds several pictures: bring a single radiograph.")
    mm = _spacing(whole, name)
    if whole.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_coded(whole.PixelData, (columns, rows))
    values = np.asarray(whole.pixel_array, np.float32)
    if values.ndim == 3:
        values = values.mean(axis=2)
    if values.ndim != 2:
        raise UserError(f"{name} holds several pictures: bring a single radiograph.")
    low, high = np.quantile(values[::4, ::4], (0.005, 0.995))
    if high <= low:
        raise UserError(f"{name} is of one grey all over: bring a picture that shows something.")
    pixels = np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
    if str(whole.get("PhotometricInterpretation", "")).upper() == "MONOCHROME1":
        pixels = 1 - pixels
    sex = str(whole.get("PatientSex") or "").strip().upper()
    return Plate(pixels, mm, sex if sex in ("F", "M") else "")


def _check_coded(data: bytes, size: tuple[int, int]) -> None:
    """Raises OSError or ValueError unless every coded picture is JPEG or JPEG 2000 of (columns, rows): what it says of
    itself, and not the file's header, decides how much is decoded."""
    from PIL import Image
    from pydicom.encaps import generate_frames

    for coded in generate_frames(data, number_of_frames=1):
        with Image.open(io.BytesIO(coded), formats=("JPEG", "JPEG2000")) as picture:
            if picture.size != size:
                raise ValueError(f"a coded picture of {picture.size} in a file of {size}")


def _spacing(head: Any, name: str) -> float:
    """mm a pixel on the patient: the imager's spacing is at the detector, a little more than at the hand."""
    get = head.get
    for tag in ("PixelSpacing", "ImagerPixelSpacing"):
        try:
            found = [float(value) for value in get(tag) or ()]
        except (TypeError, ValueError):
            continue
        if len(found) == 2 and 0.01 < found[0] < 5:
            grown = float(get("EstimatedRadiographicMagnificationFactor") or 1.0) if tag != "PixelSpacing" else 1.0
            return found[0] / (grown if 1 <= grown < 2 else 1.0)
    raise UserError(
        f"{name} does not say how large its pixels are, and lengths cannot be measured without: export it with its "
        "pixel spacing, or as a PNG named like hand_F_0.14mm.png."
    )
