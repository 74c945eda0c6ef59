"""Turn one number of a code at a time, the most important first, and see which the model does not use."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Clouds, Decodes, Encodes
from playground.data import Dataset
from playground.ends import end
from playground.geodesics import Decode
from playground.knobs import CodeOf, Drawing, Slider
from playground.pictures import to_data, to_pixels
from playground.planes import coded
from playground.rng import Rng
from playground.views import Images, Progress, Table, View

ORDER = 114
PAGE = "latent"
UNUSED = 0.01  # nats, of the mean KL: below it a number of the code is not used
REACH = 3.0  # standard deviations either way
LEFT = 2  # rows kept for unused numbers, where there are any
SHOWN = 1000  # pictures whose mean KL it is
TRIED = 4  # codes that a number's effect is the mean over
MOST = 256  # numbers whose effect is measured
STILL = 1e-4  # of root-mean-square change: below it nothing is seen
PATIENCE = 20.0  # seconds
CHUNK = 64
KL, CHANGE = "KL, nats", "change, rms"

Steps = Generator[View, None, None]


@dataclass
class Numbers:
    """The numbers of a code, or its main directions, sorted by how much they matter.

    Args:
        names: of each, the most important first.
        axes: the unit vector of each, (k, d).
        spread: one standard deviation of each, (k,).
        worth: of each.
        by: what worth is, in words.
        note: a sentence on them.
    """

    names: list[str]
    axes: Tensor
    spread: Tensor
    worth: list[float]
    by: str
    note: str

    @property
    def used(self) -> list[bool]:
        """Whether each carries anything."""
        least = UNUSED if self.by == KL else STILL
        return [worth >= least for worth in self.worth]

    def turned(self, code: Tensor, i: int, steps: int) -> Tensor:
        """A code (1, *latent) with one of them from -REACH to REACH deviations, (steps, *latent)."""
        axis = self.axes[i]
        t = torch.linspace(-REACH, REACH, steps, device=code.device) * self.spread[i] - code.flatten() @ axis
        return (code.flatten() + t[:, None] * axis).view(steps, *code.shape[1:])


def perturb(
    model: Decodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    base: Annotated[str, CodeOf(help="whose code is turned")] = "test-any-17",
    base_picture: Annotated[np.ndarray | None, Drawing(help="the picture, if it is yours")] = None,
    most: Annotated[int, Slider(2, 64, help="numbers of the code that are turned")] = 12,
    steps: Annotated[int, Slider(3, 25, help="pictures from -3 to 3 standard deviations")] = 13,
    **own: Any,
) -> Iterator[View]:
    """Turn one number of a code at a time, the most important first; those that the model does not use are marked."""
    begun = time.perf_counter()
    start = end(model, data, base, base_picture, title)
    decode: Decode = partial(model.decode, **own)
    pixels = [to_pixels(decode(start.code))] + ([] if start.x is None else [to_pixels(start.x)])
    yield Images(key="base", pixels=np.concatenate(pixels), captions=(f"the code of {start.words}",), columns=2)
    yield Progress(done=0, total=1, text="weighing the numbers of the code")
    found = yield from _sorted(model, data, decode, start.code, most)
    rows = list(range(len(found.names)))
    idle = [i for i in rows if not found.used[i]]
    rows = rows[:most] if not idle or idle[0] < most else [*rows[: most - LEFT], *idle[:LEFT]]
    yield _table(found, rows, start.code)
    strips: list[np.ndarray] = []
    for i in rows:
        strips.append(to_pixels(decode(found.turned(start.code, i, steps))))
        yield Images(
            key="strips",
            pixels=np.concatenate(strips),
            columns=steps,
            group=tuple(found.names[i] for i in rows[: len(strips)]),
            title=title,
            caption=f"Each row turns one of them from −{REACH:.0f} to {REACH:.0f} standard deviations; the rest stays.",
            seconds=time.perf_counter() - begun,
        )
        if time.perf_counter() - begun > PATIENCE and len(strips) > 1:
            return


def _sorted(model: Decodes, data: Dataset, decode: Decode, code: Tensor, most: int) -> Generator[View, None, Numbers]:
    """By KL where the encoder gives clouds; else by what turning one changes in the picture."""
    size = code[0].numel()
    codes = coded(model, data)[0] if isinstance(model, Encodes) else None
    if isinstance(model, Clouds):
        worth = kl(model, data)
        known = [i for i in np.argsort(-np.nan_to_num(worth, nan=-1.0)).tolist() if math.isfinite(worth[i])]
        axes = torch.eye(size, device=code.device)[known]
        names = [f"z{i + 1}" for i in known]
        return Numbers(names, axes, torch.ones(len(known), device=code.device), worth[known].tolist(), KL, "")
    if codes is not None and size > MOST:
        _, spread, axes = torch.linalg.svd(codes.flatten(1) - codes.flatten(1).mean(0), full_matrices=False)
        axes, spread = axes[:most], spread[:most] / max(1, len(codes) - 1) ** 0.5
        names = [f"direction {i + 1}" for i in range(len(axes))]
        note = f"A code has {size} numbers, each of which does next to nothing; these are its main directions. "
    else:
        axes = torch.eye(size, device=code.device)[:MOST]
        spread = torch.ones(len(axes), device=code.device)
        if codes is not None and not model.normal_codes:
            spread = codes.flatten(1).std(0)[:MOST].clamp(min=1e-6)
        names = [f"z{i + 1}" for i in range(len(axes))]
        note = f"The first {MOST} numbers were tried. " if size > MOST else ""
    found = Numbers(names, axes, spread, [], CHANGE, note)
    bases = code if codes is None else torch.cat([code, codes[: TRIED - 1]])
    begun = time.perf_counter()
    for i in range(len(axes)):
        found.worth.append(_effect(decode, bases, axes[i] * spread[i]))
        if i % 8 == 0:
            yield Progress(done=i + 1, total=len(axes), text="what each of them changes")
        if time.perf_counter() - begun > PATIENCE / 2:
            break
    order = np.argsort([-worth for worth in found.worth]).tolist()
    return Numbers([names[i] for i in order], axes[order], spread[order], [found.worth[i] for i in order], CHANGE, note)


def _effect(decode: Decode, codes: Tensor, step: Tensor) -> float:
    """How much the picture changes from a step (d,) before to a step after, a mean over codes (n, *latent)."""
    flat = codes.flatten(1)
    low, high = decode(torch.cat([flat - step, flat + step]).view(-1, *codes.shape[1:])).chunk(2)
    return float((high - low).flatten(1).square().mean(1).sqrt().mean())


@torch.no_grad()
def kl(model: Clouds, data: Dataset) -> np.ndarray:
    """KL(q(z_i|x) || N(0, 1)) in nats of each number of the code, a mean over test pictures: (d,); NaN if certain."""
    levels, _, _ = data.examples()
    parts = []
    for at in range(0, min(SHOWN, len(levels)), CHUNK):
        mean, log_std = model.cloud(to_data(levels[at : min(at + CHUNK, SHOWN)], model.device))
        parts.append(0.5 * (mean.square() + (2 * log_std).exp() - 1 - 2 * log_std).flatten(1))
    return torch.cat(parts).double().mean(0).cpu().numpy()


def _table(found: Numbers, rows: list[int], code: Tensor) -> Table:
    """Each with its worth, whether it is used, its row among the strips or -1, and where the code is on it."""
    place = {i: row for row, i in enumerate(rows)}
    here = (found.axes @ code.flatten() / found.spread).cpu().tolist()
    cells = tuple(
        (name, round(found.worth[i], 4), "used" if found.used[i] else "unused", place.get(i, -1), round(here[i], 3))
        for i, name in enumerate(found.names)
    )
    if found.by == KL:
        said = (
            f"{sum(found.used)} of {len(cells)} numbers are used. One that carries less than {UNUSED} nats is not: its"
            " cloud is the prior whatever the picture, and the decoder has learnt to ignore it. All together carry"
            f" {sum(found.worth):.1f} nats (KL of the code's cloud to the prior, a mean over test pictures)."
        )
    else:
        said = f"{found.note}Sorted by the root-mean-square change of the picture from −1 to 1 standard deviation."
    return Table(key="numbers", columns=("number", found.by, "used", "row", "here"), rows=cells, caption=said)
