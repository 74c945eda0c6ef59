"""Blocks that families use identically."""

from __future__ import annotations

from torch import Tensor, nn


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def residual_mlp(inputs: int, width: int, outputs: int, depth: int) -> nn.Sequential:
    """A perceptron of ``depth`` pre-normalised residual blocks, (n, inputs) to (n, outputs)."""
    blocks = [
        Residual(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)) for _ in range(depth)
    ]
    return nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), *blocks, nn.LayerNorm(width), nn.Linear(width, outputs))
