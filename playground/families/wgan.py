"""The Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028): for pictures, for points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, final

import torch
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Carries, Completes, Decodes, Fields, Learns, Samples, Sprints, State
from playground.families.codes import FOUND, completed, likeness
from playground.families.layers import SLOPE, Mlp, picture_critic, picture_generator
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 42  # among the families on a page


@final
class WassersteinGAN(Sprints, Samples, Decodes, Fields, Carries):
    """A generator that follows the slope of a critic, which is kept close to one.

    The critic D maximises E[D(data)] - E[D(drawn)]; with slopes of at most one, the best it can do is the
    Wasserstein-1 distance (Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, equation 2). A penalty asks for slopes
    of one between data and drawn points (Gulrajani et al. 2017, equation 3).

    Args:
        shape: one datum, of any shape.
        width: units of each hidden layer, in the generator and in the critic.
        depth: hidden layers of each.
        penalty: on the squared distance of the critic's slope from one, lambda.

    Reference:
        Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028.

    Example:
        >>> WassersteinGAN().sample(Rng(0, 4)).shape
        torch.Size([4, 2])
    """

    cannot = {
        "Refines": "a Wasserstein GAN draws in a single pass: there is nothing between the noise and the datum",
        "Encodes": "a Wasserstein GAN has no encoder: nothing maps a datum back to its noise",
        "Reconstructs": "a Wasserstein GAN has no encoder: nothing maps a datum back to its noise",
        "Density": "a Wasserstein GAN has no density: it only learnt to draw, and cannot say how probable a datum is",
        "Denoises": "a Wasserstein GAN never sees noisy data",
    }
    about = About(
        title="Wasserstein GAN",
        line="A forger walks uphill on a landscape that a critic draws with slopes of one.",
        intuition="The critic does not say real or forged: it draws a landscape, as high as it can where data are and"
        " as low as it can where forgeries are, but never steeper than one. Everywhere on it there is a way uphill, so"
        " the forger always knows where to go, even to kinds of data it has left out so far.",
        pros="Draws in a single fast pass, and hardly ever leaves out a kind of data. The critic's loss follows how far"
        " the forgeries still are.",
        cons="Slow to train: the critic moves several times for each move of the forger, and its penalty costs a"
        " second backward pass. No number says how probable a datum is.",
        training="In turns: the critic learns a landscape that is high at data and low at forgeries, with a penalty"
        " where its slope is not one; then the forger moves its points uphill.",
        latent="Yes: the noise, but only one way; there is no encoder that finds the noise of a given datum.",
        sampling="Draw noise from the standard normal and pass it through the generator, once.",
        density="It has none. The model is implicit: it can draw from its distribution but not evaluate it.",
        paper="Gulrajani et al. 2017, Improved Training of Wasserstein GANs",
        arxiv="1704.00028",
    )
    field_name = "the critic's slope"
    timed = False
    rate: ClassVar[float] = 5e-3
    betas: ClassVar[tuple[float, float]] = (0.0, 0.99)
    turns: ClassVar[dict[str, int]] = {"critic": 2, "generator": 1}  # moves of each player in a round

    def __init__(self, shape: tuple[int, ...] = (2,), width: int = 64, depth: int = 2, penalty: float = 0.1) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)  # as many numbers as a datum: a start and its datum share one plane
        self.penalty = penalty
        size = math.prod(shape)
        self.generator = Mlp(size, width, size, depth)
        self.critic = Mlp(size, width, 1, depth, "leaky_relu", offset=False)

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=8, depth=2)

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {"critic": list(self.critic.parameters()), "generator": list(self.generator.parameters())}

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The critic's, with its penalty, or the generator's: minus the critic's mean height at what it draws."""
        x = x.flatten(1)
        z = torch.randn(x.shape, generator=generator)
        if player == "generator":
            return {"generator": -self.critic(self.generator(z)).mean()}
        drawn = self.generator(z).detach()
        between = torch.lerp(x, drawn, torch.rand(len(x), 1, generator=generator)).requires_grad_()
        slope = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)[0]
        penalty = (slope.norm(dim=1) - 1).square().mean()
        distance = self.critic(x).mean() - self.critic(drawn).mean()
        return {"critic": self.penalty * penalty - distance, "distance": distance}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        x = x.flatten(1)
        n = len(x)
        z = torch.randn(x.shape, generator=generator)
        drawn, drawing = self.generator.ahead(z)
        if player == "generator":
            height, tape = self.critic.ahead(drawn)
            self.generator.back(drawing, self.critic.slope(tape, torch.full_like(height, -1 / n)))
            return -height.mean()
        between = torch.lerp(x, drawn, torch.rand(n, 1, generator=generator))
        height, tape = self.critic.ahead(torch.cat([x, drawn, between]))
        g = torch.full_like(height[: 2 * n], 1 / n)
        g[:n] = -1 / n
        excess = torch.empty(n, 1)

        def pull(slope: Tensor) -> Tensor:
            """The gradient of lambda/n sum (|slope| - 1)^2."""
            size = torch.linalg.vector_norm(slope, dim=1, keepdim=True)
            torch.sub(size, 1, out=excess)
            return slope * (excess / size.clamp(min=1e-12) * (2 * self.penalty / n))

        self.critic.back_penalised(tape, g, pull)
        return self.penalty * excess.square().mean() + (g * height[: 2 * n]).sum()

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
        """The critic's height at data (n, *shape), (n,): only differences mean something."""
        return self.critic.ahead(x.flatten(1))[0].squeeze(1)

    @torch.no_grad()
    def field(self, x: Tensor, t: float) -> Tensor:
        """The slope of the critic: where the generator is told to move what it draws at ``x``."""
        height, tape = self.critic.ahead(x.flatten(1))
        return self.critic.slope(tape, torch.ones_like(height)).view_as(x)


