"""A small U-Net (Ronneberger et al. 2015, arXiv:1505.04597) told the time and a class, for every model that denoises.

Each 2x2 pixels are folded into channels first: on a processor a few fat convolutions at 14x14 and 7x7 are much quicker
than many thin ones at 28x28.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FREQUENCIES = 32  # sine waves per time
SHARPEST = 64.0  # radians per unit of time of the quickest wave
HEAD = 24  # channels per head of attention


class UNet(nn.Module):
    """Pictures (n, channels, height, width), times and class indices to pictures of the same shape.

    Residual blocks at half and at a quarter of the size, with one skip connection per block of the way down, group
    normalisation that time and class scale and shift (Perez et al. 2018, arXiv:1709.07871; Dhariwal and Nichol 2021,
    arXiv:2105.05233, section 3.1), and attention at the coarser size. It begins by answering zero.

    Args:
        channels: of a picture, whose sides are divisible by four.
        classes: how many classes; one more index, ``classes``, stands for "any".
        width: channels at half the size.
        deep: channels at a quarter of it.
        blocks: residual blocks between the way down and the way up.
        times: numbers that say the time, about -1 to 1 each.
        norm_groups: of the group normalisations.

    Example:
        >>> net = UNet(1, 10)
        >>> net(torch.zeros(2, 1, 28, 28), torch.zeros(2, 1), torch.tensor([3, 10])).shape
        torch.Size([2, 1, 28, 28])
    """

    frequencies: Tensor

    def __init__(
        self,
        channels: int,
        classes: int,
        width: int = 48,
        deep: int = 96,
        blocks: int = 2,
        times: int = 1,
        norm_groups: int = 8,
    ) -> None:
        super().__init__()
        told = 2 * deep
        waves = torch.exp(torch.linspace(0, math.log(SHARPEST), FREQUENCIES))
        self.register_buffer("frequencies", waves, persistent=False)
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES * times, told), nn.SiLU(), nn.Linear(told, told))
        self.label = nn.Embedding(classes + 1, told)
        nn.init.normal_(self.label.weight, std=0.1)
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.down = Block(width, width, told, norm_groups)
        self.shrink = nn.Conv2d(width, deep, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(Block(deep, deep, told, norm_groups) for _ in range(blocks))
        self.attention = Attention(deep, norm_groups)
        self.merge = Block(2 * deep, deep, told, norm_groups)
        self.grow = nn.Conv2d(deep, 4 * width, 1)
        self.up = Block(2 * width, width, told, norm_groups)
        self.leave = nn.Sequential(nn.GroupNorm(norm_groups, width), nn.SiLU())
        self.answer = nn.Conv2d(width, 4 * channels, 3, padding=1)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)  # type: ignore[arg-type]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, time: Tensor, label: Tensor, hint: Tensor | None = None) -> Tensor:
        """The answer, (n, channels, height, width), for times (n, times) and class indices (n,).

        ``hint``, (n, width, height / 2, width / 2), is added to what is seen of the picture at first.
        """
        return self.ascend(*self.descend(x, time, label, hint))

    def descend(
        self, x: Tensor, time: Tensor, label: Tensor, hint: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The way down: what blocks are told, two states for the way up, and the coarse state, (n, deep, h/4, w/4)."""
        phase = (time[:, :, None] * self.frequencies).flatten(1)
        told = F.silu(self.time(torch.cat([phase.cos(), phase.sin()], 1)) + self.label(label))
        h = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)
        h = self.enter(h)
        fine = self.down(h if hint is None else h + hint, told)
        small = self.shrink(fine)
        h = small
        for block in self.coarse:
            h = block(h, told)
        return told, fine, small, h

    def ascend(self, told: Tensor, fine: Tensor, small: Tensor, h: Tensor) -> Tensor:
        """The way up, from what ``descend`` gives to the answer."""
        h = self.merge(torch.cat([self.attention(h), small], 1), told)
        h = self.up(torch.cat([F.pixel_shuffle(self.grow(h), 2), fine], 1), told)
        return F.pixel_shuffle(self.answer(self.leave(h)), 2)


class Block(nn.Module):
    """A residual block of two convolutions; ``told``, (n, told), scales and shifts what is between them."""

    def __init__(self, inputs: int, outputs: int, told: int, norm_groups: int) -> None:
        super().__init__()
        self.before = nn.GroupNorm(norm_groups, inputs)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.between = nn.GroupNorm(norm_groups, outputs, affine=False)
        self.film = nn.Linear(told, 2 * outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        nn.init.zeros_(self.second.weight)  # the block begins as the identity
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        h = self.between(self.first(F.silu(self.before(x))))
        scale, shift = self.film(told)[:, :, None, None].chunk(2, 1)
        return self.skip(x) + self.second(F.silu(torch.addcmul(shift, h, 1 + scale)))


class Attention(nn.Module):
    """Residual self-attention over all places of a small picture."""

    def __init__(self, channels: int, norm_groups: int) -> None:
        super().__init__()
        self.heads = max(1, channels // HEAD)
        self.norm = nn.GroupNorm(norm_groups, channels)
        self.ask = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.tell = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.tell.weight)

    def forward(self, x: Tensor) -> Tensor:
        n, c, height, width = x.shape
        parts = self.ask(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1)).transpose(3, 4).unbind(1)
        h = F.scaled_dot_product_attention(*parts)  # (n, heads, places, c / heads)
        return x + self.tell(h.transpose(2, 3).reshape(n, c, height, width))
