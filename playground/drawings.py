"""Between drawings as models have them, (points, 5), and the lines and pictures people see and send."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from playground.data.strokes import to_strokes

SIDE = 64  # pixels of a picture of a drawing
FINE = 4  # drawn that much larger, then averaged: smooth edges
MARGIN = 0.08  # of the side, around a drawing
PAPER, INK = 255, 30


def fitted(lines: list[np.ndarray], margin: float = MARGIN) -> list[np.ndarray]:
    """Strokes, (n, 2) each, moved and scaled into the middle of the unit square, with a margin around them."""
    every = np.concatenate(lines)
    low, high = every.min(0), every.max(0)
    size = max(float((high - low).max()), 1e-6)
    return [0.5 + (line - (low + high) / 2) / size * (1 - 2 * margin) for line in lines]


def render(drawing: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A drawing (points, 5) as dark lines on white, as large as the picture allows: (side, side) uint8."""
    canvas = Image.new("L", (side * FINE, side * FINE), PAPER)
    pen, width = ImageDraw.Draw(canvas), round(side * FINE / 40)
    for line in fitted(to_strokes(drawing)):
        places = [(float(x), float(y)) for x, y in line * side * FINE]
        pen.line(places, fill=INK, width=width, joint="curve")
        for x, y in (places[0], places[-1]):  # round ends
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=INK)
    return np.asarray(canvas.resize((side, side), Image.Resampling.BOX))


def rendered(x: Tensor, side: int = SIDE) -> np.ndarray:
    """Drawings (n, points, 5) as pictures (n, side, side, 1) uint8."""
    return np.stack([render(drawing, side) for drawing in x.detach().cpu().numpy()])[..., None]
