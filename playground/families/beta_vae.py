"""The beta-VAE (Higgins et al. 2017, ICLR): a shorter code, paid for with worse redrawing."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, final

import torch
from torch import Tensor
from typing_extensions import Self

from playground.capabilities import Clouds, Density, Learns, LogProb, RateDistortion, Reconstructs, Samples
from playground.families.vae import VAE
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 31  # among the families on a page


@final
class BetaVAE(Learns, Samples, Reconstructs, Density, RateDistortion, Clouds):
    """A VAE whose training weighs the rate, the divergence of codes from the prior, ``beta`` times.

    Everything but the loss is the VAE's. The bound that it reports is the unweighted one, so that it compares with
    other models'; the weighted one is a bound too where beta is at least one, but a looser one.

    Args:
        shape: one picture, (channels, height, width).
        latent: the size of z.
        beta: the weight of the rate; 1 is the VAE, less is between it and an autoencoder.
        width: hidden units per layer.
        depth: residual blocks in the encoder and in the decoder.
        warmup: steps over which the weight grows from zero to ``beta``.

    Reference:
        Higgins et al. 2017, beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework, ICLR,
        equation 4. Burgess et al. 2018, Understanding Disentangling in beta-VAE, arXiv:1804.03599.

    Example:
        >>> BetaVAE(latent=10, beta=4).decode(torch.zeros(1, 10)).shape
        torch.Size([1, 1, 28, 28])
    """

    cannot = VAE.cannot
    about = replace(
        VAE.about,
        title="Beta-VAE",
        line="A VAE that pays more for each nat of code, so that the few numbers it uses mean something.",
        intuition="A VAE balances two costs: how much the code says, the rate, and how badly the picture is redrawn,"
        " the distortion. Make the rate dearer and only what changes a picture most is still worth saying: stroke"
        " width, slant, shape. What is not worth its price is left at noise, and the decoder learns to ignore it.",
        pros="Fewer numbers in use, each of them smoother, and often one visible quality for each; samples are cleaner,"
        " for codes fill the prior more evenly.",
        cons="Softer pictures and a worse bound: it is trained for something else than probability. That each number"
        " becomes one independent quality is a hope, not a theorem; which quality it takes changes with the seed.",
        training="As a VAE, with the rate weighted by beta, 4 in the original paper. Seen the other way round: minimise"
        " the distortion at a given rate.",
        latent="Yes: a short vector, of which beta decides how many numbers are used.",
        density="As for a VAE: a bound, and an importance-weighted estimate from below, both without beta.",
        paper="Higgins et al. 2017, beta-VAE; Burgess et al. 2018, Understanding Disentangling in beta-VAE",
        arxiv="1804.03599",
    )

    def __init__(
        self,
        shape: tuple[int, ...] = (1, 28, 28),
        latent: int = 10,
        beta: float = 4.0,
        width: int = 512,
        depth: int = 2,
        warmup: int = 2000,
    ) -> None:
        super().__init__()
        self.vae = VAE(shape, latent, width, depth, warmup)
        self.shape, self.latent, self.beta = self.vae.shape, self.vae.latent, beta

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 4, 4), latent=2, width=16, depth=1, warmup=0)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The distortion plus ``beta`` times the rate, and the unweighted bound and its terms, in nats."""
        terms = self.vae.loss(x, label, generator, player)
        weighted = terms["loss"] - terms["distortion"]  # the rate, with the warm-up's weight
        return terms | {"loss": terms["distortion"] + self.beta * weighted}

    def sample(
        self, rng: Rng, *, temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="how far codes stray")] = 1.0
    ) -> Tensor:
        return self.vae.sample(rng, temperature=temperature)

    def encode(self, x: Tensor) -> Tensor:
        """The posterior mean, (n, latent)."""
        return self.vae.encode(x)

    def decode(self, z: Tensor) -> Tensor:
        """Each pixel's probability of being white, (n, *shape)."""
        return self.vae.decode(z)

    def cloud(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The VAE's."""
        return self.vae.cloud(x)

    def rate_distortion(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """The VAE's, neither of them weighted."""
        return self.vae.rate_distortion(x, rng)

    def log_prob(
        self, x: Tensor, rng: Rng, *, importance_samples: Annotated[int, Slider(1, 5000, help="codes averaged")] = 1
    ) -> LogProb:
        """The VAE's bound (one code) or importance-weighted bound, without ``beta``."""
        return self.vae.log_prob(x, rng, importance_samples=importance_samples)
