"""Flow matching on pictures: a network that answers nothing is a known Gaussian; an independent solver; guidance."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torchdiffeq import odeint

from playground.families import ode
from playground.families.greys import LEVELS, Greys, normal_nats
from playground.families.picture_flow import PictureFlow
from playground.families.unet import UNet
from playground.rng import Rng


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grey(n: int, side: int = 8) -> Tensor:
    """Pictures, most pixels of which are black."""
    level = torch.randint(-600, LEVELS, (n, 1, side, side), generator=seeded(1)).clamp(0)
    return level / (LEVELS - 1)


def silent(power: float = 0.5) -> PictureFlow:
    """A model whose network answers zero, as it begins: the flow of independent standard normal pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = PictureFlow(shape=(1, 8, 8), classes=3, width=8, deep=8, blocks=1, norm_groups=4, power=power)
    return model.eval().requires_grad_(False)


def lively(seed: int = 0) -> PictureFlow:
    """The same with some random answer."""
    model = silent()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=seeded(seed))
    model.greys.look(grey(50))
    return model


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_grey_levels_come_back_and_their_variables_have_unit_variance(power: float) -> None:
    greys = Greys(power)
    x = grey(200)
    greys.look(x)
    y, _ = greys.normal(x, torch.rand(x.shape, generator=seeded(0)))
    assert torch.equal(greys.picture(y), x)
    assert float(y.mean()) == pytest.approx(0, abs=0.04) and float(y.std()) == pytest.approx(1, abs=0.04)
    before = greys.share.clone()
    greys.look(1 - x)
    assert torch.equal(greys.share, before)


def test_what_a_density_gains_is_the_slope_of_the_variables() -> None:
    greys = Greys()
    greys.look(grey(200))
    x = grey(3)
    noise = torch.rand(x.shape, generator=seeded(0)).requires_grad_()
    y, gain = greys.normal(x, noise)
    (slope,) = torch.autograd.grad(y.sum(), noise)
    torch.testing.assert_close(gain, slope.log().flatten(1).sum(1), atol=1e-3, rtol=1e-4)


def test_without_a_network_every_picture_is_as_probable_as_its_levels_shares() -> None:
    """With one power for which the variables are normal, whatever the noise within the levels."""
    model = silent(power=1.0)
    x = grey(20)
    result = model.log_prob(x, Rng(0, 20))
    torch.testing.assert_close(result.nats, torch.full((20,), -64 * math.log(LEVELS)), atol=5e-3, rtol=0)
    assert result.stderr is not None and float(result.stderr.max()) < 1e-3  # probes see a multiple of one exactly
    model.greys.look(x)
    shares = model.greys.share[(x * 255).round().long()].log().flatten(1).sum(1)
    nats = model.log_prob(x, Rng(0, 20)).nats
    assert float((nats - shares).abs().max()) < 1.0 and float((nats - shares).mean()) == pytest.approx(0, abs=0.1)


