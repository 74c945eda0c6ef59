"""Watch a sample form."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from playground.capabilities import Refines
from playground.knobs import Slider
from playground.pictures import to_pixels
from playground.rng import Rng
from playground.views import Film, Images, Progress, View

ORDER = 20
FRAMES = 60  # kept at the most: two seconds of film; more would only cost the visitor's line
PREVIEW = 0.2  # seconds between two previews


def watch(
    model: Refines,
    rng: Rng,
    *,
    title: str,
    n: Annotated[int, Slider(1, 16, help="how many pictures to follow")] = 8,
    **own: Any,
) -> Iterator[View]:
    """Watch every step from noise, or from nothing, to the finished pictures."""
    started = shown = time.perf_counter()
    frames: list[np.ndarray] = []
    steps: list[str] = []
    seen, kept = 0, False
    for state in model.refine(rng.take(n), **own):
        kept = keep(seen, state.total + 1)
        if kept:
            frames.append(to_pixels(state.x))
            steps.append(state.label or f"step {state.done} of {state.total}")
        seen += 1
        if time.perf_counter() - shown > PREVIEW and state.done < state.total:
            yield Progress(done=state.done, total=state.total, text=state.label)
            yield Images(pixels=to_pixels(state.x), title=title, caption=f"Step {state.done} of {state.total}.")
            shown = time.perf_counter()
    if not kept:
        frames.append(to_pixels(state.x))
        steps.append(state.label or f"step {state.done} of {state.total}")
    whole = "every one is" if len(frames) == seen else f"{len(frames)} of them, evenly spread, are"
    yield Film(
        pixels=np.stack(frames),
        steps=tuple(steps),
        title=title,
        caption=f"{seen} states from the first to the finished picture; {whole} shown.",
        seconds=time.perf_counter() - started,
    )


def keep(index: int, count: int, most: int = FRAMES) -> bool:
    """Whether to keep state ``index`` of ``count``: all of a few, else ``most``, evenly spread, with both ends."""
    if count <= most:
        return True
    nearest = round(index * (most - 1) / (count - 1))
    return round(nearest * (count - 1) / (most - 1)) == index
