"""Draw new data."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Annotated, Any

from torch import Tensor

from playground.capabilities import Refines, Samples
from playground.knobs import ANY, Slider
from playground.pictures import to_pixels
from playground.rng import Rng
from playground.views import Images, Progress, View

ORDER = 10
PREVIEW = 0.2  # seconds between two previews: lively, and cheap beside the model's own work


def generate(
    model: Samples,
    rng: Rng,
    *,
    title: str,
    n: Annotated[int, Slider(1, 64, help="how many pictures to draw")] = 16,
    **own: Any,
) -> Generator[View]:
    """Draw new pictures from the model, out of nothing but random numbers."""
    started = time.perf_counter()
    label = own.get("label", ANY)
    what = f"{n} new picture{'s' if n > 1 else ''}" + (f" of class {label}" if label != ANY else "")
    batch = rng.take(n)
    if isinstance(model, Refines):
        shown = started
        for state in model.refine(batch, **own):
            if time.perf_counter() - shown > PREVIEW and state.done < state.total:
                shown = time.perf_counter()
                yield Progress(done=state.done, total=state.total, text=state.label)
                yield sheet(state.x, title, f"On the way: step {state.done} of {state.total}.", None)
        x = state.x
    else:
        x = model.sample(batch, **own)
    yield sheet(x, title, f"{what}, each drawn by its own random numbers.", time.perf_counter() - started)


def sheet(x: Tensor, title: str, caption: str, seconds: float | None) -> Images:
    """A sheet of pictures (n, channels, height, width) in [0, 1]."""
    return Images(pixels=to_pixels(x), title=title, caption=caption, seconds=seconds)
