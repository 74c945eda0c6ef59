"""Probabilistic principal component analysis (Tipping and Bishop 1999): one Gaussian, long in a few directions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, final

import torch
from torch import Tensor
from typing_extensions import Self

from playground.capabilities import About, Density, Fits, LogProb, Measure, Reconstructs, Refines, State
from playground.knobs import Slider, Toggle
from playground.rng import Rng

ORDER = 10  # among the families on a page

MARGIN = 1e-6  # keeps the logit finite at black and white; the value of the MAF paper, so that numbers compare
FLOOR = 1e-6  # the smallest noise variance, as in scikit-learn: data on a line would have density infinity


class Space:
    """Where the Gaussian lives: data as they are, or pictures as logits of their dequantised pixels.

    A picture with grey levels k = 0..255 becomes y = (k + u) / 256 with uniform noise u, and then
    t = logit(a + (1 - 2a) y), a = ``MARGIN``, as in Papamakarios, Pavlakou and Murray 2017 (arXiv:1705.07057, section
    4.3). Black and white pile up at the ends of [0, 1], where no Gaussian fits: on MNIST the step to logits takes a
    single full-covariance Gaussian from 5.27 to 2.01 bits per dimension.

    Args:
        shape: one datum.
        levels: 256 for 8-bit pictures, None for continuous data, which stay as they are.
    """

    def __init__(self, shape: tuple[int, ...], levels: int | None) -> None:
        if levels not in (256, None):
            raise ValueError(f"levels must be 256 or None; it was {levels}.")
        self.shape, self.levels = shape, levels
        self.size = math.prod(shape)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and variance (n, D) of t under the dequantisation noise, and the mean log-determinant (n,).

        What is fitted with these has seen every value of the noise, instead of one draw of it.
        """
        x = x.flatten(1).cpu()  # (n, D)
        if self.levels is None:
            return x, torch.zeros_like(x), torch.zeros(len(x))
        k = self._round(x).int()
        mean, variance, log_det = (table.to(x.dtype) for table in _noise(self.levels))
        return mean[k], variance[k], log_det[k].sum(1)

    def dequantise(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Draw t (n, D) with noise from ``rng``, and log |dt/dy| - D log 256 (n,): from density of t to nats.

        Both in float64 on the CPU: Apple's GPUs have none, and sums over 784 pixels need it.
        """
        flat = x.flatten(1).cpu().double()
        if self.levels is None:
            return flat, flat.new_zeros(len(flat))
        t, log_det = _logit((self._round(flat) + rng.uniform(self.size).cpu().double()) / self.levels)
        return t, log_det.sum(1) - self.size * math.log(self.levels)

    def log_prob(self, nats: Tensor, x: Tensor) -> LogProb:
        """``nats`` on the device of ``x``, with what they are of."""
        measure: Measure = "continuous" if self.levels is None else "8-bit pixels"
        return LogProb(nats.to(x.device, torch.float32), "exact", measure)

    def logged(self, nats: float) -> dict[str, float]:
        """A negative log-likelihood per datum for the log: in nats, and in bits per dimension of a picture."""
        return {"nats": nats} if self.levels is None else {"nats": nats, "bits/dim": nats / self.size / math.log(2)}

    def data(self, t: Tensor) -> Tensor:
        """The data (n, *shape) at t (n, D), pictures in [0, 1]."""
        if self.levels is not None:
            y = (torch.sigmoid(t) - MARGIN) / (1 - 2 * MARGIN)
            t = ((self.levels * y - 0.5) / (self.levels - 1)).clamp(0, 1)  # the middle of a level is that level
        return t.unflatten(1, self.shape)

    def _round(self, x: Tensor) -> Tensor:
        assert self.levels is not None
        return (x * (self.levels - 1)).round().clamp(0, self.levels - 1)


def _logit(y: Tensor) -> tuple[Tensor, Tensor]:
    """The logit of y, squeezed into [a, 1 - a], and the logarithm of its derivative."""
    p = MARGIN + (1 - 2 * MARGIN) * y
    return torch.logit(p), math.log1p(-2 * MARGIN) - p.log() - torch.log1p(-p)


@cache
def _noise(levels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance of t and the mean log-derivative, less log(levels), at each grey level, (levels,), float64."""
    u = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000  # midpoint rule
    t, log_det = _logit((torch.arange(levels)[:, None] + u) / levels)  # (levels, 4000)
    return t.mean(1), t.var(1, correction=0), log_det.mean(1) - math.log(levels)


@final
class PPCA(Fits, Refines, Reconstructs, Density):
    """Probabilistic principal component analysis: x = W z + mean + noise, with normal z and equal noise everywhere.

    Wikipedia
        https://en.wikipedia.org/wiki/Principal_component_analysis

    See Also:
        MixtureOfFactorAnalysers: many of these, each with noise of its own in every pixel.

    References:
        Probabilistic principal component analysis (Tipping and Bishop 1999, J. R. Statist. Soc. B 61, 611-622).

    Args:
        shape: one datum, of any shape.
        factors: size of the latent, q, smaller than the number D of dimensions.
        levels: 256 for 8-bit pictures, which are modelled as the logits of their dequantised pixels; None for
            continuous data.

    Example:
        >>> PPCA(shape=(2,), factors=1, levels=None).sample(Rng(0, 4)).shape
        torch.Size([4, 2])
    """

    wants_float64 = True
    cannot = {"Denoises": "it is fitted to pictures as they are, not to noisy ones"}
    about = About(
        title="Probabilistic PCA",
        line="One Gaussian cloud, described by its mean and the few directions in which it is long.",
        intuition=(
            "Take the average digit. Find the direction in which digits differ most from it, then the next, and so on. "
            "Every digit is the average plus so much of each direction, and random amounts make a new digit."
        ),
        pros=(
            "The best fit is a formula: nothing to tune, no bad luck, seconds of computing. "
            "Encoding, decoding and the probability of a picture are exact, so it is the yardstick for everything else."
        ),
        cons=(
            "All data form one cloud. Halfway between a 3 and a 7 it expects a picture too, so most of its samples are "
            "blends of several digits."
        ),
        training=(
            "One pass: average the pictures and find the principal axes of their covariance, the directions of most "
            "variation. What the kept axes leave over, averaged, is the noise."
        ),
        latent=(
            "A list of numbers, one per direction, the most important first, each normally distributed with mean 0 and "
            "standard deviation 1."
        ),
        sampling="Draw a normal number for every direction, add the directions up in those amounts, and add the mean.",
        density=(
            "Exactly, by the formula of the normal distribution. For pictures it is applied to the logits of the "
            "pixels, after noise has spread each of the 256 grey levels over its whole interval."
        ),
        paper="Tipping and Bishop 1999, Probabilistic principal component analysis",
    )

    mean: Tensor
    directions: Tensor
    variance: Tensor

    def __init__(self, shape: tuple[int, ...] = (1, 28, 28), factors: int = 64, levels: int | None = 256) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.latent = (factors,)
        self.space = Space(self.shape, levels)
        size = self.space.size
        if not 0 < factors < size:
            raise ValueError(f"factors must be from 1 to {size - 1}, below the {size} dimensions; it was {factors}.")
        self.register_buffer("mean", torch.zeros(size))  # (D,)
        self.register_buffer("directions", torch.randn(size, factors) / math.sqrt(factors))  # W, (D, q)
        self.register_buffer("variance", torch.tensor(0.1))  # sigma^2

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 4, 4), factors=3)

    @property
    def device(self) -> torch.device:
        return self.mean.device  # there are no parameters to ask

    def fit(self, x: Tensor, label: Tensor, generator: torch.Generator) -> Iterator[dict[str, float]]:
        """Maximum likelihood in closed form: the first yield is the last word.

        The dequantisation noise is integrated out, so nothing is drawn from ``generator``.
        """
        t, v, log_det = self.space.moments(x)
        t, size, q = t.double(), self.space.size, self.latent[0]
        mean = t.mean(0)
        t -= mean
        covariance = t.T @ t / len(t) + v.double().mean(0).diag()
        spectrum, axes = torch.linalg.eigh(covariance)  # ascending
        spectrum, axes = spectrum.flip(0), axes.flip(1)
        axes = axes * axes.gather(0, axes.abs().argmax(0)[None]).sign()  # an eigenvector's sign is arbitrary: fix it
        variance = spectrum[q:].mean().clamp(min=FLOOR)  # equation 8
        stretch = (spectrum[:q] - variance).clamp(min=0)
        self.mean.copy_(mean)
        self.directions.copy_(axes[:, :q] * stretch.sqrt())  # equation 7, unrotated
        self.variance.copy_(variance)
        fitted = torch.cat([stretch + variance, variance.expand(size - q)])
        nats = 0.5 * (math.log(2 * math.pi) + fitted.log() + spectrum / fitted).sum() - log_det.double().mean()
        while True:
            yield self.space.logged(float(nats))

    def refine(
        self,
        rng: Rng,
        *,
        temperature: Annotated[float, Slider(0.0, 2.0, 0.05, help="how far from the mean: 0 is the mean itself")] = 1.0,
        noise: Annotated[bool, Toggle(help="add the noise that the model expects in every pixel")] = False,
    ) -> Iterator[State]:
        """The mean, then twice as many directions each time, the most important first; then noise if asked for."""
        q = self.latent[0]
        z = temperature * rng.normal(q)  # (n, q)
        grain = temperature * self.variance.sqrt() * rng.normal(self.space.size)  # (n, D)
        counts = [0, *(2**i for i in range(q.bit_length()) if 2**i < q), q]
        total = len(counts) - 1 + noise
        for done, count in enumerate(counts):
            t = self.mean + z[:, :count] @ self.directions[:, :count].T  # (n, D)
            label = f"mean + {count} direction{'s' * (count > 1)}" if count else "the mean"
            yield State(self.space.data(t), done, total, label)
        if noise:
            yield State(self.space.data(t + grain), total, total, "+ noise")

    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        return self.space.data(self.mean + z @ self.directions.T)

    def encode(self, x: Tensor, **knobs: Any) -> Tensor:
        """The posterior mean, (n, q): M^-1 W' (t - mean) with M = W'W + sigma^2 I, section 3.3."""
        t = self.space.moments(x)[0].to(self.mean)
        m = self.directions.T @ self.directions + self.variance * torch.eye(self.latent[0], device=self.device)
        return torch.linalg.solve(m, self.directions.T @ (t - self.mean).T).T

    def log_prob(self, x: Tensor, rng: Rng, **knobs: Any) -> LogProb:
        """Exact, by the normal density of covariance W W' + sigma^2 I, which is never written out."""
        t, log_det = self.space.dequantise(x, rng)
        w, variance = self.directions.cpu().double(), self.variance.cpu().double()
        d = t - self.mean.cpu().double()  # (n, D)
        m = w.T @ w + variance * torch.eye(w.shape[1], dtype=torch.float64)  # (q, q)
        root = torch.linalg.cholesky(m)
        inside = torch.linalg.solve_triangular(root, w.T @ d.T, upper=False).square().sum(0)  # (n,), by Woodbury
        distance = (d.square().sum(1) - inside) / variance
        free = self.space.size - w.shape[1]
        log_volume = free * variance.log() + 2 * root.diagonal().log().sum()  # log |W W' + sigma^2 I|
        nats = -0.5 * (self.space.size * math.log(2 * math.pi) + log_volume + distance) + log_det
        return self.space.log_prob(nats, x)
