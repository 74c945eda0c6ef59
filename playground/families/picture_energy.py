"""The energy-based model of pictures, by short chains from noise (Nijkamp et al. 2019, arXiv:1904.09770)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, final

import torch
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import Completes, Density, Edits, Learns, LogProb, Refines, State
from playground.families.energy import EnergyBased
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 66  # among the families on a page

STRIDE = 0.02  # standard deviation of a move's noise, for pixels in [-1, 1]
BLUR = 0.06  # of the noise that data get: without it their density would be infinite along the margins
STEEPEST = 0.1  # the furthest that a move carries a pixel downhill


@final
class PictureEnergy(Learns, Refines, Density, Completes, Edits):
    """A density p(x) = exp(-E(x)) / Z of pictures, with an unknown Z, and E(x) = 2 network(x) / STRIDE^2 + |x|^2 / 2.

    The normal distribution that the network tilts keeps Z finite (Xie et al. 2016, arXiv:1602.03264, equation 4), and
    its scale makes a Langevin step a step down the network's own slope. Trained by maximum likelihood as far as short
    chains go: the energy goes down at data, and up where chains are that started from noise, made ``moves`` moves at
    each training step, and are now between half of ``steps`` and ``steps`` old, when they start anew. Such chains do
    not get as far as p(x) itself; they draw well because they are what training looks at (Nijkamp et al. 2019).

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        width: channels at half size; twice as many at quarter size.
        hidden: units of the dense layer behind them.
        chains: how many are kept; a multiple of ``steps / moves``.
        steps: how many moves a chain makes from noise on, in training and at the usual setting in drawing.
        moves: of every chain at each training step; ``steps`` is a multiple of twice as many.
        calm: of the square of the network's values, which only their differences hold down otherwise (Du and Mordatch
            2019, arXiv:1903.08689, section 3.2).

    References:
        Nijkamp et al. 2019, Learning Non-Convergent Non-Persistent Short-Run MCMC Toward Energy-Based Model,
        arXiv:1904.09770; Du and Mordatch 2019, Implicit Generation and Modeling with Energy-Based Models,
        arXiv:1903.08689, for the chains that are kept.

    Example:
        >>> PictureEnergy().sample(Rng(0, 2), steps=5).shape
        torch.Size([2, 1, 28, 28])
    """

    cannot = {
        "Encodes": "an energy-based model has no latent: it only says how good a picture is",
        "Decodes": "an energy-based model has no latent: pictures are found by walking downhill",
        "Reconstructs": "an energy-based model has no latent: it only says how good a picture is",
        "Denoises": "an energy-based model is not asked to remove noise, only to say how good a picture is",
    }
    about = replace(
        EnergyBased.about,
        line="A landscape with valleys where pictures are; noise that rolls downhill, jostled, becomes a picture.",
        intuition="One network gives every picture a height, its energy. Training digs where real pictures are and"
        " heaps up where the model itself would go, until the two balance. Noise that rolls downhill while being shaken"
        " then becomes a picture.",
        pros="Any network that gives one number will do: nothing needs to be invertible or ordered. The energy says at"
        " once which of two pictures is the likelier, and is good at telling strange pictures from familiar ones.",
        cons="To train and to draw, chains must walk for many steps. They are stopped long before they would have seen"
        " the whole landscape, so what they draw is not quite the density. Nobody can sum that density over all"
        " pictures, so it lacks its constant: differences mean something, values do not.",
        training="Lower the energy at real pictures, raise it where chains of the model's own are that started from"
        " noise a while ago.",
        latent="None: the path from noise to picture is random all the way.",
        sampling="Start from noise and take about a hundred small steps downhill, with a little noise in each (Langevin"
        " dynamics).",
        density="Minus the energy: the log-density up to a constant that nobody knows.",
        paper="Nijkamp et al. 2019, Learning Non-Convergent Non-Persistent Short-Run MCMC Toward Energy-Based Model",
        arxiv="1904.09770",
    )

    completing = (
        "Chains from noise that walk downhill where the picture is made up; what is known is put back after every move."
    )
    chains: Tensor
    age: Tensor

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        width: int = 16,
        hidden: int = 256,
        chains: int = 120,
        steps: int = 96,
        moves: int = 4,
        calm: float = 0.05,
    ) -> None:
        super().__init__()
        if steps % (2 * moves) or chains % (steps // moves):
            raise ValueError(f"{chains} chains of {steps} steps, {moves} at a time, cannot be of evenly spread ages.")
        self.shape, self.steps, self.moves, self.calm = tuple(shape), steps, moves, calm
        size = 2 * width * (shape[1] // 4) * (shape[2] // 4)
        self.net = nn.Sequential(
            nn.Conv2d(shape[0], width, 4, 2, 1), nn.SiLU(),
            nn.Conv2d(width, 2 * width, 4, 2, 1), nn.SiLU(), nn.Flatten(),
            nn.Linear(size, hidden), nn.SiLU(), nn.Linear(hidden, 1),
        )  # fmt: skip
        self.register_buffer("chains", 2 * torch.rand(chains, *shape) - 1)
        self.register_buffer("age", torch.arange(chains) % (steps // moves) * moves)  # in moves, (chains,)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), width=2, hidden=4, chains=4, steps=8, moves=2)

    def weights(self) -> nn.Module:
        """The network: chains are only kept to train."""
        return self.net

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {"model": list(self.net.parameters())}

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The height at data less the height at grown chains, whose gradient is that of -log p(x) times a constant."""
        noise = torch.randn(x.shape, generator=generator, device=x.device)
        own, age = self._advanced(generator)
        grown = own[age > self.steps // 2]
        height = self.height(torch.cat([2 * x - 1 + BLUR * noise, grown]))
        here, there = height.split([len(x), len(grown)])
        contrast = here.mean() - there.mean()
        return {"loss": contrast + self.calm * height.square().mean(), "contrast": contrast}

    def height(self, x: Tensor) -> Tensor:
        """Energy in units of 2 / STRIDE^2, (n,), of pictures in [-1, 1]."""
        return self.net(x).squeeze(1) + STRIDE**2 / 4 * x.square().sum((1, 2, 3))

    @torch.no_grad()
    def _advanced(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The chains, ``moves`` moves on, (chains, *shape), and their ages, (chains,); the oldest start anew first."""
        start = 2 * torch.rand(self.chains.shape, generator=generator, device=self.chains.device) - 1
        old = self.age >= self.steps
        x = torch.where(old[:, None, None, None], start, self.chains)
        age = torch.where(old, 0, self.age) + self.moves
        for _ in range(self.moves):
            noise = torch.randn(x.shape, generator=generator, device=x.device)
            x = self._downhill(x) + STRIDE * noise
        if self.training:
            self.chains.copy_(x)
            self.age.copy_(age)
        return x, age

    def _downhill(self, x: Tensor) -> Tensor:
        """Each picture a Langevin step, STRIDE^2 / 2 times the energy's slope, further down."""
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            slope = torch.autograd.grad(self.height(x).sum(), x)[0]
        return (x - slope.clamp(-STEEPEST, STEEPEST)).detach()

    def refine(
        self,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(1, 400, help="moves of each chain; trained with about a hundred")] = 96,
        noise: Annotated[float, Slider(0.0, 3.0, 0.1, help="how much each move is shaken")] = 1.0,
    ) -> Iterator[State]:
        """Noise, then every move; the last one is not shaken."""
        x = 2 * rng.uniform(*self.shape) - 1
        yield State(x / 2 + 0.5, 0, steps, "noise")
        for done in range(1, steps + 1):
            x = self._downhill(x)
            if done < steps:
                x = x + noise * STRIDE * rng.normal(*self.shape)
            yield State((x / 2 + 0.5).clamp(0, 1), done, steps, f"move {done}")

    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(1, 400, help="moves of each chain; trained with about a hundred")] = 96,
        noise: Annotated[float, Slider(0.0, 3.0, 0.1, help="how much each move is shaken")] = 1.0,
    ) -> Iterator[State]:
        """Langevin chains of the unknown pixels, given the known ones."""
        y = torch.where(known, 2 * x - 1, 2 * rng.uniform(*self.shape) - 1)
        for done in range(1, steps + 1):
            y = self._downhill(y)
            if done < steps:
                y = y + noise * STRIDE * rng.normal(*self.shape)
            y = torch.where(known, 2 * x - 1, y)
            yield State(torch.where(known, x, (y / 2 + 0.5).clamp(0, 1)), done, steps, f"move {done}")

    def edit(
        self,
        x: Tensor,
        strength: float,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(1, 400, help="moves of the longest chain")] = 96,
    ) -> Iterator[State]:
        """Mixed with noise by the strength, then a chain as much longer."""
        count = math.ceil(strength * steps)
        y = (2 * x - 1).lerp(2 * rng.uniform(*self.shape) - 1, strength)
        yield State(y / 2 + 0.5, 0, count, "mixed with noise")
        for done in range(1, count + 1):
            y = self._downhill(y)
            if done < count:
                y = y + STRIDE * rng.normal(*self.shape)
            yield State((y / 2 + 0.5).clamp(0, 1), done, count, f"move {done}")

    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        """-E(x): without log Z, so only differences mean something."""
        return LogProb(-2 / STRIDE**2 * self.height(2 * x - 1), "unnormalised", "continuous")
