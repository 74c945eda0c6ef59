"""Lay a plane through a model's latent space and see the pictures all over it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Decodes
from playground.data import Dataset
from playground.knobs import Choice, Slider
from playground.pictures import to_pixels
from playground.planes import THROUGH, plane_of
from playground.rng import Rng
from playground.views import Lattice, Progress, View

ORDER = 110
PAGE = "latent"
SIDES = (9, 17, 33, 65)  # pictures a side: each lattice holds the one before, and halves its spacing
MOST = 4_000_000  # bytes of a lattice: it travels to the page whole
PATIENCE = 12.0  # seconds that a finer lattice may take
CHUNK = 64  # codes decoded between two chances to show progress or to stop


def plane(
    model: Decodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    through: Annotated[str, Choice(*THROUGH, help="how the plane lies, where a code has more than two numbers")] = (
        THROUGH[0]
    ),
    side: Annotated[int, Slider(SIDES[0], SIDES[-1], help="pictures a side, at the most")] = SIDES[-1],
    **own: Any,
) -> Iterator[View]:
    """Decode pictures all over a plane of the latent space: coarsely first, then finer and finer."""
    started = time.perf_counter()
    yield Progress(done=0, total=1, text="finding the plane")
    made = plane_of(model, data, rng, through)
    left, right, bottom, top = made.extent
    whole: np.ndarray | None = None
    took = 0.0  # seconds a picture
    for size in SIDES:
        if size > side or (whole is not None and _too_dear(whole, size, took)):
            break
        begun = time.perf_counter()
        fresh = _fresh(size, first=whole is None)
        row, column = torch.tensor(fresh, device=rng.device).T / (size - 1)
        z = made.codes(left + (right - left) * column, top + (bottom - top) * row)
        pixels = yield from _decoded(model, z, f"decoding {size} x {size} pictures", own)
        finer = np.empty((size, size, *pixels.shape[1:]), np.uint8)
        if whole is not None:
            finer[::2, ::2] = whole
        finer[tuple(np.array(fresh).T)] = pixels
        whole = finer
        took = (time.perf_counter() - begun) / len(fresh)
        yield Lattice(
            pixels=whole,
            extent=made.extent,
            axes=made.axes,
            points=made.points,
            classes=None if made.classes is None else made.classes.astype(np.uint8),
            labels=data.labels,
            anchors=np.array(made.anchors, np.float32),
            title=title,
            caption=made.note,
            seconds=time.perf_counter() - started,
        )


def _decoded(model: Decodes, z: Tensor, text: str, own: dict[str, Any]) -> Generator[View, None, np.ndarray]:
    """Pictures (n, height, width, channels) uint8 of codes (n, *latent), with progress on the way."""
    parts: list[np.ndarray] = []
    for chunk in z.split(CHUNK):
        parts.append(to_pixels(model.decode(chunk, **own)))
        done = sum(map(len, parts))
        if done < len(z):
            yield Progress(done=done, total=len(z), text=text)
    return np.concatenate(parts)


def _too_dear(whole: np.ndarray, size: int, took: float) -> bool:
    """Whether a finer lattice than ``whole`` takes too long, at ``took`` seconds a picture, or is too large."""
    return took * (size**2 - len(whole) ** 2) > PATIENCE or size**2 * whole[0, 0].size > MOST


def _fresh(size: int, first: bool) -> list[tuple[int, int]]:
    """Row and column of the pictures of a lattice that the one before, of every other row and column, lacks."""
    return [(r, c) for r in range(size) for c in range(size) if first or r % 2 or c % 2]
