"""The energy-based model of pictures: its chains against a Gaussian, their ages, and an exact resume."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from playground.families.picture_energy import BLUR, STRIDE, PictureEnergy
from playground.recipes import Recipe
from playground.rng import Rng
from playground.train import Run

SHAPE = (1, 8, 8)


def made(**changes: object) -> PictureEnergy:
    settings = {"shape": SHAPE, "width": 2, "hidden": 8, "chains": 12, "steps": 12, "moves": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PictureEnergy(**{**settings, **changes})  # type: ignore[arg-type]


def pictures(n: int) -> Tensor:
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(0))


class Bowl(nn.Module):
    """A height of ``pull`` |x - middle|^2 / 2: its density is a normal distribution."""

    def __init__(self, pull: float, middle: float) -> None:
        super().__init__()
        self.pull = nn.Parameter(torch.tensor(pull))
        self.middle = middle

    def forward(self, x: Tensor) -> Tensor:
        return self.pull / 2 * (x - self.middle).square().sum((1, 2, 3))[:, None]


def bowl(pull: float, middle: float) -> PictureEnergy:
    model = made().eval().requires_grad_(False)
    model.net = Bowl(pull, middle)  # type: ignore[assignment]
    return model


def test_the_energy_of_a_bowl_is_that_of_its_normal_distribution() -> None:
    """Precision 2 pull / STRIDE^2 about the middle, and 1 about zero: the score of their product, by autograd."""
    model, x = bowl(0.1, 0.3), pictures(3).requires_grad_()
    slope = torch.autograd.grad(model.log_prob(x, Rng(0, 3)).nats.sum(), x)[0]
    seen = 2 * x - 1
    torch.testing.assert_close(slope, 2 * (-0.2 / STRIDE**2 * (seen - 0.3) - seen))
    assert model.log_prob(x, Rng(0, 3)).kind == "unnormalised"


def test_chains_in_a_bowl_end_in_its_normal_distribution() -> None:
    """x <- x - pull (x - m) + STRIDE z, in the end of variance STRIDE^2 / (1 - (1 - pull)^2) about m."""
    pull, middle = 0.1, 0.2
    whole = pull + STRIDE**2 / 2  # with the pull of the normal distribution that the network tilts
    *_, before, last = bowl(pull, middle).refine(Rng(1, 200), steps=120)
    x = 2 * before.x - 1
    assert float(x.mean()) == pytest.approx(pull * middle / whole, abs=1e-3)
    assert float(x.std()) == pytest.approx(STRIDE / (1 - (1 - whole) ** 2) ** 0.5, rel=0.02)
    torch.testing.assert_close(2 * last.x - 1, x - whole * (x - pull * middle / whole), atol=1e-5, rtol=0)


def test_no_noise_means_straight_downhill() -> None:
    states = list(bowl(0.5, 0.0).refine(Rng(2, 3), steps=60, noise=0.0))
    assert states[0].label == "noise" and len(states) == 61
    torch.testing.assert_close(states[-1].x, torch.full((3, *SHAPE), 0.5), atol=1e-3, rtol=0)


def test_the_loss_is_the_difference_of_heights() -> None:
    """At data with their noise and at the grown among the moved chains; plus ``calm`` times the mean square of all."""
    model, x = made().eval(), pictures(5)
    losses = model.loss(x, torch.zeros(5), torch.Generator().manual_seed(1), "model")
    generator = torch.Generator().manual_seed(1)
    real = 2 * x - 1 + BLUR * torch.randn(x.shape, generator=generator)
    chains, age = model._advanced(generator)
    assert age.tolist() == [2, 4, 6, 8, 10, 12] * 2
    here, there = model.height(real), model.height(chains[age > 6])
    assert len(there) == 6
    torch.testing.assert_close(losses["contrast"], here.mean() - there.mean())
    squares = torch.cat([here, there]).square().mean()
    torch.testing.assert_close(losses["loss"], here.mean() - there.mean() + 0.05 * squares)


def test_chains_grow_old_and_start_anew() -> None:
    model, generator = made().train(), torch.Generator().manual_seed(0)
    ages = []
    for _ in range(13):
        model.loss(pictures(4), torch.zeros(4), generator, "model")
        ages.append(model.age.clone())
    assert all(sorted(a.tolist()) == sorted([2, 4, 6, 8, 10, 12] * 2) for a in ages)
    assert ages[0].tolist() == ages[6].tolist() == ages[12].tolist()
    young = model.chains[model.age == 2]
    assert float(young.abs().max()) > 0.9 and float(young.std()) == pytest.approx(3**-0.5, rel=0.1)  # still noise


def test_ages_that_cannot_be_spread_evenly_are_refused() -> None:
    with pytest.raises(ValueError, match="ages"):
        made(chains=10)
    with pytest.raises(ValueError, match="ages"):
        made(steps=10, moves=2)


def test_only_the_network_is_stored() -> None:
    model = made()
    assert set(model.weights().state_dict()).isdisjoint({"chains", "age"})
    assert {"chains", "age"} <= set(model.state_dict())


def test_it_learns_where_pictures_are() -> None:
    """All pictures nearly white: chains from noise go there, and white gets more density than black or noise."""
    model, generator = made(width=4, hidden=16).train(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), 5e-3, betas=(0.0, 0.99))
    for _ in range(150):
        x = 0.9 + 0.05 * torch.rand(16, *SHAPE, generator=generator)
        optimiser.zero_grad()
        model.loss(x, torch.zeros(16), generator, "model")["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    model.eval().requires_grad_(False)
    start, end = Rng(0, 32).uniform(*SHAPE), model.sample(Rng(0, 32), steps=24)
    assert float((end - 0.925).abs().mean()) < 0.5 * float((start - 0.925).abs().mean())
    white, black, noise = (model.log_prob(p, Rng(0, 4)).nats for p in (x[:4], 0 * x[:4], pictures(4)))
    assert float(white.min()) > max(float(black.max()), float(noise.max()))


def test_a_run_that_is_resumed_ends_in_the_same_weights(tmp_path: Path) -> None:
    """The chains and their ages are in the checkpoint."""
    recipe = Recipe(name="tried", model=PictureEnergy.tiny, data="mnist", steps=6, batch=4, warmup=2)
    x, y = (255 * pictures(20)).byte(), torch.zeros(20, dtype=torch.int64)
    whole, first = Run(recipe, "cpu", tmp_path / "whole"), Run(recipe, "cpu", tmp_path / "parts")
    for _ in range(6):
        whole.advance(x, y)
    for _ in range(3):
        first.advance(x, y)
    first.save()
    second = Run(recipe, "cpu", tmp_path / "parts")
    for _ in range(3):
        second.advance(x, y)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
