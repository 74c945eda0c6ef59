"""Where a picture of one's own is on a plane through a model's latent space."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch

from playground.capabilities import Clouds, Reconstructs
from playground.data import Dataset
from playground.knobs import Choice, Drawing, Picture, Refused
from playground.pictures import as_data, to_data, to_pixels
from playground.planes import THROUGH, plane_of
from playground.rng import Rng
from playground.views import Curve, Images, View

ORDER = 112
PAGE = "latent"


def place(
    model: Reconstructs,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    through: Annotated[str, Choice(*THROUGH, help="how the plane lies")] = THROUGH[0],
    picture: Annotated[np.ndarray | None, Picture(help="your own picture")] = None,
    drawing: Annotated[np.ndarray | None, Drawing(help="your own drawing; it is centred as the data are")] = None,
    **own: Any,
) -> Iterator[View]:
    """Find your own picture's code on the plane, and see what the code keeps of it."""
    started = time.perf_counter()
    given = picture if drawing is None else drawing
    if given is None:
        raise Refused("Draw or send a picture first.")
    made = plane_of(model, data, rng, through)
    x = to_data(as_data(given, data)[None], rng.device)
    code = model.encode(x)
    again = model.decode(code, **own).clamp(0, 1)
    lost = (again - x).abs()
    off = float(lost.square().mean().sqrt())
    at = made.places(code)[0]
    yield Images(
        pixels=to_pixels(torch.cat([x, again, lost])),
        captions=("as the model sees it", "what its code keeps", f"off by {off:.3f}"),
        columns=3,
        title=title,
        caption="Off by: the root mean square of the difference, pixels from 0 to 1.",
        seconds=time.perf_counter() - started,
    )
    yield Curve(key="place", series=("yours",), x=at[None, :1], y=at[None, 1:], axes=made.axes, marks=True)
    if isinstance(model, Clouds):
        mean, log_std = model.cloud(x)
        rings = made.ellipses(mean[0], log_std[0].exp().nan_to_num(0))
        wide = np.linalg.norm(rings[0] - at, axis=1)
        yield Curve(
            key="cloud",
            series=("one standard deviation", "two standard deviations"),
            x=rings[..., 0],
            y=rings[..., 1],
            axes=made.axes,
            caption="The encoder answers with a cloud of codes, not with one. Its shadow on the plane: a standard"
            f" deviation of {wide.max():.2g} along the ellipse, {wide.min():.2g} across; 39 % of it lies within the"
            " inner ellipse, 86 % within the outer one.",
        )
