"""From one drawing to another, through a model's codes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch

from playground.activities.interpolate import spherical
from playground.capabilities import Reconstructs
from playground.data import Sketches
from playground.drawings import Strokes as Lines
from playground.drawings import placed, plain, taken
from playground.knobs import Slider, Strokes
from playground.pictures import chosen, to_data
from playground.rng import Rng
from playground.views import Drawings, View

ORDER = 241
PAGE = "sketch"
TAKES = ("drawings",)


def morph(
    model: Reconstructs,
    rng: Rng,
    *,
    data: Sketches,
    title: str,
    first: Annotated[Lines, Strokes(help="where to begin; nothing drawn: a test drawing")] = (),
    second: Annotated[Lines, Strokes(help="where to end; nothing drawn: another test drawing")] = (),
    frames: Annotated[int, Slider(3, 12, help="drawings on the way, both ends included")] = 8,
    **own: Any,
) -> Iterator[View]:
    """Walk from one drawing to another through the model's code, and have each place on the way drawn."""
    started = time.perf_counter()
    tests, names, note = chosen(data, rng, 2)
    ends = np.stack([_whole(lines, data, test) for lines, test in zip((first, second), tests, strict=True)])
    words = ["yours" if lines else f"test: {name}" for lines, name in zip((first, second), names, strict=True)]
    yield Drawings(
        key="ends",
        drawings=tuple(plain(placed(end, data)) for end in ends),
        captions=tuple(words),
        columns=2,
        title="From and to",
        caption=note.strip(),
    )
    codes = model.encode(to_data(ends, rng.device), **own)
    t = torch.linspace(0, 1, frames, device=rng.device)
    walk = model.decode(spherical(codes[:1], codes[1:], t)[0], **own).cpu().numpy()
    yield Drawings(
        drawings=tuple(plain(placed(each, data)) for each in walk),
        captions=tuple(f"{float(s):.2f}" for s in t),
        columns=frames,
        title=title,
        caption="Around the centre of the codes, in even steps; the first and the last are the model's own redrawing.",
        seconds=time.perf_counter() - started,
    )


def _whole(lines: Lines, data: Sketches, test: np.ndarray) -> np.ndarray:
    """The visitor's drawing as one that has ended, or the test drawing: (points, 5) float32."""
    if not lines:
        return test
    begun, drawing = taken(lines, data, len(test)), np.zeros_like(test)
    drawing[:, 4] = 1
    drawing[: len(begun)] = begun
    drawing[len(begun) - 1, 2:] = 0, 0, 1
    return drawing
