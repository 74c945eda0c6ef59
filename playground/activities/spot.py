"""The picture at one spot of a plane through a model's latent space."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import torch

from playground.capabilities import Decodes
from playground.data import Dataset
from playground.knobs import Choice, Slider
from playground.pictures import to_pixels
from playground.planes import THROUGH, plane_of
from playground.rng import Rng
from playground.views import Images, View

ORDER = 111
PAGE = "latent"


def spot(
    model: Decodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    through: Annotated[str, Choice(*THROUGH, help="how the plane lies")] = THROUGH[0],
    x: Annotated[float, Slider(-100.0, 100.0, 0.001, help="how far to the right")] = 0.0,
    y: Annotated[float, Slider(-100.0, 100.0, 0.001, help="how far up")] = 0.0,
    **own: Any,
) -> Iterator[View]:
    """Decode the picture at one spot of the plane, exactly."""
    started = time.perf_counter()
    made = plane_of(model, data, rng, through)
    place = torch.tensor([[x], [y]], device=rng.device)
    pixels = to_pixels(model.decode(made.codes(*place), **own))
    yield Images(pixels=pixels, columns=1, title=title, seconds=time.perf_counter() - started)
