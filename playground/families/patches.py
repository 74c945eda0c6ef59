"""Pictures as grids of patches, each of which is one symbol: what autoregressive families of pictures draw."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from playground.capabilities import Measure

MAX_STATES = 4096  # of one patch: a softmax has as many outputs


class Patches(nn.Module):
    """Cuts pictures (n, *shape) into symbols (n, H, W), and back.

    Args:
        shape: one picture, (channels, height, width); height and width must be multiples of ``patch``.
        patch: side of a patch in pixels.
        levels: grey levels of a pixel, a divisor of 256.

    Attributes:
        grid: rows and columns of patches, (H, W).
        states: how many symbols there are, ``levels ** (patch * patch * channels)``.
        measure: what the probability of the symbols is of: black and white, or 8-bit greys.
        grain: nats to add to the surprise at each value, as coarser greys are spread evenly over the 8-bit ones.

    Raises:
        ValueError: the three do not go together.
    """

    places: Tensor

    def __init__(self, shape: tuple[int, int, int], patch: int, levels: int) -> None:
        super().__init__()
        self.shape, self.patch, self.levels = tuple(shape), patch, levels
        pixels = shape[0] * patch * patch
        self.states = levels**pixels
        if shape[1] % patch or shape[2] % patch or 256 % levels or levels < 2 or self.states > MAX_STATES:
            raise ValueError(f"patches of side {patch} with {levels} levels do not fit pictures of shape {self.shape}")
        self.grid = (shape[1] // patch, shape[2] // patch)
        self.measure: Measure = "binary pixels" if levels == 2 else "8-bit pixels"
        self.grain = 0.0 if levels == 2 else math.log(256 / levels)
        self.register_buffer("places", levels ** torch.arange(pixels), persistent=False)

    def tokens(self, x: Tensor) -> Tensor:
        """Pictures (n, *shape) as the numbers of their patches' states, (n, H, W) int64."""
        return (self._cut((x * self.levels).long().clamp(0, self.levels - 1)) * self.places).sum(-1)

    def pixels(self, tokens: Tensor) -> Tensor:
        """Pictures (n, *shape) of patch states (n, H, W): the inverse of ``tokens``."""
        digits = tokens.unsqueeze(-1) // self.places % self.levels
        return self._join(digits).float() / (self.levels - 1)

    def allowed(self, x: Tensor, known: Tensor) -> Tensor:
        """Which states agree with the known pixels, (n, *shape) bool, of pictures (n, *shape): (n, H, W, states)."""
        every = torch.arange(self.states, device=x.device)[:, None] // self.places % self.levels  # (states, pixels)
        pixels = self._cut((x * self.levels).long().clamp(0, self.levels - 1)).unsqueeze(-2)
        return ((every == pixels) | ~self._cut(known).unsqueeze(-2)).all(-1)

    def surprise(self, scores: Tensor, tokens: Tensor) -> Tensor:
        """Nats of surprise at each pixel, (n, height, width), summed over channels; in all, that at the picture.

        The chain rule goes on within a patch: the odds of its first pixel are those of all states that begin with it,
        and so on.

        Args:
            scores: (n, H, W, states) before the softmax.
            tokens: (n, H, W) the states that came.
        """
        log_odds = scores.log_softmax(-1)
        known = log_odds.new_zeros(tokens.shape)  # log-probability of the patch's pixels so far
        nats = []
        for k in range(1, len(self.places) + 1):
            begins = log_odds.unflatten(-1, (-1, self.levels**k)).logsumexp(-2)  # (n, H, W, levels ** k)
            before, known = known, begins.gather(-1, (tokens % self.levels**k).unsqueeze(-1)).squeeze(-1)
            nats.append(before - known)
        return self._join(torch.stack(nats, -1) + self.grain).sum(1)

    def _cut(self, x: Tensor) -> Tensor:
        """Pictures (n, *shape) as the pixels of their patches, (n, H, W, pixels)."""
        (height, width), p = self.grid, self.patch
        return x.reshape(len(x), -1, height, p, width, p).permute(0, 2, 4, 1, 3, 5).flatten(3)

    def _join(self, pixels: Tensor) -> Tensor:
        """The inverse of ``_cut``."""
        (height, width), p = self.grid, self.patch
        pixels = pixels.reshape(len(pixels), height, width, -1, p, p).permute(0, 3, 1, 4, 2, 5)  # (n, c, H, p, W, p)
        return pixels.reshape(len(pixels), *self.shape)


def pick(logits: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    """States (n,) with the odds softmax(logits / temperature), (n, states), by inverting the distribution function."""
    below = (logits / temperature).softmax(-1).cumsum(-1)[:, :-1]  # the last is 1, up to rounding
    return (below <= uniform.unsqueeze(-1)).sum(-1)
