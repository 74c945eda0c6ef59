"""CIFAR-10, nearly lossless: photographs of ten kinds of thing, 32x32, for models that need a GPU."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image

from playground.data import DataMissing, Dataset, Split
from playground.data.emoji import drawn
from playground.data.sources import UNREADABLE, arrays, keep, only_file

FILE = "cifar10_jpeg.npz"
SIDE = 32
TENTH = 10  # one training picture in ten is for validation; the file is sorted by class
# Stand-ins on the 32x32 grid, from back to front, one for each class.
SKY, GRASS, ROAD, SEA = (("box", [0, 0, 31, 31], colour) for colour in ("#9ec9ea", "#7fae5a", "#9a9a96", "#4f86b5"))
STAND_INS = [
    [
        SKY,
        ("polygon", [2, 17, 26, 13, 30, 17, 26, 20, 4, 20], "#e8e8ec"),
        ("polygon", [12, 17, 18, 5, 20, 17], "#c8c8d0"),
    ],
    [ROAD, ("box", [3, 15, 29, 23], "#c03030"), ("polygon", [8, 15, 12, 9, 22, 9, 26, 15], "#802020")],
    [
        SKY,
        ("disc", [8, 12, 24, 24], "#7a5a3a"),
        ("disc", [19, 7, 27, 15], "#7a5a3a"),
        ("polygon", [26, 10, 31, 12, 26, 13], "#e0a030"),
    ],
    [ROAD, ("disc", [6, 12, 24, 28], "#5a5048"), ("polygon", [14, 15, 15, 4, 20, 10, 25, 4, 26, 15], "#5a5048")],
    [
        GRASS,
        ("disc", [6, 12, 24, 21], "#a8743c"),
        ("box", [8, 19, 10, 29], "#a8743c"),
        ("box", [20, 5, 24, 29], "#a8743c"),
    ],
    [
        GRASS,
        ("disc", [5, 11, 25, 24], "#d8b888"),
        ("disc", [18, 5, 29, 16], "#d8b888"),
        ("box", [8, 21, 11, 29], "#d8b888"),
    ],
    [
        GRASS,
        ("disc", [5, 13, 27, 28], "#3f7a2f"),
        ("disc", [8, 7, 14, 14], "#3f7a2f"),
        ("disc", [18, 7, 24, 14], "#3f7a2f"),
    ],
    [
        GRASS,
        ("disc", [5, 11, 24, 21], "#6a4426"),
        ("polygon", [19, 16, 24, 3, 30, 8, 25, 16], "#6a4426"),
        ("box", [8, 19, 10, 30], "#6a4426"),
    ],
    [SEA, ("polygon", [2, 18, 30, 18, 25, 25, 7, 25], "#303a4a"), ("box", [11, 9, 21, 18], "#e4e4e0")],
    [ROAD, ("box", [2, 7, 20, 23], "#e8e4d8"), ("box", [20, 12, 29, 23], "#3060a0")],
]
_lock = Lock()


def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """45,000, 5,000 and 10,000 photographs; decoding them takes up to ten seconds, once."""
    with _lock:
        path = _path()
        return keep(path, split, lambda: _decode(path, split))


def _path() -> Path:
    return only_file(FILE, "CIFAR-10 is", "it is not on the Hub in this form")


def _decode(path: Path, split: Split) -> tuple[np.ndarray, np.ndarray]:
    header, data, offsets, label, n_train = arrays(path, "header", "data", "offsets", "label", "n_train")
    index = np.arange(len(label))
    train, kept = index < n_train, index % TENTH == 0
    rows = np.flatnonzero({"train": train & ~kept, "valid": train & kept, "test": ~train}[split])
    head, body = header.tobytes(), data.tobytes()
    try:
        pictures = [np.asarray(Image.open(io.BytesIO(head + body[offsets[i] : offsets[i + 1]]))) for i in rows]
        x = np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))  # (n, 3, 32, 32)
    except UNREADABLE as error:
        raise DataMissing(f"{path} does not hold CIFAR-10 ({error}); replace the file.") from error
    return x, label[rows].astype(np.int64)


dataset = Dataset(
    name="cifar10",
    title="CIFAR-10",
    line="60,000 photographs of ten kinds of thing, 32x32 colour, JPEG at quality 92: not bit-exact",
    shape=(3, SIDE, SIDE),
    labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    licence="none stated; distributed for research (Krizhevsky 2009): not for commercial use",
    read=read,
    where=lambda split: str(_path()),
    fixture=lambda: (np.stack([drawn(parts, SIDE) for parts in STAND_INS]), np.arange(10)),
    fixture_note="CIFAR-10 is not on this machine: these are ten simple pictures drawn by this program.",
)
