"""A score-based model of pictures (Song et al. 2021, arXiv:2011.13456): noise that grows until nothing else is left."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, final

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import Self

from playground import samplers
from playground.capabilities import (
    About,
    Carries,
    Completes,
    Denoises,
    Density,
    Edits,
    Fields,
    Learns,
    LogProb,
    Reconstructs,
    Refines,
    State,
)
from playground.families import ode
from playground.families.greys import LEVELS, normal_nats
from playground.families.inpainting import COMPLETING, filled, guided_guess, noise_of, suggested
from playground.families.layers import classes_of
from playground.families.unet import UNet
from playground.knobs import ANY, Choice, Label, Slider
from playground.rng import Rng

ORDER = 65  # among the families on a page

SPREAD = 0.6  # the standard deviation of data in [-1, 1]
LOW, HIGH = 0.002, 50.0  # noise levels between which everything works; a grey level is 0.008 wide
CLEAN, NOISY = 0.02, 25.0  # between which pictures are completed and redrawn
LEVEL_MEAN, LEVEL_STD = -1.0, 1.4  # of the logarithm of sigma in training
EVEN = 0.2  # of the training pictures, whose levels are spread evenly from LOW to HIGH instead
UNLABELLED = 0.2  # of the training pictures, for which the class is not told: what the likelihood is of
LANGEVIN_STEP = 1.0  # times sigma squared, where each level is given one step
CORRECTOR_STEP = 0.1  # the same, for one that only corrects: 4 r^2 with r = 0.16 (Song et al. 2021, table 5)
PATH = 16  # Runge-Kutta steps of a path, and of coding and decoding


@final
class PictureScore(Learns, Refines, Reconstructs, Density, Denoises, Fields, Carries, Completes, Edits):
    """The score, grad log p, of pictures plus normal noise, for all noise levels sigma from 0.002 to 50.

    Pictures are in [-1, 1], with uniform noise that fills each of the 256 grey levels. The noise variance grows without
    shrinking the picture: Song et al.'s variance-exploding process. The U-Net F is preconditioned as by Karras et al.
    2022 (arXiv:2206.00364, table 1, last column): D(x; sigma) = c_skip x + c_out F(c_in x; sigma), and the score is
    (D - x) / sigma^2 (equation 3).

    Paths, codes and densities are computed in the coordinates of ``noise.py``, y = c_in x and the angle
    a = atan(sigma / 0.6), in which the probability flow (Song et al., equation 13) is dy/da = -F(y; a).

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        classes: how many classes; one more index stands for "any".
        width: of the U-Net, at half the size.
        deep: at a quarter of it.
        blocks: its residual blocks between the way down and the way up.
        norm_groups: of its group normalisations.

    Reference:
        Song, Sohl-Dickstein, Kingma, Kumar, Ermon and Poole 2021, Score-Based Generative Modeling through Stochastic
        Differential Equations, arXiv:2011.13456.

    Example:
        >>> PictureScore().sample(Rng(0, 2), steps=5).shape
        torch.Size([2, 1, 28, 28])
    """

    about = About(
        title="Score-based model (pictures)",
        line="Learns which way pictures become more likely, at every level of noise.",
        intuition="Drown pictures in noise and ask of every pixel: which way is uphill, to where more pictures are? A"
        " network learns these arrows for strong noise, where they point to the average picture, down to weak noise,"
        " where they point to the nearest one. Follow them while the noise is taken away.",
        pros="Training is plain regression, and the arrows need no normalising constant. One network serves many"
        " samplers: a smooth flow, a noisy walk, or both in turn.",
        cons="A picture takes many passes of the network, and a noisy walk the most. The probability suffers from"
        " backgrounds of one exact grey, which arrows for finite noise can only point at.",
        training="Add noise of a random size to a picture; the network must answer the picture. The best answer is an"
        " average, and it gives the score. One time in five it is not told the class.",
        latent="Of a kind: the noise from which the deterministic flow starts, as large as the picture.",
        sampling="Start from strong noise. Heun and Euler follow the probability flow; Langevin dynamics takes small"
        " noisy steps uphill at falling levels; predictor-corrector alternates.",
        density="Follow the probability flow from the picture to the noise and add up how much it has spread or"
        " squeezed on the way, estimated with random directions: the sum comes with a standard error.",
        paper="Song, Sohl-Dickstein, Kingma, Kumar, Ermon and Poole 2021, Score-Based Generative Modeling through"
        " Stochastic Differential Equations",
        arxiv="2011.13456",
    )
    field_name = "score"
    completing = COMPLETING

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        width: int = 48,
        deep: int = 96,
        blocks: int = 2,
        norm_groups: int = 8,
    ) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.labels = tuple(str(i) for i in range(classes))
        self.net = UNet(shape[0], classes, width, deep, blocks, norm_groups=norm_groups)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), classes=3, width=8, deep=8, blocks=1, norm_groups=4)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Mean squared error of F: that of the picture, weighted by 1 / c_out^2 (Karras et al. 2022, equation 8)."""
        n, device = len(x), x.device
        even, place, hidden = torch.rand(3, n, generator=generator, device=device)
        level = LEVEL_MEAN + LEVEL_STD * torch.randn(n, generator=generator, device=device)
        level = torch.where(even < EVEN, math.log(LOW) + math.log(HIGH / LOW) * place, level)
        label = torch.where(hidden < UNLABELLED, len(self.labels), label)
        x = dequantised(x, torch.rand(x.shape, generator=generator, device=device)) / SPREAD
        z = torch.randn(x.shape, generator=generator, device=device)
        angle = torch.atan(level.exp() / SPREAD)
        cos, sin = angle.cos()[:, None, None, None], angle.sin()[:, None, None, None]
        return {"mse": F.mse_loss(self.guess(cos * x + sin * z, angle, label), sin * x - cos * z)}

    def guess(self, y: Tensor, angle: Tensor, label: Tensor) -> Tensor:
        """The network's F, (n, *shape), at points y (n, *shape), angles (n,) and class indices (n,)."""
        return self.net(y, ((SPREAD * angle.tan()).log() / 4)[:, None], label)

    def denoise(self, x: Tensor, sigma: Tensor, *, label: Tensor | None = None) -> Tensor:
        """The picture in [-1, 1] expected of it plus noise of deviation ``sigma``, (n,); of any class or those told."""
        angle = torch.atan(sigma / SPREAD)
        cos, sin = angle.cos()[:, None, None, None], angle.sin()[:, None, None, None]
        y = x * cos / SPREAD
        return SPREAD * (cos * y + sin * self.guess(y, angle, self._any(x) if label is None else label))

    def field(self, x: Tensor, t: float) -> Tensor:
        """The score, for any class, of pictures plus noise, which falls from 50 at t = 0 to 0.002 at t = 1."""
        sigma = HIGH ** (1 - t) * LOW**t
        return (self.denoise(x, x.new_full((len(x),), sigma)) - x) / sigma**2

    @torch.no_grad()
    def refine(
        self,
        rng: Rng,
        *,
        label: Annotated[str, Label()] = ANY,
        sampler: Annotated[
            str, Choice("Heun", "Euler", "predictor-corrector", "Langevin", help="how the noise is taken away")
        ] = "Heun",
        steps: Annotated[int, Slider(1, 250, help="noise levels; Heun and the corrector pass the network twice")] = 18,
    ) -> Iterator[State]:
        """From the greatest noise to the least, then none; Heun and Euler follow the probability flow.

        States are the clean pictures that are guessed on the way.
        """
        classes = classes_of(rng, self.labels, label)

        def clean(x: Tensor, sigma: float) -> Tensor:
            return self.denoise(x, x.new_full((len(x),), sigma), label=classes)

        sigmas = samplers.karras_sigmas(steps, LOW, HIGH)
        x = HIGH * rng.normal(*self.shape)
        ways = {
            "Heun": lambda: samplers.heun(clean, x, sigmas),
            "Euler": lambda: samplers.euler(clean, x, sigmas),
            "predictor-corrector": lambda: corrected(clean, x, sigmas, rng),
            "Langevin": lambda: annealed(clean, x, sigmas, rng),
        }
        for done, (state, guess) in enumerate(ways[sampler](), 1):
            yield State(pictures(state if done == steps else guess), done, steps, f"sigma {sigmas[done]:.2f}")

    @torch.no_grad()
    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="of which class; any: what the rest suggests")] = ANY,
        steps: Annotated[int, Slider(2, 100, help="noise levels from pure noise to picture")] = 16,
        guidance_scale: Annotated[float, Slider(1.0, 6.0, 0.1, help="more is more typical of the class")] = 1.4,
    ) -> Iterator[State]:
        """As ``inpainting.filled`` does."""
        given, even = (dequantised(x, noise) for noise in (rng.uniform(*self.shape), torch.full_like(x, 0.5)))
        choice = rng.uniform(1)
        if label == ANY:
            told = suggested(self._told, even, known, len(self.labels), SPREAD, choice)
        else:
            told = classes_of(rng, self.labels, label)
        guess = guided_guess(self._told, told, len(self.labels), guidance_scale)
        sigmas = samplers.karras_sigmas(steps, CLEAN, NOISY)
        for done, (_, clean) in enumerate(filled(guess, given, known, rng, sigmas, SPREAD), 1):
            seen = torch.where(known, x, pictures(clean))
            yield State(seen, done, steps, f"sigma {sigmas[done]:.2f}")

    @torch.no_grad()
    def edit(
        self,
        x: Tensor,
        strength: float,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="of which class, or any")] = ANY,
        steps: Annotated[int, Slider(2, 100, help="of the whole way from noise to picture")] = 16,
    ) -> Iterator[State]:
        """Noise is added, and taken away by Heun's steps: SDEdit (Meng et al. 2022, arXiv:2108.01073)."""
        told = self._any(x) if label == ANY else classes_of(rng, self.labels, label)

        def denoise(x: Tensor, sigma: float) -> Tensor:
            return self.denoise(x, x.new_full((len(x),), sigma), label=told)

        count, sigma = math.ceil(strength * steps), noise_of(strength, SPREAD, NOISY)
        yield State(x, 0, count, "as given")
        noisy = (0 if strength == 1 else dequantised(x, rng.uniform(*self.shape))) + sigma * rng.normal(*self.shape)
        sigmas = samplers.karras_sigmas(count, min(CLEAN, sigma / 2), sigma) if count else []
        for done, (_, clean) in enumerate(samplers.heun(denoise, noisy, sigmas), 1):
            yield State(pictures(clean), done, count, f"sigma {sigmas[done]:.2f}")

    def _told(self, x: Tensor, sigma: Tensor, label: Tensor) -> Tensor:
        return self.denoise(x, sigma, label=label)

    @torch.no_grad()
    def carry(self, z: Tensor) -> Tensor:
        """Along the probability flow for any class, whose states turn from the latent's size to pictures' in [0, 1]."""
        states = torch.stack([z, *ode.follow(self._flow, z, _angles(PATH)[::-1])])
        seen = pictures(states * SPREAD)
        return states.lerp(seen, torch.linspace(0, 1, len(states), device=z.device)[:, None, None, None, None])

    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        """Pictures of noise (n, *shape), for any class."""
        return self.carry(z)[-1]

    @torch.no_grad()
    def encode(self, x: Tensor, **knobs: Any) -> Tensor:
        """The start, (n, *shape), of the probability flow for any class that ends at pictures.

        Every picture is dequantised with the same draw, so that it has one code, and one as typical as the flow's own.
        """
        draw = torch.rand(self.shape, generator=torch.Generator().manual_seed(0)).to(x.device)
        *_, z = ode.follow(self._flow, dequantised(x, draw) * _shrink(), _angles(PATH))
        return z

    def log_prob(
        self,
        x: Tensor,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(2, 100, help="of the Runge-Kutta solver, 4 evaluations each")] = 16,
        probes: Annotated[int, Slider(2, 32, help="random directions that estimate the divergence")] = 2,
    ) -> LogProb:
        """Of the 8-bit picture, for any class, by the probability flow (Song et al. 2021, section 4.3, appendix D.2).

        The divergence is estimated with Hutchinson's probes, the same ones along the whole path; their spread gives the
        standard error.
        """
        y = dequantised(x, rng.uniform(*self.shape)) * _shrink()
        signs = 2 * rng.integers(2, probes, *self.shape).to(y.dtype) - 1
        start, squeezed = ode.probed(self._flow, y, _angles(steps), signs.transpose(0, 1))
        grain = math.prod(self.shape) * math.log(2 / LEVELS * _shrink())
        return LogProb(
            normal_nats(start) + grain + squeezed.mean(0),
            "estimate",
            "8-bit pixels",
            squeezed.std(0) / probes**0.5,
        )

    def _flow(self, y: Tensor, angle: float) -> Tensor:
        """The probability flow dy/da for any class."""
        return -self.guess(y, y.new_full((len(y),), angle), self._any(y))

    def _any(self, x: Tensor) -> Tensor:
        return torch.full((len(x),), len(self.labels), device=x.device)