def test_without_a_network_it_denoises_by_bayes_rule() -> None:
    x = torch.randn(4, 1, 8, 8, generator=seeded(0))
    for sigma in (0.01, 0.5, 3.0, 100.0):
        clean = silent().denoise(x, torch.full((4,), sigma))
        torch.testing.assert_close(clean, x / (1 + sigma**2), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("solver", ["midpoint", "Heun", "RK4"])
def test_without_a_network_samples_are_of_the_levels_shares(solver: str) -> None:
    model = silent(power=1.0)
    x = grey(200)
    model.greys.look(x)
    drawn = model.sample(Rng(0, 60), steps=8, solver=solver)
    assert float((drawn == 0).float().mean()) == pytest.approx(float((x == 0).float().mean()), abs=0.03)


def exact(model: PictureFlow, x: Tensor) -> Tensor:
    """The summed divergence from datum to noise by torchdiffeq's adaptive solver and the whole Jacobian, 0-d."""
    flow, axes = model.flow(), torch.eye(16).view(16, *model.shape)

    def both(t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            copies = state[0].expand(16, *model.shape).clone().requires_grad_()
            v = flow(copies, float(t))
            (jacobian,) = torch.autograd.grad(v, copies, axes)  # row by row, one in each copy
        return v[:1].detach(), (jacobian * axes).sum()

    start = (x, torch.zeros(()))
    total: Tensor = odeint(both, start, torch.tensor([1.0, 0.0]), method="dopri5", rtol=1e-5, atol=1e-5)[1][-1]
    return total


def small() -> PictureFlow:
    model = PictureFlow(shape=(1, 4, 4), classes=2, width=8, deep=8, blocks=1, norm_groups=4).requires_grad_(False)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=seeded(3))  # twice as much is rough in time
    return model.eval()


def test_its_density_is_that_of_an_adaptive_solver_with_the_whole_jacobian() -> None:
    """Probes along all sixteen axes, in place of random ones, leave nothing to chance."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = small()
    x = torch.randn(1, 1, 4, 4, generator=seeded(0))
    times = [1 - k / 48 for k in range(49)]
    axes = 4 * torch.eye(16).view(16, 1, 1, 4, 4)
    _, seen = ode.probed(model.flow(), x, times, axes)
    torch.testing.assert_close(seen.mean(), exact(model, x), atol=1e-3, rtol=1e-3)


def test_random_probes_have_the_trace_as_their_mean() -> None:
    matrix = torch.randn(16, 16, generator=seeded(0), dtype=torch.float64)
    x = torch.randn(1, 16, generator=seeded(1), dtype=torch.float64)
    signs = 2.0 * torch.randint(2, (500, 1, 16), generator=seeded(2)).double() - 1
    _, seen = ode.probed(lambda x, t: x @ matrix, x, [0.0, 1.0], signs)
    assert abs(float(seen.mean() - matrix.trace())) < 4 * float(seen.std()) / 500**0.5


def test_codes_lead_back_and_are_about_as_large_as_noise() -> None:
    model = lively()
    x = grey(4)
    again = model.reconstruct(x)
    assert float((again == x).float().mean()) > 0.9 and float((again - x).abs().mean()) < 2e-3
    start = model.carry(model.encode(x))[0]
    torch.testing.assert_close(start, model.encode(x))


def test_guidance_of_one_is_the_class_and_more_goes_beyond() -> None:
    model = lively()
    x, label = torch.randn(3, 1, 8, 8, generator=seeded(0)), torch.tensor([0, 1, 2])
    told, free = model.flow(label)(x, 0.3), model.flow()(x, 0.3)
    assert float((told - free).abs().max()) > 1e-3
    torch.testing.assert_close(model.flow(label, 1.0)(x, 0.3), told)
    torch.testing.assert_close(model.flow(label, 2.5)(x, 0.3), free + 2.5 * (told - free))
    assert torch.equal(model.flow()(x, 0.3), model.field(x, 0.3))


def test_one_step_of_euler_is_the_velocity_at_the_noise() -> None:
    model = lively()
    z = Rng(1, 2).normal(1, 8, 8)
    x = model.greys.picture(z + model.flow(torch.ones(2, dtype=torch.int64))(z, 0.0))
    drawn = model.sample(Rng(1, 2), steps=1, solver="Euler", label="1", guidance_scale=1.0)
    torch.testing.assert_close(drawn, x)


def test_it_learns_what_its_classes_look_like() -> None:
    """Class 0 is dark, class 1 bright."""
    model = silent().requires_grad_(True)
    x = (torch.arange(64)[:, None, None, None] % 2).expand(64, 1, 8, 8) * 0.8
    label = torch.arange(64) % 2
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for step in range(60):
        loss = model.loss(x, label, seeded(step), "model")["mse"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()
    dark, bright = (float(model.sample(Rng(0, 8), label=k, steps=6).mean()) for k in ("0", "1"))
    assert dark < 0.2 and bright > 0.6


def test_the_network_begins_by_answering_nothing_and_uses_all_it_is_told() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = UNet(2, 3, width=8, deep=8, blocks=1, times=2, norm_groups=4).requires_grad_(False)
    x, time, label = torch.randn(2, 2, 8, 8, generator=seeded(0)), torch.zeros(2, 2), torch.tensor([0, 3])
    assert not net(x, time, label).any()
    for parameter in net.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=seeded(1))
    answer = net(x, time, label)
    later = time.clone()
    later[0, 1] = 0.5
    changed = (net(x, later, label) - answer).flatten(1).abs().amax(1)
    assert float(changed[0]) > 1e-4 and float(changed[1]) < 1e-6
    assert float((net(x, time, label.flip(0)) - answer).abs().max()) > 1e-4
    torch.testing.assert_close(net(x[1:], time[1:], label[1:]), answer[1:])


def test_normal_nats_are_those_of_a_multivariate_normal() -> None:
    z = torch.randn(3, 1, 2, 2, generator=seeded(0))
    reference = torch.distributions.MultivariateNormal(torch.zeros(4), torch.eye(4)).log_prob(z.flatten(1))
    torch.testing.assert_close(normal_nats(z), reference)
