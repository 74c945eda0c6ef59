"""Blocks that families use identically."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground.knobs import ANY
from playground.rng import Rng


def classes_of(rng: Rng, labels: tuple[str, ...], label: str) -> Tensor:
    """A class index per sample, (len(rng),): that of ``label``, or a random one each where it may be any."""
    if label == ANY:
        return rng.integers(len(labels))
    return torch.full((len(rng),), labels.index(label), device=rng.device)


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
FEW = 8  # outputs, for which products are quicker the other way round: three times at two outputs


def picture_generator(inputs: int, shape: tuple[int, int, int], width: int, hidden: int = 0) -> nn.Sequential:
    """Numbers (n, inputs) to log-odds of pixels (n, *shape): DCGAN's (Radford et al. 2016, arXiv:1511.06434), small.

    Args:
        inputs: numbers per picture.
        shape: one picture, (channels, height, width), sides divisible by four.
        width: channels at half size; twice as many at quarter size.
        hidden: units of a dense layer before the convolutions, which see only a part of the picture each; 0 for none.
    """
    channels, height, side = shape[0], shape[1] // 4, shape[2] // 4
    dense = [nn.Linear(inputs, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()] if hidden else []
    net = nn.Sequential(
        *dense,
        nn.Linear(hidden or inputs, 2 * width * height * side, bias=False),
        nn.Unflatten(1, (2 * width, height, side)), nn.BatchNorm2d(2 * width), nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
        nn.ConvTranspose2d(width, channels, 4, 2, 1),
    )  # fmt: skip
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a sixth faster


def picture_critic(shape: tuple[int, int, int], width: int) -> nn.Sequential:
    """Pictures (n, *shape) to features (n, 2 width, height / 4, side / 4)."""
    net = nn.Sequential(
        nn.Conv2d(shape[0], width, 4, 2, 1), nn.LeakyReLU(SLOPE),
        nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(SLOPE),
    )  # fmt: skip
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def guided(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor],
    x: Tensor,
    t: Tensor,
    label: Tensor,
    any_class: int,
    scale: float,
) -> Tensor:
    """``predict`` at (x, t), extrapolated from any class through the wanted one (Ho and Salimans 2022, equation 6).

    Args:
        predict: of states (n, *shape), times and class indices, (n,) each.
        x: states.
        t: times.
        label: the classes wanted.
        any_class: the index that stands for any.
        scale: 1 is the prediction itself; more is more typical of the class.
    """
    if scale == 1:
        return predict(x, t, label)
    both = torch.cat([torch.full_like(label, any_class), label])
    free, wanted = predict(x.repeat(2, 1, 1, 1), t.repeat(2), both).chunk(2)
    return free + scale * (wanted - free)


class Tape(NamedTuple):
    """What a perceptron's backward pass needs of its forward pass: each layer's input, each activation's input (tanh's
    output, which gives its slope).
    """

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
        offset: whether the last layer has a bias; where only differences of answers count, it would never learn.

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
        activation: Literal["silu", "leaky_relu", "tanh"] = "silu",
        zero: bool = False,
        offset: bool = True,
    ) -> None:
        super().__init__()
        self.activation = activation
        sizes = [inputs, *[width] * depth, outputs]
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList([nn.Parameter(torch.empty(a, b)) for a, b in pairs])  # (in, out) each
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(b)) for _, b in pairs[: depth + offset]])
        for weight in self.weights:
            nn.init.kaiming_uniform_(weight.T, a=math.sqrt(5))  # as nn.Linear begins
        if zero:
            nn.init.zeros_(self.weights[-1])
        self._hidden = tuple(zip(self.weights[:-1], self.biases, strict=False))  # looking into a ParameterList is slow
        self._last = (self.weights[-1], self.biases[-1] if offset else None)

    def forward(self, x: Tensor) -> Tensor:
        for weight, bias in self._hidden:
            x = self._activated(torch.addmm(bias, x, weight))
        return self._answer(x)

    @torch.no_grad()
    def ahead(self, x: Tensor) -> tuple[Tensor, Tape]:
        """The outputs, and what ``back`` needs."""
        given, before = [x], []
        for weight, bias in self._hidden:
            pre = torch.addmm(bias, given[-1], weight)
            given.append(self._activated(pre))
            before.append(given[-1] if self.activation == "tanh" else pre)
        return self._answer(given[-1]), Tape(given, before)

    @torch.no_grad()
    def back(self, tape: Tape, g: Tensor, inputs: bool = False) -> Tensor | None:
        """Write the gradient of sum(g * outputs) into each parameter's ``.grad``.

        Args:
            tape: of the forward pass.
            g: (n, outputs).
            inputs: whether the gradient at the inputs, (n, inputs), is wanted too.
        """
        above, bias = self._last
        _write(above, bias, tape.given[-1], g)
        for i in range(len(self._hidden) - 1, -1, -1):
            g = self._bend(g @ above.T, tape.before[i])
            above, bias = self._hidden[i]
            _write(above, bias, tape.given[i], g)
        return g @ above.T if inputs else None

    @torch.no_grad()
    def slope(self, tape: Tape, g: Tensor) -> Tensor:
        """The gradient of sum(g * outputs) at the inputs alone, (n, inputs)."""
        above = self._last[0]
        for (weight, _), pre in zip(reversed(self._hidden), reversed(tape.before), strict=True):
            g = self._bend(g @ above.T, pre)
            above = weight
        return g @ above.T

    @torch.no_grad()
    def tangent(self, tape: Tape, along: Tensor) -> Tensor:
        """The outputs' derivative along directions, (..., n, inputs) to (..., n, outputs); forward mode, exact."""
        for (weight, _), pre in zip(self._hidden, tape.before, strict=True):
            along = (along @ weight) * self._bend(torch.ones_like(pre), pre)
        return along @ self._last[0]

    @torch.no_grad()
    def back_penalised(self, tape: Tape, g: Tensor, pull: Callable[[Tensor], Tensor]) -> None:
        """As ``back``, with a penalty on the slope of the outputs' sum at the tape's further rows.

        Where the activation is piecewise linear, a penalty's gradient is that of sum(along * slope) with ``along`` held
        fixed, which is the tangent's: what each layer is given is replaced by its tangent, and the backward pass that
        gave the slope serves again. The tape is used up.

        Args:
            tape: of n + m rows, the last m of which are where the slope is penalised.
            g: (n, outputs), for the first n rows.
            pull: the penalty's gradient, (m, inputs), at the slopes (m, inputs).

        Raises:
            ValueError: the activation is smooth.
        """
        if self.activation != "leaky_relu":
            raise ValueError('a penalty on the slope is written out for activation="leaky_relu" only.')
        n = len(g)
        g = torch.cat([g, g.new_ones(len(tape.given[0]) - n, g.shape[1])])
        layers = (*self._hidden, self._last)
        back = [g]  # the gradient before each activation, the last layer's first
        for (weight, _), pre in zip(reversed(layers[1:]), reversed(tape.before), strict=True):
            back.append(self._bend(back[-1] @ weight.T, pre))
        along = pull(back[-1][n:] @ layers[0][0].T)
        for i, (weight, bias) in enumerate(layers):
            tape.given[i][n:] = along
            _write(weight, bias, tape.given[i], back[-1 - i], n)
            if i < len(tape.before):
                along = self._bend(along @ weight, tape.before[i][n:])

    def _answer(self, x: Tensor) -> Tensor:
        weight, bias = self._last
        if bias is None:
            return x @ weight
        # few outputs: a copy of the weight the other way round costs less than the matrix product gains
        return F.linear(x, weight.T.contiguous(), bias) if weight.shape[1] <= FEW else torch.addmm(bias, x, weight)

    def _activated(self, pre: Tensor) -> Tensor:
        if self.activation == "silu":
            return F.silu(pre)
        return pre.tanh() if self.activation == "tanh" else F.leaky_relu(pre, SLOPE)

    def _bend(self, g: Tensor, before: Tensor) -> Tensor:
        """``g`` times the activation's derivative, of which the tape says ``before``."""
        if self.activation == "silu":
            return torch.ops.aten.silu_backward(g, before)
        if self.activation == "tanh":
            return torch.ops.aten.tanh_backward(g, before)
        return torch.ops.aten.leaky_relu_backward(g, before, SLOPE, False)


def _write(weight: Tensor, bias: Tensor | None, given: Tensor, g: Tensor, rows: int | None = None) -> None:
    """One layer's gradients, (in, out) and (out,), of its inputs (n, in) and the gradients at its outputs (n, out).

    Args:
        weight: of the layer.
        bias: of the layer, or None.
        given: its inputs.
        g: the gradient at its outputs.
        rows: how many rows the bias has a part in; None for all.
    """
    if weight.grad is None:
        weight.grad = torch.empty_like(weight)
    if g.shape[1] <= FEW < given.shape[1]:
        weight.grad.copy_((g.T @ given).T)
    else:
        torch.mm(given.T, g, out=weight.grad)
    if bias is not None:
        if bias.grad is None:
            bias.grad = torch.empty_like(bias)
        torch.sum(g[:rows], 0, out=bias.grad)
