"""A diagonal Gaussian per class, which can do everything, and a blob, which can do little: for tests. No paper."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, final

import torch
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Decodes, Density, Learns, LogProb, Reconstructs, Refines, Samples, State
from playground.knobs import ANY, Label, Slider
from playground.rng import Rng


@final
class Toy(Learns, Refines, Reconstructs, Density):
    """Independent normal pixels around one mean per class.

    Args:
        shape: one picture, (channels, height, width).
        classes: how many classes it can be conditioned on; 0 for none.
    """

    about = About(
        title="Toy Gaussian",
        line="independent normal pixels: the smallest model there is",
        intuition="Every pixel is a coin of its own.",
        pros="Exact and instant.",
        cons="No pixel knows its neighbour.",
        training="By gradient descent on the negative log-likelihood.",
        latent="The standardised picture itself.",
        sampling="The mean plus noise.",
        density="In closed form.",
        paper="none",
    )

    def __init__(self, shape: tuple[int, int, int] = (1, 28, 28), classes: int = 0) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.labels = tuple(str(i) for i in range(classes))
        self.mean = nn.Parameter(torch.full((max(1, classes), *shape), 0.3))
        self.log_std = nn.Parameter(torch.full(shape, -2.0))

    @classmethod
    def tiny(cls) -> Self:
        return cls((1, 4, 4))

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        mean = self.mean[label] if self.labels else self.mean
        return {"nll": -self._nats(x, mean).mean()}

    def refine(
        self,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(1, 200, help="how many steps from noise to picture")] = 5,
        temperature: Annotated[float, Slider(0, 2, 0.05, help="how far from the mean")] = 1.0,
        label: Annotated[str, Label()] = ANY,
    ) -> Iterator[State]:
        z = rng.normal(*self.shape)
        x = self._centre(rng, label) + temperature * self.log_std.exp() * z
        for k in range(steps + 1):
            yield State((1 - k / steps) * z + k / steps * x, k, steps, f"t = {k / steps:.2f}")

    def encode(self, x: Tensor) -> Tensor:
        return (x - self.mean.mean(0)) / self.log_std.exp()

    def decode(self, z: Tensor) -> Tensor:
        return self.mean.mean(0) + self.log_std.exp() * z

    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        each = torch.stack([self._nats(x, mean) for mean in self.mean], 1)  # (n, classes)
        return LogProb(each.logsumexp(1) - math.log(len(self.mean)), "exact", "continuous")

    def _centre(self, rng: Rng, label: str) -> Tensor:
        if label == ANY:
            return self.mean[rng.integers(len(self.mean))]
        return self.mean[self.labels.index(label)]

    def _nats(self, x: Tensor, mean: Tensor) -> Tensor:
        z = (x - mean) / self.log_std.exp()
        return (-0.5 * z**2 - self.log_std - 0.5 * math.log(2 * math.pi)).flatten(1).sum(1)  # (n,)


@final
class Blob(Samples, Decodes):
    """A linear map of two codes to a picture, without encoder, density or steps."""

    about = replace(Toy.about, title="Toy blob", line="a linear map of two numbers")
    cannot = {"Density": "a toy blob has no density"}
    latent = (2,)

    def __init__(self, shape: tuple[int, int, int] = (1, 28, 28)) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.map = nn.Linear(2, math.prod(shape))

    @classmethod
    def tiny(cls) -> Self:
        return cls((1, 4, 4))

    def sample(self, rng: Rng) -> Tensor:
        return self.decode(rng.normal(2))

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(3 * self.map(z)).reshape(-1, *self.shape)
