"""Flow matching on pictures (Lipman et al. 2023, arXiv:2210.02747), with class guidance and a likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, final

import torch
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
from playground.families.greys import Greys, normal_nats
from playground.families.inpainting import COMPLETING, filled, guided_guess, noise_of, suggested
from playground.families.layers import classes_of, guided
from playground.families.unet import UNet
from playground.knobs import ANY, Choice, Label, Slider
from playground.rng import Rng

ORDER = 63  # among the families on a page

PATH = 16  # Runge-Kutta steps of a path, and of coding and decoding
CLEAN, NOISY = 0.02, 40.0  # noise levels between which a picture is completed: times 0.98 and 0.02 of the flow
UNLABELLED = 0.2  # of the training pictures, for which the class is not told: what the likelihood is of


@final
class PictureFlow(Learns, Refines, Reconstructs, Density, Denoises, Fields, Carries, Completes, Edits):
    """A velocity v(x, t; class) that carries the standard normal at t = 0 to pictures at t = 1.

    Trained as its namesake for points: on the line (1 - t) z + t x from noise z to a picture x the velocity is to be
    x - z. The U-Net F answers what is left of it when all that independent normal pixels would do is taken away,
    v = ((2t - 1) y + F(y, t)) / s with y = x / s and s^2 = t^2 + (1 - t)^2: its target has unit variance at every t.
    Classes are guided without a classifier (Ho and Salimans 2022, arXiv:2207.12598, equation 6).

    The pictures are those of ``greys.py``: each grey level has a share of the normal distribution, in place of an
    interval of brightness.

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        classes: how many classes; one more index stands for "any".
        width: of the U-Net, at half the size.
        deep: at a quarter of it.
        blocks: its residual blocks between the way down and the way up.
        norm_groups: of its group normalisations.
        power: of a grey level's frequency, with which its share grows.

    Reference:
        Lipman, Chen, Ben-Hamu, Nickel and Le 2023, Flow Matching for Generative Modeling, arXiv:2210.02747.

    Example:
        >>> PictureFlow().sample(Rng(0, 2), steps=5, label="3").shape
        torch.Size([2, 1, 28, 28])
    """

    about = About(
        title="Flow matching (pictures)",
        line="Learns a wind that blows noise to pictures, and follows it.",
        intuition="Draw a straight line from random noise to a random picture, many times. At a point in between, lines"
        " of many pairs cross; the network learns their average direction. Follow those directions from any noise and"
        " you arrive at a picture.",
        pros="Training is plain regression: quick and stable. Few, nearly straight steps suffice, a class can be asked"
        " for, and the same flow run backwards gives every picture a code and a probability.",
        cons="A picture takes many passes of the network. Its probability takes hundreds, and in so many dimensions is"
        " estimated with random probes.",
        training="Pick a picture, a noise and a time; the network sees the point between them and must answer the"
        " difference of the two. The error is a plain squared difference. One time in five it is not told the class.",
        latent="Yes: the noise at the start of the path, as large as the picture, standard normal.",
        sampling="Draw noise and follow the velocity from time 0 to time 1 in small steps.",
        density="Follow the flow back to the noise and add up how much it has spread or squeezed on the way. How much"
        " it does at one point is estimated with random directions, so the sum comes with a standard error.",
        paper="Lipman, Chen, Ben-Hamu, Nickel and Le 2023, Flow Matching for Generative Modeling",
        arxiv="2210.02747",
    )
    field_name = "velocity"
    completing = COMPLETING

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        width: int = 48,
        deep: int = 96,
        blocks: int = 2,
        norm_groups: int = 8,
        power: float = 0.5,
    ) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.labels = tuple(str(i) for i in range(classes))
        self.greys = Greys(power)
        self.net = UNet(shape[0], classes, width, deep, blocks, norm_groups=norm_groups)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), classes=3, width=8, deep=8, blocks=1, norm_groups=4)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Mean squared error of the velocity, per pixel."""
        self.greys.look(x)
        n, device = len(x), x.device
        offset, hidden = torch.rand(2, n, generator=generator, device=device)
        t = (torch.arange(n, device=device) + offset[0]) / n  # spread evenly over the line
        label = torch.where(hidden < UNLABELLED, len(self.labels), label)
        x, _ = self.greys.normal(x, torch.rand(x.shape, generator=generator, device=device))
        noise = torch.randn(x.shape, generator=generator, device=device)
        velocity = x - noise
        error = self.velocity(noise + t[:, None, None, None] * velocity, t, label) - velocity
        return {"mse": error.square().mean()}

    def velocity(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """The velocity, (n, *shape), at points (n, *shape), times (n,) and class indices (n,)."""
        return self.look(x, t, label)[0]

    def guided(self, x: Tensor, t: Tensor, label: Tensor, scale: float) -> Tensor:
        """The velocity, away from that for any class by ``scale`` times what the class (n,) adds to it."""
        return guided(self.velocity, x, t, label, len(self.labels), scale)

    def look(self, x: Tensor, t: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """The velocity, and the network's coarse state, (n, deep, height / 4, width / 4)."""
        at = t[:, None, None, None]
        size = (at.square() + (1 - at).square()).sqrt()
        y = x / size
        states = self.net.descend(y, 2 * t[:, None] - 1, label)
        return ((2 * at - 1) * y + self.net.ascend(*states)) / size, states[-1]

    def flow(self, label: Tensor | None = None, scale: float = 1.0) -> ode.Velocity:
        """The velocity as a function of points and one time, of classes (n,) or any, guided."""

        def velocity(x: Tensor, t: float) -> Tensor:
            classes = torch.full((len(x),), len(self.labels), device=x.device) if label is None else label
            return self.guided(x, x.new_full((len(x),), t), classes, scale)

        return velocity

    def field(self, x: Tensor, t: float) -> Tensor:
        """The velocity for any class."""
        return self.flow()(x, t)

    def _denoiser(self, x: Tensor, sigma: Tensor, label: Tensor) -> Tensor:
        return self.denoise(x, sigma, label=label)

    def denoise(self, x: Tensor, sigma: Tensor, *, label: Tensor | None = None) -> Tensor:
        """The picture expected of it plus noise: at time 1 / (1 + sigma) the flow is there, shrunk by that factor.

        Both are normal variables of ``greys.py``.
        """
        t = 1 / (1 + sigma)
        at = t[:, None, None, None]
        label = torch.full((len(x),), len(self.labels), device=x.device) if label is None else label
        return at * x + (1 - at) * self.velocity(at * x, t, label)

    @torch.no_grad()
    def refine(
        self,
        rng: Rng,
        *,
        label: Annotated[str, Label()] = ANY,
        steps: Annotated[int, Slider(1, 100, help="steps from noise to picture")] = 12,
        solver: Annotated[
            str, Choice("Euler", "midpoint", "Heun", "RK4", help="takes 1, 2, 2 or 4 network passes a step")
        ] = "midpoint",
        guidance_scale: Annotated[
            float, Slider(1.0, 6.0, 0.1, help="1 is the model itself; more is more typical of the class")
        ] = 1.4,
    ) -> Iterator[State]:
        """Follows the velocity in equal steps of time."""
        classes = classes_of(rng, self.labels, label)
        velocity = self.flow(classes, guidance_scale)
        for done, x in enumerate(ode.follow(velocity, rng.normal(*self.shape), _times(steps), solver), 1):
            yield State(self.greys.picture(x), done, steps, f"t = {done / steps:.2f}")

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
        """As ``inpainting.filled`` does, in the normal variables of ``greys.py``."""
        given, _ = self.greys.normal(x, rng.uniform(*self.shape))
        even, _ = self.greys.normal(x, torch.full_like(x, 0.5))
        choice = rng.uniform(1)
        if label == ANY:
            told = suggested(self._denoiser, even, known, len(self.labels), 1.0, choice)
        else:
            told = classes_of(rng, self.labels, label)
        guess = guided_guess(self._denoiser, told, len(self.labels), guidance_scale)
        sigmas = samplers.karras_sigmas(steps, CLEAN, NOISY)
        for done, (_, clean) in enumerate(filled(guess, given, known, rng, sigmas, 1.0), 1):
            seen = torch.where(known, x, self.greys.picture(clean))
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
        guidance_scale: Annotated[float, Slider(1.0, 6.0, 0.1, help="more is more typical of the class")] = 1.4,
    ) -> Iterator[State]:
        """Mixed with noise, and from there along the flow: SDEdit (Meng et al. 2022, arXiv:2108.01073)."""
        told = None if label == ANY else classes_of(rng, self.labels, label)
        velocity = self.flow(told, 1.0 if told is None else guidance_scale)
        y, _ = self.greys.normal(x, rng.uniform(*self.shape))
        start = 1 / (1 + noise_of(strength, 1.0, NOISY)) if strength < 1 else 0.0
        y = rng.normal(*self.shape).lerp(y, start)
        count = math.ceil(strength * steps)
        yield State(self.greys.picture(y), 0, count, "mixed with noise")
        times = [start + (1 - start) * k / max(1, count) for k in range(count + 1)]
        for done, state in enumerate(ode.follow(velocity, y, times, "midpoint") if count else (), 1):
            yield State(self.greys.picture(state), done, count, f"t = {times[done]:.2f}")

    @torch.no_grad()
    def carry(self, z: Tensor) -> Tensor:
        """The states on the way, for any class, each of them blended with its picture as time goes on."""
        states = torch.stack([z, *ode.follow(self.flow(), z, _times(PATH))])
        seen = torch.stack([self.greys.picture(x) for x in states])
        return states.lerp(seen, torch.linspace(0, 1, len(states), device=z.device)[:, None, None, None, None])

    @torch.no_grad()
    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        """Pictures of noise (n, *shape), for any class."""
        *_, x = ode.follow(self.flow(), z, _times(PATH))
        return self.greys.picture(x)

    @torch.no_grad()
    def encode(self, x: Tensor, **knobs: Any) -> Tensor:
        """The noise that the flow, for any class, would carry to pictures, (n, *shape).

        Every picture is dequantised with the same draw, so that it has one code, and one as typical as the flow's own.
        """
        draw = torch.rand(self.shape, generator=torch.Generator().manual_seed(0)).to(x.device)
        *_, z = ode.follow(self.flow(), self.greys.normal(x, draw.expand_as(x))[0], _times(PATH)[::-1])
        return z

    def log_prob(
        self,
        x: Tensor,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(2, 100, help="of the Runge-Kutta solver, 4 evaluations each")] = 8,
        probes: Annotated[int, Slider(2, 32, help="random directions that estimate the divergence")] = 2,
    ) -> LogProb:
        """Of the 8-bit picture, for any class, by the flow back to the noise (Lipman et al. 2023, appendix C).

        The divergence is estimated with Hutchinson's probes (Grathwohl et al. 2019, arXiv:1810.01367, section 3.1), the
        same ones along the whole path; their spread gives the standard error.
        """
        z, gain = self.greys.normal(x, rng.uniform(*self.shape))
        signs = 2 * rng.integers(2, probes, *self.shape).to(z.dtype) - 1
        start, squeezed = ode.probed(self.flow(), z, _times(steps)[::-1], signs.transpose(0, 1))
        nats = normal_nats(start) + gain + squeezed.mean(0)
        return LogProb(nats, "estimate", "8-bit pixels", squeezed.std(0) / probes**0.5)


def _times(steps: int) -> list[float]:
    return [k / steps for k in range(steps + 1)]
