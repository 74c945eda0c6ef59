"""Ask whether a picture is new: its nearest training pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Model
from playground.data import Dataset
from playground.knobs import Picture, Slider
from playground.pictures import as_data, chosen, to_data, to_pixels
from playground.rng import Rng
from playground.views import Images, View

ORDER = 60
CHUNK = 512  # pictures compared at a time: their floats stay in the processor's cache, 3 times faster than 4096


def neighbours(
    model: Model,
    rng: Rng,
    *,
    data: Dataset,
    k: Annotated[int, Slider(1, 24, help="how many neighbours")] = 8,
    picture: Annotated[np.ndarray | None, Picture(help="your own picture instead of a test picture")] = None,
) -> Iterator[View]:
    """Find the training pictures nearest to one picture: has the model learnt by heart?"""
    started = time.perf_counter()
    train, classes = data.load("train")
    note = ""
    if picture is None:
        levels, _, note = chosen(data, rng, 1)
    else:
        levels = as_data(picture, data)[None]
    x = to_data(levels)
    far = distances(torch.from_numpy(train), x)
    order = far.argsort()[:k]
    yield Images(key="picture", pixels=to_pixels(x), columns=1, title="This picture", caption=note.strip())
    yield Images(
        key="neighbours",
        pixels=to_pixels(to_data(train[order.numpy()])),
        captions=tuple(f"{data.labels[classes[i]]} · {far[i]:.2f}" for i in order.tolist()),
        columns=min(k, 8),
        title="Its nearest training pictures",
        caption=f"Class and Euclidean distance, pixels from 0 to 1; {len(train)} training pictures were searched.",
        seconds=time.perf_counter() - started,
    )


def distances(pictures: Tensor, x: Tensor) -> Tensor:
    """Euclidean distances (n,) of pictures (n, ...) uint8 to one picture (1, ...) in [0, 1]."""
    query = x.reshape(1, -1) * 255
    parts = [(part.flatten(1).float() - query).square_().sum(1) for part in pictures.split(CHUNK)]
    return torch.cat(parts).sqrt() / 255
