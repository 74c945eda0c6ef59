"""Knobs: read from signatures, checked in one place."""

from __future__ import annotations

import base64
import io
import math
import struct
import zlib
from typing import Annotated

import numpy as np
import pytest
from PIL import Image

from playground.knobs import (
    MAX_PIXELS,
    Choice,
    Label,
    Others,
    Picture,
    Refused,
    Slider,
    Toggle,
    check,
    decode_picture,
    knobs,
)


def example(
    model: int,
    *,
    n: Annotated[int, Slider(1, 64, help="how many")] = 16,
    heat: Annotated[float, Slider(0, 2, 0.1)] = 1.0,
    way: Annotated[str, Choice("a", "b")] = "a",
    on: Annotated[bool, Toggle()] = False,
    label: Annotated[str, Label()] = "any",
    picture: Annotated[np.ndarray | None, Picture()] = None,
    others: Annotated[tuple[str, ...], Others(most=2, start=1)] = (),
    plain: int = 3,
) -> None:
    """Nothing."""


SPECS = knobs(example, labels=("cat", "dog"), others=("x", "y", "z"))


def coded(image: Image.Image, format: str = "PNG", **options: object) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return base64.b64encode(buffer.getvalue()).decode()


def png_header(width: int, height: int) -> bytes:
    """A PNG of a hundred bytes that claims any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def test_signature_is_the_specification() -> None:
    assert [s.name for s in SPECS] == ["n", "heat", "way", "on", "label", "picture", "others"]
    described = {s.name: s.to_json() for s in SPECS}
    assert described["n"] == {
        "name": "n", "default": 16, "knob": "Slider", "low": 1, "high": 64, "step": 1, "help": "how many",
    }  # fmt: skip
    assert described["label"]["options"] == ("any", "cat", "dog")
    assert described["others"]["default"] == ("x",)


def test_no_labels_no_label_knob() -> None:
    assert "label" not in [s.name for s in knobs(example)]


def test_defaults_and_good_values() -> None:
    assert check(SPECS, {})["n"] == 16
    sent = {"n": 3.0, "heat": 2, "way": "b", "on": True, "label": "dog", "others": ["z", "y", "z"]}
    got = check(SPECS, sent)
    assert got["n"] == 3 and isinstance(got["n"], int) and isinstance(got["heat"], float)
    assert got["others"] == ("z", "y")
    assert got["picture"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", v) for v in (100_000, 0, -1, 1.5, math.nan, math.inf, -math.inf, "5", None, True, [1], {}, 10**400)]
    + [("heat", v) for v in (math.nan, "1", 2.0001, None, 1e308)]
    + [("way", v) for v in ("c", None, 1, ["a"], "a" * 10**6)]
    + [("on", v) for v in (1, "yes", None)]
    + [("label", v) for v in ("bird", 3, None)]
    + [("others", v) for v in ("x", ["q"], ["x", "y", "z"], [1], None, [["x"]])]
    + [("picture", v) for v in (7, "no picture at all", "data:image/png;base64,AAAA", "é", "A" * 8_000_000)]
    + [("nothing", 1)],
)
def test_bad_values_are_one_sentence(name: str, value: object) -> None:
    with pytest.raises(Refused) as refusal:
        check(SPECS, {name: value})
    text = str(refusal.value)
    assert len(text) < 300 and text[-1] in ".)" and "\n" not in text and "Traceback" not in text


def test_pictures() -> None:
    image = Image.new("RGBA", (6, 4), (255, 0, 0, 0))
    image.putpixel((1, 2), (0, 0, 255, 255))
    for text in (coded(image), "data:image/png;base64," + coded(image)):
        pixels = check(SPECS, {"picture": text})["picture"]
        assert pixels.shape == (4, 6, 3) and pixels.dtype == np.uint8
        assert pixels[0, 0].tolist() == [255, 255, 255] and pixels[2, 1].tolist() == [0, 0, 255]
    for format in ("JPEG", "WEBP", "GIF"):
        assert check(SPECS, {"picture": coded(image.convert("RGB"), format)})["picture"].shape == (4, 6, 3)


def test_a_phone_held_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    pixels = check(SPECS, {"picture": coded(Image.new("RGB", (8, 4)), "JPEG", exif=exif)})["picture"]
    assert pixels.shape == (8, 4, 3)


@pytest.mark.parametrize("side", [6000, 30_000, 2_000_000])
def test_bombs_are_not_unpacked(side: int) -> None:
    with pytest.raises(Refused, match="smaller"):
        decode_picture(png_header(side, side))


def test_a_real_bomb() -> None:
    black = Image.new("L", (6000, 6000))
    with pytest.raises(Refused, match=f"6000 x 6000 pixels; at most {MAX_PIXELS // 10**6} million"):
        check(SPECS, {"picture": coded(black)})


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"%PDF-1.4", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0" * 99]
)
def test_no_pictures(data: bytes) -> None:
    with pytest.raises(Refused, match="not a picture"):
        decode_picture(data)


def test_a_cut_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = base64.b64decode(coded(Image.fromarray(noise)))
    with pytest.raises(Refused, match="not a picture"):
        decode_picture(data[: len(data) // 2])
