"""The generative adversarial network (Goodfellow et al. 2014, arXiv:1406.2661): convolutions; dense for points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Carries, Completes, Decodes, Fields, Learns, Samples, Sprints, State
from playground.families.augment import augmented
from playground.families.codes import FOUND, completed, likeness
from playground.families.layers import SLOPE, Mlp, picture_critic, picture_generator
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 40  # among the families on a page

EVERY = 4  # steps the penalty is left out for one that bears it for all (Karras et al. 2020, arXiv:1912.04958)


class Discriminator(nn.Module):
    """Judges pictures, told besides how much every four pictures of its batch differ.

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        width: channels at half size; twice as many at quarter size.
        hidden: units of a dense layer behind the convolutions, which see only a part of the picture each; 0 for none.
        outputs: numbers per picture.
    """

    def __init__(self, shape: tuple[int, int, int], width: int, hidden: int, outputs: int = 1) -> None:
        super().__init__()
        self.critic = picture_critic(shape, width)
        size = 2 * width * (shape[1] // 4) * (shape[2] // 4) + 1
        dense = [nn.Linear(size, hidden), nn.LeakyReLU(SLOPE)] if hidden else []
        self.verdict = nn.Sequential(*dense, nn.Linear(hidden or size, outputs))

    def forward(self, x: Tensor) -> Tensor:
        features = self.critic(2 * x - 1)
        groups = features.unflatten(0, (-1, 4)) if len(x) % 4 == 0 else features[None]  # (groups, 4, ...)
        # a spread of exactly zero, as of margins that are white in every picture, has no slope
        spread = (groups.var(1, correction=0) + 1e-8).sqrt().mean((1, 2, 3)).repeat_interleave(groups.shape[1])  # (n,)
        return self.verdict(torch.cat([features.flatten(1), spread[:, None]], 1))


def penalised(
    judge: Callable[[Tensor], Tensor], x: Tensor, forged: Tensor, penalty: float, generator: torch.Generator
) -> dict[str, Tensor]:
    """The discriminator's cross-entropy; one step in ``EVERY`` it bears the penalty on its slope at ``x``, R1, for all.

    Args:
        judge: log-odds of being real of pictures (n, *shape).
        x: (n, *shape) real pictures.
        forged: (n, *shape).
        penalty: gamma.
        generator: says whether it is that step.
    """
    due = bool(torch.rand((), generator=generator, device=x.device) < 1 / EVERY)
    x = x.detach().requires_grad_(due)
    real, fake = judge(x), judge(forged)
    loss = F.softplus(-real).mean() + F.softplus(fake).mean()
    if due:
        slope = torch.autograd.grad(real.sum(), x, create_graph=True)[0]
        loss = loss + EVERY * penalty / 2 * slope.square().sum((1, 2, 3)).mean()
    right = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
    return {"discriminator": loss, "told apart": right}


@final
class GAN(Learns, Samples, Decodes, Completes):
    """A generator and a discriminator that train each other with the non-saturating loss.

    The generator is DCGAN's (Radford et al. 2016, arXiv:1511.06434). The discriminator sees the spread of its batch
    (Karras et al. 2018, arXiv:1710.10196, section 3), which keeps the generator from drawing the same digit again and
    again, and its slope at real pictures is kept small (Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, equation
    9), which lets the game settle. Only the generator is stored.

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        latent: the size of z.
        width: channels at half size; twice as many at quarter size.
        hidden: units of a dense layer beside the convolutions of each player; 0 for none.
        penalty: on the squared slope of the discriminator at real pictures, gamma of R1.
        augment: whether the discriminator only sees pictures that were changed at random, which few data need.

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661.

    Example:
        >>> GAN().sample(Rng(0, 2)).shape
        torch.Size([2, 1, 28, 28])
    """

    cannot = {
        "Refines": "a GAN draws in a single pass: there is nothing between the noise and the picture",
        "Encodes": "a GAN has no encoder: nothing maps a picture back to its noise",
        "Reconstructs": "a GAN has no encoder: nothing maps a picture back to its noise",
        "Density": "a GAN has no density: it only learnt to draw, and cannot say how probable a picture is",
        "Denoises": "a GAN never sees noisy pictures",
    }
    about = About(
        title="Generative adversarial network",
        line="A forger learns from a detective who learns from the forger.",
        intuition="One network forges pictures out of noise, another tries to tell forgeries from the real thing. Each"
        " improves because the other does, until the detective can do no better than guess.",
        pros="Sharp pictures in a single fast pass, since nothing ever asks for an average.",
        cons="Training is a game and can go in circles. The forger may learn only a few kinds of picture (mode"
        " collapse), and no number says how probable a picture is.",
        training="In turns: the detective learns to tell real from forged, then the forger learns to be taken for real"
        " (the non-saturating loss).",
        latent="Yes: the noise vector, but only one way; there is no encoder that finds the noise of a given picture.",
        sampling="Draw a noise vector from the standard normal and pass it through the generator, once.",
        density="It has none. The model is implicit: it can draw from its distribution but not evaluate it.",
        paper="Goodfellow et al. 2014, Generative Adversarial Nets",
        arxiv="1406.2661",
    )

    completing = FOUND

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        latent: int = 64,
        width: int = 32,
        hidden: int = 0,
        penalty: float = 0.25,
        augment: bool = False,
    ) -> None:
        super().__init__()
        self.shape, self.latent, self.penalty, self.augment = tuple(shape), (latent,), penalty, augment
        self.generator = picture_generator(latent, shape, width, hidden)
        self.discriminator = Discriminator(shape, width, hidden)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), latent=3, width=2)

    def weights(self) -> nn.Module:
        """The generator: the discriminator has done its work."""
        return self.generator

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": list(self.generator.parameters()),
        }

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The discriminator's cross-entropy, or the generator's: minus log of being taken for real."""

        def judge(pictures: Tensor) -> Tensor:
            return self.discriminator(augmented(pictures, generator) if self.augment else pictures)

        z = torch.randn(len(x), *self.latent, generator=generator, device=x.device)
        if player == "generator":
            return {"generator": F.softplus(-judge(self.decode(z))).mean()}
        with torch.no_grad():
            forged = self.decode(z)
        return penalised(judge, x, forged, self.penalty, generator)

    def sample(
        self, rng: Rng, *, temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="how far noise strays")] = 1.0
    ) -> Tensor:
        return self.decode(temperature * rng.normal(*self.latent))

    @torch.no_grad()
    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(3, 300, help="in which fitting codes are sought")] = 45,
    ) -> Iterator[State]:
        """By codes whose pictures come near to what is known (Yeh et al. 2017, arXiv:1607.07539)."""
        nats = likeness(self.decode, x, known)
        yield from completed(nats, self.decode, x, known, rng, self.latent[0], steps)

    def decode(self, z: Tensor) -> Tensor:
        """Pictures (n, *shape) in [0, 1] of noise (n, latent)."""
        return self.generator(z).sigmoid()


