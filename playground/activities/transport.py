"""Carry a picture over to another data set, and back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from playground.activities.complete import given
from playground.capabilities import Carries, Model, Reconstructs
from playground.data import Dataset
from playground.knobs import Canvas, Others, Refused
from playground.pictures import to_data, to_pixels
from playground.rng import Rng
from playground.views import Film, Images, Progress, View

ORDER = 230
PAGE = "sketch"


def transport(
    model: Reconstructs,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    canvas: Annotated[np.ndarray | None, Canvas(help="your own picture; without one, a test picture")] = None,
    to: Annotated[
        Mapping[str, Model], Others(most=1, start=1, abroad=True, help="whose code it is taken for: the other data set")
    ] = (),  # type: ignore[assignment]  # the seam turns names into models
    **own: Any,
) -> Iterator[View]:
    """Take a picture's code in one model for a code of another's, made on other data, and go back again."""
    started = time.perf_counter()
    others = [(name, other) for name, other in to.items() if isinstance(other, Reconstructs)] if to else []
    if not others:
        raise Refused(f"There is no model like {title} on another data set, with as large codes, to carry pictures to.")
    (name, other), (levels, whose) = others[0], given(canvas, data, rng)
    x = to_data(levels[None], rng.device)
    yield Images(key="given", pixels=to_pixels(x), title="Given", caption=whose)
    z = model.encode(x)
    yield Progress(done=1, total=4, text="coded")
    away = other.carry(z) if isinstance(other, Carries) else other.decode(z)[None]
    over = away[-1].clamp(0, 1)
    yield Images(pixels=to_pixels(over), title=name, caption="What the same code is there.")
    yield Progress(done=2, total=4, text="carried over")
    home = model.carry(z) if isinstance(model, Carries) else model.decode(z)[None]
    path = torch.cat([home.flip(0), away])[:, 0].clamp(0, 1)
    steps = (*["from the picture to its code"] * len(home), *["from the code to the other picture"] * len(away))
    yield Film(key="path", pixels=to_pixels(path)[:, None], steps=steps, title="The way over, through the code")
    yield Progress(done=3, total=4, text="on the way back")
    again = model.decode(other.encode(over)).clamp(0, 1)
    off = float((again - x).square().mean().sqrt())
    plain = float((home[-1].clamp(0, 1) - x).square().mean().sqrt())
    yield Images(
        pixels=to_pixels(torch.cat([x, over, again])),
        captions=("given", name, f"back, off by {off:.3f}"),
        columns=3,
        title=f"{title} to {name}",
        caption=(
            "The picture is coded by its own model, the code is decoded by the other (dual diffusion implicit bridges,"
            f" where both are flows from the same noise), and back. Off by {off:.3f}, root mean square, after going"
            f" there and back; {plain:.3f} after coding and decoding by its own model alone."
        ),
        seconds=time.perf_counter() - started,
    )
