"""Densities by an ordinary differential equation (Chen et al. 2018, arXiv:1806.07366).

A flow dx/dt = v(x, t) changes a density by d log p / dt = -div v along its path (theorem 1). In the plane the
divergence is two directional derivatives, so it is computed, not estimated. A family gives its field, v and div v at
points (n, D) and a time; the rest is the same for all of them. Of pictures the divergence is estimated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from playground.families.layers import Mlp
from playground.samplers import rk4

Velocity = Callable[[Tensor, float], Tensor]
Field = Callable[[Tensor, float], tuple[Tensor, Tensor]]  # the velocity and its divergence

TOGETHER = 2048  # points: with more, what goes from layer to layer leaves the processor's cache
SHARPNESS = 3.0


def plane_mlp(dims: int, times: int, width: int, depth: int, unit: float = 1.0) -> Mlp:
    """A network of points (n, dims), divided by ``unit``, and ``times`` features of the time, to (n, dims).

    Its first layer starts ``SHARPNESS`` times steeper in the points than usual: what is to be told apart in the plane
    is much smaller than the plane. That halves the KL a score model reaches in three seconds on eight Gaussians.
    """
    net = Mlp(dims + times, width, dims, depth)
    net.weights[0].data[:dims] *= SHARPNESS * unit
    return net


def match(net: Mlp, inputs: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of the answers, 0-d, with its gradient written into the parameters' ``.grad`` by hand."""
    answer, tape = net.ahead(inputs)
    error = answer.sub_(target)
    net.back(tape, error * (2 / error.numel()))
    return error.square_().mean()


def at_time(x: Tensor, *features: float) -> Tensor:
    """The network's inputs, (n, D + features), for points (n, D) at one time."""
    return torch.cat([x, x.new_tensor(features).expand(len(x), -1)], 1)


@torch.no_grad()
def with_trace(net: Mlp, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The answers (n, D), and the trace of their derivative by the first D inputs, (n,).

    What ``net.tangent`` gives along D unit directions, in place of whose two further passes over the activations there
    is one: a map of the density is nothing but this, some fifty thousand times.
    """
    *weights, last = net.weights
    h, slope = _silu(torch.addmm(net.biases[0], inputs, weights[0]))  # (n, width)
    along = weights[0][: last.shape[1], None] * slope  # (D, n, width)
    for weight, bias in zip(weights[1:], list(net.biases)[1:-1], strict=True):
        h, slope = _silu(torch.addmm(bias, h, weight))
        along = (along @ weight).mul_(slope)
    trace = torch.stack([part @ column for part, column in zip(along, last.T, strict=True)]).sum(0)
    return torch.addmm(net.biases[-1], h, last), trace


def follow(velocity: Velocity, x: Tensor, times: list[float], solver: str = "RK4") -> Iterator[Tensor]:
    """The states after each step of dx/dt = velocity(x, t), from x (n, D).

    ``Euler`` evaluates the velocity once a step and has order one, ``Heun`` and ``midpoint`` twice and two, ``RK4``
    four times and four.
    """
    if solver == "RK4":
        yield from rk4(velocity, x, times)
        return
    for now, then in pairwise(times):
        v = velocity(x, now)
        if solver == "Heun":
            v = (v + velocity(x + (then - now) * v, then)) / 2
        elif solver == "midpoint":
            v = velocity(x + (then - now) / 2 * v, (now + then) / 2)
        x = x + (then - now) * v
        yield x


def runge_kutta(field: Field, x: Tensor, times: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Where the flow takes x (n, D), and the divergence summed up on the way (n,): the classical fourth-order steps.

    Four evaluations of the field per step.
    """
    total = x.new_zeros(len(x))
    for now, then in pairwise(times):
        h = then - now
        v1, d1 = field(x, now)
        v2, d2 = field(x + h / 2 * v1, now + h / 2)
        v3, d3 = field(x + h / 2 * v2, now + h / 2)
        v4, d4 = field(x + h * v3, then)
        x = x + h / 6 * (v1 + 2 * (v2 + v3) + v4)
        total = total + h / 6 * (d1 + 2 * (d2 + d3) + d4)
    return x, total


def adams_bashforth(field: Field, x: Tensor, times: Sequence[float]) -> tuple[Tensor, Tensor]:
    """The same from one evaluation per step: the parabola through the last three is carried on to the next time.

    Hairer, Norsett and Wanner 1993, Solving Ordinary Differential Equations I, section III.5, for unequal steps. Of all
    methods tried it is the most accurate that a dozen evaluations can buy.
    """
    total = x.new_zeros(len(x))
    known: list[tuple[float, Tensor, Tensor]] = []
    for now, then in pairwise(times):
        known = [(now, *field(x, now)), *known[:2]]
        for share, (_, v, d) in zip(_shares(tuple(t for t, _, _ in known), now, then), known, strict=True):
            x = torch.add(x, v, alpha=share)
            total = torch.add(total, d, alpha=share)
    return x, total


SOLVERS = {"Runge-Kutta": runge_kutta, "Adams-Bashforth": adams_bashforth}


def log_density(field: Field, x: Tensor, times: Sequence[float], solver: str) -> Tensor:
    """Log-density in nats, (n,), of points (n, D) that the flow takes, over ``times``, to a standard normal."""
    nats = []
    for part in x.split(TOGETHER):
        end, total = SOLVERS[solver](field, part, times)
        nats.append(total - 0.5 * end.square().sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi))
    return torch.cat(nats)


def probed(velocity: Velocity, x: Tensor, times: Sequence[float], probes: Tensor) -> tuple[Tensor, Tensor]:
    """Where the flow takes x (n, ...), and the divergence summed up on the way as each probe sees it, (probes, n).

    Hutchinson's estimate (Grathwohl et al. 2019, arXiv:1810.01367, section 3.1), by Runge-Kutta steps.

    Args:
        velocity: of points (n, ...) and a time.
        x: where to start.
        times: from step to step.
        probes: (probes, n, ...) directions e with E[e e'] = 1, for which e' J e has the trace of J as its mean.
    """

    def field(x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            v = velocity(x, t)
            pulls = [torch.autograd.grad(v, x, e, retain_graph=True)[0] for e in probes]
        return v.detach(), torch.stack([(g * e).flatten(1).sum(1) for g, e in zip(pulls, probes, strict=True)])

    return runge_kutta(field, x, times)


@lru_cache(maxsize=1024)  # the same few steps again and again, and a small system takes as long as the network
def _shares(nodes: tuple[float, ...], start: float, end: float) -> list[float]:
    """What each value at ``nodes`` counts in the integral, from start to end, of the polynomial through them."""
    powers = torch.tensor(nodes, dtype=torch.float64) - start
    order = torch.arange(len(nodes), dtype=torch.float64)
    moments = (end - start) ** (order + 1) / (order + 1)
    shares: list[float] = torch.linalg.solve(powers[None] ** order[:, None], moments).tolist()
    return shares


def _silu(pre: Tensor) -> tuple[Tensor, Tensor]:
    """The activation, in place of its input, and its slope; both from one exponential, which is what they cost."""
    s = torch.sigmoid(pre)
    h = pre.mul_(s)
    return h, torch.addcmul(s, h, 1 - s)
