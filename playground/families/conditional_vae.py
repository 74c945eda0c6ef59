"""The conditional VAE (Sohn, Lee and Yan 2015, Advances in Neural Information Processing Systems 28)."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, final

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import Self

from playground.capabilities import (
    Clouds,
    Completes,
    Density,
    Edits,
    Learns,
    LogProb,
    RateDistortion,
    Reconstructs,
    Samples,
    State,
)
from playground.families.codes import FOUND, completed, turned
from playground.families.layers import residual_mlp
from playground.families.vae import CODES, VAE
from playground.knobs import ANY, Label, Slider
from playground.rng import Rng

ORDER = 32  # among the families on a page

LIKELY = 2  # classes that importance sampling looks at


class LabelledVAE(Learns, Samples, Reconstructs, Density, RateDistortion, Clouds, Completes, Edits):
    """What VAEs with a class y have in common: q(z|x, y), p(x|y, z) with Bernoulli pixels, p(z) normal, p(y) even.

    A code is the class and z in one vector: the largest of its first numbers, one for each class, names the class. Of
    standard normal numbers each is the largest equally often, so a standard normal code has a class drawn evenly.

    Args:
        shape: one picture, (channels, height, width).
        labels: the classes.
        latent: the size of z.
        width: hidden units per layer.
        depth: residual blocks in the encoder and in the decoder.
        warmup: the rate's weight goes linearly to one over so many steps.
        start: the weight at the first step. Zero warms up, as ``VAE`` does. More than one makes z dear: it leaves to
            the class what the class can say, before the decoder has learnt to do without it.
    """

    completing = FOUND
    seen: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        labels: Sequence[str],
        latent: int,
        width: int,
        depth: int,
        warmup: int,
        start: float,
    ) -> None:
        super().__init__()
        self.shape, self.labels = tuple(shape), tuple(labels)
        self.warmup, self.start = warmup, start
        self.latent = (len(labels) + latent,)
        pixels = math.prod(shape)
        self.encoder = residual_mlp(pixels + len(labels), width, 2 * latent, depth)
        self.decoder = residual_mlp(len(labels) + latent, width, pixels, depth)
        self.register_buffer("seen", torch.zeros(()))  # steps trained, for the warm-up

    @abstractmethod
    def belief(self, x: Tensor) -> Tensor:
        """Log q(y|x), (n, classes): which class a picture is of."""

    def posterior(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of q(z|x, y), each (n, size of z), given class indices (n,)."""
        given = torch.cat([2 * x.flatten(1) - 1, self._one_hot(y)], 1)
        mean, log_std = self.encoder(given).chunk(2, 1)
        return mean, log_std.clamp(-7, 3)

    def logits(self, z: Tensor, y: Tensor) -> Tensor:
        """Log-odds of each pixel's being white, (n, *shape), given z and class indices (n,)."""
        return self.decoder(torch.cat([self._one_hot(y), z], 1)).unflatten(1, self.shape)

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor) -> Tensor:
        """Log p(x|y, z) in nats, (n,), of binary pictures."""
        return -F.binary_cross_entropy_with_logits(self.logits(z, y), x, reduction="none").flatten(1).sum(1)

    def terms(self, x: Tensor, y: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Rate KL(q(z|x, y) || p(z)) and distortion -log p(x|y, z) in nats, (n,), with z made of noise (n, size)."""
        mean, log_std = self.posterior(x, y)
        rate = 0.5 * (mean.square() + (2 * log_std).exp() - 1 - 2 * log_std).sum(1)
        return rate, -self.log_likelihood(x, mean + log_std.exp() * noise, y)

    def warmth(self) -> Tensor:
        """The rate's weight at this step of training, which is counted."""
        self.seen += 1
        part = (self.seen / max(1, self.warmup)).clamp(max=1)
        return self.start + part * (1 - self.start)

    def sample(
        self,
        rng: Rng,
        *,
        label: Annotated[str, Label()] = ANY,
        temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="how far codes stray")] = 1.0,
    ) -> Tensor:
        code, classes = rng.normal(*self.latent), len(self.labels)
        return self.decode(torch.cat([code[:, :classes], temperature * code[:, classes:]], 1), label=label)

    def encode(self, x: Tensor) -> Tensor:
        """The likeliest class, as one among zeros, and the mean of z given it: (n, classes + size of z)."""
        y = self.belief(x).argmax(1)
        return torch.cat([self._one_hot(y), self.posterior(x, y)[0]], 1)

    def decode(
        self, z: Tensor, *, label: Annotated[str, Label(help="which class to draw; any: the code's own")] = ANY
    ) -> Tensor:
        """Each pixel's probability of being white, (n, *shape)."""
        own, rest = z[:, : len(self.labels)], z[:, len(self.labels) :]
        y = own.argmax(1) if label == ANY else torch.full_like(own[:, 0], self.labels.index(label), dtype=torch.int64)
        return self.logits(rest, y).sigmoid()

    def reconstruct(
        self, x: Tensor, *, label: Annotated[str, Label(help="redraw it as this class; any: as what it is")] = ANY
    ) -> Tensor:
        """Pictures (n, *shape) redrawn from their codes; given a label, as that class in the picture's style."""
        return self.decode(self.encode(x), label=label)

    def cloud(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of z, given the likeliest class, whose own numbers have none."""
        y = self.belief(x).argmax(1)
        mean, log_std = self.posterior(x, y)
        classes = self._one_hot(y)
        return torch.cat([classes, mean], 1), torch.cat([torch.full_like(classes, torch.nan), log_std], 1)

    @torch.no_grad()
    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="of which class; any: what the rest suggests")] = ANY,
        steps: Annotated[int, Slider(3, 300, help="in which fitting codes are sought")] = 45,
    ) -> Iterator[State]:
        """By codes, the class in them, from about p(y, z | known pixels), which are black or white here."""
        white, classes = (x > 0.5).float(), len(self.labels)

        def nats(z: Tensor, rows: Tensor) -> Tensor:
            y = z[:, :classes].argmax(1)
            y = y if label == ANY else torch.full_like(y, self.labels.index(label))
            loss = F.binary_cross_entropy_with_logits(self.logits(z[:, classes:], y), white[rows], reduction="none")
            return -torch.where(known[rows], loss, 0.0).flatten(1).sum(1)

        decode = partial(self.decode, label=label)
        yield from completed(nats, decode, x, known, rng, self.latent[0], steps, classes)

    @torch.no_grad()
    def edit(
        self,
        x: Tensor,
        strength: float,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="redrawn as this class; any: as what the code says")] = ANY,
    ) -> Iterator[State]:
        """The code, the class in it, is turned towards a new one from the prior."""
        yield State(
            self.decode(turned(self.encode(x), rng.normal(*self.latent), strength), label=label), 1, 1, "redrawn"
        )

    def rate_distortion(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Of the class and z together, averaged over q(y|x); the rate of the class is KL(q(y|x) || p(y))."""
        x = (x > 0.5).float()
        belief, (n, classes) = self.belief(x), (len(x), len(self.labels))
        noise = rng.normal(self._size).repeat_interleave(classes, 0)
        every = torch.arange(classes, device=x.device).repeat(n)
        rate, distortion = self.terms(x.repeat_interleave(classes, 0), every, noise)
        odds = belief.exp()
        rate = (odds * (belief + math.log(classes) + rate.view(n, classes))).sum(1)
        return rate, (odds * distortion.view(n, classes)).sum(1)

    def log_prob(
        self, x: Tensor, rng: Rng, *, importance_samples: Annotated[int, Slider(1, 5000, help="codes averaged")] = 1
    ) -> LogProb:
        """A bound of log p(x), summed over the classes, of the picture binarised at one half.

        log sum_y p(y) 1/k sum_i p(x, z_i|y) / q(z_i|x, y): with one code (k = 1), over all classes; with more, over the
        two likeliest, for the others cost five times as much and add next to nothing. Leaving some out of a sum of
        probabilities, it stays a bound. Standard error by the delta method, over codes that the classes share.
        """
        x = (x > 0.5).float()
        belief, classes = self.belief(x), len(self.labels)
        likely = belief.topk(classes if importance_samples == 1 else min(LIKELY, classes), 1).indices  # (n, c)
        chunks = torch.arange(importance_samples).split(CODES)
        w = torch.cat([self._log_weights(x, likely, rng.normal(len(k), self._size)) for k in chunks], 1)
        nats = w.logsumexp(1) - math.log(importance_samples) - math.log(classes)
        if importance_samples == 1:
            return LogProb(nats, "lower bound", "binary pixels")
        stderr = (w.softmax(1) - 1 / importance_samples).square().sum(1).sqrt()
        return LogProb(nats, "estimate", "binary pixels", stderr)

    def _log_weights(self, x: Tensor, y: Tensor, noise: Tensor) -> Tensor:
        """Log sum_y p(x, z|y) / q(z|x, y), (n, k), over classes y (n, c), with z made of noise (n, k, size)."""
        (n, k, size), c = noise.shape, y.shape[1]
        mean, log_std = self.posterior(x.repeat_interleave(c, 0), y.flatten())  # (n c, size) each
        noise = noise[:, None].expand(n, c, k, size).reshape(n * c, k, size)
        z = mean[:, None] + log_std.exp()[:, None] * noise
        prior = -0.5 * (z.square() - noise.square()).sum(2) + log_std.sum(1, keepdim=True)  # (n c, k)
        seen = x.repeat_interleave(c * k, 0), z.flatten(0, 1), y.flatten().repeat_interleave(k)
        return (self.log_likelihood(*seen).view(n * c, k) + prior).view(n, c, k).logsumexp(1)

    @property
    def _size(self) -> int:
        return self.latent[0] - len(self.labels)

    def _one_hot(self, y: Tensor) -> Tensor:
        return F.one_hot(y, len(self.labels)).to(self.seen.dtype)


@final
class ConditionalVAE(LabelledVAE):
    """A VAE whose encoder and decoder are told the class.

    Args:
        shape: one picture, (channels, height, width).
        labels: the classes, by name.
        latent: the size of z, which is left to say everything but the class.
        width: hidden units per layer.
        depth: residual blocks in the encoder and in the decoder.
        warmup: steps over which the weight of the rate goes to one.
        start: that weight at the first step.

    Reference:
        Sohn, Lee and Yan 2015, Learning Structured Output Representation using Deep Conditional Generative Models,
        NeurIPS 28, equation 4, with the class as the condition and a prior p(z) that does not depend on it.

    Example:
        >>> ConditionalVAE().sample(Rng(0, 2), label="3").shape
        torch.Size([2, 1, 28, 28])
    """

    cannot = VAE.cannot
    about = replace(
        VAE.about,
        title="Conditional VAE",
        line="A VAE that is told the class, so that its code only has to say the rest.",
        intuition="Tell the encoder and the decoder which digit it is, and the code need not say it: what is left is"
        " style, such as slant and thickness. Keep the code and change the class, and another digit appears in the"
        " same hand.",
        pros="You choose what is drawn, and the same code means the same style in every class. Fast, and it never"
        " collapses.",
        cons="It needs a label for every picture. Pictures are soft, as a VAE's are. Nothing forces the code to hold"
        " style only.",
        training="As a VAE, with the class given to encoder and decoder.",
        latent="Yes: the class, and a short vector for the style, with a whole distribution for each picture.",
        sampling="Choose the class, draw a code from the standard normal, and decode both in one pass.",
        density="A bound for each class; the sum over all classes, each as likely as the others, bounds the probability"
        " of the picture. A picture's own class is the one with the highest bound.",
        paper="Sohn, Lee and Yan 2015, Learning Structured Output Representation using Deep Conditional Generative"
        " Models",
        arxiv="",
    )

    def __init__(
        self,
        shape: Sequence[int] = (1, 28, 28),
        labels: Sequence[str] = tuple("0123456789"),
        latent: int = 32,
        width: int = 512,
        depth: int = 2,
        warmup: int = 2000,
        start: float = 0.0,
    ) -> None:
        super().__init__(shape, labels, latent, width, depth, warmup, start)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 4, 4), labels=("one", "two", "three"), latent=2, width=16, depth=1, warmup=0)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The negative bound of log p(x|y) in nats, and its two terms."""
        x = torch.bernoulli(x, generator=generator)
        noise = torch.randn((len(x), self._size), generator=generator, device=x.device)
        rate, distortion = (term.mean() for term in self.terms(x, label, noise))
        loss = distortion + self.warmth() * rate
        return {"loss": loss, "nats": distortion + rate, "distortion": distortion, "rate": rate}

    def belief(self, x: Tensor) -> Tensor:
        """Log q(y|x), (n, classes), by Bayes' rule from each class's bound at the mean of z."""
        n, classes = len(x), len(self.labels)
        every = torch.arange(classes, device=x.device).repeat(n)
        rate, distortion = self.terms(x.repeat_interleave(classes, 0), every, x.new_zeros(n * classes, self._size))
        return (-rate - distortion).view(n, classes).log_softmax(1)
