"""Pictures that a visitor brings, to what networks take: uint8 RGB, upright, of one frame.

Size limits are enforced here, on the header, before anything is decompressed; what a browser checked is not trusted.
Only a few formats are let in, since a decoder that nobody needs is one more that can be attacked. Metadata (place,
time, camera) ends here: only the rotation is used.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.core import UserError
from engines.ml.filenames import short

ACCEPTS = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif")
# Pillow's names. With JPEG comes MPO, which some phones write as .jpg: a JPEG with a second picture behind it.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"mif1", b"msf1", b"heif")
_BAD = (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True)
class Limits:
    """What is taken: `max_bytes` of file, `max_pixels` in it, sides of `min_side` pixels at least; a longer side than
    `longest` is reduced to it (None: never)."""

    max_bytes: int = 20_000_000
    max_pixels: int = 25_000_000
    min_side: int = 32
    longest: int | None = None

    def __str__(self) -> str:
        most = f"{self.max_pixels / 1e6:g} megapixels"
        return f"at least {self.min_side} x {self.min_side} pixels, at most {most} and {self.max_bytes / 1e6:g} MB"


DEFAULT = Limits()


def decode_image(content: bytes, limits: Limits = DEFAULT, filename: str = "The picture") -> NDArray[np.uint8]:
    """The picture in a file, uint8 (height, width, 3), turned upright as its EXIF says.

    CMYK, palettes and grey become RGB; 16 bits a channel become 8; what is transparent lies on mid-grey.

    Raises:
        UserError: it is no picture, damaged, an animation, blank, or outside the limits.
    """
    from PIL import Image, ImageOps

    name = short(filename)
    _check_bytes(content, limits, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture: Any = Image.open(io.BytesIO(content), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise UserError(f"{name} unpacks to far too many pixels: bring one of {limits}.") from error
    except _BAD as error:
        raise UserError(f"{name} could not be read as a picture: bring a JPEG, PNG or WebP file.") from error
    _check_header(picture, limits, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if limits.longest is not None:
                # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size.
                picture.draft(None, (limits.longest, limits.longest))
            picture.load()
            upright = ImageOps.exif_transpose(picture)
    except _BAD as error:
        raise UserError(f"{name} is damaged or cut off: export or photograph it again.") from error
    pixels = _rgb(upright)
    if limits.longest is not None and max(pixels.shape[:2]) > limits.longest:
        pixels = _reduced(pixels, limits.longest)
    if (pixels == pixels[0, 0]).all():
        raise UserError(f"{name} is of one colour all over: bring a picture that shows something.")
    return pixels


def _check_bytes(content: bytes, limits: Limits, name: str) -> None:
    if not content:
        raise UserError(f"{name} is empty: choose another file.")
    if len(content) > limits.max_bytes:
        raise UserError(
            f"{name} has {len(content) / 1e6:.0f} MB, more than the {limits.max_bytes / 1e6:g} MB that are taken: "
            "save it smaller, for instance as JPEG."
        )
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        raise UserError(f"{name} is a HEIC picture, which is not taken: export it as JPEG.")


def _check_header(picture: Any, limits: Limits, name: str) -> None:
    width, height = picture.size
    if min(width, height) < limits.min_side:
        raise UserError(f"{name} has only {width} x {height} pixels: bring one of {limits}.")
    if width * height > limits.max_pixels:
        raise UserError(
            f"{name} has {width * height / 1e6:.0f} megapixels, more than the {limits.max_pixels / 1e6:g} that are "
            "taken: make it smaller first."
        )
    try:
        moving = picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1
    except _BAD as error:
        raise UserError(f"{name} is damaged or cut off: export or photograph it again.") from error
    if moving:
        raise UserError(f"{name} holds several pictures or an animation: bring a single one.")


def _rgb(picture: Any) -> NDArray[np.uint8]:
    """Any mode of Pillow's to uint8 (height, width, 3)."""
    from PIL import Image

    if picture.mode.startswith(("I", "F")):
        grey = _eight_bits(np.asarray(picture).astype(np.float64), picture.mode)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.new("RGBA", layer.size, (127, 127, 127, 255))
        picture.alpha_composite(layer)
    return np.array(picture.convert("RGB"))


def _eight_bits(values: NDArray[np.float64], mode: str) -> NDArray[np.uint8]:
    """16-bit values by their whole range; 32-bit whole numbers and floats, whose range is untold, by what is there."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if mode.startswith("I;16"):
        return np.rint(values / 257.0).astype(np.uint8)
    low, high = float(values.min()), float(values.max())
    return np.rint(255.0 * (values - low) / max(high - low, 1e-12)).astype(np.uint8)


def _reduced(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    from PIL import Image

    height, width = pixels.shape[:2]
    share = longest / max(height, width)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