@final
class PictureWassersteinGAN(Learns, Samples, Decodes, Completes):
    """The same game with convolutions, for pictures; only the generator is stored.

    Critic and generator take turns, one each: a higher learning rate for the critic does what several turns would, for
    less time (Heusel et al. 2017, arXiv:1706.08500). The critic has no normalisation, which would tie the slopes at the
    pictures of a batch to each other (Gulrajani et al. 2017, section 4).

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        latent: the size of z.
        width: channels at half size; twice as many at quarter size.
        hidden: units of a dense layer beside the convolutions of each player.
        penalty: on the squared distance of the critic's slope from one, lambda, with pixels in [-1, 1].

    Reference:
        Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028.

    Example:
        >>> PictureWassersteinGAN().sample(Rng(0, 2)).shape
        torch.Size([2, 1, 28, 28])
    """

    cannot = {
        "Refines": "a Wasserstein GAN draws in a single pass: there is nothing between the noise and the picture",
        "Encodes": "a Wasserstein GAN has no encoder: nothing maps a picture back to its noise",
        "Reconstructs": "a Wasserstein GAN has no encoder: nothing maps a picture back to its noise",
        "Density": "a Wasserstein GAN has no density: it only learnt to draw, and cannot say how probable a picture is",
        "Denoises": "a Wasserstein GAN never sees noisy pictures",
    }
    about = replace(
        WassersteinGAN.about,
        intuition="The critic does not say real or forged: it draws a landscape, as high as it can where real"
        " pictures are and as low as it can where forgeries are, but nowhere steeper than one. The difference in height"
        " is how far the forgeries have to be moved to become real, and its slope says which way.",
        pros="The critic can be trained as far as one likes, and its slope still helps the forger. The difference in"
        " height falls as pictures get better, which a GAN's losses do not.",
        cons="The penalty needs a slope of a slope, which makes each step slower than a GAN's, and pictures come out a"
        " little less sharp. No number says how probable a picture is.",
        training="In turns: the critic learns a landscape that is high at real pictures and low at forgeries, with a"
        " penalty where, between the two, its slope is not one; then the forger moves its pictures uphill.",
        latent="Yes: the noise, but only one way; there is no encoder that finds the noise of a given picture.",
    )

    completing = FOUND

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        latent: int = 64,
        width: int = 32,
        hidden: int = 256,
        penalty: float = 10.0,
    ) -> None:
        super().__init__()
        self.shape, self.latent, self.penalty = tuple(shape), (latent,), penalty
        self.generator = picture_generator(latent, shape, width, hidden)
        size = 2 * width * (shape[1] // 4) * (shape[2] // 4)
        self.critic = nn.Sequential(
            picture_critic(shape, width), nn.Flatten(),
            nn.Linear(size, hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, 1, bias=False),
        )  # fmt: skip

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), latent=3, width=2, hidden=4)

    def weights(self) -> nn.Module:
        """The generator: the critic has done its work."""
        return self.generator

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {"critic": list(self.critic.parameters()), "generator": list(self.generator.parameters())}

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The critic's, with its penalty, or the generator's: minus the critic's mean height at what it draws."""
        z = torch.randn(len(x), *self.latent, generator=generator, device=x.device)
        if player == "generator":
            return {"generator": -self.critic(2 * self.decode(z) - 1).mean()}
        with torch.no_grad():
            drawn = 2 * self.decode(z) - 1
        x = 2 * x - 1
        where = torch.rand(len(x), 1, 1, 1, generator=generator, device=x.device)
        between = torch.lerp(x, drawn, where).requires_grad_()
        slope = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)[0]
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        high, low = self.critic(torch.cat([x, drawn])).chunk(2)
        distance = (high - low).mean()
        return {"critic": self.penalty * penalty - distance, "distance": distance, "penalty": penalty}

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
