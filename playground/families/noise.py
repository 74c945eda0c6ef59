"""Noise levels as angles: what score-based models and diffusion share.

A datum plus noise of deviation sigma, x, is seen as y = x cos(a) / SPREAD with a = atan(sigma / SPREAD): of about unit
variance at every level, data at angle 0, the standard normal towards a right angle. It is the variance-preserving
process of diffusion and, without the cosine, the variance-exploding one of Song et al. 2021 (arXiv:2011.13456); in
these coordinates the probability flow is smooth at both ends (Lu and Song 2025, arXiv:2410.11081, equation 4).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from playground.families.ode import Field, Velocity, follow, log_density

SPREAD = 2.0  # about the standard deviation of data that fill [-4, 4]
LOW, HIGH = 0.02, 20.0  # noise levels, in data units, between which everything works
CALM, WILD = math.atan(LOW / SPREAD), math.atan(HIGH / SPREAD)
UNIT = SPREAD / math.cos(CALM)  # from y to x where the flow ends, at the least noise
PATH = 32  # Runge-Kutta steps of a path, and of coding and decoding
GRADE = 1.5  # the power of equal steps that steps follow: closer together where data part


def angles(steps: int) -> list[float]:
    """``steps`` + 1 angles from the least noise to the greatest."""
    return [CALM + (WILD - CALM) * (k / steps) ** GRADE for k in range(steps + 1)]


def clock(angle: Tensor) -> Tensor:
    """What a network is told of angles (n, 1): (n, 2), the angle and the logarithm of the noise, each about -1 to 1."""
    return torch.cat([4 / math.pi * angle - 1, angle.tan().log() / 4], 1)


def inputs(y: Tensor, angle: float) -> Tensor:
    """A network's inputs, (n, D + 2), for points (n, D) at one angle."""
    return torch.cat([y, clock(y.new_tensor([[angle]])).expand(len(y), -1)], 1)


def sigma_at(t: float) -> float:
    """The noise level on the way from noise, t = 0, to data, t = 1: it falls geometrically, and not quite to zero."""
    return HIGH ** (1 - t) * LOW**t


def start(z: Tensor) -> Tensor:
    """Where noisy samplers begin: data plus the greatest noise, to which the standard normal z (n, D) is scaled."""
    return z * (SPREAD / math.cos(WILD))


def shrunk(x: Tensor, sigma: float) -> Tensor:
    """A noisy state at the data's size, to look at; without noise it is as it is."""
    return x * math.cos(math.atan(sigma / SPREAD))


def path(velocity: Velocity, z: Tensor) -> Tensor:
    """The states, (states, n, D), of the flow dy/da = velocity(y, a) from the standard normal z (n, D) to the datum.

    The unit of length goes in equal steps from the latent's to the data's.
    """
    states = torch.stack([z, *follow(velocity, z, angles(PATH)[::-1])])
    return states * torch.linspace(1, UNIT, len(states), device=z.device)[:, None, None]


def back(velocity: Velocity, x: Tensor) -> Tensor:
    """The start (n, D) whose path ends at the datum x."""
    *_, z = follow(velocity, x / UNIT, angles(PATH))
    return z


def flow_density(field: Field, x: Tensor, steps: int, solver: str) -> Tensor:
    """Log-density in nats, (n,), of data (n, D) by the flow dy/da and its divergence, both given by ``field``."""
    return log_density(field, x / UNIT, angles(steps), solver) - x.shape[1] * math.log(UNIT)
