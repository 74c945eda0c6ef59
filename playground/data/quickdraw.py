"""Quick, Draw! (Google): what people drew within twenty seconds when told a word; 107 of its words."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from playground.data import DataMissing, Sketches, Split, strokes
from playground.data.sources import arrays, only_file

FILE = "quickdraw.npz"
TITLE = "Quick, Draw! drawings are"
POINTS = 80
UNIT = 35.0  # near the standard deviation of the training drawings' steps, in the file's lengths
FRAME = 300.0  # a page whose middle the drawings fill, 255 on a side
LABELS = (
    "airplane", "anvil", "apple", "axe", "banana", "baseball bat", "bed", "belt", "bench", "bird", "book", "bowtie",
    "bread", "bridge", "broom", "bucket", "butterfly", "cactus", "candle", "canoe", "car", "carrot", "castle", "cat",
    "cell phone", "chair", "church", "circle", "clock", "cloud", "coffee cup", "crown", "cup", "diamond", "dolphin",
    "door", "ear", "envelope", "eye", "eyeglasses", "face", "fence", "fish", "flower", "flying saucer", "fork",
    "frying pan", "golf club", "hammer", "hand", "hat", "headphones", "hexagon", "hot air balloon", "hourglass",
    "house", "ice cream", "key", "knife", "ladder", "leaf", "light bulb", "lightning", "line", "lollipop", "moon",
    "mountain", "mouth", "mug", "mushroom", "octagon", "pants", "paper clip", "peanut", "pear", "pencil", "purse",
    "rabbit", "rainbow", "sailboat", "scissors", "shark", "shoe", "skateboard", "skyscraper", "smiley face", "snake",
    "snowflake", "snowman", "sock", "spoon", "square", "stairs", "star", "sun", "sword", "t-shirt", "table", "tent",
    "tooth", "tree", "triangle", "umbrella", "vase", "whale", "wine bottle", "wine glass",
)  # fmt: skip
STAND_INS: dict[str, strokes.Strokes] = {
    "square": [[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9], [0.1, 0.1]]],
    "triangle": [[[0.5, 0.1], [0.9, 0.9], [0.1, 0.9], [0.5, 0.1]]],
    "diamond": [[[0.5, 0.05], [0.8, 0.5], [0.5, 0.95], [0.2, 0.5], [0.5, 0.05]]],
    "house": [[[0.2, 0.9], [0.2, 0.45], [0.5, 0.1], [0.8, 0.45], [0.8, 0.9], [0.2, 0.9]], [[0.2, 0.45], [0.8, 0.45]]],
    "envelope": [
        [[0.1, 0.25], [0.9, 0.25], [0.9, 0.75], [0.1, 0.75], [0.1, 0.25]],
        [[0.1, 0.25], [0.5, 0.55], [0.9, 0.25]],
    ],
    "stairs": [[[0.1, 0.9], [0.1, 0.7], [0.35, 0.7], [0.35, 0.5], [0.6, 0.5], [0.6, 0.3], [0.9, 0.3], [0.9, 0.1]]],
    "star": [[[0.2, 0.9], [0.5, 0.05], [0.8, 0.9], [0.05, 0.35], [0.95, 0.35], [0.2, 0.9]]],
    "lightning": [[[0.6, 0.05], [0.3, 0.5], [0.6, 0.5], [0.3, 0.95]]],
}


@cache
def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Of every eight drawings of a word, in the file's order, the third is for validation and the seventh for testing.

    Drawings that Google's own network did not recognise are left out, and those of more than 80 points.
    """
    path = _path()
    flat, offsets, label, known, names = arrays(path, "strokes", "offsets", "label", "recognized", "categories")
    if flat.ndim != 2 or flat.shape[1] != 3 or len(offsets) != len(label) + 1:
        raise DataMissing(f"{path} does not hold Quick, Draw! drawings ({flat.dtype} {flat.shape}); replace the file.")
    place = {str(name): k for k, name in enumerate(names)}
    drawings, classes = [], []
    for k, word in enumerate(LABELS):
        rows = np.flatnonzero((label == place[word]) & known)
        rows = rows[np.diff(offsets)[rows] <= POINTS + 1]
        turn = np.arange(len(rows)) % 8
        for row in rows[{"train": (turn != 2) & (turn != 6), "valid": turn == 2, "test": turn == 6}[split]]:
            drawings.append(_begun(flat[offsets[row] : offsets[row + 1]].astype(np.float64)))
            classes.append(k)
    x = strokes.stacked(drawings, POINTS, UNIT)
    return x, np.array(classes, np.int64)


def _begun(steps: np.ndarray) -> np.ndarray:
    """Stroke-3 without its first point, which says where the pen is put down; if it is lifted there, it stays a dot."""
    return np.concatenate([[[0.0, 0.0, 1.0]], steps[1:]]) if steps[0, 2] else steps[1:]


def _path() -> Path:
    return only_file(FILE, TITLE, "they are not on the Hub in this form")


def fixture() -> tuple[np.ndarray, np.ndarray]:
    """Eight simple drawings: (8, points, 5)."""
    x = strokes.drawn(list(STAND_INS.values()), POINTS, FRAME / UNIT)
    return x, np.array([LABELS.index(word) for word in STAND_INS], np.int64)


dataset = Sketches(
    name="quickdraw",
    title="Quick, Draw!",
    line="2,508 doodles of 107 things, drawn in twenty seconds each",
    shape=(POINTS, 5),
    labels=LABELS,
    licence="CC BY 4.0 (Google, the Quick, Draw! data)",
    read=read,
    where=lambda split: str(_path()),
    fixture=fixture,
    fixture_note="Quick, Draw! is not on this machine: these are eight simple drawings made by this program.",
    frame=FRAME / UNIT,
    tolerance=2 / UNIT,
)
