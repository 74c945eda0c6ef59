"""The energy-based model, trained by Langevin chains that are kept (Du and Mordatch 2019, arXiv:1903.08689)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, final

import torch
from torch import Tensor
from typing_extensions import Self

from playground.capabilities import About, Carries, Density, Fields, LogProb, Refines, Sprints, State
from playground.families.layers import Mlp
from playground.knobs import Slider, Toggle
from playground.rng import Rng

ORDER = 65  # among the families on a page

WIDE = 3.0  # standard deviation of the normal distribution that the network tilts
LEAPS = 0.5  # share of the moves that leap
HALF = 8.0  # the partition function is summed over [-HALF, HALF]^2

View = tuple[Tensor, Tensor]  # what a chain sees where it stands: the energy (n, 1), a Langevin step's drift (n, 2)


@final
class EnergyBased(Sprints, Refines, Density, Fields, Carries):
    """A density p(x) = exp(-E(x)) / Z in the plane, with E(x) = network(x) + |x|^2 / 2 WIDE^2.

    The normal distribution that the network tilts keeps Z finite (Xie et al. 2016, arXiv:1602.03264, equation 4).
    Trained by maximum likelihood: the energy goes down at data and up at points of the model's own, which come from
    chains that are kept from step to step (Tieleman 2008). Each chain moves by a noisy step downhill (Langevin), which
    never leaves a mode, or by a leap to wide noise, which does. Metropolis' rule refuses moves in such a way that
    chains follow exp(-E) itself, at temperature one: so the energy is calibrated, and in two dimensions a sum over a
    grid gives log Z. (Du and Mordatch restart a share of their chains unasked, and add less noise than a step is long.)

    Args:
        shape: one datum: a point of the plane, whose grid is small enough to sum over.
        width: units of each hidden layer.
        depth: hidden layers.
        chains: how many are kept.
        moves: of every chain at each training step, half of them leaps.
        stride: standard deviation of a Langevin step's noise; about the width of the narrowest mode at most.

    References:
        Du and Mordatch 2019, Implicit Generation and Modeling with Energy-Based Models, arXiv:1903.08689.
        Nijkamp et al. 2020, On the Anatomy of MCMC-based Maximum Likelihood Learning of Energy-Based Models,
        arXiv:1903.12370.

    Example:
        >>> EnergyBased().log_prob(torch.zeros(4, 2), Rng(0, 4)).nats.shape
        torch.Size([4])
    """

    cannot = {
        "Encodes": "an energy-based model has no latent: it only says how good a datum is",
        "Decodes": "an energy-based model has no latent: data are found by walking downhill",
        "Reconstructs": "an energy-based model has no latent: it only says how good a datum is",
        "Denoises": "an energy-based model never sees noisy data",
    }
    about = About(
        title="Energy-based model",
        line="A landscape with valleys where data are; noise that rolls downhill, jostled, becomes data.",
        intuition="One network gives every point a height, its energy. Training digs where data are and heaps up where"
        " the model itself would go, until the two balance. A ball that rolls downhill while being shaken then visits"
        " each valley as often as data do.",
        pros="Any network that gives one number will do: nothing needs to be invertible or ordered. The energy says at"
        " once which of two points is the likelier.",
        cons="To train and to draw, chains must walk for many steps, and they find it hard to cross from one valley to"
        " another. The probability lacks its constant, which can be summed only where data have few dimensions.",
        training="Lower the energy at data, raise it where chains of the model's own are, which are kept from step to"
        " step and moved by noisy steps downhill and by leaps.",
        latent="None: the path from noise to datum is random all the way.",
        sampling="Start from wide noise and take many small steps downhill, with noise in each (Langevin dynamics), or"
        " leap elsewhere; moves to where the energy is too high are refused.",
        density="exp(-energy) divided by its sum over the whole space, which in the plane a fine grid gives.",
        paper="Du and Mordatch 2019, Implicit Generation and Modeling with Energy-Based Models",
        arxiv="1903.08689",
    )
    field_name = "downhill"
    timed = False
    rate: ClassVar[float] = 2e-2
    betas: ClassVar[tuple[float, float]] = (0.5, 0.99)
    preview: ClassVar[dict[str, Any]] = {"cells": 64}

    chains: Tensor

    def __init__(
        self,
        shape: tuple[int, ...] = (2,),
        width: int = 64,
        depth: int = 2,
        chains: int = 128,
        moves: int = 2,
        stride: float = 0.2,
    ) -> None:
        super().__init__()
        if tuple(shape) != (2,):
            raise ValueError(f"the partition function is summed over the plane: shape must be (2,), not {shape}.")
        self.shape = self.latent = tuple(shape)
        self.moves, self.stride = moves, stride
        self.net = Mlp(2, width, 1, depth, zero=True, offset=False)
        self.register_buffer("chains", WIDE * torch.randn(chains, 2))  # (chains, 2)

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=8, depth=2, chains=8)

    def energy(self, x: Tensor) -> Tensor:
        """E(x) in nats, (n,), of points (n, 2); what is lacking for -log p is log Z."""
        return self.net(x).squeeze(1) + x.square().sum(1) / (2 * WIDE**2)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Mean energy of the data less that of the chains, whose gradient is that of -log p(data).

        The chains move first, and, in training mode, stay where they went.
        """
        own = self._advanced(generator)
        contrast = self.energy(x).mean() - self.energy(own).mean()
        return {"contrast": contrast}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        own = self._advanced(generator)
        both = torch.cat([x, own])
        height, tape = self.net.ahead(both)
        g = torch.full_like(height, 1 / len(x))
        g[len(x) :] = -1 / len(own)
        self.net.back(tape, g)
        return (g * (height + both.square().sum(1, keepdim=True) / (2 * WIDE**2))).sum()

    @torch.no_grad()
    def _advanced(self, generator: torch.Generator) -> Tensor:
        """The chains, ``moves`` moves on, (chains, 2)."""
        x, n = self.chains, len(self.chains)
        view = self._look(x, self.stride)
        noise = torch.randn(self.moves, n, 2, generator=generator)
        chance = torch.rand(self.moves, n, 1, generator=generator)
        leap = torch.rand(self.moves, n, 1, generator=generator) < LEAPS
        for drawn in zip(noise, chance, leap, strict=True):
            x, view = self._moved(x, view, self.stride, *drawn)
        if self.training:
            self.chains.copy_(x)
        return x

    def _moved(
        self, x: Tensor, view: View, stride: float, noise: Tensor, chance: Tensor, leap: Tensor
    ) -> tuple[Tensor, View]:
        """Each of ``x`` (n, 2) a Langevin step on, or at wide noise if it leaps, or where it was; and the view there.

        Accepted with probability p(y) q(x|y) / p(x) q(y|x), at most one: for Langevin steps Roberts and Tweedie 1996,
        section 1.4.1; for leaps, whose q is the wide normal distribution, Tierney 1994, section 2.3.2.

        Args:
            x: the chains.
            view: from there.
            stride: of the Langevin steps.
            noise: (n, 2) standard normal.
            chance: (n, 1) uniform.
            leap: (n, 1), which of them leap.
        """
        here, down = view
        y = torch.where(leap, WIDE * noise, x + down + stride * noise)
        there, up = self._look(y, stride)
        back = torch.where(leap, x / WIDE, (x - y - up) / stride)  # the noise that would lead from y to x
        ratio = (here - there).add_((noise.square() - back.square()).sum(1, keepdim=True), alpha=0.5)
        taken = chance.log() < ratio
        return torch.where(taken, y, x), (torch.where(taken, there, here), torch.where(taken, up, down))

    def _look(self, x: Tensor, stride: float) -> View:
        """The energy, (n, 1), and a Langevin step's drift, -stride^2/2 grad E, (n, 2).

        The drift is at most one stride either way: where the energy is steeper than 2 / stride, more would overshoot.
        """
        height, tape = self.net.ahead(x)
        drift = self.net.slope(tape, torch.full_like(height, -1.0)).sub_(x, alpha=1 / WIDE**2).mul_(stride**2 / 2)
        return height.add_(x.square().sum(1, keepdim=True), alpha=0.5 / WIDE**2), drift.clamp_(-stride, stride)

    @torch.no_grad()
    def field(self, x: Tensor, t: float) -> Tensor:
        """Minus the energy's slope, (n, 2), which is the score of the model."""
        height, tape = self.net.ahead(x)
        return self.net.slope(tape, torch.full_like(height, -1.0)) - x / WIDE**2

    def refine(
        self,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(1, 500, help="moves of each chain")] = 60,
        stride: Annotated[float, Slider(0.02, 0.5, 0.01, help="the noise in a move")] = 0.2,
        leaps: Annotated[bool, Toggle(help="let half the moves be leaps to wide noise")] = True,
    ) -> Iterator[State]:
        """Wide noise, then every move, each of which Metropolis' rule may refuse."""
        x = WIDE * rng.normal(2)
        view = self._look(x, stride)
        yield State(x, 0, steps, "wide noise")
        for done in range(1, steps + 1):
            noise, (chance, leap) = rng.normal(2), rng.uniform(2, 1).unbind(1)
            x, view = self._moved(x, view, stride, noise, chance, leap < (LEAPS if leaps else 0))
            yield State(x, done, steps, f"move {done}")

    @torch.no_grad()
    def carry(self, z: Tensor) -> Tensor:
        """The Langevin path, (101, n, 2), of a start that is itself a point of the plane; nothing is refused.

        Without leaps, and with the same noise for every start at every call: a start that is dragged bends its path.
        """
        path, stride = [z], 0.15
        for noise in torch.randn(100, 2, generator=torch.Generator().manual_seed(0)):
            path.append(path[-1] + self._look(path[-1], stride)[1] + stride * noise)
        return torch.stack(path)

    @torch.no_grad()
    def log_partition(self, cells: int = 160) -> tuple[Tensor, Tensor]:
        """Log Z by the trapezoidal rule with ``cells`` a side, and how far twice the spacing is from it; each 0-d."""
        line = torch.linspace(-HALF, HALF, cells + 1)
        x = torch.cartesian_prod(line, line)
        energy = self.net.ahead(x)[0].squeeze(1) + x.square().sum(1) / (2 * WIDE**2)
        fine = -energy.view(cells + 1, cells + 1)
        coarse = fine[::2, ::2]
        area = math.log((2 * HALF / cells) ** 2)
        log_z = fine.logsumexp((0, 1)) + area
        return log_z, (coarse.logsumexp((0, 1)) + area + math.log(4) - log_z).abs()

    @torch.no_grad()
    def log_prob(
        self, x: Tensor, rng: Rng, *, cells: Annotated[int, Slider(32, 400, 2, help="a side of the grid for Z")] = 160
    ) -> LogProb:
        """-E(x) - log Z; the standard error is how much log Z moves when the grid's spacing doubles."""
        log_z, error = self.log_partition(2 * (cells // 2))
        energy = self.net.ahead(x)[0].squeeze(1) + x.square().sum(1) / (2 * WIDE**2)
        return LogProb(-energy - log_z, "estimate", "continuous", error.expand(len(x)))
