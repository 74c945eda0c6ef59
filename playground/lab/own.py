"""The visitor's own targets: drawn with a brush, a picture's brightness, a formula, a table of points."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from PIL import Image

from playground.knobs import MAX_BYTES, Refused, decode_picture
from playground.lab import points
from playground.lab.formula import from_formula
from playground.lab.table import columns_of, from_csv
from playground.lab.targets import Raster, Target, raster

__all__ = ["columns_of", "from_csv", "from_drawing", "from_formula", "from_picture", "from_record"]

SIDE = 128  # cells along a side of a drawing or picture: 1/16 wide
BLUR = 1.5  # cells: a drawing's edges are softened by this standard deviation
INK = 20  # cells that must hold ink


def from_drawing(ink: bytes) -> Raster:
    """The density proportional to how much ink was brushed, slightly blurred.

    Args:
        ink: 128 x 128 bytes, row 0 at the top, 0 for none and 255 for most.

    Raises:
        Refused: another size, or next to nothing drawn.
    """
    pixels = _pixels(ink, "drawing")
    if np.count_nonzero(pixels) < INK:
        raise Refused("The drawing is empty: brush something into the square first.")
    line = f"Your drawing, its edges blurred by {BLUR * 8 / SIDE:.2f} so that smooth models stand a chance."
    return raster(_blurred(pixels), "drawn", "Your drawing", line, {"drawn": {"b64": _text(pixels)}})


def from_picture(data: bytes, dark: bool = False) -> Raster:
    """The density proportional to a picture's brightness above that of its darkest part.

    Args:
        data: a PNG, JPEG, WebP or GIF file.
        dark: count darkness instead: ink on white paper.

    Raises:
        Refused: no picture, too large a one, or one of a single shade.
    """
    if len(data) > MAX_BYTES:
        raise Refused(f"That picture has {len(data) / 1e6:.0f} MB; at most {MAX_BYTES // 10**6} MB are taken.")
    grey = Image.fromarray(decode_picture(data)).convert("L")
    width, height = (max(1, round(n * SIDE / max(grey.size))) for n in grey.size)
    shades = np.asarray(grey.resize((width, height), Image.Resampling.BOX)).astype(int)
    if dark:
        shades = 255 - shades
    shades -= shades.min()
    if shades.max() < 8:
        raise Refused("That picture is of one shade everywhere: there is nothing in it to learn.")
    pixels = np.zeros((SIDE, SIDE), np.uint8)  # a picture that is not square keeps its shape, with nothing around
    top, left = ((SIDE - n) // 2 for n in shades.shape)
    pixels[top : top + height, left : left + width] = shades
    return _picture(pixels)


def from_record(kind: str, value: Any) -> Target:
    """The target that a record of ``kind`` "drawn", "raster", "formula" or "points" describes.

    Raises:
        Refused: the record, which came from outside, describes none.
    """
    if kind == "drawn":
        return from_drawing(_bytes(value))
    if kind == "raster":
        return _picture(_pixels(_bytes(value), "picture"))
    if kind == "formula":
        return from_formula(value)
    if kind == "points":
        return points.from_record(value)
    raise Refused("A target is one of: a name, a drawing, a picture, a formula, a table of points.")


def _picture(pixels: np.ndarray) -> Raster:
    line = "Your picture, its brightness as density: what is small and bright is learnt last."
    return raster(pixels.astype(float), "picture", "Your picture", line, {"raster": {"b64": _text(pixels)}})


def _bytes(value: Any) -> bytes:
    text = value.get("b64") if isinstance(value, dict) else None
    if isinstance(text, str) and len(text) <= SIDE**2 * 4 // 3 + 4:
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:  # not base64, or letters beyond ASCII
            pass
    raise Refused(f"A drawing is {SIDE} x {SIDE} bytes as base64 text; draw it again.")


def _pixels(data: bytes, what: str) -> np.ndarray:
    if len(data) != SIDE**2:
        raise Refused(f"A {what} has {SIDE} x {SIDE} cells; this one has {len(data)}.")
    return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)


def _text(pixels: np.ndarray) -> str:
    return base64.b64encode(pixels.tobytes()).decode()


def _blurred(pixels: np.ndarray) -> np.ndarray:
    reach = np.arange(-int(3 * BLUR), int(3 * BLUR) + 1)
    brush = np.exp(-((reach / BLUR) ** 2) / 2)
    rows = np.apply_along_axis(np.convolve, 1, pixels.astype(float), brush, mode="same")
    return np.apply_along_axis(np.convolve, 0, rows, brush, mode="same")
