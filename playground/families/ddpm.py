"""The denoising diffusion model (Ho, Jain and Abbeel 2020, arXiv:2006.11239) of points, small enough to race."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, final

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import Self

from playground import samplers
from playground.capabilities import (
    About,
    Carries,
    Denoises,
    Density,
    Fields,
    LogProb,
    Reconstructs,
    Refines,
    Sprints,
    State,
)
from playground.families import noise, ode
from playground.knobs import Choice, Slider
from playground.rng import Rng

ORDER = 72  # among the families on a page


@final
class DDPM(Sprints, Refines, Reconstructs, Density, Denoises, Fields, Carries):
    """A network that guesses the noise in a noisy datum, at one of ``levels`` noise levels.

    With data divided by ``noise.SPREAD``, level k is y = cos(a_k) x + sin(a_k) noise, so alpha-bar of the paper is
    cos(a_k)^2: the cosine schedule (Nichol and Dhariwal 2021, arXiv:2102.09672, equation 17), from sigma 0.02 to 20.

    Args:
        shape: one datum, (D,).
        width: units of each hidden layer.
        depth: hidden layers.
        levels: how many noise levels training uses; samplers may take fewer steps.

    Reference:
        Ho, Jain and Abbeel 2020, Denoising Diffusion Probabilistic Models, arXiv:2006.11239.

    Example:
        >>> DDPM().sample(Rng(0, 4), steps=5).shape
        torch.Size([4, 2])
    """

    about = About(
        title="Diffusion (DDPM)",
        line="Drowns data in noise step by step, and learns to take each step back.",
        intuition="Add a little noise to a point, again and again, until only noise is left. A network learns to see"
        " which noise was added. Start from pure noise, take a little of the guessed noise away, add a little fresh"
        " noise, and repeat: the points find their way back to data.",
        pros="Training is plain regression and very stable; it covers all modes. The noise of each step corrects the"
        " errors of those before.",
        cons="Slow to draw: with few steps the points are far off. The chain's own density is only bounded.",
        training="Pick a datum and one of a hundred noise levels; the network sees the noisy point and must answer the"
        " noise. The error is a plain squared difference.",
        latent="Of a kind: the noise from which the noise-free sampler starts, as large as the datum.",
        sampling="From noise, level by level: DDPM adds fresh noise at each, DDIM does not and needs fewer.",
        density="Estimated by the flow that has the same density at every noise level, if the network is right; it is"
        " exact for the noise-free sampler in small steps, not for DDPM's noisy chain.",
        paper="Ho, Jain and Abbeel 2020, Denoising Diffusion Probabilistic Models",
        arxiv="2006.11239",
    )
    field_name = "score"
    rate: ClassVar[float] = 4e-3
    preview: ClassVar[dict[str, Any]] = {"steps": 12, "solver": "Adams-Bashforth"}

    table: Tensor

    def __init__(self, shape: tuple[int, ...] = (2,), width: int = 64, depth: int = 3, levels: int = 100) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.levels = levels
        angle = torch.linspace(noise.CALM, noise.WILD, levels)[:, None]
        table = torch.cat([angle.cos() / noise.SPREAD, angle.sin(), noise.clock(angle)], 1)
        self.register_buffer("table", table, persistent=False)  # (levels, 4): a race has no time to compute it anew
        self.net = ode.plane_mlp(shape[0], times=2, width=width, depth=depth, unit=noise.SPREAD)

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=8, depth=2)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Mean squared error of the guessed noise, all levels alike (Ho et al. 2020, equation 14)."""
        inputs, added = self._noised(x, generator)
        return {"mse": F.mse_loss(self.net(inputs), added)}

    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        return ode.match(self.net, *self._noised(x, generator))

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The datum expected of it plus noise of deviation ``sigma``, (n,), in data units: x - sigma * noise."""
        angle = torch.atan(sigma[:, None] / noise.SPREAD)
        y = x * angle.cos() / noise.SPREAD
        return x - sigma[:, None] * self.net(torch.cat([y, noise.clock(angle)], 1))

    def field(self, x: Tensor, t: float) -> Tensor:
        """The score of data plus noise, minus the guessed noise over sigma (Song et al. 2021, arXiv:2011.13456).

        Sigma falls geometrically from 20 at t = 0 to 0.02, not zero, at t = 1, where the score stays finite.
        """
        sigma = noise.sigma_at(t)
        return (self._clean(x, sigma) - x) / sigma**2

    @torch.no_grad()
    def refine(
        self,
        rng: Rng,
        *,
        sampler: Annotated[str, Choice("DDPM", "DDIM", help="with fresh noise at each step, or without")] = "DDPM",
        steps: Annotated[int, Slider(1, 100, help="noise levels visited, evenly, from the greatest down")] = 50,
    ) -> Iterator[State]:
        """From the greatest noise to none. DDIM is Song, Meng and Ermon 2021, arXiv:2010.02502, equation 12.

        The least level is left out: next to no noise is taken away there, so that of two steps the second was lost.
        """
        x = noise.start(rng.normal(*self.shape))
        down = torch.linspace(noise.WILD, noise.CALM, steps + 1, dtype=torch.float64)[:-1]
        sigmas = [*(noise.SPREAD * down.tan()).tolist(), 0.0]
        ddpm = sampler == "DDPM"
        states = samplers.ancestral(self._clean, x, sigmas, rng) if ddpm else samplers.euler(self._clean, x, sigmas)
        for done, ((x, _clean), sigma) in enumerate(zip(states, sigmas[1:], strict=True), 1):
            yield State(noise.shrunk(x, sigma), done, steps, f"sigma {sigma:.2f}")

    @torch.no_grad()
    def carry(self, z: Tensor) -> Tensor:
        """Along the probability flow, whose states are shrunk to the latent's size at first, to the data's at last."""
        return noise.path(self.velocity, z)

    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        return self.carry(z)[-1]

    @torch.no_grad()
    def encode(self, x: Tensor, **knobs: Any) -> Tensor:
        """The start of the probability flow that ends at x, (n, D)."""
        return noise.back(self.velocity, x)

    @torch.no_grad()
    def log_prob(
        self,
        x: Tensor,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(4, 128, help="of the solver; more is more exact")] = 32,
        solver: Annotated[str, Choice(*ode.SOLVERS, help="4 evaluations a step, or 1")] = "Runge-Kutta",
    ) -> LogProb:
        """Of what the probability flow makes of the standard normal.

        An estimate of the noisy chain's density, which has no formula. Nothing is drawn at random, so the standard
        error is zero; what the flow and the chain differ by is not in it.
        """

        def field(y: Tensor, angle: float) -> tuple[Tensor, Tensor]:
            added, trace = ode.with_trace(self.net, noise.inputs(y, angle))
            sin, cos = math.sin(angle), math.cos(angle)
            return (added - sin * y) / cos, (trace - y.shape[1] * sin) / cos

        nats = noise.flow_density(field, x, steps, solver)
        return LogProb(nats, "estimate", "continuous", torch.zeros_like(nats))

    def velocity(self, y: Tensor, angle: float) -> Tensor:
        """The probability flow dy/da, (n, D), in the coordinates of ``noise.py``: -sin(a) x + cos(a) noise."""
        return (self.net(noise.inputs(y, angle)) - math.sin(angle) * y) / math.cos(angle)

    def _noised(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs for the network, (n, D + 2), and the noise in them, (n, D)."""
        z = torch.randn(x.shape, generator=generator, device=x.device)
        level = torch.randint(self.levels, (len(x),), generator=generator, device=x.device)
        keep, add, clock = self.table[level].split([1, 1, 2], 1)
        return torch.cat([keep * x + add * z, clock], 1), z

    def _clean(self, x: Tensor, sigma: float) -> Tensor:
        return self.denoise(x, x.new_full((len(x),), sigma))
