"""Drawings as a pen drew them: from lists of strokes to arrays and back, fewer points, and from the stored files.

An array is (points, 5): dx and dy, the step from the point before (y down), then one of three marks: the pen goes on
drawing after this point, is lifted after it, or the drawing ends with it. What follows the end is (0, 0, 0, 0, 1). The
first point is not stored: a drawing begins where its pen is first put down. Ha and Eck 2018, arXiv:1704.03477, section
3.1, but for the end, which there is a further point.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from playground.data import DataMissing, Split
from playground.data.sources import arrays, only_file

FILE = "strokes.npz"  # kanji, sheep and Omniglot
Strokes = list[list[list[float]]]  # strokes, points, x and y


def simplified(line: np.ndarray, tolerance: float) -> np.ndarray:
    """A line (n, 2) with fewer points, none of the old ones further from it than ``tolerance``, (m, 2).

    Douglas and Peucker 1973, Cartographica 10, 112; Ramer 1972. Not recursive: a line may have thousands of points.
    """
    keep = np.zeros(len(line), bool)
    keep[[0, -1]] = True
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        along = line[last] - line[first]
        inner = line[first + 1 : last] - line[first]
        length = float(along @ along)
        share = np.clip(inner @ along / length, 0, 1) if length else np.zeros(len(inner))
        far = np.hypot(*(inner - share[:, None] * along).T)
        middle = first + 1 + int(far.argmax())
        if far.max() > tolerance:
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return line[keep]


def to_steps(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Strokes, (n, 2) each, as stroke-3: (points - 1, 3) of dx, dy and 1 where the pen is lifted after the point.

    A first stroke of a single point becomes a line of no length, for nothing else would say that the pen was lifted.
    """
    first = np.repeat(strokes[0], 2, 0) if len(strokes[0]) == 1 else strokes[0]
    lines = [first, *strokes[1:]]
    lifted = np.concatenate([np.arange(len(line)) == len(line) - 1 for line in lines])
    steps = np.diff(np.concatenate(lines), axis=0)
    return np.concatenate([steps, lifted[1:, None]], 1)


def to_strokes(drawing: np.ndarray) -> list[np.ndarray]:
    """The strokes, (n, 2) each, of a drawing (points, 5); the first begins at (0, 0)."""
    pen = drawing[:, 2:].argmax(1)
    ends = np.flatnonzero(pen == 2)
    pen = pen[: ends[0] + 1] if len(ends) else pen
    places = np.concatenate([np.zeros((1, 2)), drawing[: len(pen), :2].cumsum(0)])
    cuts = np.flatnonzero(pen > 0) + 2
    return [line for line in np.split(places, cuts) if len(line)]


def padded(steps: np.ndarray, points: int, ended: bool = True) -> np.ndarray:
    """Stroke-3 (n, 3) as a drawing (points, 5) float32; the last point is its end, unless it is to be gone on with."""
    drawing = np.zeros((points, 5), np.float32)
    drawing[len(steps) :, 4] = 1
    drawing[: len(steps), :2] = steps[:, :2]
    drawing[np.arange(len(steps)), 2 + (steps[:, 2] > 0)] = 1
    if ended:
        drawing[len(steps) - 1, 2:] = 0, 0, 1
    return drawing


def read(
    name: str, title: str, split: Split, points: int, unit: float, tolerance: float = 0.0, skip: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Drawings (n, points, 5) float32 of one part of the file, and their class, which is always the only one.

    Args:
        name: the part's, in the file.
        title: with its verb, for the sentence that says they are missing.
        split: which of them.
        points: room for so many; longer drawings are left out.
        unit: what of the file's lengths is one.
        tolerance: of simplification, in the file's lengths; 0 takes drawings as they are.
        skip: how many points at the beginning only say where the pen is put down.

    Raises:
        DataMissing: the file is not there or of another form.
    """
    file = path(title)
    flat, offsets = arrays(file, f"{name}_{split}", f"{name}_{split}_offsets")
    if flat.ndim != 2 or flat.shape[1] != 3 or offsets[-1] != len(flat):
        raise DataMissing(f"{file} does not hold drawings ({flat.dtype} {flat.shape}); replace the file.")
    steps = [part[skip:].astype(np.float64) for part in np.split(flat, offsets[1:-1])]
    if tolerance:
        steps = [thinned(part, tolerance) for part in steps]
    x = stacked(steps, points, unit)
    return x, np.zeros(len(x), np.int64)


def path(title: str) -> Path:
    """The file of kanji, sheep and Omniglot.

    Raises:
        DataMissing: it is not there.
    """
    return only_file(FILE, title, "they are not on the Hub in this form")


def thinned(steps: np.ndarray, tolerance: float) -> np.ndarray:
    """Stroke-3 (n, 3) with each of its lines simplified."""
    return to_steps([simplified(line, tolerance) for line in to_strokes(padded(steps, len(steps)))])


def stacked(steps: Sequence[np.ndarray], points: int, unit: float) -> np.ndarray:
    """Those of at most ``points`` points, as drawings (n, points, 5) float32 with lengths in units of ``unit``."""
    scale = np.array([1 / unit, 1 / unit, 1.0])
    return np.stack([padded(part * scale, points) for part in steps if 0 < len(part) <= points])


def drawn(pictures: Sequence[Strokes], points: int, frame: float) -> np.ndarray:
    """Stand-ins given as strokes in 0..1 on a page of side ``frame``: (n, points, 5) float32."""
    steps = [to_steps([np.array(line, float) for line in strokes]) for strokes in pictures]
    return stacked(steps, points, 1 / frame)
