"""What a discriminator of few data sees of a picture: moved, cut, and gradients pass through it."""

from __future__ import annotations

import torch

from playground.families.augment import _shifted, _with_hole, augmented
from playground.families.gan import GAN


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_picture_is_moved_whole_and_what_comes_in_is_black() -> None:
    x = torch.zeros(200, 1, 16, 16)
    x[:, :, 8, 8] = 1
    moved = _shifted(x, generator())
    assert torch.equal(moved.sum((1, 2, 3)), torch.ones(200))
    rows, columns = (moved[:, 0].amax(axis).argmax(1) - 8 for axis in (2, 1))
    for by in (rows, columns):
        assert by.min() == -2 and by.max() == 2
    full = _shifted(torch.ones(50, 3, 16, 16), generator())
    assert full.min() == 0 and full[:, :, 2:-2, 2:-2].min() == 1


def test_a_hole_is_a_square_of_half_the_side() -> None:
    holes = 1 - _with_hole(torch.ones(100, 1, 16, 16), generator())[:, 0]
    height, width = holes.amax(2).sum(1), holes.amax(1).sum(1)
    assert torch.equal(holes.sum((1, 2)), height * width)
    assert height.max() == width.max() == 9  # at most four either side of its centre
    assert height.min() >= 5  # cut by the frame


def test_gradients_pass_and_the_generator_decides() -> None:
    x = torch.rand(8, 3, 8, 8, generator=generator(1)).requires_grad_()
    changed = augmented(x, generator())
    assert changed.shape == x.shape and changed.isfinite().all()
    changed.sum().backward()
    assert x.grad is not None and (x.grad != 0).any()
    assert torch.equal(changed, augmented(x, generator()))
    assert not torch.equal(changed, augmented(x, generator(2)))


def test_both_players_of_an_augmented_gan_learn() -> None:
    torch.manual_seed(0)
    model = GAN(shape=(1, 8, 8), latent=3, width=2, augment=True)
    x = torch.rand(8, 1, 8, 8, generator=generator(3))
    for player, weights in model.players().items():
        model.loss(x, torch.zeros(8), generator(), player)[player].backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in weights)
