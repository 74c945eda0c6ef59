"""The energy-based model: its density is one, its chains follow it, and training makes it that of the data."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from playground.families.energy import WIDE, EnergyBased
from playground.rng import Rng, Stream


def made(**changes: object) -> EnergyBased:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return EnergyBased(**{"width": 16, "chains": 64, **changes})  # type: ignore[arg-type]


def hilly() -> EnergyBased:
    """An energy of valleys and ridges in eight directions, a few nats high, which rises all around."""
    model = made(depth=1)
    turn = torch.arange(8) * math.pi / 8
    across = 2 * torch.stack([turn.cos(), turn.sin()])  # (2, 8)
    place = 4 * torch.rand(8, generator=torch.Generator().manual_seed(4)) - 2
    height = torch.tensor([1.2, -0.8]).repeat(4)
    first, last = model.net.weights
    first.data, last.data = torch.cat([across, -across], 1), torch.cat([height, height])[:, None]
    model.net.biases[0].data = torch.cat([place, -place])
    return model.eval().requires_grad_(False)


def plane(half: float = 8.0, cells: int = 160) -> tuple[Tensor, float]:
    """Places all over the plane, and the area of each."""
    line = torch.linspace(-half, half, cells + 1)
    return torch.cartesian_prod(line, line), (2 * half / cells) ** 2


def moments(x: Tensor, weight: Tensor) -> Tensor:
    """Mean, squares and product of the coordinates, (5,), of weighted points."""
    each = torch.stack([x[:, 0], x[:, 1], x[:, 0] ** 2, x[:, 1] ** 2, x[:, 0] * x[:, 1]])
    return each @ weight


def test_it_begins_as_a_wide_normal_distribution() -> None:
    x = 2 * Rng(0, 20).normal(2)
    normal = torch.distributions.Normal(0.0, WIDE).log_prob(x).sum(1)
    result = made().log_prob(x, Rng(0, 20))
    assert result.kind == "estimate"
    torch.testing.assert_close(result.nats, normal, atol=0.02, rtol=0)  # a hundredth is off the grid


def test_its_density_integrates_to_one() -> None:
    x, area = plane(8.0, 320)
    nats = hilly().log_prob(x, Stream(0, len(x))).nats
    assert float(nats.exp().sum()) * area == pytest.approx(1, abs=0.01)


def test_the_grid_is_fine_enough_and_says_so() -> None:
    model, x = hilly(), torch.zeros(1, 2)
    coarse, usual, fine = (model.log_prob(x, Rng(0, 1), cells=cells) for cells in (64, 160, 400))
    assert coarse.stderr is not None and usual.stderr is not None and usual.stderr < 0.01
    assert (usual.nats - fine.nats).abs() <= usual.stderr + 1e-4
    assert (coarse.nats - fine.nats).abs() <= coarse.stderr + 1e-3


def test_the_field_is_the_score() -> None:
    model, x = hilly(), Rng(0, 30).normal(2).requires_grad_()
    score = torch.autograd.grad(-model.energy(x).sum(), x)[0]
    torch.testing.assert_close(model.field(x.detach(), 0.2), score, atol=1e-5, rtol=1e-4)


def test_chains_follow_the_density() -> None:
    """Leaps and Langevin steps, from noise: the moments of many chains are those of the density."""
    model = hilly()
    x, area = plane()
    nats = model.log_prob(x, Stream(0, len(x)), cells=400).nats
    expected = moments(x, nats.exp() * area)
    drawn = model.sample(Stream(1, 20000), steps=120)
    error = torch.stack([moments(part, torch.full((1000,), 1e-3)) for part in drawn.split(1000)]).std(0) / 20**0.5
    assert ((moments(drawn, torch.full((20000,), 5e-5)) - expected).abs() < 5 * error + 0.01).all()


@pytest.mark.parametrize(("share", "stride"), [(1.0, 0.1), (0.0, 0.8)])
def test_each_kind_of_move_follows_the_density(share: float, stride: float) -> None:
    """Leaps alone, and Langevin steps alone, which are wide enough here to go from valley to valley."""
    model = hilly()
    x, area = plane()
    expected = moments(x, model.log_prob(x, Stream(0, len(x)), cells=400).nats.exp() * area)
    rng = Stream(2, 10000)
    chain = WIDE * rng.normal(2)
    view = model._look(chain, stride)
    for _ in range(150):
        leap = rng.uniform(1) < share
        chain, view = model._moved(chain, view, stride, rng.normal(2), rng.uniform(1), leap)
    error = torch.stack([moments(part, torch.full((500,), 2e-3)) for part in chain.split(500)]).std(0) / 20**0.5
    assert ((moments(chain, torch.full((10000,), 1e-4)) - expected).abs() < 5 * error + 1e-3).all()


def test_chains_are_kept_in_training_and_stand_still_otherwise() -> None:
    model, x = made(), torch.zeros(8, 2)
    before = model.chains.clone()
    model.eval().loss(x, torch.zeros(8), torch.Generator().manual_seed(0), "model")
    assert torch.equal(model.chains, before)
    model.train().gradient(x, torch.Generator().manual_seed(0), "model")
    assert not torch.equal(model.chains, before)


def test_a_steep_energy_does_not_throw_chains_away() -> None:
    model = hilly()
    model.net.weights[-1].data *= 1e6
    drawn = model.sample(Stream(0, 100), leaps=False)
    assert drawn.isfinite().all() and float(drawn.abs().max()) < 50


def test_a_dragged_start_bends_its_path() -> None:
    model, z = hilly(), torch.tensor([[0.5, 0.5], [0.5001, 0.5]])
    path = model.carry(z)
    assert torch.equal(path, model.carry(z))
    torch.testing.assert_close(path[:, :1], model.carry(z[:1]))
    assert float((path[:, 0] - path[:, 1]).abs().max()) < 0.05


def test_only_the_plane_can_be_summed_over() -> None:
    with pytest.raises(ValueError, match="plane"):
        EnergyBased(shape=(3,))


def test_training_makes_it_the_density_of_the_data() -> None:
    """Two islands, seven tenths and three tenths: KL in nats, and the share of each."""
    model = made(width=64, chains=128)
    generator = torch.Generator().manual_seed(0)
    centres, sigma = torch.tensor([[-2.0, 0.0], [2.0, 1.0]]), 0.5

    def draw(n: int) -> Tensor:
        which = (torch.rand(n, generator=generator) < 0.3).long()
        return centres[which] + sigma * torch.randn(n, 2, generator=generator)

    optimiser = torch.optim.Adam(model.parameters(), EnergyBased.rate, betas=EnergyBased.betas)
    average = [torch.zeros_like(p) for p in model.parameters()]
    for step in range(1200):
        model.gradient(draw(256), generator, "model")
        optimiser.step()
        if step >= 800:
            torch._foreach_add_(average, [p.detach() / 400 for p in model.parameters()])
    with torch.no_grad():
        torch._foreach_copy_(list(model.parameters()), average)
    x = draw(4000)
    normal = torch.distributions.Normal(centres, sigma).log_prob(x[:, None]).sum(2)
    truth = (normal + torch.tensor([0.7, 0.3]).log()).logsumexp(1)
    assert float((truth - model.log_prob(x, Stream(0, 4000)).nats).mean()) < 0.1
    x, area = plane()
    right = float(model.log_prob(x, Stream(0, len(x))).nats.exp()[x[:, 0] > 0].sum()) * area
    assert right == pytest.approx(0.3, abs=0.05)
    assert float((model.sample(Stream(1, 4000))[:, 0] > 0).float().mean()) == pytest.approx(right, abs=0.04)
