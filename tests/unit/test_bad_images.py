"""Forty pictures as people bring them: each is either decoded or refused in one sentence that says what to do."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from engines.core import UserError
from engines.ml.images import Limits, decode_image

RNG = np.random.default_rng(0)
SCENE = np.clip(RNG.normal(128, 40, (60, 80, 3)) + np.linspace(-60, 60, 80)[None, :, None], 0, 255).astype(np.uint8)


def packed(picture: Image.Image, kind: str, **options) -> bytes:
    held = io.BytesIO()
    picture.save(held, kind, **options)
    return held.getvalue()


def scene(mode: str = "RGB", size: tuple[int, int] = (80, 60)) -> Image.Image:
    return Image.fromarray(SCENE).resize(size).convert(mode)


def sideways(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return packed(scene(), "JPEG", exif=exif)


def deep() -> bytes:
    return packed(Image.fromarray(SCENE[:, :, 0].astype(np.uint16) * 257), "PNG")


def png(width: int, height: int, body: bytes) -> bytes:
    """A PNG whose header promises width x height, 8-bit grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def moving(kind: str) -> bytes:
    frames = [scene().rotate(20 * i) for i in range(3)]
    return packed(frames[0], kind, save_all=True, append_images=frames[1:])


JPEG = packed(scene(), "JPEG")
TAKEN = {
    "plain.jpg": JPEG,
    "plain.png": packed(scene(), "PNG"),
    "plain.webp": packed(scene(), "WEBP"),
    "plain.bmp": packed(scene(), "BMP"),
    "one.tif": packed(scene(), "TIFF"),
    "still.gif": packed(scene("P"), "GIF"),
    "print.jpg": packed(scene("CMYK"), "JPEG"),
    "grey.jpg": packed(scene("L"), "JPEG"),
    "deep.png": deep(),
    "grey and alpha.png": packed(scene("LA"), "PNG"),
    "alpha.png": packed(scene("RGBA"), "PNG"),
    "palette.png": packed(scene("P"), "PNG"),
    "one bit.png": packed(scene("1"), "PNG"),
    "float.tif": packed(scene("F"), "TIFF"),
    "whole numbers.tif": packed(scene("I"), "TIFF"),
    "png named.jpg": packed(scene(), "PNG"),
    "progressive.jpg": packed(scene(), "JPEG", progressive=True),
    **{f"turned {way}.jpg": sideways(way) for way in (2, 3, 5, 6, 8)},
}
# name -> the file and a part of the sentence
REFUSED = {
    "empty.jpg": (b"", "is empty"),
    "text.jpg": (b"Dear sir or madam, please find attached my photograph." * 9, "could not be read"),
    "page.jpg": (b"<html><body>404</body></html>", "could not be read"),
    "vector.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "could not be read"),
    "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n", "could not be read"),
    "paper.pdf": (b"%PDF-1.7\n" + bytes(900), "could not be read"),
    "noise.jpg": (RNG.bytes(5000), "could not be read"),
    "zeros.png": (bytes(5000), "could not be read"),
    "phone.heic": (b"\x00\x00\x00\x18ftypheic" + bytes(900), "HEIC"),
    "phone.jpg": (b"\x00\x00\x00\x18ftypmif1" + bytes(900), "HEIC"),
    "tiny.png": (packed(scene(size=(8, 8)), "PNG"), "only 8 x 8"),
    "strip.png": (packed(scene(size=(900, 4)), "PNG"), "only 900 x 4"),
    "40 megapixels.png": (packed(Image.new("1", (8000, 5000)), "PNG"), "40 megapixels"),
    "bomb.png": (png(30_000, 30_000, zlib.compress(bytes(100_000))), "far too many pixels"),
    "smaller bomb.png": (png(9_000, 9_000, zlib.compress(bytes(100_000))), "81 megapixels"),
    "heavy.bmp": (b"BM" + bytes(21_000_000), "21 MB"),
    "cut.jpg": (JPEG[: len(JPEG) // 2], "damaged"),
    "cut early.jpg": (JPEG[:200], "damaged|could not be read"),
    "cut.png": (TAKEN["plain.png"][:900], "damaged"),
    "cut.webp": (TAKEN["plain.webp"][:500], "damaged|could not be read"),
    "broken.png": (png(90, 90, b"no deflate stream"), "damaged"),
    "short.png": (png(90, 90, zlib.compress(bytes(90))), "damaged"),
    "moving.gif": (moving("GIF"), "several pictures"),
    "moving.png": (moving("PNG"), "several pictures"),
    "moving.webp": (moving("WEBP"), "several pictures"),
    "pages.tif": (moving("TIFF"), "several pictures"),
    "black.png": (packed(Image.new("RGB", (90, 90)), "PNG"), "one colour"),
    "unseen.png": (packed(Image.new("RGBA", (90, 90), (9, 9, 9, 0)), "PNG"), "one colour"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_can_be_shown_is_taken(name):
    pixels = decode_image(TAKEN[name], filename=name)
    assert pixels.dtype == np.uint8
    assert sorted(pixels.shape) == [3, 60, 80]
    # It is the scene, not noise of a wrong conversion: the gradient from left to right is there.
    grey = pixels.mean(axis=2)
    rows, columns = grey.mean(axis=1), grey.mean(axis=0)
    assert max(np.ptp(rows), np.ptp(columns)) > 50


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_is_refused_in_one_sentence(name):
    content, part = REFUSED[name]
    with pytest.raises(UserError, match=part) as raised:
        decode_image(content, filename=f"C:\\pictures\\{name}")
    sentence = str(raised.value)
    assert sentence.startswith(name)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert ":" in sentence, "what is wrong, then what to do"


def test_there_are_thirty_and_more():
    assert len(TAKEN) + len(REFUSED) >= 40


@pytest.mark.parametrize("way", [6, 8])
def test_a_sideways_photograph_is_turned_upright(way):
    lying = decode_image(sideways(way))
    assert lying.shape == (80, 60, 3)
    # The light side was on the right: turned by a quarter it is at the bottom or at the top.
    top, bottom = lying[:20].mean(), lying[-20:].mean()
    assert (bottom > top) == (way == 6)


def test_sixteen_bits_keep_their_range():
    assert np.abs(decode_image(deep())[:, :, 0].astype(int) - SCENE[:, :, 0]).max() <= 1


def test_a_long_side_is_reduced_and_the_limits_are_ones_own():
    pixels = decode_image(packed(scene(size=(800, 600)), "JPEG"), Limits(longest=320))
    assert pixels.shape == (240, 320, 3)
    with pytest.raises(UserError, match="only 80 x 60"):
        decode_image(JPEG, Limits(min_side=64))


def test_transparency_lies_on_grey():
    clear = Image.new("RGBA", (80, 60), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 40, 60))
    pixels = decode_image(packed(clear, "PNG"))
    assert pixels[30, 60].tolist() == [127, 127, 127]
    assert pixels[30, 10].tolist() == [0, 0, 255]
