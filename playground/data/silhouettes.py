"""Twenty articles of clothing drawn from a handful of points: what stands in for Fashion-MNIST where it is missing."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

Points = list[tuple[int, int]]

SCALE = 8  # drawn that much larger, then averaged: smooth edges

# Outlines on the 28x28 grid, in the order of Fashion-MNIST's classes; the left half where a thing is symmetric.
HALVES: dict[int, Points] = {
    0: [(14, 5), (11, 3), (8, 4), (3, 9), (6, 13), (8, 11), (8, 25), (14, 25)],  # T-shirt
    1: [(14, 2), (8, 2), (7, 26), (12, 26), (13, 10), (14, 9)],  # trouser
    2: [(14, 4), (11, 3), (8, 4), (5, 9), (3, 22), (6, 23), (8, 13), (8, 25), (14, 25)],  # pullover
    3: [(14, 4), (12, 2), (10, 2), (10, 6), (9, 7), (11, 13), (7, 26), (14, 26)],  # dress
    4: [(14, 3), (11, 2), (7, 4), (4, 10), (3, 24), (6, 24), (8, 14), (7, 27), (14, 27)],  # coat
    6: [(14, 6), (11, 3), (8, 4), (5, 8), (4, 20), (7, 20), (8, 12), (8, 26), (14, 26)],  # shirt
    8: [(14, 11), (4, 11), (3, 24), (14, 24)],  # bag
}
WHOLE: dict[int, Points] = {
    5: [(2, 19), (8, 16), (10, 19), (16, 19), (20, 12), (22, 13), (21, 18), (26, 20), (26, 22), (2, 22)],  # sandal
    7: [(2, 20), (3, 16), (9, 15), (15, 10), (18, 12), (22, 11), (25, 12), (26, 20), (25, 22), (3, 22)],  # sneaker
    9: [(2, 22), (3, 18), (11, 15), (13, 4), (24, 4), (25, 24), (21, 24), (20, 22), (13, 24), (3, 24)],  # boot
}
# Details: lines in the background's or half the thing's tone, as (from, to, tone).
DETAILS: dict[int, list[tuple[tuple[int, int], tuple[int, int], float]]] = {
    1: [((8, 4), (20, 4), 0.6)],
    2: [((9, 24), (19, 24), 0.7)],
    3: [((11, 13), (17, 13), 0.5)],
    4: [((14, 3), (14, 27), 0.4)],
    5: [((8, 19), (12, 14), 1.0), ((12, 14), (16, 19), 1.0)],
    6: [((14, 7), (14, 26), 0.6), ((10, 4), (14, 8), 0.6), ((18, 4), (14, 8), 0.6)],
    7: [((3, 20), (26, 20), 0.5), ((12, 13), (15, 16), 0.5), ((14, 12), (17, 15), 0.5)],
    8: [((4, 15), (24, 15), 0.6)],
    9: [((3, 22), (25, 22), 0.5)],
}


def draw(label: int, tone: int) -> np.ndarray:
    """One article of class ``label`` in a grey of ``tone`` (0..255): (28, 28) uint8 on black."""
    canvas = Image.new("L", (28 * SCALE, 28 * SCALE))
    pen = ImageDraw.Draw(canvas)
    half = HALVES.get(label)
    outline = half + [(28 - x, y) for x, y in reversed(half)] if half else WHOLE[label]
    pen.polygon([(x * SCALE, y * SCALE) for x, y in outline], fill=tone)
    if label == 8:  # the bag's handle
        pen.arc((9 * SCALE, 4 * SCALE, 19 * SCALE, 18 * SCALE), 180, 360, fill=tone, width=SCALE * 3 // 2)
    for (x, y), (u, v), share in DETAILS.get(label, []):
        pen.line((x * SCALE, y * SCALE, u * SCALE, v * SCALE), fill=int(tone * share), width=SCALE)
    return np.asarray(canvas.resize((28, 28), Image.Resampling.BOX))
