"""Send pictures through a model's latent code and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch

from playground.capabilities import Reconstructs
from playground.data import Dataset
from playground.knobs import Picture, Slider
from playground.pictures import as_data, chosen, to_data, to_pixels
from playground.rng import Rng
from playground.views import Images, View

ORDER = 30


def reconstruct(
    model: Reconstructs,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    n: Annotated[int, Slider(1, 16, help="how many test pictures, when you send none of your own")] = 8,
    picture: Annotated[np.ndarray | None, Picture(help="your own picture instead of test pictures")] = None,
    **own: Any,
) -> Iterator[View]:
    """Squeeze pictures into the model's latent code, redraw them from it, and see what was lost."""
    started = time.perf_counter()
    if picture is None:
        levels, names, note = chosen(data, rng, n)
    else:
        levels, names, note = as_data(picture, data)[None], ("yours",), ""
    x = to_data(levels, rng.device)
    again = model.reconstruct(x, **own).clamp(0, 1)
    lost = (again - x).abs()
    errors = lost.square().flatten(1).mean(1).sqrt().tolist()
    size = " x ".join(map(str, model.latent))
    yield Images(
        pixels=to_pixels(torch.cat([x, again, lost])),
        captions=(*names, *[""] * len(x), *(f"off by {e:.3f}" for e in errors)),
        columns=len(x),
        group=("original", "reconstruction", "difference"),
        title=title,
        caption=(
            f"Through a code of {size} numbers and back. Off by: the root mean square of the difference, "
            f"pixels from 0 to 1; {np.mean(errors):.3f} on average.{note}"
        ),
        seconds=time.perf_counter() - started,
    )
