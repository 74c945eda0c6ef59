"""Between drawings as models have them, (points, 5), and the lines and pictures people see and send."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from playground.data import Sketches
from playground.data.strokes import padded, simplified, to_steps, to_strokes
from playground.knobs import Refused

Strokes = Sequence[Sequence[tuple[float, float]]]

SIDE = 64  # pixels of a picture of a drawing
FINE = 4  # drawn that much larger, then averaged: smooth edges
MARGIN = 0.08  # of the side, around a drawing
PAPER, INK = 0, 255  # as other data sets of one ink have it: the page can show it the other way round


def fitted(lines: list[np.ndarray], margin: float = MARGIN) -> list[np.ndarray]:
    """Strokes, (n, 2) each, moved and scaled into the middle of the unit square, with a margin around them."""
    every = np.concatenate(lines)
    low, high = every.min(0), every.max(0)
    size = max(float((high - low).max()), 1e-6)
    return [0.5 + (line - (low + high) / 2) / size * (1 - 2 * margin) for line in lines]


def render(drawing: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A drawing (points, 5) as bright lines on black, as large as the picture allows: (side, side) uint8."""
    return painted(fitted(to_strokes(drawing)), side)


def painted(lines: list[np.ndarray], side: int) -> np.ndarray:
    """Strokes, (n, 2) each, in the unit square, as bright lines on black: (side, side) uint8."""
    canvas = Image.new("L", (side * FINE, side * FINE), PAPER)
    pen, width = ImageDraw.Draw(canvas), round(side * FINE / 40)
    for line in lines:
        places = [(float(x), float(y)) for x, y in line * side * FINE]
        pen.line(places, fill=INK, width=width, joint="curve")
        for x, y in (places[0], places[-1]):  # round ends
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=INK)
    return np.asarray(canvas.resize((side, side), Image.Resampling.BOX))


def rendered(x: Tensor, side: int = SIDE) -> np.ndarray:
    """Drawings (n, points, 5) as pictures (n, side, side, 1) uint8."""
    return np.stack([render(drawing, side) for drawing in x.detach().cpu().numpy()])[..., None]


def taken(strokes: Strokes, data: Sketches, points: int) -> np.ndarray:
    """A visitor's strokes as a model of ``data`` reads them: (k, 5) float32, at most ``points``, the pen lifted last.

    Lines are simplified as the data's were; more, if they would not fit otherwise.

    Raises:
        Refused: there are more strokes than points.
    """
    lines = [np.array(stroke) * data.frame for stroke in strokes]
    tolerance = max(data.tolerance, 1e-3)
    while True:
        steps = to_steps([simplified(line, tolerance) for line in lines])
        if len(steps) <= points:
            return padded(steps, len(steps), ended=False)
        if tolerance > data.frame:
            raise Refused(f"That drawing has {len(lines)} strokes, more than this model can read; undo some of them.")
        tolerance *= 1.3


def placed(drawing: np.ndarray, data: Sketches, given: Strokes = ()) -> list[np.ndarray]:
    """The strokes of a drawing (points, 5) on a page from 0 to 1, (n, 2) each, whole and nothing beyond its edge.

    Args:
        drawing: the model's, which begins with what the visitor drew.
        data: whose lengths it has.
        given: the visitor's strokes, which are shown as they were drawn; without them the drawing is put in the middle.
    """
    lines = [line / data.frame for line in to_strokes(drawing)]
    if not given:
        return fitted(lines, max(MARGIN, (1 - max(np.ptp(np.concatenate(lines), 0))) / 2))
    own = [np.array(stroke) for stroke in given]
    whole = own + [line + own[0][0] for line in lines[len(own) :]]
    every = np.concatenate(whole)
    return whole if every.min() >= 0 and every.max() <= 1 else fitted(whole, 0.02)


def plain(lines: Sequence[np.ndarray]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Strokes as a view has them: pairs, to a ten-thousandth of the page."""
    return tuple(tuple((round(float(x), 4), round(float(y), 4)) for x, y in line) for line in lines)
