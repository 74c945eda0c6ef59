"""Directions of a latent space that mean something: a class, or what can be measured in pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Decodes, Encodes
from playground.data import Dataset
from playground.ends import end
from playground.geodesics import Decode
from playground.knobs import CodeOf, Drawing, Slider
from playground.measures import MEASURES, Direction, direction
from playground.pictures import to_pixels
from playground.planes import coded
from playground.rng import Rng
from playground.views import Images, Progress, Table, View

ORDER = 115
PAGE = "latent"
REACH = 3.0  # standard deviations of what is measured, either way
DRAWS = 256  # of a model without an encoder
BATCH = 64
PATIENCE = 20.0  # seconds


def directions(
    model: Decodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    base: Annotated[str, CodeOf(help="whose code is moved")] = "test-any-17",
    base_picture: Annotated[np.ndarray | None, Drawing(help="the picture, if it is yours")] = None,
    towards: Annotated[int, Slider(-1, 200, help="towards a class, numbered from 0; -1: no class")] = -1,
    away: Annotated[int, Slider(-1, 200, help="away from a class; -1: from the mean of all")] = -1,
    steps: Annotated[int, Slider(3, 25, help="pictures on each row")] = 13,
    **own: Any,
) -> Iterator[View]:
    """Move a code towards a class, or the way slant, thickness, width and brightness go."""
    begun = time.perf_counter()
    start = end(model, data, base, base_picture, title)
    decode: Decode = partial(model.decode, **own)
    yield Progress(done=0, total=1, text="measuring pictures")
    codes, x, classes, note = _measured(model, data, decode, rng)
    flat = codes.flatten(1).double().cpu().numpy()
    found: dict[str, tuple[Direction, float]] = {}  # with how far a row goes
    if classes is not None and 0 <= towards < len(data.labels):
        made = _class(flat, classes, data.labels, towards, away)
        if made is not None:
            name = data.labels[towards] + (f" − {data.labels[away]}" if 0 <= away < len(data.labels) else " − all")
            found[name] = made, 2.0
    for name, (measure, _) in MEASURES.items():
        found[name] = direction(flat, measure(x)), REACH
    strips: dict[str, Tensor] = {}
    for name, (made, reach) in found.items():
        t = torch.linspace(-reach, reach, steps, device=codes.device)
        step = torch.from_numpy(made.step).to(start.code).view(start.code.shape)
        strips[name] = decode(start.code + t.view(-1, *[1] * (codes.dim() - 1)) * step)
        if name != list(found)[-1]:
            yield Progress(done=len(strips), total=len(found), text=f"{name}")
        if time.perf_counter() - begun > PATIENCE:
            break
    yield Images(
        key="strips",
        pixels=np.concatenate([to_pixels(strip) for strip in strips.values()]),
        columns=steps,
        group=tuple(strips),
        title=title,
        caption=f"From {start.words}, in the middle of each row. {note}",
        seconds=time.perf_counter() - begun,
    )
    yield _table({name: found[name] for name in strips}, strips)


def _measured(
    model: Decodes, data: Dataset, decode: Decode, rng: Rng
) -> tuple[Tensor, np.ndarray, np.ndarray | None, str]:
    """Codes (n, *latent), their pictures (n, *shape) in [0, 1], classes if known, and a sentence on what they are."""
    if isinstance(model, Encodes):
        codes, classes = coded(model, data)
        levels, _, note = data.examples()
        x = levels[: len(codes)].astype(np.float32) / 255
        return (
            codes,
            x,
            classes,
            f"Measured in {len(codes):,} test pictures and regressed on their codes. {note}".strip(),
        )
    codes = rng.take(DRAWS).normal(*model.latent)
    begun, parts = time.perf_counter(), []
    for part in codes.split(BATCH):
        parts.append(decode(part))
        if time.perf_counter() - begun > PATIENCE / 2:
            break
    x = torch.cat(parts).clamp(0, 1).cpu().numpy()
    note = f"Measured in {len(x):,} of its own draws and regressed on their codes; classes of draws are not known."
    return codes[: len(x)], x, None, note


def _class(
    codes: np.ndarray, classes: np.ndarray, labels: tuple[str, ...], towards: int, away: int
) -> Direction | None:
    """The difference of two classes' mean codes, or of a class's to all; None where one has no codes."""
    wanted, other = classes == towards, (classes == away if 0 <= away < len(labels) else classes >= 0)
    if not wanted.any() or not other.any() or towards == away:
        return None
    part = wanted | other
    told = direction(codes[part], wanted[part].astype(float))
    return Direction(codes[wanted].mean(0) - codes[other].mean(0), told.r2)


def _table(found: dict[str, tuple[Direction, float]], strips: dict[str, Tensor]) -> Table:
    """How well codes tell each, and what it does on its row when measured there."""
    rows: list[tuple[str | float | None, ...]] = []
    for name, (made, reach) in found.items():
        r2 = None if np.isnan(made.r2) else round(made.r2, 3)
        told = ""
        if name in MEASURES:
            measure, unit = MEASURES[name]
            ends = measure(strips[name][[0, -1]].clamp(0, 1).cpu().numpy())
            if np.isfinite(ends).all():
                told = f"{ends[0]:.1f} to {ends[1]:.1f}{unit}".replace("-", "−")
        rows.append((name, r2, told, reach))
    return Table(
        key="numbers",
        columns=("direction", "R²", "measured on the row", "reach"),
        rows=tuple(rows),
        caption="R²: how much of it a linear function of the code tells, fitted to one half of the codes and measured"
        " on the other; 1 is all, 0 nothing. A step along an attribute is one standard deviation of it; along a class,"
        " the whole way from one mean to the other.",
    )