def dequantised(x: Tensor, noise: Tensor) -> Tensor:
    """Pictures in [0, 1] as data in [-1, 1], where uniform ``noise`` fills each of the 256 grey levels."""
    return ((x * (LEVELS - 1)).round() + noise) * (2 / LEVELS) - 1


def pictures(x: Tensor) -> Tensor:
    """Data in [-1, 1] as pictures in [0, 1]: the middle of each grey level is the level."""
    return (((x + 1) * (LEVELS / 2) - 0.5) / (LEVELS - 1)).clamp(0, 1)


def annealed(denoise: samplers.Denoise, x: Tensor, sigmas: list[float], rng: Rng) -> samplers.Steps:
    """Annealed Langevin dynamics, one step a level (Song and Ermon 2019, arXiv:1907.05600, algorithm 1).

    The last step takes the noise away that is left (Jolicoeur-Martineau et al. 2021, arXiv:2009.05475).
    """
    for now, then in pairwise(sigmas):
        clean = denoise(x, now)
        x = _shaken(clean, x, now, LANGEVIN_STEP, rng) if then else clean
        yield x, clean


def corrected(denoise: samplers.Denoise, x: Tensor, sigmas: list[float], rng: Rng) -> samplers.Steps:
    """A step of the reverse process to each level, then a Langevin step at it (Song et al. 2021, algorithm 1)."""
    for now, then in pairwise(sigmas):
        x, clean = next(samplers.ancestral(denoise, x, [now, then], rng))
        if then:
            clean = denoise(x, then)
            x = _shaken(clean, x, then, CORRECTOR_STEP, rng)
        yield x, clean


def _shaken(clean: Tensor, x: Tensor, sigma: float, step: float, rng: Rng) -> Tensor:
    """One step of Langevin dynamics, of ``step`` noise variances, where the denoiser answers ``clean``."""
    return next(samplers.langevin(lambda x: (clean - x) / sigma**2, x, step * sigma**2, 1, rng))


def _angles(steps: int) -> list[float]:
    """``steps`` + 1 angles from the least noise to the greatest."""
    return [math.atan(sigma / SPREAD) for sigma in samplers.karras_sigmas(steps + 1, LOW, HIGH)[-2::-1]]


def _shrink() -> float:
    """From x to y at the least noise."""
    return math.cos(math.atan(LOW / SPREAD)) / SPREAD
