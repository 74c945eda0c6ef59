"""Draw new data."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from typing import Annotated, Any

from torch import Tensor

from playground.capabilities import Refines, Samples, State
from playground.knobs import ANY, Slider
from playground.pictures import to_pixels
from playground.rng import Rng
from playground.views import Images, Progress, View

ORDER = 10
TAKES = ("pictures", "drawings")
PREVIEW = 0.2  # seconds between two previews: lively, and cheap beside the model's own work


def generate(
    model: Samples,
    rng: Rng,
    *,
    title: str,
    n: Annotated[int, Slider(1, 64, help="how many pictures to draw")] = 16,
    **own: Any,
) -> Iterator[View]:
    """Draw new pictures from the model, out of nothing but random numbers."""
    started = time.perf_counter()
    label = own.get("label", ANY)
    drawing = draw(model, rng.take(n), own)
    while True:
        try:
            state = next(drawing)
        except StopIteration as end:
            x = end.value
            break
        yield Progress(done=state.done, total=state.total, text=state.label)
        on_the_way = f"On the way: step {state.done} of {state.total}."
        yield Images(pixels=to_pixels(state.x), title=title, caption=on_the_way)
    what = f"{n} new picture{'s' if n > 1 else ''}" + (f" of class {label}" if label != ANY else "")
    caption = f"{what}, drawn from random numbers alone."
    yield Images(pixels=to_pixels(x), title=title, caption=caption, seconds=time.perf_counter() - started)


def previewed(states: Iterator[State], title: str) -> Generator[View, None, Tensor]:
    """How far a picture has come, every ``PREVIEW`` seconds.

    Returns:
        The last state, (n, *shape).
    """
    shown = time.perf_counter()
    for state in states:
        if time.perf_counter() - shown > PREVIEW and state.done < state.total:
            yield Progress(done=state.done, total=state.total, text=state.label)
            on_the_way = f"On the way: step {state.done} of {state.total}."
            yield Images(pixels=to_pixels(state.x), title=title, caption=on_the_way)
            shown = time.perf_counter()
    return state.x


def draw(model: Samples, rng: Rng, own: Mapping[str, Any]) -> Generator[State, None, Tensor]:
    """Samples, and on the way to them a state every ``PREVIEW`` seconds if the model draws in steps.

    Returns:
        The samples, (len(rng), *shape).
    """
    if not isinstance(model, Refines):
        return model.sample(rng, **own)
    shown = time.perf_counter()
    for state in model.refine(rng, **own):
        if time.perf_counter() - shown > PREVIEW and state.done < state.total:
            yield state
            shown = time.perf_counter()
    return state.x
