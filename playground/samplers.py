"""Samplers: plain generators over ``denoise``, readable side by side.

Each takes a function ``denoise(x, sigma)`` (the expected clean datum given x = datum + sigma * noise), a start ``x``,
(n, *shape), of noise of standard deviation ``sigmas[0]``, and falling noise levels ``sigmas`` that end in 0. Each
yields ``(x, clean)`` after every step: the state and the clean datum that was guessed on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from playground.rng import Rng

Denoise = Callable[[Tensor, float], Tensor]
Steps = Iterator[tuple[Tensor, Tensor]]


def karras_sigmas(steps: int, low: float, high: float, rho: float = 7.0) -> list[float]:
    """``steps`` noise levels from ``high`` to ``low``, then 0 (Karras et al. 2022, arXiv:2206.00364, equation 5)."""
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    sigmas = (high ** (1 / rho) + ramp * (low ** (1 / rho) - high ** (1 / rho))) ** rho
    return [*sigmas.tolist(), 0.0]


def euler(denoise: Denoise, x: Tensor, sigmas: list[float]) -> Steps:
    """Euler steps on the probability-flow equation; DDIM in other coordinates (Song et al. 2021, arXiv:2010.02502)."""
    for now, then in pairwise(sigmas):
        clean = denoise(x, now)
        x = clean + (x - clean) * (then / now)
        yield x, clean


def heun(denoise: Denoise, x: Tensor, sigmas: list[float]) -> Steps:
    """Heun's second-order steps, the last one Euler's (Karras et al. 2022, arXiv:2206.00364, algorithm 1)."""
    for now, then in pairwise(sigmas):
        clean = denoise(x, now)
        slope = (x - clean) / now
        ahead = x + (then - now) * slope
        if then > 0:
            slope = (slope + (ahead - denoise(ahead, then)) / then) / 2
            ahead = x + (then - now) * slope
        x = ahead
        yield x, clean


def ancestral(denoise: Denoise, x: Tensor, sigmas: list[float], rng: Rng) -> Steps:
    """Steps of the reverse Markov chain with its exact posterior noise: DDPM (Ho et al. 2020, arXiv:2006.11239,
    equations 6 and 7) in variance-exploding coordinates.
    """
    for now, then in pairwise(sigmas):
        clean = denoise(x, now)
        share = (then / now) ** 2  # of the present noise that stays
        x = clean + share * (x - clean)
        if then > 0:
            x = x + then * (1 - share) ** 0.5 * rng.normal(*x.shape[1:])
        yield x, clean


def langevin(score: Callable[[Tensor], Tensor], x: Tensor, step: float, steps: int, rng: Rng) -> Iterator[Tensor]:
    """Langevin dynamics: x + step/2 score + sqrt(step) noise (Song and Ermon 2019, arXiv:1907.05600, equation 4)."""
    for _ in range(steps):
        x = x + step / 2 * score(x) + step**0.5 * rng.normal(*x.shape[1:])
        yield x


def rk4(velocity: Callable[[Tensor, float], Tensor], x: Tensor, times: list[float]) -> Iterator[Tensor]:
    """The classical fourth-order Runge-Kutta steps on dx/dt = velocity(x, t), for flows between noise and data."""
    for now, then in pairwise(times):
        h = then - now
        a = velocity(x, now)
        b = velocity(x + h / 2 * a, now + h / 2)
        c = velocity(x + h / 2 * b, now + h / 2)
        d = velocity(x + h * c, then)
        x = x + h / 6 * (a + 2 * b + 2 * c + d)
        yield x
