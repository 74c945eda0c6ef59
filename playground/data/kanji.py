"""Kanji as strokes (KanjiVG, Ulrich Apel), in the order and the direction in which they are written."""

from __future__ import annotations

from functools import cache

import numpy as np

from playground.data import Sketches, Split, strokes

POINTS = 80
UNIT = 20.084  # the standard deviation of the training drawings' steps, in the file's lengths
FRAME = 109.0  # the file's page
STAND_INS: list[strokes.Strokes] = [
    [[[0.1, 0.5], [0.9, 0.5]], [[0.5, 0.1], [0.5, 0.9]]],  # ten
    [[[0.2, 0.2], [0.2, 0.85]], [[0.2, 0.2], [0.8, 0.2], [0.8, 0.85]], [[0.2, 0.8], [0.8, 0.8]]],  # mouth
    [[[0.5, 0.1], [0.5, 0.85]], [[0.15, 0.4], [0.15, 0.85], [0.85, 0.85]], [[0.85, 0.4], [0.85, 0.9]]],  # mountain
    [[[0.1, 0.35], [0.9, 0.35]], [[0.5, 0.1], [0.5, 0.95]], [[0.5, 0.35], [0.1, 0.8]], [[0.5, 0.35], [0.9, 0.8]]],
    [[[0.5, 0.1], [0.45, 0.4], [0.1, 0.9]], [[0.48, 0.35], [0.9, 0.9]]],  # person
    [[[0.2, 0.2], [0.8, 0.2]], [[0.25, 0.5], [0.75, 0.5]], [[0.1, 0.85], [0.9, 0.85]]],  # three
]


@cache
def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """10,358 training, 600 validation and 500 test kanji, simplified by who packed them."""
    return strokes.read("kanji", "Kanji are", split, POINTS, UNIT)


dataset = Sketches(
    name="kanji",
    title="Kanji",
    line="11,458 characters as the strokes that write them",
    shape=(POINTS, 5),
    labels=("kanji",),
    licence="CC BY-SA 3.0 (KanjiVG, Ulrich Apel)",
    read=read,
    where=lambda split: str(strokes.path("Kanji are")),
    fixture=lambda: (strokes.drawn(STAND_INS, POINTS, FRAME / UNIT), np.zeros(len(STAND_INS), np.int64)),
    fixture_note="Kanji are not on this machine: these are six characters drawn by this program.",
    frame=FRAME / UNIT,
    tolerance=1.5 / UNIT,
)
