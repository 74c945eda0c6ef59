"""From faithful to free: how much of a picture a model keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from playground.activities.complete import given
from playground.activities.generate import previewed
from playground.capabilities import Edits
from playground.data import Dataset
from playground.knobs import Canvas, Slider
from playground.pictures import to_data, to_pixels
from playground.rng import Rng
from playground.views import Images, View

ORDER = 220
PAGE = "sketch"
STRIP = 8  # steps of strength from none to all


def edit(
    model: Edits,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    canvas: Annotated[np.ndarray | None, Canvas(help="your own picture; without one, a test picture")] = None,
    strength: Annotated[float, Slider(0.0, 1.0, 0.05, help="0 is your strokes, 1 the model's own idea")] = 0.5,
    n: Annotated[int, Slider(1, 9, help="how many, each from its own noise")] = 3,
    **own: Any,
) -> Iterator[View]:
    """Keep as much of a picture as you like, and let the model have its way with the rest."""
    started = time.perf_counter()
    levels, whose = given(canvas, data, rng)
    x = to_data(levels[None], rng.device)
    yield Images(key="given", pixels=to_pixels(x), title="Given", caption=whose)
    made = yield from previewed(model.edit(x.expand(n, *model.shape), strength, rng.take(n), **own), title)
    caption = f"Strength {strength:.2f}: 0 would give the picture back, 1 would keep nothing of it."
    yield Images(pixels=to_pixels(made), title=title, caption=caption, seconds=time.perf_counter() - started)
    strip: list[np.ndarray] = []
    strengths = [k / STRIP for k in range(STRIP + 1)]
    for one in strengths:
        for state in model.edit(x, one, rng.take(1), **own):  # noqa: B007 - the last one is meant
            pass
        strip.append(to_pixels(state.x)[0])
        yield Images(
            key="strip",
            pixels=np.stack(strip),
            captions=tuple(f"{s:.3g}" for s in strengths[: len(strip)]),
            columns=STRIP + 1,
            title="From faithful to free",
            caption="The same noise at growing strength." if len(strip) > STRIP else "",
            seconds=time.perf_counter() - started,
        )
