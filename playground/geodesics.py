"""Paths through a latent space, measured by what the decoder makes of them; and the shortest ones.

A decoder g gives its latent space a metric: a step is as long as the picture changes. The shortest path between two
codes minimises the energy, the sum of squared changes (Shao, Kumar and Fletcher 2018, arXiv:1711.08014, equation 1;
Arvanitidis, Hansen and Hauberg 2018, arXiv:1710.11379, for stochastic decoders).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

KNOTS = 12  # pieces of a path that is shortened: between their ends it is straight
FINE = 6  # steps of each piece that are looked at, so that no step can leap over a rise
ROUNDS = 20  # of ITERATIONS each, at the most
ITERATIONS = 12
GAIN = 3e-3  # of its energy: a round that brings less is the last
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
def changes(decode: Decode, codes: Tensor) -> Tensor:
    """How far the datum goes between codes (n, *latent): (n - 1,), whose sum is the path's length."""
    return steps(torch.cat([decode(part) for part in codes.split(CHUNK)]))


def energy(decode: Decode, knots: Tensor) -> Tensor:
    """The energy of a path with knots (k + 1, *latent), 0-d; at least its squared length, equal at even speed."""
    x = decode(along(knots))
    change = (x[1:] - x[:-1]).flatten(1)
    return change.square().mean(1).sum() * len(change)


def resampled(knots: Tensor, n: int) -> Tensor:
    """``n`` points (n, *latent) on the straight pieces between knots, evenly in their parameter, ends included."""
    return along(knots, n - 1)[:: len(knots) - 1]


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
    from scipy.optimize import minimize  # slow to import: only where it is used

    begun = time.perf_counter()
    ends, shape = knots[[0, -1]].detach(), knots[1:-1].shape

    def whole(inner: np.ndarray) -> Tensor:
        middle = torch.from_numpy(inner).to(ends).view(shape)
        return torch.cat([ends[:1], middle, ends[1:]])

    def closure(inner: np.ndarray) -> tuple[float, np.ndarray]:
        with torch.enable_grad():
            path = whole(inner).requires_grad_()
            value = energy(decode, path)
            (gradient,) = torch.autograd.grad(value, path)
        return float(value), gradient[1:-1].flatten().double().cpu().numpy()

    inner = knots[1:-1].flatten().double().cpu().numpy()
    before = closure(inner)[0]
    for _ in range(ROUNDS):
        # torch's own L-BFGS imports a compiler first, which takes longer than the whole search
        found = minimize(closure, inner, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS, "maxcor": 20})
        if not found.fun < before:
            break
        inner, gain, before = found.x, before - found.fun, found.fun
        yield float(before)
        if gain < GAIN * before or time.perf_counter() - begun > patience:
            break
    return whole(inner)
