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
HALF = 8.0  # the partition function is summed over [-HALF, HALF]^2


@final
class EnergyBased(Sprints, Refines, Density, Fields, Carries):
    """A density p(x) = exp(-E(x)) / Z in the plane, with E(x) = network(x) + |x|^2 / 2 WIDE^2.

    The normal distribution that the network tilts keeps Z finite (Xie et al. 2016, arXiv:1602.03264, equation 4).
    Trained by maximum likelihood: the energy goes down at data and up at points of the model's own, which come from
    chains that are kept from step to step (Tieleman 2008). Langevin steps alone never leave a mode, so before them each
    chain may restart from noise, by Metropolis' rule: chains jump between modes and still follow exp(-E). So the energy
    is calibrated, and in two dimensions a sum over a grid gives log Z.

    Args:
        shape: one datum: a point of the plane, whose grid is small enough to sum over.
        width: units of each hidden layer.
        depth: hidden layers.
        chains: how many are kept.
        moves: Langevin steps of every chain at each training step.
        stride: standard deviation of a Langevin step's noise; below the width of the narrowest mode.

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
        " step and moved by noisy steps downhill.",
        latent="None: the path from noise to datum is random all the way.",
        sampling="Start from wide noise and take many small steps downhill, with noise in each (Langevin dynamics); now"
        " and then jump elsewhere.",
        density="exp(-energy) divided by its sum over the whole space, which in the plane a fine grid gives.",
        paper="Du and Mordatch 2019, Implicit Generation and Modeling with Energy-Based Models",
        arxiv="1903.08689",
    )
    field_name = "downhill"
    timed = False
    rate: ClassVar[float] = 1e-2
    betas: ClassVar[tuple[float, float]] = (0.5, 0.99)
    preview: ClassVar[dict[str, Any]] = {"cells": 64}

    chains: Tensor

    def __init__(
        self,
        shape: tuple[int, ...] = (2,),
        width: int = 64,
        depth: int = 2,
        chains: int = 256,
        moves: int = 1,
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
        own = self._moved(generator)
        contrast = self.energy(x).mean() - self.energy(own).mean()
        return {"contrast": contrast}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        own = self._moved(generator)
        both = torch.cat([x, own])
        height, tape = self.net.ahead(both)
        g = torch.full_like(height, 1 / len(x))
        g[len(x) :] = -1 / len(own)
        self.net.back(tape, g)
        return (g * (height + both.square().sum(1, keepdim=True) / (2 * WIDE**2))).sum()

    def _moved(self, generator: torch.Generator) -> Tensor:
        """The chains, one jump and ``moves`` Langevin steps on, (chains, 2)."""
        x, shape = self.chains, self.chains.shape
        x = self._jumped(x, torch.randn(shape, generator=generator), torch.rand(shape[0], generator=generator))
        noise = torch.randn(self.moves, *shape, generator=generator)
        for one in noise:
            x = self._stepped(x, self.stride, one)
        if self.training:
            self.chains.copy_(x)
        return x

    @torch.no_grad()
    def _jumped(self, x: Tensor, noise: Tensor, chance: Tensor) -> Tensor:
        """Each of ``x`` (n, 2), or wide noise where Metropolis' rule accepts that.

        The chance to accept is that of p(new) / p(old) times wide(old) / wide(new): the wide normal cancels, and the
        network's difference is left. (Tierney 1994, section 2.3.2: an independence chain.)
        """
        new = WIDE * noise
        height = self.net.ahead(torch.cat([x, new]))[0].squeeze(1)  # (2n,)
        taken = chance.log() < height[: len(x)] - height[len(x) :]
        return torch.where(taken[:, None], new, x)

    def _stepped(self, x: Tensor, stride: float, noise: Tensor) -> Tensor:
        """One Langevin step at temperature one: x - stride^2/2 grad E + stride noise.

        The drift is at most one stride long: where the energy is steeper than 2 / stride, a full one would overshoot.
        """
        drift = stride**2 / 2 * self.field(x, 1.0)
        drift *= (stride / torch.linalg.vector_norm(drift, dim=1, keepdim=True)).clamp(max=1)
        return x + drift + stride * noise

    @torch.no_grad()
    def field(self, x: Tensor, t: float) -> Tensor:
        """Minus the energy's slope, (n, 2), which is the score of the model."""
        height, tape = self.net.ahead(x)
        return self.net.slope(tape, torch.full_like(height, -1.0)) - x / WIDE**2

    def refine(
        self,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(1, 500, help="Langevin steps")] = 100,
        stride: Annotated[float, Slider(0.02, 0.5, 0.01, help="the noise in each step")] = 0.15,
        jumps: Annotated[bool, Toggle(help="restart from noise now and then, by Metropolis' rule")] = True,
    ) -> Iterator[State]:
        """Wide noise, then every Langevin step; a jump may come before each of the first half of them."""
        x = WIDE * rng.normal(2)
        yield State(x, 0, steps, "wide noise")
        for done in range(1, steps + 1):
            if jumps and done <= steps / 2:
                x = self._jumped(x, rng.normal(2), rng.uniform(1).squeeze(1))
            x = self._stepped(x, stride, rng.normal(2))
            yield State(x, done, steps, f"step {done}")

    def carry(self, z: Tensor) -> Tensor:
        """The Langevin path, (101, n, 2), of a start that is itself a point of the plane.

        Without jumps, and with the same noise for every start at every call: a start that is dragged bends its path.
        """
        noise = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
        path = [z]
        for one in noise:
            path.append(self._stepped(path[-1], 0.15, one))
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
