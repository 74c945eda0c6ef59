"""Score-based modelling by adding noise of growing size (Song et al. 2021, arXiv:2011.13456), with a density."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
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

ORDER = 64  # among the families on a page

LEVEL_MEAN, LEVEL_STD = -0.8, 1.0  # of the logarithm of sigma / SPREAD in training: most effort where modes part
LANGEVIN_STEP = 1.0  # times sigma squared: less is too slow for levels that fall at every step


@final
class ScoreBased(Sprints, Refines, Reconstructs, Density, Denoises, Fields, Carries):
    """The score, grad log p, of data plus normal noise, for all noise levels sigma from 0.02 to 20.

    The network is a denoiser with the preconditioning of Karras et al. 2022 (arXiv:2206.00364, table 1, last column):
    D(x; sigma) = c_skip x + c_out F(c_in x; sigma), and the score is (D - x) / sigma^2 (equation 3). The noise variance
    grows without shrinking the data, the variance-exploding process of Song et al.

    In the coordinates of ``noise.py``, y = c_in x and the angle a, the probability flow (Song et al., equation 13) is
    dy/da = -F(y; a), which ends at the standard normal. Paths, codes and densities are computed with it.

    Args:
        shape: one datum, (D,).
        width: units of each hidden layer.
        depth: hidden layers.

    Reference:
        Song, Sohl-Dickstein, Kingma, Kumar, Ermon and Poole 2021, Score-Based Generative Modeling through Stochastic
        Differential Equations, arXiv:2011.13456.

    Example:
        >>> ScoreBased().sample(Rng(0, 4), steps=5).shape
        torch.Size([4, 2])
    """

    about = About(
        title="Score-based model",
        line="Learns which way data become more likely, at every level of noise.",
        intuition="Blur the data with noise and ask at every point: which way is uphill, to where more data are? A"
        " network learns these arrows for strong noise, where they point to the middle of everything, down to weak"
        " noise, where they point to the nearest data. Follow them while the noise is taken away.",
        pros="Training is plain regression, and the arrows need no normalising constant. One network serves many"
        " samplers: a smooth flow, a noisy walk, or both in turn.",
        cons="A sample takes many passes of the network. Where data have sharp edges the arrows are hardest to learn.",
        training="Add noise of a random size to a datum; the network must answer the datum. The best answer is an"
        " average, and it gives the score.",
        latent="Of a kind: the noise from which the deterministic flow starts, as large as the datum.",
        sampling="Start from strong noise. Heun and Euler follow the probability flow; Langevin dynamics takes small"
        " noisy steps uphill at falling levels; predictor-corrector alternates.",
        density="Exactly, up to the solver's error: follow the probability flow from the datum to the noise and add up"
        " how much it has spread or squeezed on the way.",
        paper="Song, Sohl-Dickstein, Kingma, Kumar, Ermon and Poole 2021, Score-Based Generative Modeling through"
        " Stochastic Differential Equations",
        arxiv="2011.13456",
    )
    field_name = "score"
    rate: ClassVar[float] = 4e-3
    preview: ClassVar[dict[str, Any]] = {"steps": 12, "solver": "Adams-Bashforth"}

    def __init__(self, shape: tuple[int, ...] = (2,), width: int = 64, depth: int = 3) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.net = ode.plane_mlp(shape[0], times=2, width=width, depth=depth, unit=noise.SPREAD)

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=8, depth=2)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Mean squared error of F: that of the datum, weighted by 1 / c_out^2 (Karras et al. 2022, equation 8)."""
        inputs, target = self._noised(x, generator)
        return {"mse": F.mse_loss(self.net(inputs), target)}

    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        return ode.match(self.net, *self._noised(x, generator))

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The datum expected of it plus noise of deviation ``sigma``, (n,), in data units."""
        angle = torch.atan(sigma[:, None] / noise.SPREAD)
        y = x * angle.cos() / noise.SPREAD
        answer = self.net(torch.cat([y, noise.clock(angle)], 1))
        return noise.SPREAD * (angle.cos() * y + angle.sin() * answer)  # c_skip x + c_out F

    def field(self, x: Tensor, t: float) -> Tensor:
        """The score of data plus noise, which falls from 20 at t = 0 to 0.02, not zero, at t = 1: it stays finite."""
        return self._score(x, noise.sigma_at(t))

    @torch.no_grad()
    def refine(
        self,
        rng: Rng,
        *,
        sampler: Annotated[
            str, Choice("Heun", "Euler", "predictor-corrector", "Langevin", help="how the noise is taken away")
        ] = "Heun",
        steps: Annotated[int, Slider(1, 100, help="noise levels; Heun and the corrector pass the network twice")] = 12,
    ) -> Iterator[State]:
        """From the greatest noise to the least; Heun and Euler follow the probability flow.

        States are shown shrunk to the data's size.
        """
        z = rng.normal(*self.shape)
        if sampler in ("Heun", "Euler"):
            down = noise.angles(steps)[::-1]
            levels = [noise.SPREAD * math.tan(angle) for angle in down[1:]]
            states = (noise.UNIT * y for y in ode.follow(self.velocity, z, down, sampler))
        else:
            sigmas = samplers.karras_sigmas(steps, noise.LOW, noise.HIGH)
            levels = sigmas[1:]
            way = self._walk if sampler == "Langevin" else self._corrected
            states = (noise.shrunk(x, level) for x, level in zip(way(noise.start(z), sigmas, rng), levels, strict=True))
        for done, (x, level) in enumerate(zip(states, levels, strict=True), 1):
            yield State(x, done, steps, f"sigma {level:.2f}")

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
        """Of what the probability flow makes of the standard normal: exact up to the solver's error."""

        def field(y: Tensor, angle: float) -> tuple[Tensor, Tensor]:
            answer, trace = ode.with_trace(self.net, noise.inputs(y, angle))
            return -answer, -trace

        return LogProb(noise.flow_density(field, x, steps, solver), "exact", "continuous")

    def velocity(self, y: Tensor, angle: float) -> Tensor:
        """The probability flow dy/da, (n, D), in the coordinates of ``noise``."""
        return -self.net(noise.inputs(y, angle))

    def _noised(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs for the network, (n, D + 2), and what F is to answer, (n, D)."""
        z = torch.randn(x.shape, generator=generator, device=x.device)
        level = torch.randn(len(x), 1, generator=generator, device=x.device)
        angle = torch.atan((LEVEL_MEAN + LEVEL_STD * level).exp())
        x, cos, sin = x / noise.SPREAD, angle.cos(), angle.sin()
        return torch.cat([cos * x + sin * z, noise.clock(angle)], 1), sin * x - cos * z

    def _clean(self, x: Tensor, sigma: float) -> Tensor:
        return self.denoise(x, x.new_full((len(x),), sigma))

    def _score(self, x: Tensor, sigma: float) -> Tensor:
        return (self._clean(x, sigma) - x) / sigma**2

    def _shaken(self, x: Tensor, sigma: float, rng: Rng) -> Tensor:
        """One step of Langevin dynamics at one noise level."""
        return next(samplers.langevin(lambda x: self._score(x, sigma), x, LANGEVIN_STEP * sigma**2, 1, rng))

    def _walk(self, x: Tensor, sigmas: list[float], rng: Rng) -> Iterator[Tensor]:
        """Annealed Langevin dynamics, one step a level (Song and Ermon 2019, arXiv:1907.05600, algorithm 1).

        The last step takes the noise away that is left (Jolicoeur-Martineau et al. 2021, arXiv:2009.05475).
        """
        for now, then in pairwise(sigmas):
            x = self._shaken(x, now, rng) if then else self._clean(x, now)
            yield x

    def _corrected(self, x: Tensor, sigmas: list[float], rng: Rng) -> Iterator[Tensor]:
        """A step of the reverse process to each level, then a Langevin step at it (Song et al. 2021, algorithm 1)."""
        for now, then in pairwise(sigmas):
            x, _clean = next(samplers.ancestral(self._clean, x, [now, then], rng))
            x = self._shaken(x, then, rng) if then else x
            yield x
