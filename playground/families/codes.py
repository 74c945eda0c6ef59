"""The codes that go with what is known of a picture: what families with a decoder share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from playground.capabilities import State
from playground.rng import Rng

POOL = 128  # codes drawn from the prior for each picture
STARTS = 6  # of them that are followed uphill
RATE = 0.1  # of Adam, in standard deviations of the prior
STIR = 0.1  # standard deviation of a Langevin step's noise at the end

GRAIN = 0.2  # how far a pixel drawn from a fitting code may be from the known one, where no likelihood says it
FOUND = (
    "Codes are sought that explain what is known, from many starts; what they decode to fills the gap, and what is"
    " known is pasted back."
)

Nats = Callable[[Tensor, Tensor], Tensor]  # log p(known | z) of codes (m, size), and which picture each is for, (m,)


def fitting(nats: Nats, size: int, rng: Rng, steps: int, fixed: int = 0) -> Iterator[Tensor]:
    """Codes (n, size) that explain what is known better and better.

    The best of many draws from the prior climb log p(known | z) p(z); one of the summits is drawn with odds of its
    height, and in the last third of the steps it is stirred by Langevin dynamics, so that what nothing is known of
    differs from ending to ending.

    Args:
        nats: how well codes explain what is known.
        size: of a code; the prior is the standard normal.
        rng: of length n.
        steps: how many in all.
        fixed: so many first numbers of a code stay as they were drawn.
    """
    n = len(rng)
    z, choice = rng.normal(POOL, size), rng.uniform(1)
    rows = torch.arange(n, device=z.device).repeat_interleave(POOL)
    best = nats(z.flatten(0, 1), rows).view(n, POOL).topk(STARTS, 1).indices
    z = z.gather(1, best[..., None].expand(-1, -1, size))  # (n, starts, size)
    first, second = torch.zeros_like(z), torch.zeros_like(z)  # Adam's moments
    climb = max(1, 2 * steps // 3)
    for step in range(1, climb + 1):
        height, slope = _slope(nats, z, fixed)
        first, second = first.lerp(slope, 0.1), second.lerp(slope.square(), 0.05)
        z = z + RATE * (first / (1 - 0.9**step)) / ((second / (1 - 0.95**step)).sqrt() + 1e-8)
        yield _one(z, height.argmax(1))
    height, _ = _slope(nats, z, fixed)
    z = _one(z, (height.softmax(1).cumsum(1)[:, :-1] <= choice).sum(1))[:, None]
    for _ in range(steps - climb):
        _, slope = _slope(nats, z, fixed)
        move = (STIR**2 / 2 * slope).clamp(-3 * STIR, 3 * STIR)
        shake = STIR * rng.normal(1, size)
        shake[..., :fixed] = 0
        z = z + move + shake
        yield z[:, 0]


def completed(
    nats: Nats,
    decode: Callable[[Tensor], Tensor],
    x: Tensor,
    known: Tensor,
    rng: Rng,
    size: int,
    steps: int,
    fixed: int = 0,
) -> Iterator[State]:
    """Pictures of ``fitting`` codes, with what is known of ``x``, (n, *shape), pasted back; arguments as there."""
    for done, z in enumerate(fitting(nats, size, rng, steps, fixed), 1):
        yield State(torch.where(known, x, decode(z)), done, steps, f"step {done}")


def likeness(decode: Callable[[Tensor], Tensor], x: Tensor, known: Tensor) -> Nats:
    """Log-likelihood of what is known of ``x`` under normal noise of deviation ``GRAIN`` on what codes decode to."""

    def nats(z: Tensor, rows: Tensor) -> Tensor:
        wrong = torch.where(known[rows], decode(z) - x[rows], 0.0)
        return -wrong.square().flatten(1).sum(1) / (2 * GRAIN**2)

    return nats


def turned(z: Tensor, other: Tensor, strength: float) -> Tensor:
    """Codes (n, ...) a part of the way to others, along which normal codes stay normal with the same variance."""
    angle = strength * math.pi / 2
    return math.cos(angle) * z + math.sin(angle) * other


def _slope(nats: Nats, z: Tensor, fixed: int) -> tuple[Tensor, Tensor]:
    """Log p(known | z) p(z) up to a constant, (n, k), of codes (n, k, size), and its slope."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        rows = torch.arange(len(z), device=z.device).repeat_interleave(z.shape[1])
        height = nats(z.flatten(0, 1), rows).view(z.shape[:2]) - z[..., fixed:].square().sum(2) / 2
        slope = torch.autograd.grad(height.sum(), z)[0]
    return height.detach(), slope


def _one(z: Tensor, which: Tensor) -> Tensor:
    """Of codes (n, k, size) the one at ``which``, (n,), of each row."""
    return z[torch.arange(len(z), device=z.device), which]
