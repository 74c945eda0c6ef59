"""Noto emoji (Google) on white, 32x32 colour: ten groups, a smiley and a flag among them."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image, ImageDraw

from playground.data import DataMissing, Dataset, Split
from playground.data.sources import arrays, keep, only_file

FILE = "emoji64.npz"
STORED = 64  # pixels along a side, in the file
SIDE = 32
TONE = re.compile(r"_1f3f[b-f]")  # the code points of skin tones
SCALE = 8  # of the stand-ins, which are drawn that much larger and averaged
# Shapes on the 32x32 grid, one picture for each group in the order of the labels.
STAND_INS: list[list[tuple[str, list[int], str]]] = [
    [("disc", [3, 3, 29, 29], "#e8762d"), ("box", [15, 3, 17, 29], "#703010"), ("box", [3, 15, 29, 17], "#703010")],
    [("disc", [8, 10, 24, 28], "#8a5a3c"), ("disc", [6, 5, 13, 12], "#8a5a3c"), ("disc", [19, 5, 26, 12], "#8a5a3c")],
    [("box", [4, 4, 28, 28], "#d9a06b")],
    [("box", [5, 3, 7, 30], "#777777"), ("polygon", [7, 4, 28, 8, 7, 18], "#d33333")],
    [("disc", [5, 8, 27, 30], "#d32f2f"), ("box", [15, 2, 17, 9], "#5a3a1a"), ("disc", [17, 2, 25, 8], "#4a9a3a")],
    [("box", [5, 12, 27, 28], "#b98a55"), ("polygon", [5, 12, 10, 5, 22, 5, 27, 12], "#d8b080")],
    [("disc", [10, 3, 22, 15], "#ffcf4d"), ("polygon", [5, 30, 9, 17, 23, 17, 27, 30], "#3c8ad0")],
    [
        ("disc", [2, 2, 30, 30], "#ffcf4d"),
        ("disc", [9, 10, 13, 15], "#50320f"),
        ("disc", [19, 10, 23, 15], "#50320f"),
        ("box", [10, 21, 22, 23], "#50320f"),
    ],
    [
        ("disc", [4, 5, 17, 18], "#e03050"),
        ("disc", [15, 5, 28, 18], "#e03050"),
        ("polygon", [5, 14, 27, 14, 16, 29], "#e03050"),
    ],
    [
        ("box", [7, 14, 25, 29], "#d8c0a0"),
        ("polygon", [3, 15, 16, 3, 29, 15], "#b04030"),
        ("box", [13, 20, 19, 29], "#6a4020"),
    ],
]
_lock = Lock()


def read(split: Split, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Eight tenths, one tenth and one tenth of 3583 emoji; the skin tones of one emoji are all in the same split.

    Args:
        split: which of them.
        side: of a picture in pixels: 64 as they are stored, or 32.
    """
    with _lock:
        path = _path()
        return keep(path, f"{split} {side}", lambda: _decode(path, split, side))


def _path() -> Path:
    return only_file(FILE, "Noto emoji are", "they are not on the Hub in this form")


def _decode(path: Path, split: Split, side: int) -> tuple[np.ndarray, np.ndarray]:
    rgba, group, code = arrays(path, "rgba", "group", "code")
    if rgba.shape != (len(code), STORED, STORED, 4) or rgba.dtype != np.uint8 or group.shape != code.shape:
        raise DataMissing(f"{path} does not hold Noto emoji ({rgba.dtype} {rgba.shape}); replace the file.")
    tenth = np.array([zlib.crc32(TONE.sub("", str(c)).encode()) % 10 for c in code])
    rows = np.flatnonzero({"train": tenth > 1, "valid": tenth == 1, "test": tenth == 0}[split])
    alpha = rgba[rows, ..., 3:].astype(np.float32) / 255
    white = rgba[rows, ..., :3] * alpha + 255 * (1 - alpha)  # (n, 64, 64, 3)
    small = white.reshape(len(rows), side, STORED // side, side, STORED // side, 3).mean((2, 4))
    x = np.ascontiguousarray(small.round().astype(np.uint8).transpose(0, 3, 1, 2))  # (n, 3, side, side)
    return x, group[rows].astype(np.int64)


def fixture(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """One simple picture for each group: (10, 3, side, side)."""
    return np.stack([drawn(parts, side) for parts in STAND_INS]), np.arange(10)


def drawn(parts: list[tuple[str, list[int], str]], side: int) -> np.ndarray:
    """Shapes on white, from back to front: (3, side, side) uint8."""
    canvas = Image.new("RGB", (SIDE * SCALE, SIDE * SCALE), "white")
    pen = ImageDraw.Draw(canvas)
    shapes = {"disc": pen.ellipse, "box": pen.rectangle, "polygon": pen.polygon}
    for shape, corners, colour in parts:
        shapes[shape]([SCALE * c for c in corners], fill=colour)
    return np.asarray(canvas.resize((side, side), Image.Resampling.BOX)).transpose(2, 0, 1)


dataset = Dataset(
    name="emoji",
    title="Noto emoji",
    line="3,583 emoji, 32x32 colour on white, 1,895 of them skin tones of others",
    shape=(3, SIDE, SIDE),
    labels=(
        "Activities",
        "Animals & Nature",
        "Component",
        "Flags",
        "Food & Drink",
        "Objects",
        "People & Body",
        "Smileys & Emotion",
        "Symbols",
        "Travel & Places",
    ),
    licence="Apache-2.0 (Google, Noto emoji)",
    read=read,
    where=lambda split: str(_path()),
    fixture=fixture,
    fixture_note="Noto emoji are not on this machine: these are ten simple pictures drawn by this program.",
)
