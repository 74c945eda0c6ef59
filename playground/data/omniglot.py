"""Omniglot (Lake, Salakhutdinov and Tenenbaum 2015, Science 350, 1332): letters of fifty alphabets, as strokes."""

from __future__ import annotations

from functools import cache

import numpy as np

from playground.data import Sketches, Split, strokes

POINTS = 80
UNIT = 55.0  # near the standard deviation of the training drawings' steps, in the file's lengths
FRAME = 630.0  # the file's page: 105 places on a side, 6 apart
TITLE = "Omniglot's strokes are"
STAND_INS: list[strokes.Strokes] = [
    [[[0.2, 0.9], [0.5, 0.1], [0.8, 0.9]], [[0.3, 0.6], [0.7, 0.6]]],
    [[[0.3, 0.1], [0.3, 0.9], [0.75, 0.9]]],
    [[[0.2, 0.15], [0.8, 0.15]], [[0.5, 0.15], [0.5, 0.9]]],
    [[[0.2, 0.1], [0.8, 0.9]], [[0.8, 0.1], [0.2, 0.9]]],
]


@cache
def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """30,000 training, 1,000 validation and 1,000 test letters, less those of more than 80 points."""
    return strokes.read("omniglot", TITLE, split, POINTS, UNIT, skip=1)


dataset = Sketches(
    name="omniglot",
    title="Omniglot",
    line="31,647 letters of fifty alphabets as the strokes that write them",
    shape=(POINTS, 5),
    labels=("letter",),
    licence="MIT (Brenden Lake)",
    read=read,
    where=lambda split: str(strokes.path(TITLE)),
    fixture=lambda: (strokes.drawn(STAND_INS, POINTS, FRAME / UNIT), np.zeros(len(STAND_INS), np.int64)),
    fixture_note="Omniglot is not on this machine: these are four letters drawn by this program.",
    frame=FRAME / UNIT,
    tolerance=12 / UNIT,
)
