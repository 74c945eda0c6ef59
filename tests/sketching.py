"""What was drawn by hand for this program, as pictures: strokes become ink as on the page's canvas, averaged down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from playground import data

FINE = 10  # times as large while it is drawn
PEN = 1.7  # pixels across


def drawn_for(name: str) -> list[dict[str, Any]]:
    """Name, label and strokes of each sketch for the data set called ``name``."""
    files = Path(data.__file__).parent.glob("*.json")
    found = (json.loads(path.read_text(encoding="utf-8")) for path in files)
    return [sketch for file in found if file.get("data") == name for sketch in file["sketches"]]


def garments() -> list[dict[str, Any]]:
    """Those for Fashion-MNIST."""
    return drawn_for("fashion-mnist")


def inked(strokes: list[list[list[float]]], side: int = 28, pen: float = PEN) -> np.ndarray:
    """Strokes of [x, y] in 0..1 as (side, side) float32 in [0, 1], ink 1."""
    canvas = Image.new("L", (side * FINE, side * FINE))
    draw, reach = ImageDraw.Draw(canvas), pen * FINE / 2
    for stroke in strokes:
        points = [(x * side * FINE, y * side * FINE) for x, y in stroke]
        draw.line(points, fill=255, width=round(2 * reach), joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    return np.asarray(canvas.resize((side, side), Image.Resampling.BOX), np.float32) / 255