@final
class DenseGAN(Sprints, Samples, Decodes, Fields, Carries):
    """A generator and a discriminator of dense layers, for points, trained with the non-saturating loss.

    Args:
        shape: one datum, of any shape.
        width: units of each hidden layer, in the generator and in the discriminator.
        depth: hidden layers of each.
        penalty: on the squared slope of the discriminator at data, gamma of R1 (Mescheder, Geiger and Nowozin 2018,
            arXiv:1801.04406, equation 9); 0 for none.

    Reference:
        Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661.

    Example:
        >>> DenseGAN().sample(Rng(0, 4)).shape
        torch.Size([4, 2])
    """

    cannot = {
        "Refines": "a GAN draws in a single pass: there is nothing between the noise and the datum",
        "Encodes": "a GAN has no encoder: nothing maps a datum back to its noise",
        "Reconstructs": "a GAN has no encoder: nothing maps a datum back to its noise",
        "Density": "a GAN has no density: it only learnt to draw, and cannot say how probable a datum is",
        "Denoises": "a GAN never sees noisy data",
    }
    about = replace(
        GAN.about,
        title="GAN for points",
        intuition="One network forges points out of noise, another tries to tell forgeries from the real thing. Each"
        " improves because the other does, until the detective can do no better than guess.",
        pros="Draws in a single fast pass, and nothing ever asks for an average, so what it draws looks real.",
        cons="Training is a game and can go in circles. The forger may learn only a few of the modes (mode collapse),"
        " and no number says how probable a point is.",
    )
    field_name = "the slope of log D"
    timed = False
    rate: ClassVar[float] = 3e-3  # three times as much makes it collapse; that momentum is what lets it
    betas: ClassVar[tuple[float, float]] = (0.9, 0.99)

    def __init__(self, shape: tuple[int, ...] = (2,), width: int = 64, depth: int = 2, penalty: float = 0.0) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)  # as many numbers as a datum: a start and its datum share one plane
        self.penalty = penalty
        size = math.prod(shape)
        self.generator = Mlp(size, width, size, depth)
        self.discriminator = Mlp(size, width, 1, depth, "leaky_relu")

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=8, depth=2, penalty=0.1)

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": list(self.generator.parameters()),
        }

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The discriminator's cross-entropy and penalty, or the generator's: minus log of being taken for real."""
        x = x.flatten(1)
        z = torch.randn(x.shape, generator=generator)
        if player == "generator":
            return {"generator": F.softplus(-self.discriminator(self.generator(z))).mean()}
        forged = self.generator(z).detach()
        x = x.detach().requires_grad_()
        real, fake = self.discriminator(x), self.discriminator(forged)
        loss = F.softplus(-real).mean() + F.softplus(fake).mean()
        if self.penalty:
            slope = torch.autograd.grad(real.sum(), x, create_graph=True)[0]
            loss = loss + self.penalty / 2 * slope.square().sum(1).mean()
        right = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
        return {"discriminator": loss, "told apart": right}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        x = x.flatten(1)
        n = len(x)
        z = torch.randn(x.shape, generator=generator)
        forged, drawing = self.generator.ahead(z)
        if player == "generator":
            odds, tape = self.discriminator.ahead(forged)
            self.generator.back(drawing, self.discriminator.slope(tape, (-odds).sigmoid() / -n))
            return F.softplus(-odds).mean()
        odds, tape = self.discriminator.ahead(torch.cat([x, forged, x] if self.penalty else [x, forged]))
        g = odds[: 2 * n].sigmoid()
        g[:n] -= 1
        g /= n
        signed = odds[: 2 * n].clone()
        signed[:n].neg_()
        loss = F.softplus(signed).sum() / n
        if not self.penalty:
            self.discriminator.back(tape, g)
            return loss
        slopes: list[Tensor] = []

        def pull(slope: Tensor) -> Tensor:
            """The gradient of gamma/2n sum |slope|^2."""
            slopes.append(slope)
            return slope * (self.penalty / n)

        self.discriminator.back_penalised(tape, g, pull)
        return loss + self.penalty / 2 * slopes[0].square().sum() / n

    def sample(
        self, rng: Rng, *, temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="how far noise strays")] = 1.0
    ) -> Tensor:
        return self.decode(temperature * rng.normal(*self.latent))

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Data (n, *shape) of noise (n, *latent)."""
        return self.generator.ahead(z.flatten(1))[0].unflatten(1, self.shape)

    def carry(self, z: Tensor) -> Tensor:
        """The start and its datum, (2, n, *shape): a single pass has nothing in between."""
        return torch.stack([z, self.decode(z)])

    @torch.no_grad()
    def verdict(self, x: Tensor) -> Tensor:
        """Log-odds of being real, (n,), of data (n, *shape)."""
        return self.discriminator.ahead(x.flatten(1))[0].squeeze(1)

    @torch.no_grad()
    def field(self, x: Tensor, t: float) -> Tensor:
        """The slope of log D: where the generator is told to move what it draws at ``x``."""
        odds, tape = self.discriminator.ahead(x.flatten(1))
        return self.discriminator.slope(tape, (-odds).sigmoid()).view_as(x)
