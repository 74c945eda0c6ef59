"""The code of a picture of one's own, found by descent: for models that draw from codes but have no encoder."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Decodes
from playground.data import Dataset
from playground.knobs import Choice, Drawing, Picture, Refused, Slider
from playground.pictures import as_data, to_data, to_pixels
from playground.planes import THROUGH, plane_of
from playground.rng import Rng
from playground.views import Curve, Images, Progress, View

ORDER = 113
PAGE = "latent"
DRAWS = 256  # codes looked at, of which the nearest are the starts
CHUNK = 64  # of them decoded at a time
RATE = 0.1  # Adam's; it falls to nothing along half a cosine
GRAIN = (
    0.1  # standard deviation of a pixel around the model's, where a nat of the prior weighs as much as one of pixels
)
EVERY = 0.3  # seconds between two pictures of how far it has come


class Adam:
    """Kingma and Ba 2015, arXiv:1412.6980, algorithm 1. The first ``torch.optim`` of a process imports for seconds."""

    def __init__(self, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.betas, self.t = betas, 0
        self.mean = self.square = torch.zeros(())

    def direction(self, slope: Tensor) -> Tensor:
        """What to go against next, of a slope (n, ...): about one long in each number."""
        (a, b), self.t = self.betas, self.t + 1
        self.mean = a * self.mean + (1 - a) * slope
        self.square = b * self.square + (1 - b) * slope.square()
        return self.mean / (1 - a**self.t) / ((self.square / (1 - b**self.t)).sqrt() + 1e-8)


def invert(
    model: Decodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    through: Annotated[str, Choice(*THROUGH, help="how the plane lies")] = THROUGH[0],
    picture: Annotated[np.ndarray | None, Picture(help="your own picture")] = None,
    drawing: Annotated[np.ndarray | None, Drawing(help="your own drawing; it is centred as the data are")] = None,
    starts: Annotated[int, Slider(1, 16, help="descents side by side, of which the best counts")] = 8,
    steps: Annotated[int, Slider(10, 1000, 10, help="of each descent")] = 200,
    pull: Annotated[
        float, Slider(0.0, 10.0, 0.1, help="how strongly a code is held at the length that normal draws have")
    ] = 1.0,
    **own: Any,
) -> Iterator[View]:
    """Find a code that the model decodes to your own picture, by walking downhill from several starts."""
    started = time.perf_counter()
    given = picture if drawing is None else drawing
    if given is None:
        raise Refused("Draw or send a picture first.")
    yield Progress(done=0, total=steps, text="looking for good starts")
    made = plane_of(model, data, rng, through)
    x = to_data(as_data(given, data)[None], rng.device)
    z, walk, shown = _starts(model, x, rng, starts, own), Adam(), 0.0
    for step in range(steps + 1):
        again, cost, slope = _look(model, z, x, pull if model.normal_codes else 0.0, own)
        if slope is None:
            raise Refused(f"{title} decodes in steps that have no slope, so nothing says which way is down.")
        last = step == steps
        if last or time.perf_counter() - shown > EVERY:
            shown = time.perf_counter()
            best = cost.argmin()
            at = made.places(z[best][None])[0]
            yield Progress(done=step, total=steps, text=f"step {step} of {steps}")
            yield _three(x, again[best][None], z[best], title, time.perf_counter() - started if last else None)
            yield Curve(key="place", series=("yours",), x=at[None, :1], y=at[None, 1:], axes=made.axes, marks=True)
        if not last:
            z = z - RATE * 0.5 * (1 + math.cos(math.pi * step / steps)) * walk.direction(slope)
    yield _all(again, x, cost.argsort(), z[0].numel())


@torch.no_grad()
def _starts(model: Decodes, x: Tensor, rng: Rng, n: int, own: dict[str, Any]) -> Tensor:
    """The ``n`` draws, of ``DRAWS``, that decode to what is nearest to ``x``, (1, *shape)."""
    z = rng.take(DRAWS).normal(*model.latent)
    off = torch.cat([(model.decode(part, **own) - x).square().flatten(1).sum(1) for part in z.split(CHUNK)])
    return z[off.argsort()[:n]].clone()


def _look(
    model: Decodes, z: Tensor, x: Tensor, pull: float, own: dict[str, Any]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """What codes z decode to, what each costs, in nats, and the slope of that; no slope where decoding has none.

    The cost is that of normal pixels, |x - G(z)|^2 / 2 GRAIN^2 (Zhu et al. 2016, arXiv:1609.03552, equation 3, with
    pixels for features), and of the code's length under the prior (Creswell and Bharath 2018, arXiv:1611.05644, section
    III-C): that of d normal numbers has a density proportional to r^(d-1) exp(-r^2/2), so it stays near the sphere
    where draws are, and is not pulled to zero, where none is.
    """
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        again = model.decode(z, **own)
        cost = (again - x).square().flatten(1).sum(1) / (2 * GRAIN**2)
        if not again.requires_grad:
            return again, cost, None
        length = z.flatten(1).norm(dim=1).clamp(min=1e-6)
        cost = cost + pull * (length.square() / 2 - (z[0].numel() - 1) * length.log())
        return again.detach(), cost.detach(), torch.autograd.grad(cost.sum(), z)[0]


def _three(x: Tensor, again: Tensor, z: Tensor, title: str, seconds: float | None) -> Images:
    lost = (again - x).abs()
    size = z.numel()
    return Images(
        pixels=to_pixels(torch.cat([x, again, lost])),
        captions=("as the model sees it", "the nearest it can draw", f"off by {_off(lost)[0]:.3f}"),
        columns=3,
        title=title,
        caption=(
            f"Off by: the root mean square of the difference, pixels from 0 to 1. The code's length is "
            f"{float(z.norm()):.1f}; normal draws of {size} numbers have {_usual(size):.1f}, give or take 0.7."
        ),
        seconds=seconds,
    )


def _all(again: Tensor, x: Tensor, order: Tensor, size: int) -> Images:
    """Where all descents ended, the best first."""
    return Images(
        key="starts",
        pixels=to_pixels(again[order]),
        captions=tuple(f"off by {off:.3f}" for off in _off(again[order] - x)),
        title="Where each descent ended",
        caption=f"From the {len(order)} nearest of {DRAWS} draws. The diamond is the nearest point of the plane to the"
        f" best code; a plane shows two of its {size} directions, so what is drawn there may look different.",
    )


def _off(difference: Tensor) -> list[float]:
    return difference.square().flatten(1).mean(1).sqrt().tolist()


def _usual(size: int) -> float:
    """The mean length of so many normal numbers."""
    return math.sqrt(2) * math.exp(math.lgamma((size + 1) / 2) - math.lgamma(size / 2))
