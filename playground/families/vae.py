"""The variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114) for black-and-white pictures; for points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import (
    About,
    Carries,
    Clouds,
    Completes,
    Density,
    Edits,
    Learns,
    LogProb,
    RateDistortion,
    Reconstructs,
    Samples,
    Sprints,
    State,
)
from playground.families.codes import FOUND, completed, turned
from playground.families.layers import Mlp, residual_mlp
from playground.knobs import Slider, Toggle
from playground.rng import Rng

ORDER = 30  # among the families on a page

CODES = 32  # at a time; not fewer for more pictures: what a stream draws depends on how much is drawn at once


@final
class VAE(Learns, Samples, Reconstructs, Density, RateDistortion, Clouds, Completes, Edits):
    """An encoder q(z|x), a decoder p(x|z) with independent Bernoulli pixels, and a standard normal prior p(z).

    Trained on the bound of equation 3, E_q[log p(x|z)] - KL(q(z|x) || p(z)), with pixels binarised anew at every step.
    Pictures it draws are the pixels' probabilities, not draws from them.

    Args:
        shape: one picture, (channels, height, width).
        latent: the size of z.
        width: hidden units per layer.
        depth: residual blocks in the encoder and in the decoder.
        warmup: the weight of the KL term grows linearly to one over so many steps (Sonderby et al. 2016,
            arXiv:1602.02282), lest the encoder gives up early.

    Reference:
        Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114.

    Example:
        >>> VAE(latent=2).decode(torch.zeros(1, 2)).shape
        torch.Size([1, 1, 28, 28])
    """

    cannot = {"Refines": "a VAE draws in a single pass: the code is decoded at once, with nothing in between"}
    about = About(
        title="Variational autoencoder",
        line="Learns a smooth map of codes and decodes any point on it.",
        intuition="An encoder squeezes each picture into a small cloud of codes, and a decoder must redraw the picture"
        " from any point of that cloud. All clouds together are pushed to fill one standard normal distribution, so"
        " that a code drawn from it decodes to something that looks like data.",
        pros="Fast to train and to sample, never collapses, and its latent space is smooth: walk in it and digits"
        " change gradually. It bounds the probability of any picture.",
        cons="Pictures are soft: one code must answer for all the pictures in its cloud, and the best answer is their"
        " average. The probability is only bounded, not known.",
        training="Maximise a lower bound of the log-likelihood: redraw the picture well while keeping each cloud of"
        " codes close to the standard normal. The draw of a code is written as mean plus noise, so gradients pass"
        " through it.",
        latent="Yes: a short vector, with a whole distribution of codes for each picture.",
        sampling="Draw a code from the standard normal and decode it, in one pass of the network.",
        density="Not known exactly. The bound (ELBO) comes with training; averaging many weighted codes from the"
        " encoder (importance weighting) comes closer from below.",
        paper="Kingma and Welling 2014, Auto-Encoding Variational Bayes",
        arxiv="1312.6114",
    )

    completing = FOUND
    seen: Tensor

    def __init__(
        self,
        shape: tuple[int, ...] = (1, 28, 28),
        latent: int = 32,
        width: int = 512,
        depth: int = 2,
        warmup: int = 2000,
    ) -> None:
        super().__init__()
        self.shape, self.latent, self.warmup = tuple(shape), (latent,), warmup
        pixels = math.prod(shape)
        self.encoder = residual_mlp(pixels, width, 2 * latent, depth)
        self.decoder = residual_mlp(latent, width, pixels, depth)
        self.register_buffer("seen", torch.zeros(()))  # steps trained, for the warm-up

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 4, 4), latent=2, width=16, depth=1, warmup=0)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The negative bound in nats, and its two terms."""
        x = torch.bernoulli(x, generator=generator)
        mean, log_std = self.posterior(x)
        noise = torch.randn(mean.shape, generator=generator, device=x.device)
        distortion = -self.log_likelihood(x, mean + log_std.exp() * noise).mean()
        rate = _rate(mean, log_std).mean()
        self.seen += 1
        weight = (self.seen / self.warmup).clamp(max=1) if self.warmup else 1.0
        return {"loss": distortion + weight * rate, "nats": distortion + rate, "distortion": distortion, "rate": rate}

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of q(z|x), each (n, latent)."""
        mean, log_std = self.encoder(2 * x.flatten(1) - 1).chunk(2, 1)
        return mean, log_std.clamp(-7, 3)

    def logits(self, z: Tensor) -> Tensor:
        """Log-odds of each pixel's being white, (n, *shape)."""
        return self.decoder(z).unflatten(1, self.shape)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x|z) in nats, (n,), of binary pictures."""
        return -F.binary_cross_entropy_with_logits(self.logits(z), x, reduction="none").flatten(1).sum(1)

    def sample(
        self, rng: Rng, *, temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="how far codes stray")] = 1.0
    ) -> Tensor:
        return self.decode(temperature * rng.normal(*self.latent))

    def encode(self, x: Tensor) -> Tensor:
        """The posterior mean, (n, latent)."""
        return self.posterior(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Each pixel's probability of being white, (n, *shape)."""
        return self.logits(z).sigmoid()

    def cloud(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.posterior(x)

    @torch.no_grad()
    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(3, 300, help="in which fitting codes are sought")] = 45,
    ) -> Iterator[State]:
        """By codes from about p(z | known pixels), which are black or white here."""
        white = (x > 0.5).float()

        def nats(z: Tensor, rows: Tensor) -> Tensor:
            loss = F.binary_cross_entropy_with_logits(self.logits(z), white[rows], reduction="none")
            return -torch.where(known[rows], loss, 0.0).flatten(1).sum(1)

        yield from completed(nats, self.decode, x, known, rng, self.latent[0], steps)

    @torch.no_grad()
    def edit(self, x: Tensor, strength: float, rng: Rng) -> Iterator[State]:
        """The code is turned towards a new one from the prior."""
        yield State(self.decode(turned(self.encode(x), rng.normal(*self.latent), strength)), 1, 1, "redrawn")

    def rate_distortion(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """KL(q(z|x) || p(z)), which is exact, and -log p(x|z) at one code, of the picture binarised at one half."""
        x = (x > 0.5).float()
        mean, log_std = self.posterior(x)
        z = mean + log_std.exp() * rng.normal(*self.latent)
        return _rate(mean, log_std), -self.log_likelihood(x, z)

    def log_prob(
        self, x: Tensor, rng: Rng, *, importance_samples: Annotated[int, Slider(1, 5000, help="codes averaged")] = 1
    ) -> LogProb:
        """The bound (one code), or the importance-weighted bound, of the picture binarised at one half.

        With k codes: log 1/k sum_i p(x, z_i) / q(z_i|x), Burda, Grosse and Salakhutdinov 2016, arXiv:1509.00519,
        equation 8; its standard error is the delta method's. With one code the KL term is exact and has no noise.
        """
        if importance_samples == 1:
            rate, distortion = self.rate_distortion(x, rng)
            return LogProb(-rate - distortion, "lower bound", "binary pixels")
        x = (x > 0.5).float()
        mean, log_std = self.posterior(x)
        weights = []
        for k in torch.arange(importance_samples).split(CODES):
            noise = rng.normal(len(k), *self.latent)  # (n, k, latent)
            z = mean[:, None] + log_std.exp()[:, None] * noise
            prior = -0.5 * (z.square() - noise.square()).sum(2) + log_std.sum(1, keepdim=True)
            likelihood = self.log_likelihood(x.repeat_interleave(len(k), 0), z.flatten(0, 1)).view(len(x), -1)
            weights.append(likelihood + prior)
        w = torch.cat(weights, 1)  # (n, importance_samples)
        share = w.softmax(1)
        stderr = (share - 1 / importance_samples).square().sum(1).sqrt()
        return LogProb(w.logsumexp(1) - math.log(importance_samples), "estimate", "binary pixels", stderr)


@final
class GaussianVAE(Sprints, Samples, Reconstructs, Density, Carries):
    """An encoder q(z|x), a decoder p(x|z) = N(mean(z), scale^2) with learnt scales, and a standard normal prior p(z).

    The scales, one per dimension and the same for all codes, find their own balance of the bound's two terms (Rybkin,
    Daniilidis and Levine 2021, arXiv:2006.13202).

    Args:
        shape: one datum, of any shape.
        width: units of each hidden layer, in the encoder and in the decoder.
        depth: hidden layers of each.

    Reference:
        Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114.

    Example:
        >>> GaussianVAE().decode(torch.zeros(1, 2)).shape
        torch.Size([1, 2])
    """

    cannot = {"Refines": "a VAE draws in a single pass: the code is decoded at once, with nothing in between"}
    about = replace(
        VAE.about,
        title="VAE for points",
        intuition="An encoder squeezes each point into a small cloud of codes, and a decoder must give the point back"
        " from anywhere in that cloud. All clouds together are pushed to fill one standard normal distribution, so that"
        " a code drawn from it decodes to something that looks like data.",
        pros="Fast to train and to sample, never collapses, and its latent space is smooth. It bounds the probability"
        " of any point.",
        cons="Blurred: one code must answer for all the points in its cloud, and all share one width of noise. Between"
        " modes it leaves a filament, for the decoder is continuous. The probability is only bounded, not known.",
        latent="Yes: as many numbers as a point has, with a whole distribution of codes for each point.",
        sampling="Draw a code from the standard normal, decode it in one pass of the network, and add the noise that"
        " the decoder has learnt.",
    )
    rate: ClassVar[float] = 6e-3
    preview: ClassVar[dict[str, Any]] = {"samples": 4}

    def __init__(self, shape: tuple[int, ...] = (2,), width: int = 64, depth: int = 2) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)  # as many numbers as a datum: a start and its datum share one plane
        size = math.prod(shape)
        self.encoder = Mlp(size, width, 2 * size, depth)
        self.decoder = Mlp(size, width, size, depth)
        self.log_scale = nn.Parameter(torch.zeros(size))

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=8, depth=1)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The negative bound in nats, and its two terms."""
        x = x.flatten(1)
        mean, log_std = self.encoder(x).chunk(2, 1)
        z = mean + log_std.exp() * torch.randn(mean.shape, generator=generator)
        distortion = -self._log_normal(x, self.decoder(z)).mean()
        rate = _rate(mean, log_std).mean()
        return {"nats": distortion + rate, "distortion": distortion, "rate": rate}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        x = x.flatten(1)
        n = len(x)
        code, encoding = self.encoder.ahead(x)
        mean, log_std = code.chunk(2, 1)
        std = log_std.exp()
        stray = std * torch.randn(mean.shape, generator=generator)
        y, decoding = self.decoder.ahead(mean + stray)
        error = (y - x) / self.log_scale.exp()  # in scales
        squares = error.square().mean(0)
        self.log_scale.grad = 1 - squares
        g = self.decoder.back(decoding, error / (n * self.log_scale.exp()), inputs=True)
        assert g is not None  # asked for
        self.encoder.back(encoding, torch.cat([g + mean / n, g * stray + (std.square() - 1) / n], 1))
        constant = len(self.log_scale) * math.log(2 * math.pi)
        return 0.5 * (squares.sum() + constant) + self.log_scale.sum() + _rate(mean, log_std).mean()

    def _log_normal(self, x: Tensor, mean: Tensor) -> Tensor:
        """Log N(x; mean, scale^2) in nats, (...,), of (..., size)."""
        error = (x - mean) / self.log_scale.exp()
        return -(0.5 * error.square() + self.log_scale + 0.5 * math.log(2 * math.pi)).sum(-1)

    @torch.no_grad()
    def sample(
        self,
        rng: Rng,
        *,
        temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="how far codes stray")] = 1.0,
        noise: Annotated[bool, Toggle(help="add the noise that the decoder has learnt")] = True,
    ) -> Tensor:
        x = self.decode(temperature * rng.normal(*self.latent))
        grain = self.log_scale.exp().view(self.shape) * rng.normal(*self.shape)
        return x + grain if noise else x

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """The posterior mean, (n, *latent)."""
        return self.encoder.ahead(x.flatten(1))[0].chunk(2, 1)[0].unflatten(1, self.latent)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """The mean of p(x|z), (n, *shape)."""
        return self.decoder.ahead(z.flatten(1))[0].unflatten(1, self.shape)

    def carry(self, z: Tensor) -> Tensor:
        """The start and its datum, (2, n, *shape): a single pass has nothing in between."""
        return torch.stack([z, self.decode(z)])

    @torch.no_grad()
    def log_prob(
        self,
        x: Tensor,
        rng: Rng,
        *,
        samples: Annotated[int, Slider(1, 5000, help="codes averaged")] = 16,
        weighted: Annotated[bool, Toggle(help="weight the codes by importance: closer, and an estimate")] = False,
    ) -> LogProb:
        """The bound, its expectation over q(z|x) averaged over ``samples`` codes; or the importance-weighted estimate.

        The weighted one is log 1/k sum_i p(x, z_i) / q(z_i|x), Burda, Grosse and Salakhutdinov 2016, arXiv:1509.00519,
        equation 8, with the delta method's standard error.
        """
        x = x.flatten(1)
        mean, log_std = self.encoder.ahead(x)[0].chunk(2, 1)
        noise = rng.normal(samples, mean.shape[1])  # (n, k, size)
        z = mean[:, None] + log_std.exp()[:, None] * noise
        y = self.decoder.ahead(z.flatten(0, 1))[0].view_as(z)
        likelihood = self._log_normal(x[:, None], y)  # (n, k)
        if weighted:
            w = likelihood + log_std.sum(1, keepdim=True) - 0.5 * (z.square() - noise.square()).sum(2)
            stderr = (w.softmax(1) - 1 / samples).square().sum(1).sqrt()
            return LogProb(w.logsumexp(1) - math.log(samples), "estimate", "continuous", stderr)
        spread = likelihood.var(1, correction=min(1, samples - 1))
        nats = likelihood.mean(1) - _rate(mean, log_std)
        return LogProb(nats, "lower bound", "continuous", (spread / samples).sqrt())


def _rate(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, I)) in nats, (n,)."""
    return 0.5 * (mean.square() + (2 * log_std).exp() - 1 - 2 * log_std).sum(1)
