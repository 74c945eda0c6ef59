"""Blocks that families use identically."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def residual_mlp(inputs: int, width: int, outputs: int, depth: int) -> nn.Sequential:
    """A perceptron of ``depth`` pre-normalised residual blocks, (n, inputs) to (n, outputs)."""
    blocks = [
        Residual(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)) for _ in range(depth)
    ]
    return nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), *blocks, nn.LayerNorm(width), nn.Linear(width, outputs))


SLOPE = 0.2  # of the leaky rectifier below zero


class Tape(NamedTuple):
    """What a perceptron's backward pass needs of its forward pass: each layer's input, each activation's input."""

    given: list[Tensor]
    before: list[Tensor]


class Mlp(nn.Module):
    """A perceptron, (n, inputs) to (n, outputs), with its backward pass written out.

    Small networks spend their time between the operations, not in them: at width 64 and batch 256, ``ahead`` and
    ``back`` take half as long as the same numbers by autograd, which ``forward`` is for.

    Args:
        inputs: numbers per datum.
        width: units of each hidden layer.
        outputs: numbers per answer.
        depth: hidden layers.
        activation: after each hidden layer.
        zero: whether it begins by answering zero.

    Example:
        >>> net = Mlp(2, 16, 1)
        >>> y, tape = net.ahead(torch.zeros(5, 2))
        >>> net.back(tape, torch.ones(5, 1))  # each parameter's .grad is now that of y.sum()
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        outputs: int,
        depth: int = 3,
        activation: Literal["silu", "leaky_relu"] = "silu",
        zero: bool = False,
    ) -> None:
        super().__init__()
        self.smooth = activation == "silu"
        sizes = [inputs, *[width] * depth, outputs]
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList([nn.Parameter(torch.empty(a, b)) for a, b in pairs])  # (in, out) each
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(b)) for _, b in pairs])
        for weight in self.weights:
            nn.init.kaiming_uniform_(weight.T, a=math.sqrt(5))  # as nn.Linear begins
        if zero:
            nn.init.zeros_(self.weights[-1])
        self._layers = tuple(zip(self.weights, self.biases, strict=True))  # looking into a ParameterList is slow

    def forward(self, x: Tensor) -> Tensor:
        for weight, bias in self._layers[:-1]:
            pre = torch.addmm(bias, x, weight)
            x = F.silu(pre) if self.smooth else F.leaky_relu(pre, SLOPE)
        weight, bias = self._layers[-1]
        return torch.addmm(bias, x, weight)

    @torch.no_grad()
    def ahead(self, x: Tensor) -> tuple[Tensor, Tape]:
        """The outputs, and what ``back`` needs."""
        given, before = [x], []
        for weight, bias in self._layers[:-1]:
            pre = torch.addmm(bias, given[-1], weight)
            before.append(pre)
            given.append(F.silu(pre) if self.smooth else F.leaky_relu(pre, SLOPE))
        weight, bias = self._layers[-1]
        return torch.addmm(bias, given[-1], weight), Tape(given, before)

    @torch.no_grad()
    def back(self, tape: Tape, g: Tensor, inputs: bool = False) -> Tensor | None:
        """Write the gradient of sum(g * outputs) into each parameter's ``.grad``.

        Args:
            tape: of the forward pass.
            g: (n, outputs).
            inputs: whether the gradient at the inputs, (n, inputs), is wanted too.
        """
        for i in range(len(self._layers) - 1, -1, -1):
            weight, bias = self._layers[i]
            if weight.grad is None or bias.grad is None:
                weight.grad, bias.grad = torch.empty_like(weight), torch.empty_like(bias)
            torch.mm(tape.given[i].T, g, out=weight.grad)
            torch.sum(g, 0, out=bias.grad)
            if i:
                g = self._bend(g @ weight.T, tape.before[i - 1])
        return g @ self._layers[0][0].T if inputs else None

    @torch.no_grad()
    def slope(self, tape: Tape, g: Tensor) -> Tensor:
        """The gradient of sum(g * outputs) at the inputs alone, (n, inputs)."""
        for (weight, _), pre in zip(reversed(self._layers[1:]), reversed(tape.before), strict=True):
            g = self._bend(g @ weight.T, pre)
        return g @ self._layers[0][0].T

    @torch.no_grad()
    def tangent(self, tape: Tape, along: Tensor) -> Tensor:
        """The outputs' derivative along directions, (..., n, inputs) to (..., n, outputs); forward mode, exact."""
        for (weight, _), pre in zip(self._layers[:-1], tape.before, strict=True):
            along = (along @ weight) * self._bend(torch.ones_like(pre), pre)
        return along @ self._layers[-1][0]

    def _bend(self, g: Tensor, pre: Tensor) -> Tensor:
        """``g`` times the activation's derivative at ``pre``."""
        if self.smooth:
            return torch.ops.aten.silu_backward(g, pre)
        return torch.ops.aten.leaky_relu_backward(g, pre, SLOPE, False)
