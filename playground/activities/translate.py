"""Turn an outline into pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from playground.activities.generate import previewed
from playground.capabilities import Translates
from playground.data import Dataset
from playground.knobs import ANY, Canvas, Refused, Slider
from playground.pictures import as_canvas, chosen, to_data, to_pixels
from playground.rng import Rng
from playground.views import Images, View

ORDER = 220
PAGE = "sketch"
LEAST = 2.0  # pixels' worth of ink: less is an empty canvas


def translate(
    model: Translates,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    canvas: Annotated[np.ndarray | None, Canvas(help="your outline, bright on black; none: a test picture's")] = None,
    n: Annotated[int, Slider(1, 9, help="how many pictures of the one outline")] = 6,
    **own: Any,
) -> Iterator[View]:
    """Turn an outline into pictures that have it, as many as you like."""
    started = time.perf_counter()
    if canvas is None:
        levels, (name,), note = chosen(data, rng, 1)
        x = to_data(levels, rng.device)
        sketch, whose = model.outline(x), f"the outline of a test picture ({name}) that the seed chose"
        pair = torch.cat([sketch.expand(-1, *model.shape), x])
        yield Images(
            key="given", pixels=to_pixels(pair), captions=("outline", "its picture"), columns=2, title="Given",
            caption=f"{whose[0].upper()}{whose[1:]}; draw your own to have it filled in.{note}",
        )  # fmt: skip
    else:
        sketch, whose = _drawn(canvas, data, rng), "your outline"
        yield Images(key="given", pixels=to_pixels(sketch), columns=1, title="Given", caption="Your outline.")
    made = yield from previewed(model.translate(sketch.expand(n, -1, -1, -1), rng.take(n), **own), title)
    label = own.get("label", ANY)
    what = f"{n} picture{'s' if n > 1 else ''}" + (f" of class {label}" if label != ANY else "")
    caption = f"{what} of {whose}, each from random numbers of its own."
    yield Images(pixels=to_pixels(made), title=title, caption=caption, seconds=time.perf_counter() - started)


def _drawn(canvas: np.ndarray, data: Dataset, rng: Rng) -> Tensor:
    """The visitor's outline, (1, 1, height, width) in [0, 1].

    Raises:
        Refused: there is no ink on it.
    """
    sketch = to_data(as_canvas(canvas, data).max(0)[None, None], rng.device)
    if float(sketch.sum()) < LEAST:
        raise Refused("Nothing is drawn yet: draw an outline, or take one of the starting sketches.")
    return sketch
