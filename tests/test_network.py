"""Counting evaluations of networks of which the number is known, in ours and on the shelf's kinds of model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from evalshelf import task_of, toys
from torch import Tensor, nn

from playground.evaluation import network
from playground.families.diffusion import Diffusion
from playground.families.gan import GAN
from playground.families.pixelcnn import PixelCNN
from playground.families.ppca import PPCA
from playground.families.vae import VAE
from playground.rng import Rng


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    with toys(tmp_path) as folder:
        yield folder


class Pair(nn.Module):
    """A network passed three times, once in a batch of two, and a small one passed once by keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
        self.tail = nn.Linear(2, 2)
        self.idle = nn.Linear(9, 9)

    def draw(self) -> Tensor:
        x = torch.zeros(1, 2)
        for _ in range(3):
            x = self.body(x)
        return self.tail(input=self.body(torch.cat([x, x])))


def test_every_member_of_a_batch_counts() -> None:
    pair = Pair()
    assert network.evaluations(pair, pair.draw) == {"body": 5, "tail": 2}


def test_hooks_are_gone_afterwards_even_if_it_failed() -> None:
    pair = Pair()
    with pytest.raises(ZeroDivisionError):
        network.evaluations(pair, lambda: 1 / 0)
    assert not any(module._forward_hooks for module in pair.modules())


def counts(model: nn.Module, **settings: object) -> int:
    found = network.evaluations(model, lambda: model.sample(Rng(0, 1), **settings))  # type: ignore[operator]
    return max(found.values(), default=0)


@torch.no_grad()
def test_known_models() -> None:
    assert counts(VAE.tiny()) == counts(GAN.tiny().eval()) == 1
    assert counts(PPCA.tiny()) == 0
    pixelcnn = PixelCNN.tiny()
    assert counts(pixelcnn) == 16  # a patch of 2x2 at a time
    diffusion = Diffusion.tiny()
    assert counts(diffusion, steps=7, guidance_scale=1.0) == 7
    assert counts(diffusion, steps=7, guidance_scale=2.0) == 14  # with the class and without it


def test_the_protocol_names_the_parts(shelf: Path) -> None:
    found = network.measure(task_of("vae", shelf))["network_evaluations"]
    assert (found.value, found.kind, found.n) == (1, "exact", 1)
    assert "decoder 1" in found.protocol
    assert network.measure(task_of("stepper", shelf))["network_evaluations"].value == 0
