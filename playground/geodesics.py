"""Paths through a latent space, measured by what the decoder makes of them; and the shortest ones.

A decoder g gives its latent space a metric: a step is as long as the picture changes. The shortest path between two
codes minimises the energy, the sum of squared changes (Shao, Kumar and Fletcher 2018, arXiv:1711.08014, equation 1;
Arvanitidis, Hansen and Hauberg 2018, arXiv:1710.11379, for stochastic decoders).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from itertools import pairwise

import torch
from torch import Tensor

KNOTS = 12  # pieces of a path that is shortened: between their ends it is straight
FINE = 6  # steps of each piece that are looked at, so that no step can leap over a rise
ROUNDS = 40  # of ITERATIONS each, at the most
ITERATIONS = 5
GAIN = 1e-3  # of its energy: a round that brings less is the last
CHUNK = 64  # codes decoded at once

Decode = Callable[[Tensor], Tensor]


def along(knots: Tensor, fine: int = FINE) -> Tensor:
    """Points on the straight pieces between knots (k + 1, *latent): (k fine + 1, *latent)."""
    t = torch.arange(fine, device=knots.device).view(-1, *[1] * (knots.dim() - 1)) / fine
    pieces = [(1 - t) * a + t * b for a, b in pairwise(knots)]
    return torch.cat([*pieces, knots[-1:]])


def steps(x: Tensor) -> Tensor:
    """How far each step goes between data (n, *shape): (n - 1,), root mean squares of the difference."""
    return (x[1:] - x[:-1]).flatten(1).square().mean(1).sqrt()


@torch.no_grad()
def length(decode: Decode, codes: Tensor) -> float:
    """The length of the path through codes (n, *latent): the sum of root-mean-square changes of the datum."""
    return float(steps(torch.cat([decode(part) for part in codes.split(CHUNK)])).sum())


def energy(decode: Decode, knots: Tensor) -> Tensor:
    """The energy of a path with knots (k + 1, *latent), 0-d; at least its squared length, equal at even speed."""
    x = decode(along(knots))
    change = (x[1:] - x[:-1]).flatten(1)
    return change.square().mean(1).sum() * len(change)


def differentiable(decode: Decode, code: Tensor) -> bool:
    """Whether a gradient comes through the decoder at a code (1, *latent)."""
    with torch.enable_grad():
        return decode(code.detach().clone().requires_grad_()).requires_grad


def shortest(decode: Decode, knots: Tensor, patience: float) -> Generator[float, None, Tensor]:
    """The path from the first to the last of ``knots`` that least changes the datum on the way; yields its energy.

    L-BFGS on the inner knots, from where they are: a path that cannot be shortened by a small change, not
    necessarily the shortest of all. It ends when a round brings little or ``patience`` seconds are over.

    Args:
        decode: data (n, *shape) of codes (n, *latent), differentiable.
        knots: where to begin, (k + 1, *latent).
        patience: seconds.

    Returns:
        Knots (k + 1, *latent), of no more energy than those given.
    """
    begun = time.perf_counter()
    ends, inner = knots[[0, -1]].detach(), knots[1:-1].detach().clone().requires_grad_()
    search = torch.optim.LBFGS([inner], max_iter=ITERATIONS, history_size=20, line_search_fn="strong_wolfe")

    def whole() -> Tensor:
        return torch.cat([ends[:1], inner, ends[1:]])

    def closure() -> Tensor:
        with torch.enable_grad():
            value = energy(decode, whole())
            (inner.grad,) = torch.autograd.grad(value, inner)
        return value.detach()

    best, before = whole().detach(), float(closure())
    for _ in range(ROUNDS):
        search.step(closure)  # type: ignore[arg-type]  # it takes tensors too
        now = float(closure())
        if not now < before:
            break
        best, gain, before = whole().detach(), before - now, now
        yield now
        if gain < GAIN * now or time.perf_counter() - begun > patience:
            break
    return best
