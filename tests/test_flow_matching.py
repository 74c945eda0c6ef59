"""Flow matching: known answers, an independent solver, and noise paired with near data."""

from __future__ import annotations

import itertools
import math

import flows
import plain
import pytest
import torch
from torch import Tensor

from playground.families import ode
from playground.families.flow_matching import GROUP, FlowMatching
from playground.rng import Stream

M, S = 0.7, 0.5  # of a Gaussian in both directions


def straight(x: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """The velocity that carries a standard normal to the Gaussian, E[datum - noise | x at t], and its divergence."""
    slope = (t * S**2 - (1 - t)) / (t**2 * S**2 + (1 - t) ** 2)
    return M + slope * (x - t * M), torch.full((len(x),), 2 * slope, dtype=x.dtype)


@pytest.mark.parametrize(("solver", "order"), [("Runge-Kutta", 4), ("Adams-Bashforth", 2)])
def test_the_density_of_a_gaussians_flow_is_the_gaussians(solver: str, order: int) -> None:
    """The second solver starts with a step of Euler's, which sets its order."""
    x = torch.tensor([[0.7, 0.7], [1.5, 0.2], [-1.0, 2.5]], dtype=torch.float64)
    exact = -0.5 * ((x - M) / S).square().sum(1) - math.log(2 * math.pi * S**2)
    errors = []
    for steps in (20, 40, 80):
        nats = ode.log_density(straight, x, [1 - k / steps for k in range(steps + 1)], solver)
        errors.append(float((nats - exact).abs().max()))
    assert errors[-1] < (1e-6 if order == 4 else 0.01)
    for coarse, fine in itertools.pairwise(errors):
        assert math.log2(coarse / fine) > order - 0.2


@pytest.mark.parametrize(("solver", "order"), [("Euler", 1), ("midpoint", 2), ("Heun", 2), ("RK4", 4)])
def test_following_the_flow_has_the_solvers_order(solver: str, order: int) -> None:
    z = torch.tensor([[-1.0, 2.0]], dtype=torch.float64)
    errors = []
    for steps in (32, 64, 128):
        *_, x = ode.follow(lambda x, t: straight(x, t)[0], z, [k / steps for k in range(steps + 1)], solver)
        errors.append(float((x - (M + S * z)).abs().max()))
    for coarse, fine in itertools.pairwise(errors):
        assert math.log2(coarse / fine) > order - 0.3  # the midpoint rule does better on this flow


def test_the_trace_is_that_of_autograds_jacobian() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ode.plane_mlp(3, 2, width=16, depth=3)
    inputs = torch.randn(6, 5, generator=flows.seeded(0))
    answer, trace = ode.with_trace(net, inputs)
    torch.testing.assert_close(answer, net(inputs).detach())
    for row, expected in zip(inputs, trace, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda r: net(r[None])[0], row)
        torch.testing.assert_close(jacobian[:, :3].trace(), expected)


def test_it_learns_a_gaussian() -> None:
    flows.check_density_of_gaussian(FlowMatching)
    flows.check_denoiser_of_gaussian(FlowMatching)


def test_its_density_is_that_of_an_adaptive_solver() -> None:
    flows.check_against_dopri5(FlowMatching, lambda model: model.velocity, 1.0, 0.0, 1.0)


def test_its_density_integrates_to_one() -> None:
    flows.check_integral(FlowMatching)


def test_the_preview_is_close_to_the_density() -> None:
    flows.check_preview(FlowMatching)


def test_codes_lead_back() -> None:
    flows.check_codes(FlowMatching)


@pytest.mark.parametrize(("solver", "steps"), [("Euler", 50), ("Heun", 20), ("RK4", 10)])
def test_every_solver_draws_the_ring(solver: str, steps: int) -> None:
    flows.check_samples(FlowMatching, solver=solver, steps=steps)


def test_one_step_of_euler_is_the_velocity_at_the_noise() -> None:
    model = flows.trained(FlowMatching, flows.ring)
    z = Stream(1, 5).normal(2)
    torch.testing.assert_close(model.sample(Stream(1, 5), solver="Euler", steps=1), z + model.field(z, 0.0))


def test_a_pairing_swaps_noises_within_groups_and_shortens_the_lines() -> None:
    paired = FlowMatching(pairing="optimal transport")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        free = FlowMatching()
    x = flows.ring(150, 0)  # four groups and a part of one
    noise, near = ([], [])
    for model, found in ((free, noise), (paired, near)):
        _, velocity = model._lines(x, flows.seeded(4))
        found += [x - velocity, velocity]
    for start in range(0, len(x), GROUP):
        rows = slice(start, start + GROUP)
        apart = (near[0][rows, None] - noise[0][None, rows]).norm(dim=2)
        assert float(apart.min(0).values.max()) < 1e-5 and float(apart.min(1).values.max()) < 1e-5
    assert float(near[1].square().sum()) < 0.7 * float(noise[1].square().sum())


def test_a_written_gradient_with_pairing_is_that_of_autograd() -> None:
    model = FlowMatching(pairing="optimal transport")
    x = flows.ring(100, 0)
    value = model.gradient(x, flows.seeded(1), "model")
    ours = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    loss = model.loss(x, torch.zeros(100), flows.seeded(1), "model")["mse"]
    loss.backward()
    torch.testing.assert_close(value, loss.detach())
    for one, parameter in zip(ours, model.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, atol=1e-5, rtol=1e-4)


def test_an_unknown_pairing_is_refused() -> None:
    with pytest.raises(ValueError, match='pairing must be "independent" or "optimal transport"'):
        FlowMatching(pairing="random")


def test_its_loss_is_that_of_plain_pytorch() -> None:
    flows.check_plain(FlowMatching, plain.plain_flow_matching)
