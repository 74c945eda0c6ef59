"""A causal transformer over a grid of symbols (Vaswani et al. 2017, arXiv:1706.03762): for families that draw them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground.families.patches import pick
from playground.families.pixelcnn import CausalConv


class Block(nn.Module):
    """Attention on oneself and everything before, then a perceptron; residual, normalised before each (as GPT-2).

    Args:
        width: channels.
        heads: attention heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, turns: Tensor) -> Tensor:
        """(n, T, width) of (n, T, width); ``turns``, (2, T, d / 2), are the angles' cosines and sines at each place."""
        parts = self.qkv(self.norm(x)).unflatten(2, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # (n, heads, T, d) each
        y = F.scaled_dot_product_attention(turned(q, turns), turned(k, turns), v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return x + self.mlp(x)

    def remember(self, n: int, places: int) -> Tensor:
        """Room for the keys and values of all places, (2, n, heads, T, d)."""
        return self.out.weight.new_zeros(2, n, self.heads, places, self.out.in_features // self.heads)

    def step(self, x: Tensor, turns: Tensor, memory: Tensor, place: int) -> Tensor:
        """What ``forward`` gives at one place, (n, width), of its input there, once all places before were stepped."""
        parts = self.qkv(self.norm(x)).unflatten(1, (3, self.heads, 1, -1))
        q, k, v = parts.unbind(1)  # (n, heads, 1, d) each
        here = turns[:, place : place + 1]
        memory[0, :, :, place], memory[1, :, :, place] = turned(k, here).squeeze(2), v.squeeze(2)
        y = F.scaled_dot_product_attention(turned(q, here), *memory[:, :, :, : place + 1])
        x = x + self.out(y.flatten(1))
        return x + self.mlp(x)


class CausalTransformer(nn.Module):
    """Scores of every symbol of a grid, given its class and the symbols before it in reading order.

    The symbol before comes in as in text; those around, above and to the left, also through a causal convolution, which
    learns strokes before attention does. Rotary angles (Su et al. 2021, arXiv:2104.09864), half of them for the row and
    half for the column, let attention tell directions.

    Args:
        states: how many symbols there are.
        grid: rows and columns, (H, W).
        classes: how many classes there are; one more stands for any class.
        width: channels.
        depth: blocks.
        heads: attention heads; each needs a multiple of four channels.
    """

    turns: Tensor

    def __init__(self, states: int, grid: tuple[int, int], classes: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.grid, self.any = grid, classes
        self.before = nn.Embedding(states, width)
        nn.init.normal_(self.before.weight, std=0.02)
        embedding = min(states, 16)
        self.embed = nn.Embedding(states, embedding)
        self.near = CausalConv(embedding, width, rows=4, reach=3, strict=True)
        self.position = nn.Parameter(0.02 * torch.randn(*grid, width))
        self.label = nn.Embedding(classes + 1, width)
        nn.init.normal_(self.label.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, states))
        self.register_buffer("turns", angles(grid, width // heads), persistent=False)

    def forward(self, tokens: Tensor, label: Tensor) -> Tensor:
        """Scores (n, H, W, states) of symbols (n, H, W) of classes (n,), each from those before it."""
        x = self.near(self.embed(tokens)) + self.position + self.label(label)[:, None, None]
        x = x.flatten(1, 2)  # (n, T, width)
        x = x + F.pad(self.before(tokens.flatten(1)[:, :-1]), (0, 0, 1, 0))
        for block in self.blocks:
            x = block(x, self.turns)
        return self.head(x).unflatten(1, self.grid)

    def nats(self, tokens: Tensor, label: Tensor) -> Tensor:
        """-log p(tokens | label), (n,)."""
        scores = self(tokens, label).flatten(0, 2)
        return F.cross_entropy(scores, tokens.flatten(), reduction="none").view(len(tokens), -1).sum(1)

    def maybe(self, label: Tensor, kept: float, generator: torch.Generator) -> Tensor:
        """Classes (n,), each replaced by "any" unless kept with that probability; so are unknown ones, below zero."""
        draw = torch.rand(len(label), generator=generator, device=label.device)
        return torch.where((draw < kept) & (label >= 0), label, self.any)

    def draw(
        self, label: Tensor, uniforms: Tensor, temperature: float, allowed: Tensor | None = None
    ) -> Iterator[Tensor]:
        """The grid (n, H, W) after each symbol drawn; those to come are 0. Each place is computed once.

        The states are changed in place.

        Args:
            label: classes (n,).
            uniforms: (n, H, W), what chooses among the odds.
            temperature: divides the scores.
            allowed: (n, H, W, states) bool, which symbols may be drawn at each place; all of them if None.
        """
        tokens = torch.zeros(uniforms.shape, dtype=torch.int64, device=uniforms.device)
        memory = self._remember(len(label))
        for place in range(tokens[0].numel()):
            here = None if allowed is None else allowed.flatten(1, 2)[:, place]
            self._place(place, tokens, label, memory, uniforms, temperature, here)
            yield tokens

    @torch.no_grad()
    def draw_naively(self, label: Tensor, uniforms: Tensor, temperature: float) -> Tensor:
        """What ``draw`` ends in, without its memory: the whole network is run anew for every symbol."""
        tokens = torch.zeros(uniforms.shape, dtype=torch.int64, device=uniforms.device)
        for place in range(tokens[0].numel()):
            row, column = divmod(place, self.grid[1])
            scores = self(tokens, label)[:, row, column]
            tokens[:, row, column] = pick(scores, uniforms[:, row, column], temperature)
        return tokens

    @torch.no_grad()
    def _remember(self, n: int) -> tuple[list[Tensor], list[Tensor]]:
        places = self.grid[0] * self.grid[1]
        return self.near.remember(n, *self.grid), [block.remember(n, places) for block in self._blocks()]

    def _blocks(self) -> list[Block]:
        return cast("list[Block]", list(self.blocks))

    @torch.no_grad()
    def _place(
        self,
        place: int,
        tokens: Tensor,
        label: Tensor,
        memory: tuple[list[Tensor], list[Tensor]],
        uniforms: Tensor,
        temperature: float,
        allowed: Tensor | None = None,
    ) -> None:
        """Draw one symbol of ``tokens`` in place."""
        row, column = divmod(place, self.grid[1])
        near, seen = memory
        x = self.near.at(near, row, column) + self.position[row, column] + self.label(label)  # (n, width)
        if place:
            x = x + self.before(tokens.flatten(1)[:, place - 1])
        for block, kept in zip(self._blocks(), seen, strict=True):
            x = block.step(x, self.turns, kept, place)
        scores = self.head(x)
        if allowed is not None:
            scores = scores.masked_fill(~allowed, -torch.inf)
        drawn = pick(scores, uniforms[:, row, column], temperature)
        tokens[:, row, column] = drawn
        self.near.put(self.embed(drawn), near, row, column)


def angles(grid: tuple[int, int], channels: int) -> Tensor:
    """Cosines and sines, (2, H * W, channels / 2), of angles that grow along rows, and of as many along columns.

    From half a turn per place down to a twentieth of that: a grid is small beside a text.
    """
    if channels % 4:
        raise ValueError(f"a head needs a multiple of four channels, for pairs of two directions; it has {channels}.")
    speeds = torch.pi * torch.logspace(0, -1.3, channels // 4)
    rows, columns = (axis.flatten() for axis in torch.meshgrid(*map(torch.arange, grid), indexing="ij"))
    turns = torch.cat([rows[:, None] * speeds, columns[:, None] * speeds], 1)
    return torch.stack([turns.cos(), turns.sin()])


def turned(x: Tensor, turns: Tensor) -> Tensor:
    """Pairs of channels of (n, heads, T, d) turned by the angles with cosines and sines (2, T, d / 2)."""
    (a, b), (cos, sin) = x.chunk(2, -1), turns
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
