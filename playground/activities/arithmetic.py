"""Add and subtract codes: A - B + C, decoded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch

from playground.activities.neighbours import distances
from playground.capabilities import Decodes
from playground.data import Dataset
from playground.ends import end
from playground.knobs import CodeOf, Drawing
from playground.pictures import to_data, to_pixels
from playground.rng import Rng
from playground.views import Images, View

ORDER = 116
PAGE = "latent"


def arithmetic(
    model: Decodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    a: Annotated[str, CodeOf(help="the code to begin with")] = "test-any-17",
    b: Annotated[str, CodeOf(help="the code to take away")] = "test-any-18",
    c: Annotated[str, CodeOf(help="the code to add")] = "test-any-19",
    a_picture: Annotated[np.ndarray | None, Drawing(help="the picture, if it is yours")] = None,
    b_picture: Annotated[np.ndarray | None, Drawing(help="the picture, if it is yours")] = None,
    c_picture: Annotated[np.ndarray | None, Drawing(help="the picture, if it is yours")] = None,
    **own: Any,
) -> Iterator[View]:
    """Add and subtract codes, A - B + C, and see the picture with the test picture nearest to it."""
    begun = time.perf_counter()
    given = ((a, a_picture), (b, b_picture), (c, c_picture))
    ends = [end(model, data, name, picture, title) for name, picture in given]
    one, two, three = (e.code for e in ends)
    decoded = model.decode(torch.cat([one - two + three, one, two, three]), **own).clamp(0, 1)
    seen = [e.x if e.x is not None else decoded[i + 1 : i + 2] for i, e in enumerate(ends)]
    levels, classes, note = data.examples()
    far = distances(torch.from_numpy(levels), decoded[:1].cpu())
    nearest = int(far.argmin())
    close = to_data(levels[nearest : nearest + 1], decoded.device)
    yield Images(
        key="sum",
        pixels=to_pixels(torch.cat([*seen, decoded[:1], close])),
        captions=(
            *(e.words for e in ends),
            "A − B + C",
            f"the nearest test picture, {data.labels[int(classes[nearest])]}, {float(far[nearest]):.2f} away",
        ),
        columns=5,
        title=title,
        caption=f"Nearest of {len(levels):,}, by Euclidean distance of pixels from 0 to 1. {note}".strip(),
        seconds=time.perf_counter() - begun,
    )
