"""Walk through a model's latent space from one picture to another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Decodes, Encodes, Samples, why_not
from playground.data import Dataset
from playground.knobs import Choice, Refused, Slider
from playground.pictures import chosen, to_data, to_pixels
from playground.rng import Rng
from playground.views import Film, Images, Progress, View

ORDER = 40
TAKES = ("pictures", "drawings")
CHUNK = 32  # codes decoded between two chances to show progress or to stop
WALKS = {"linear": ("linear",), "spherical": ("spherical",), "both": ("linear", "spherical")}


def interpolate(
    model: Decodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    pairs: Annotated[int, Slider(1, 8, help="how many walks")] = 4,
    frames: Annotated[int, Slider(3, 32, help="pictures on each walk, both ends included")] = 12,
    path: Annotated[str, Choice(*WALKS, help="straight through the latent space, around its centre, or both")] = "both",
    ends: Annotated[
        str, Choice("samples", "test pictures", help="between two new pictures, or two real ones")
    ] = "samples",
    **own: Any,
) -> Iterator[View]:
    """Walk in small steps from one picture to another through the model's latent space."""
    started = time.perf_counter()
    first, last, kind, note = _ends(model, rng, data, pairs, ends, title)
    ways = WALKS[path]
    t = torch.linspace(0, 1, frames, device=first.device)
    walk = {"linear": linear, "spherical": spherical}
    codes = torch.stack([walk[way](first, last, t) for way in ways], 1)  # (pairs, ways, frames, *latent)
    flat, done = codes.flatten(0, 2), []
    for chunk in flat.split(CHUNK):
        done.append(to_pixels(model.decode(chunk, **own)))
        seen = sum(map(len, done))
        if seen < len(flat):
            yield Progress(done=seen, total=len(flat), text="pictures decoded")
    pixels = np.concatenate(done)
    rows = pixels.reshape(pairs * len(ways), frames, *pixels.shape[1:])
    seconds = time.perf_counter() - started
    yield Images(
        pixels=pixels,
        columns=frames,
        group=tuple(way for _ in range(pairs) for way in ways),
        title=title,
        caption=f"{pairs} walks between the codes of two {kind} pictures each.{note}",
        seconds=seconds,
    )
    yield Film(
        key="film",
        pixels=rows.swapaxes(0, 1),
        steps=tuple(f"{float(s):.2f} of the way" for s in t),
        title="The same walks in motion",
        seconds=seconds,
    )


def linear(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The straight line from (n, *latent) to (n, *latent) at times (frames,): (n, frames, *latent)."""
    t = t.reshape(-1, *[1] * (a.dim() - 1))
    return (1 - t) * a[:, None] + t * b[:, None]


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The great circle from a to b, their lengths changing evenly: (n, frames, *latent).

    Normal codes of many numbers all lie near one sphere, which the straight line leaves (White 2016, arXiv:1609.04468).
    """
    u, v = a.flatten(1), b.flatten(1)
    cosine = torch.nn.functional.cosine_similarity(u, v, dim=1).clamp(-1, 1)
    angle = cosine.acos()[:, None, None]  # (n, 1, 1)
    t = t[None, :, None]
    length = (1 - t) * u.norm(dim=1)[:, None, None] + t * v.norm(dim=1)[:, None, None]
    u, v = (torch.nn.functional.normalize(w, dim=1)[:, None] for w in (u, v))
    circle = ((1 - t) * angle).sin() * u + (t * angle).sin() * v
    flat = torch.where(angle.sin() < 1e-3, (1 - t) * u + t * v, circle / angle.sin().clamp_min(1e-3))
    return (length * flat).reshape(len(a), -1, *a.shape[1:])


def _ends(
    model: Decodes, rng: Rng, data: Dataset, pairs: int, ends: str, title: str
) -> tuple[Tensor, Tensor, str, str]:
    """The codes at the beginning and the end of each walk, (pairs, *latent), what they are of, and a note on that."""
    kind, note = "new", ""
    if ends == "samples" and model.normal_codes:
        codes = rng.take(2 * pairs).normal(*model.latent)
    elif ends == "samples" and isinstance(model, Samples) and isinstance(model, Encodes):
        codes = model.encode(model.sample(rng.take(2 * pairs)))
    elif isinstance(model, Encodes):
        levels, _, note = chosen(data, rng, 2 * pairs)
        kind, codes = "test", model.encode(to_data(levels, rng.device))
        if ends == "samples":
            note = f" It draws none of its own.{note}"
    else:
        reason = why_not(type(model), Encodes)  # type: ignore[type-abstract]
        raise Refused(f"{title} cannot walk between test pictures: {reason}. Choose ends = samples.")
    return codes[0::2], codes[1::2], kind, note
