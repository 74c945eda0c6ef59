"""Sheep as strokes (Aaron Koblin, The Sheep Market): by ten thousand people who were asked to draw one facing left."""

from __future__ import annotations

from functools import cache

import numpy as np

from playground.data import Sketches, Split, strokes

POINTS = 120
UNIT = 25.5  # the standard deviation of the training drawings' steps, in the file's lengths
FRAME = 300.0  # a page whose middle the drawings fill
TOLERANCE = 3.0  # a third fewer points, and no eye sees it
TITLE = "The sheep drawings are"
STAND_INS: list[strokes.Strokes] = [
    [
        [
            [x + 0.5, y + 0.5]
            for x, y in ((0.3, 0), (0.2, 0.15), (0, 0.2), (-0.2, 0.15), (-0.3, 0), (0, -0.2), (0.3, 0))
        ],
        [[0.2, 0.5], [0.05, 0.4], [0.1, 0.55], [0.22, 0.58]],
        [[0.35, 0.68], [0.35, 0.9]],
        [[0.65, 0.68], [0.65, 0.9]],
    ],
    [
        [[0.3, 0.35], [0.8, 0.35], [0.85, 0.6], [0.3, 0.65], [0.25, 0.5], [0.3, 0.35]],
        [[0.28, 0.4], [0.1, 0.3], [0.08, 0.5], [0.26, 0.55]],
        [[0.35, 0.65], [0.33, 0.85]],
        [[0.75, 0.62], [0.77, 0.85]],
    ],
]


@cache
def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """7,400 training, 300 validation and 300 test sheep, less those of more than 120 points when simplified."""
    return strokes.read("sheep", TITLE, split, POINTS, UNIT, TOLERANCE)


dataset = Sketches(
    name="sheep",
    title="Sheep",
    line="7,063 sheep that people drew, most of them facing left",
    shape=(POINTS, 5),
    labels=("sheep",),
    licence="CC BY-NC 4.0 (Aaron Koblin, The Sheep Market): not for commercial use",
    read=read,
    where=lambda split: str(strokes.path(TITLE)),
    fixture=lambda: (strokes.drawn(STAND_INS, POINTS, FRAME / UNIT), np.zeros(len(STAND_INS), np.int64)),
    fixture_note="The sheep are not on this machine: these are two drawn by this program.",
    frame=FRAME / UNIT,
    tolerance=TOLERANCE / UNIT,
)
