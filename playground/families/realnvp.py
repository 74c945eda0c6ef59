"""A flow of affine couplings, RealNVP (Dinh, Sohl-Dickstein and Bengio 2017, arXiv:1605.08803), for points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, NamedTuple, final

import torch
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Carries, Density, LogProb, Reconstructs, Refines, Sprints, State
from playground.families.layers import Mlp, Tape
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 51  # among the families on a page

REACH = 4.5  # how far from zero data lie


@final
class RealNVP(Sprints, Refines, Reconstructs, Density, Carries):
    """A chain of couplings: each keeps one half of the numbers, and scales and shifts the other half by it.

    In the plane a coupling moves points along one axis, by an amount that depends on the other coordinate alone, so it
    is undone by reading the same amount and moving back. The log-scale is a hyperbolic tangent, as in section 4.1 of
    the paper: a coupling stretches at most e times, so nothing overflows however it is trained.

    Args:
        shape: one datum, (D,), D at least 2.
        couplings: how many; odd ones move the first half, even ones the second.
        width: hidden units of each coupling's network.
        depth: hidden layers of it.

    Reference:
        Dinh, Sohl-Dickstein and Bengio 2017, Density estimation using Real NVP, arXiv:1605.08803.

    Example:
        >>> RealNVP().encode(torch.zeros(1, 2)).shape
        torch.Size([1, 2])
    """

    rate: ClassVar[float] = 5e-3
    cannot = {
        "Denoises": "a flow never sees noisy data: it maps between data and noise in exact steps",
        "Fields": "its steps are jumps along one axis at a time, not a field that moves points a little",
    }
    about = About(
        title="RealNVP",
        line="Moves points along one axis at a time, by as much as the other coordinate says, until they are normal.",
        intuition="Imagine the plane cut into thin vertical strips. One step stretches and slides every strip up or"
        " down, each by its own amount; the next does the same with horizontal strips. After a few turns a bell-shaped"
        " cloud can have become almost anything, and since no strip is ever torn, every step can be undone.",
        pros="Exact density, exact inverse, and both cost one pass through the network.",
        cons="Nothing is ever torn: clouds that are apart in the data stay joined by thin filaments. It needs many"
        " steps where a spline needs one or two.",
        training="Maximise the exact log-likelihood: the probability of the noise a point maps to, plus the logarithm"
        " of how much the map stretches space there (the change-of-variables formula).",
        latent="Yes: normal noise of the same size as the datum, one for each datum.",
        sampling="Draw normal noise and undo the steps, the last one first.",
        density="Exact: the noise's probability plus the log-scales of all steps.",
        paper="Dinh, Sohl-Dickstein and Bengio 2017, Density estimation using Real NVP",
        arxiv="1605.08803",
    )

    def __init__(self, shape: tuple[int, ...] = (2,), couplings: int = 10, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        if len(shape) != 1 or shape[0] < 2:
            raise ValueError(f"shape must be (D,) with D at least 2; it was {tuple(shape)}.")
        self.shape = self.latent = tuple(shape)
        half = shape[0] // 2
        self.sizes = (half, shape[0] - half)
        self._nets = tuple(
            Mlp(self.sizes[i % 2], width, 2 * self.sizes[1 - i % 2], depth, activation="tanh", zero=True)
            for i in range(couplings)
        )
        self.nets = nn.ModuleList(self._nets)
        for net in self._nets:
            spread_bends(net)

    @classmethod
    def tiny(cls) -> Self:
        return cls(couplings=3, width=8)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The exact negative log-likelihood in nats."""
        return {"nats": -self._nats(x).mean()}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        n, parts = len(x), list(x.split(self.sizes, 1))
        steps: list[Step] = []
        for i, net in enumerate(self._nets):
            raw, tape = net.ahead(parts[i % 2])
            bend, shift = raw.chunk(2, 1)
            log_scale = bend.tanh()
            scale = log_scale.exp()
            scaled = parts[1 - i % 2] * scale
            parts[1 - i % 2] = scaled + shift
            steps.append(Step(tape, log_scale, scale, scaled))
        z = torch.cat(parts, 1)
        g, each = list((z / n).split(self.sizes, 1)), x.new_tensor(-1 / n)  # of the loss by z; by every log-scale
        for i in reversed(range(len(steps))):
            (tape, log_scale, scale, scaled), g_moved = steps[i], g[1 - i % 2]
            g_bend = torch.ops.aten.tanh_backward(torch.addcmul(each, g_moved, scaled), log_scale)
            g_raw = torch.cat([g_bend, g_moved], 1)
            g_known = self._nets[i].back(tape, g_raw, inputs=i > 0)
            if g_known is not None:
                g[i % 2] = g[i % 2] + g_known
            g[1 - i % 2] = g_moved * scale
        log_det = torch.cat([step.log_scale for step in steps], 1).sum()
        return (z.square().sum() / 2 - log_det) / n + x.shape[1] / 2 * math.log(2 * math.pi)

    def forward_map(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Noise (n, D) of data (n, D), and the log-determinant of the map, (n,), in nats; equations 7 and 8."""
        parts, log_det = list(x.split(self.sizes, 1)), x.new_zeros(len(x))
        for i in range(len(self._nets)):
            log_scale, shift = self._affine(i, parts[i % 2])
            parts[1 - i % 2] = parts[1 - i % 2] * log_scale.exp() + shift
            log_det = log_det + log_scale.sum(1)
        return torch.cat(parts, 1), log_det

    def _affine(self, coupling: int, known: Tensor) -> tuple[Tensor, Tensor]:
        """How one coupling moves the other half: log-scale and shift."""
        bend, shift = self._nets[coupling](known).chunk(2, 1)
        return bend.tanh(), shift

    def _nats(self, x: Tensor) -> Tensor:
        z, log_det = self.forward_map(x)
        return log_det - z.square().sum(1) / 2 - x.shape[1] / 2 * math.log(2 * math.pi)

    @torch.no_grad()
    def invert(self, z: Tensor) -> Iterator[tuple[Tensor, str]]:
        """Every state on the way from noise (n, D) to data (n, D), with its name."""
        parts, last = list(z.split(self.sizes, 1)), len(self._nets)
        yield z, "noise"
        for i in reversed(range(last)):
            log_scale, shift = self._affine(i, parts[i % 2])
            parts[1 - i % 2] = (parts[1 - i % 2] - shift) * (-log_scale).exp()
            yield torch.cat(parts, 1), f"coupling {last - i} of {last}"

    def refine(
        self, rng: Rng, *, temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="less noise, safer data")] = 1.0
    ) -> Iterator[State]:
        """The couplings undone, the last one first."""
        for done, (x, name) in enumerate(self.invert(temperature * rng.normal(*self.latent))):
            yield State(x, done, len(self._nets), name)

    @torch.no_grad()
    def encode(self, x: Tensor, **knobs: Any) -> Tensor:
        return self.forward_map(x)[0]

    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        *_, (x, _name) = self.invert(z)
        return x

    def carry(self, z: Tensor) -> Tensor:
        """The states after each coupling, (couplings + 1, n, D)."""
        return torch.stack([x for x, _ in self.invert(z)])

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        """Exact, by the change of variables, equation 2."""
        return LogProb(self._nats(x), "exact", "continuous")


class Step(NamedTuple):
    """What the backward pass needs of one coupling."""

    tape: Tape
    log_scale: Tensor
    scale: Tensor
    scaled: Tensor


@torch.no_grad()
def spread_bends(net: Mlp) -> None:
    """Let the first layer's units bend in places all over the data, and eight times as sharply as nn.Linear's.

    A network of one input whose biases are zero bends at zero only, and spends its first hundreds of steps on moving
    its units apart.
    """
    weight, bias = net.weights[0], net.biases[0]
    weight.mul_(8)
    bias.copy_(-(weight * torch.empty_like(weight).uniform_(-REACH, REACH)).sum(0))
