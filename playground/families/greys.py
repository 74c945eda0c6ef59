"""Grey levels as roughly normal variables: the exact change of variables in which flows of pictures work.

Most pixels of a picture are of the background, all of one grey level: as an interval of brightness it is a sliver,
which a smooth flow from normal noise cannot hit. Each level is given a share of the normal distribution instead, which
grows with its frequency, so that frequent levels are wide enough.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 256
EDGE = 1e-6  # how near to 0 and 1 a uniform may come: its normal quantile stays within five
PARTS = 64  # of each level, over which means are taken


class Greys(nn.Module):
    """The map between 8-bit pictures and variables of mean zero and variance one.

    Args:
        power: of the frequencies, to which the levels' shares are proportional: 0 leaves the levels equally wide, at 1
            all pixels together are exactly normal.
    """

    share: Tensor
    mean: Tensor
    spread: Tensor
    seen: Tensor

    def __init__(self, power: float = 0.5) -> None:
        super().__init__()
        self.power = power
        self.register_buffer("share", torch.full((LEVELS,), 1 / LEVELS))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))
        self.register_buffer("seen", torch.zeros(()))

    def look(self, x: Tensor) -> None:
        """Learn from the first pictures (n, c, h, w) in [0, 1] that are shown, and never change again."""
        if self.seen:
            return
        frequency = 1 + torch.bincount(_level(x).flatten(), minlength=LEVELS).float()
        frequency /= frequency.sum()
        self.share.copy_(frequency**self.power / (frequency**self.power).sum())
        inside = (torch.arange(PARTS, device=x.device) + 0.5) / PARTS
        z = torch.special.ndtri(self._below()[:-1, None] + inside * self.share[:, None])  # (levels, parts)
        self.mean.copy_(frequency @ z.mean(1))
        self.spread.copy_((frequency @ (z - self.mean).square().mean(1)).sqrt())
        self.seen.fill_(1)

    def normal(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Variables (n, c, h, w) of pictures in [0, 1], and what a log-density gains by it, (n,), in nats.

        Args:
            x: pictures; their grey levels are rounded to 256.
            noise: uniform on [0, 1), (n, c, h, w): where in its level's share each pixel is (uniform dequantisation,
                Theis, van den Oord and Bethge 2016, arXiv:1511.01844).

        Returns:
            y, and the log of dy by the grey level, summed: log p(picture) = log p(y) + that.
        """
        level = _level(x)
        share = self.share[level]
        z = torch.special.ndtri((self._below()[level] + noise * share).clamp(EDGE, 1 - EDGE))
        gain = (share / self.spread).log().flatten(1).sum(1) - normal_nats(z)
        return (z - self.mean) / self.spread, gain

    def picture(self, y: Tensor) -> Tensor:
        """The picture in [0, 1], of 256 grey levels, in whose shares the variables (n, c, h, w) are."""
        uniform = torch.special.ndtr(self.mean + self.spread * y)
        below = self._below()
        level = torch.searchsorted(below[1:], uniform.detach().contiguous(), right=True).clamp(max=LEVELS - 1)
        x = level / (LEVELS - 1)
        if uniform.requires_grad:  # steps have no slope: take that of the line through them
            line = (level + (uniform - below[level]) / self.share[level]) / LEVELS
            x = x + (line - line.detach())
        return x

    def _below(self) -> Tensor:
        """The shares of all levels below each, and of all: (257,)."""
        return F.pad(self.share.cumsum(0), (1, 0))


def normal_nats(z: Tensor) -> Tensor:
    """Log-density of the standard normal in nats, (n,), of z, (n, ...)."""
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).flatten(1).sum(1)


def _level(x: Tensor) -> Tensor:
    return (x * (LEVELS - 1)).round().long().clamp(0, LEVELS - 1)
