"""Drawings stroke by stroke (Ha and Eck 2018, arXiv:1704.03477): a recurrent network alone, and with a latent code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import (
    About,
    Continues,
    Density,
    Learns,
    LogProb,
    RateDistortion,
    Reconstructs,
    Samples,
)
from playground.families.pen import Pen, cropped, inside, lengths, open_ended, tidied
from playground.knobs import ANY, Choice, Label, Slider
from playground.rng import Rng

ORDER = 130  # among the families on a page

STEADY = 0.1  # the temperature at which a code is decoded
SOURCES = ("from your strokes", "drawn anew")
CHUNK = 2000  # drawings at once where each is weighed under every class or many codes
Heat = Annotated[float, Slider(0.05, 1.5, 0.05, help="how bold: below one, only what is likely")]


def _stretched(x: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Drawings (n, points, 5), each a little wider or narrower, higher or lower: by up to ``most`` of its size."""
    factor = 1 + most * (2 * torch.rand(len(x), 1, 2, generator=generator, device=x.device) - 1)
    return torch.cat([x[..., :2] * factor, x[..., 2:]], -1)


def _taught(pen: Pen, x: Tensor, code: Tensor, dropout: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Nats of each drawing, (n,), with dropout, and how many points a drawing has on average."""
    keep = torch.rand(*x.shape[:2], pen.width, generator=generator, device=x.device) >= dropout
    nats = pen(x, code, keep / (1 - dropout)).log_prob(x) * inside(x)
    return -nats.sum(1), lengths(x).float().mean()


@final
class StrokeRNN(Learns, Samples, Density, Continues):
    """An LSTM that follows the pen and bets at each point on where it goes next: a mixture of Gaussians, three marks.

    Its log-probability is the sum over the points, exact; where there are classes, summed over all of them, each as
    likely as the others.

    Args:
        shape: one drawing, (points, 5).
        labels: the classes, by name, or none.
        width: units of the LSTM.
        mixtures: components of the mixture.
        code: numbers that stand for a class.
        finest: the smallest standard deviation of a component; data lie on a grid that it must not resolve.
        dropout: share of the LSTM's outputs that a training step does not see.
        stretch: by how much of its size a drawing is stretched at random in training.

    Reference:
        Ha and Eck 2018, A Neural Representation of Sketch Drawings, arXiv:1704.03477, section 3.3; the mixture of
        Graves 2013, arXiv:1308.0850, equations 18 to 25.

    Example:
        >>> StrokeRNN().sample(Rng(0, 2)).shape
        torch.Size([2, 80, 5])
    """

    medium = "drawings"
    cannot = {
        "Refines": "it draws point by point: watch the pen on the Sketch page",
        "Encodes": "it has no code: it only follows the pen",
    }
    about = About(
        title="Stroke RNN",
        line="Follows a pen and says, point by point, where it will go next.",
        intuition="A network with a memory watches a pen. At every point it bets on where the pen goes next, with a"
        " cloud of guesses rather than one, and on whether the pen is lifted. To draw, it follows its own bets.",
        pros="It draws lines, not pixels: drawings can be replayed, enlarged, and gone on with from any beginning. The"
        " probability of a drawing is exact.",
        cons="It has a short view: a line that should close may not, and it can lose the plan of a large drawing. There"
        " is no code of a whole drawing to play with.",
        training="Show it drawings point by point and raise the probability of what the pen did.",
        latent="None.",
        sampling="Draw a step and a mark from the present bet, tell the network, and repeat until it says that the"
        " drawing has ended.",
        density="Exact: the product over the points of the step's density and the mark's probability.",
        paper="Ha and Eck 2018, A Neural Representation of Sketch Drawings",
        arxiv="1704.03477",
    )

    def __init__(
        self,
        shape: Sequence[int] = (80, 5),
        labels: Sequence[str] = (),
        width: int = 256,
        mixtures: int = 20,
        code: int = 32,
        finest: float = 0.02,
        dropout: float = 0.1,
        stretch: float = 0.1,
    ) -> None:
        super().__init__()
        self.shape, self.labels = tuple(shape), tuple(labels)
        self.dropout, self.stretch = dropout, stretch
        self.classes = nn.Embedding(len(labels), code) if labels else None
        self.pen = Pen(code if labels else 0, width, mixtures, finest)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(6, 5), labels=("one", "two", "three"), width=8, mixtures=2, code=2)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Nats per point, and per drawing."""
        x = _stretched(cropped(tidied(x)), self.stretch, generator)
        nats, points = _taught(self.pen, x, self._told(x, label), self.dropout, generator)
        return {"loss": nats.mean() / points, "nats": nats.mean()}

    def _told(self, x: Tensor, label: Tensor) -> Tensor:
        """What the pen is told of the class, (n, code)."""
        return x.new_zeros(len(x), 0) if self.classes is None else self.classes(label)

    @torch.no_grad()
    def sample(self, rng: Rng, *, label: Annotated[str, Label()] = ANY, temperature: Heat = 0.7) -> Tensor:
        chosen = self._classes(rng, label)
        return self._drawn(rng, chosen, temperature, torch.empty(0, 5, device=rng.device))

    def _classes(self, rng: Rng, label: str) -> Tensor:
        any_ = rng.integers(max(1, len(self.labels)))
        return any_ if label == ANY else torch.full_like(any_, self.labels.index(label))

    def _drawn(self, rng: Rng, label: Tensor, temperature: float, begun: Tensor) -> Tensor:
        points = self.shape[0]
        uniform, normal = rng.uniform(points, 2), rng.normal(points, 2)
        return self.pen.draw(self._told(normal, label), uniform, normal, temperature, begun)

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        """Exact: the density of the steps times the probability of the marks."""
        nats = self._nats(tidied(x)).sum(2)  # (n, classes)
        return LogProb(nats.logsumexp(1) - math.log(nats.shape[1]), "exact", "continuous")

    @torch.no_grad()
    def continue_drawing(
        self, begun: Tensor, rng: Rng, *, label: Annotated[str, Label()] = ANY, temperature: Heat = 0.7
    ) -> Tensor:
        """Drawings that begin so; where no class is named, each of one that Bayes' rule draws from what is begun."""
        chosen = self._classes(rng, label)
        if self.labels and label == ANY and len(begun):
            odds = self._nats(open_ended(begun))[0, :, :-1].sum(1).softmax(0)  # (classes,)
            chosen = (odds.cumsum(0) < rng.uniform(1)).sum(1).clamp(max=len(odds) - 1)
        return self._drawn(rng, chosen, temperature, begun)

    @torch.no_grad()
    def point_log_prob(self, x: Tensor) -> Tensor:
        so_far = self._nats(tidied(x)).cumsum(2).logsumexp(1) - math.log(max(1, len(self.labels)))  # (n, points)
        return torch.diff(so_far, dim=1, prepend=so_far.new_zeros(len(x), 1))

    def _nats(self, x: Tensor) -> Tensor:
        """Log-probability of each point of tidy drawings under each class, (n, max(1, classes), points)."""
        classes = max(1, len(self.labels))
        every, found = torch.arange(classes, device=x.device), []
        for part in x.split(max(1, CHUNK // classes)):
            short = cropped(part).repeat_interleave(classes, 0)
            nats = self.pen.log_prob(short, self._told(short, every.repeat(len(part))))
            found.append(F.pad(nats, (0, x.shape[1] - short.shape[1])).unflatten(0, (-1, classes)))
        return torch.cat(found)


@final
class SketchRNN(Learns, Samples, Reconstructs, Density, RateDistortion, Continues):
    """A variational autoencoder of drawings: an LSTM reads both ways, another draws, told the code at every point.

    Trained on the bound, with the rate weighed less than one so that the code is used (beta, section 3.2, where it is
    w_KL), its weight growing in the beginning, and never pressed below ``free`` nats.

    Args:
        shape: one drawing, (points, 5).
        latent: the size of z.
        width: units of the LSTM that draws.
        reads: units of the LSTM that reads, in each direction.
        mixtures: components of the mixture.
        finest: the smallest standard deviation of a component; data lie on a grid that it must not resolve.
        beta: the weight of the rate in the end.
        free: nats of rate that cost nothing in training.
        warmup: steps over which that weight grows.
        dropout: share of the drawing LSTM's outputs that a training step does not see.
        stretch: by how much of its size a drawing is stretched at random in training.

    Reference:
        Ha and Eck 2018, A Neural Representation of Sketch Drawings, arXiv:1704.03477.

    Example:
        >>> SketchRNN().decode(torch.zeros(1, 64)).shape
        torch.Size([1, 80, 5])
    """

    medium = "drawings"
    cannot = {"Refines": StrokeRNN.cannot["Refines"]}
    about = replace(
        StrokeRNN.about,
        title="Sketch-RNN",
        line="Reads a whole drawing into a code, and draws it again with a pen, stroke by stroke.",
        intuition="One network reads the drawing, forwards and backwards, and sums it up in a short code. Another holds"
        " the pen: told the code all the while, it bets at every point on where the pen goes next. It does not copy"
        " the lines, it draws what it understood.",
        pros="A drawing between two others can be drawn, a scribble comes out tidied, and a beginning can be gone on"
        " with towards any code.",
        cons="The pen remembers much by itself, so the code may be ignored: training must hold the balance. The"
        " probability is only bounded, and no better than that of the pen alone.",
        training="Maximise a bound of the log-likelihood whose cost of the code grows from nothing, so that the code is"
        " put to use before it is made to pay.",
        latent="Yes: a short vector for the whole drawing, with a cloud of codes for each.",
        sampling="Draw a code from the standard normal, then let the pen draw by it, point after point.",
        density="A bound, or an estimate from below with many codes weighted by importance.",
    )

    seen: Tensor

    def __init__(
        self,
        shape: Sequence[int] = (80, 5),
        latent: int = 64,
        width: int = 256,
        reads: int = 128,
        mixtures: int = 20,
        finest: float = 0.02,
        beta: float = 0.25,
        free: float = 20.0,
        warmup: int = 1000,
        dropout: float = 0.1,
        stretch: float = 0.1,
    ) -> None:
        super().__init__()
        self.shape, self.latent = tuple(shape), (latent,)
        self.beta, self.free, self.warmup = beta, free, warmup
        self.dropout, self.stretch = dropout, stretch
        self.forwards = nn.LSTM(5, reads, batch_first=True)
        self.backwards = nn.LSTM(5, reads, batch_first=True)
        self.summary = nn.Linear(2 * reads, 2 * latent)
        self.pen = Pen(latent, width, mixtures, finest)
        self.register_buffer("seen", torch.zeros(()))  # steps trained, for the warm-up

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(6, 5), latent=2, width=8, reads=4, mixtures=2, free=0.0, warmup=0)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The weighed bound per point; the negative bound in nats per drawing, and its two terms."""
        x = _stretched(cropped(tidied(x)), self.stretch, generator)
        mean, log_std = self.posterior(x)
        z = mean + log_std.exp() * torch.randn(mean.shape, generator=generator, device=x.device)
        nats, points = _taught(self.pen, x, z, self.dropout, generator)
        distortion, rate = nats.mean(), _rate(mean, log_std).mean()
        self.seen += 1
        weight = self.beta * ((self.seen / self.warmup).clamp(max=1) if self.warmup else 1.0)
        loss = (distortion + weight * rate.clamp(min=self.free)) / points
        return {"loss": loss, "nats": distortion + rate, "distortion": distortion, "rate": rate}

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of q(z|x), each (n, latent), of tidy drawings."""
        x, points = cropped(x), lengths(x)
        place = (points[:, None] - 1 - torch.arange(x.shape[1], device=x.device)).clamp(min=0)
        turned = x.gather(1, place[..., None].expand(-1, -1, 5))
        last = (points - 1)[:, None, None]
        read = [
            lstm(way)[0].gather(1, last.expand(-1, 1, lstm.hidden_size))[:, 0]
            for lstm, way in ((self.forwards, x), (self.backwards, turned))
        ]
        mean, log_std = self.summary(torch.cat(read, 1)).chunk(2, 1)
        return mean, log_std.clamp(-7, 3)

    @torch.no_grad()
    def sample(self, rng: Rng, *, temperature: Heat = 0.5) -> Tensor:
        return self._drawn(rng.normal(*self.latent), rng, temperature, torch.empty(0, 5, device=rng.device))

    def _drawn(self, z: Tensor, rng: Rng, temperature: float, begun: Tensor) -> Tensor:
        points = self.shape[0]
        return self.pen.draw(z, rng.uniform(points, 2), rng.normal(points, 2), temperature, begun)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """The posterior mean, (n, latent)."""
        return self.posterior(tidied(x))[0]

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Drawings (n, points, 5), nearly the likeliest: all by one stream of draws, so that near codes look alike."""
        rng = Rng(0, 1, z.device).pick([0])
        uniform, normal = (draw(self.shape[0], 2).expand(len(z), -1, -1) for draw in (rng.uniform, rng.normal))
        return self.pen.draw(z, uniform, normal, STEADY, torch.empty(0, 5, device=z.device))

    @torch.no_grad()
    def rate_distortion(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """KL(q(z|x) || p(z)), which is exact, and -log p(x|z) at one code."""
        x = tidied(x)
        mean, log_std = self.posterior(x)
        z = mean + log_std.exp() * rng.normal(*self.latent)
        return _rate(mean, log_std), -self.pen.log_prob(cropped(x), z).sum(1)

    @torch.no_grad()
    def log_prob(
        self, x: Tensor, rng: Rng, *, importance_samples: Annotated[int, Slider(1, 5000, help="codes averaged")] = 1
    ) -> LogProb:
        """The bound (one code), or the importance-weighted estimate (Burda et al. 2016, arXiv:1509.00519, eq. 8)."""
        if importance_samples == 1:
            rate, distortion = self.rate_distortion(x, rng)
            return LogProb(-rate - distortion, "lower bound", "continuous")
        x, k = tidied(x), importance_samples
        mean, log_std = self.posterior(x)
        noise = rng.normal(k, *self.latent)  # (n, k, latent)
        z = mean[:, None] + log_std.exp()[:, None] * noise
        prior = -0.5 * (z.square() - noise.square()).sum(2) + log_std.sum(1, keepdim=True)
        likelihood = [
            self.pen.log_prob(cropped(each[None]).expand(len(codes), -1, -1), codes).sum(1)
            for each, all_ in zip(x, z, strict=True)
            for codes in all_.split(CHUNK)
        ]
        w = torch.cat(likelihood).view(len(x), k) + prior
        stderr = (w.softmax(1) - 1 / k).square().sum(1).sqrt()
        return LogProb(w.logsumexp(1) - math.log(k), "estimate", "continuous", stderr)

    @torch.no_grad()
    def continue_drawing(
        self,
        begun: Tensor,
        rng: Rng,
        *,
        code: Annotated[str, Choice(*SOURCES, help="the code of what is begun, or a new one for each")] = SOURCES[0],
        temperature: Heat = 0.5,
    ) -> Tensor:
        """Drawings that begin so; by codes from around that of the beginning, or from the prior."""
        z = rng.normal(*self.latent)
        if len(begun) and code == SOURCES[0]:
            mean, log_std = self.posterior(tidied(begun[None]))
            z = mean + log_std.exp() * z
        return self._drawn(z, rng, temperature, begun)

    @torch.no_grad()
    def point_log_prob(self, x: Tensor) -> Tensor:
        x = tidied(x)
        return self.pen.log_prob(x, self.posterior(x)[0])


def _rate(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, I)) in nats, (n,)."""
    return 0.5 * (mean.square() + (2 * log_std).exp() - 1 - 2 * log_std).sum(1)
