"""Randomness is an argument: one generator per sample, drawn on the CPU, then moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

MAX_SEED = 2**31 - 1
GOLDEN = 0x9E3779B1  # 2**32 over the golden ratio: its multiples, modulo 2**32, keep far apart


def stream(seed: int, index: int) -> int:
    """What to seed the generator of one stream with: below 2**32, for torch's CPU generators look at 32 bits only.

    Within a seed all streams differ. Any thousand seeds in a row are at least a million streams apart (the three-gap
    theorem), so their samples do not overlap.
    """
    return (seed * GOLDEN + index) % 2**32


class Rng:
    """The random numbers of a batch: one independent stream per sample.

    Sample ``i`` of seed ``s`` draws the same numbers alone, in a batch of 64, on a laptop or a GPU, because each
    sample owns a CPU generator and nothing is drawn on the device.

    Args:
        seed: the visitor's seed, 0 to ``MAX_SEED``.
        n: how many samples the batch has; their streams are numbered from 0.

    Example:
        >>> Rng(17).take(4).normal(2).shape
        torch.Size([4, 2])
    """

    def __init__(self, seed: int, n: int = 0, device: torch.device | str = "cpu") -> None:
        self.seed = seed
        self.device = torch.device(device)
        self.generators = [torch.Generator().manual_seed(stream(seed, i)) for i in range(n)]

    def __len__(self) -> int:
        return len(self.generators)

    def take(self, n: int) -> Rng:
        """A fresh batch of ``n`` streams of the same seed: samples 0 to n-1, from their beginning."""
        return Rng(self.seed, n, self.device)

    def on(self, device: torch.device | str) -> Rng:
        """The same seed on another device, with no streams yet."""
        return Rng(self.seed, 0, device)

    def pick(self, indices: Iterable[int]) -> Rng:
        """The streams at ``indices``, shared with this batch: what they draw, this batch has drawn."""
        part = Rng(self.seed, 0, self.device)
        part.generators = [self.generators[i] for i in indices]
        return part

    @staticmethod
    def cat(batches: Iterable[Rng]) -> Rng:
        """Several batches (of any seeds, on one device) as one, in order."""
        parts = list(batches)
        whole = Rng(parts[0].seed, 0, parts[0].device)
        whole.generators = [g for part in parts for g in part.generators]
        return whole

    def normal(self, *shape: int) -> Tensor:
        """Standard normal draws, (n, *shape)."""
        return self._draw(lambda g: torch.randn(shape, generator=g))

    def uniform(self, *shape: int) -> Tensor:
        """Uniform draws on [0, 1), (n, *shape)."""
        return self._draw(lambda g: torch.rand(shape, generator=g))

    def integers(self, high: int, *shape: int) -> Tensor:
        """Whole numbers 0 to high-1, (n, *shape), int64."""
        return self._draw(lambda g: torch.randint(high, shape, generator=g))

    def _draw(self, one: Callable[[torch.Generator], Tensor]) -> Tensor:
        return torch.stack([one(g) for g in self.generators]).to(self.device)


class Stream(Rng):
    """A batch that draws from a single generator: forty times quicker, for live pictures of many points.

    Nothing is promised about one sample alone: with another ``n`` all are different.

    Args:
        seed: 0 to ``MAX_SEED``.
        n: how many samples the batch has.

    Example:
        >>> Stream(17, 400).normal(2).shape
        torch.Size([400, 2])
    """

    def __init__(self, seed: int, n: int = 0, device: torch.device | str = "cpu") -> None:
        super().__init__(seed, 0, device)
        self.n = n
        self.generator = torch.Generator().manual_seed(stream(seed, 0))

    def __len__(self) -> int:
        return self.n

    def take(self, n: int) -> Stream:
        return Stream(self.seed, n, self.device)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(self.n, *shape, generator=self.generator).to(self.device)

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(self.n, *shape, generator=self.generator).to(self.device)

    def integers(self, high: int, *shape: int) -> Tensor:
        return torch.randint(high, (self.n, *shape), generator=self.generator).to(self.device)
