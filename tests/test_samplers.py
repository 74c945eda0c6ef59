"""Samplers on Gaussian data, whose denoiser is known exactly, and against diffusers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import pytest
import torch
from diffusers import DDIMScheduler, EDMEulerScheduler
from torch import Tensor

from playground.rng import Rng
from playground.samplers import Denoise, Steps, ancestral, euler, heun, karras_sigmas, langevin, rk4

MEAN, STD = 0.7, 0.5  # of the data


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """The expected datum given it plus noise, by Bayes' rule for two normals."""
    return (STD**2 * x + sigma**2 * MEAN) / (STD**2 + sigma**2)


def flowed(x: Tensor, start: float, end: float) -> Tensor:
    """Where the probability flow takes x: it keeps the number of standard deviations from the mean."""
    return MEAN + (x - MEAN) * math.sqrt((STD**2 + end**2) / (STD**2 + start**2))


def last(states: Iterator[tuple[Tensor, Tensor]]) -> Tensor:
    *_, (x, _clean) = states
    return x


def line(start: float, end: float, steps: int) -> list[float]:
    return torch.linspace(start, end, steps + 1, dtype=torch.float64).tolist()


@pytest.mark.parametrize(("sampler", "order"), [(euler, 1), (heun, 2)])
@pytest.mark.parametrize(("start", "end"), [(3.0, 0.2), (0.2, 3.0)], ids=["down", "up"])
def test_the_error_falls_with_the_order_of_the_method(
    sampler: Callable[[Denoise, Tensor, list[float]], Steps], order: int, start: float, end: float
) -> None:
    x = torch.tensor([-2.0, 1.5, 4.0], dtype=torch.float64)
    errors = [
        float((last(sampler(gaussian, x, line(start, end, steps))) - flowed(x, start, end)).abs().max())
        for steps in (100, 200, 400)
    ]
    for coarse, fine in itertools.pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("sampler", [euler, heun])
def test_the_last_step_lands_on_the_data(sampler: Callable[[Denoise, Tensor, list[float]], Steps]) -> None:
    sigmas = karras_sigmas(200, 0.002, 20)
    x = 20 * Rng(0, 4).normal(5000).double()
    end = last(sampler(gaussian, x, sigmas))
    torch.testing.assert_close(end, flowed(x, 20, 0), atol=0.05 if sampler is euler else 1e-3, rtol=0)


@pytest.mark.parametrize("sampler", [euler, heun])
def test_one_state_and_one_guess_come_after_every_step(
    sampler: Callable[[Denoise, Tensor, list[float]], Steps],
) -> None:
    x = torch.tensor([2.0])
    states = list(sampler(gaussian, x, karras_sigmas(5, 0.1, 2)))
    assert len(states) == 5
    torch.testing.assert_close(states[0][1], gaussian(x, 2.0))
    torch.testing.assert_close(states[-1][0], states[-1][1])  # with no noise left, state and guess are one


def test_ancestral_sampling_has_the_mean_and_variance_of_its_recursion_and_in_the_limit_of_the_data() -> None:
    n = 40_000
    for steps, limit in ((10, False), (300, True)):
        sigmas = karras_sigmas(steps, 0.02, 20)
        variance = 20.0**2 + STD**2
        for now, then in itertools.pairwise(sigmas):  # x' - mean = a (x - mean) + noise
            share = (then / now) ** 2
            keeps = STD**2 / (STD**2 + now**2)
            variance = (keeps + share * (1 - keeps)) ** 2 * variance + then**2 * (1 - share)
        rng = Rng(1, 4)
        x = MEAN + math.sqrt(20.0**2 + STD**2) * rng.normal(n // 4).double()
        end = last(ancestral(gaussian, x, sigmas, rng))
        error = 5 * math.sqrt(variance / n)
        assert float(end.mean()) == pytest.approx(MEAN, abs=error)
        assert float(end.var()) == pytest.approx(variance, rel=5 * math.sqrt(2 / n))
        if limit:
            assert variance == pytest.approx(STD**2, rel=0.03)


def test_langevin_dynamics_settles_in_its_stationary_distribution() -> None:
    """Of the discrete chain: it has variance s^2 / (1 - step / 4 s^2), wider than the data by its step size."""
    n, step = 40_000, 0.2
    rng = Rng(2, 4)
    *_, x = langevin(lambda x: (MEAN - x) / STD**2, 5 * rng.normal(n // 4), step, 60, rng)
    variance = STD**2 / (1 - step / (4 * STD**2))
    assert float(x.mean()) == pytest.approx(MEAN, abs=5 * math.sqrt(variance / n))
    assert float(x.var()) == pytest.approx(variance, rel=5 * math.sqrt(2 / n))


def test_runge_kutta_has_order_four() -> None:
    def velocity(x: Tensor, t: float) -> Tensor:
        return x * math.cos(t)

    x = torch.tensor([1.0, -2.0], dtype=torch.float64)
    exact = x * math.exp(math.sin(2.0))
    errors = []
    for steps in (10, 20, 40):
        states = list(rk4(velocity, x, line(0, 2, steps)))
        assert len(states) == steps
        errors.append(float((states[-1] - exact).abs().max()))
    for coarse, fine in itertools.pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("steps", [5, 20])
def test_euler_is_ddim_of_diffusers(prediction: str, steps: int) -> None:
    """In other coordinates: theirs keeps the variance, ours lets it grow by sigma^2."""
    scheduler = DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type=prediction,
        clip_sample=False,
        timestep_spacing="trailing",
    )
    scheduler.set_timesteps(steps)
    times = scheduler.timesteps.tolist()
    kept = scheduler.alphas_cumprod.double()[times]
    sigmas = ((1 - kept) / kept).sqrt().tolist()

    def network(x: Tensor, t: int) -> Tensor:
        return torch.sin(2 * x) + x * t / 1000

    def denoise(x: Tensor, sigma: float) -> Tensor:
        i = sigmas.index(sigma)
        a, s = kept[i].sqrt(), (1 - kept[i]).sqrt()
        guess = network(a * x, times[i])
        return (a * x - s * guess) / a if prediction == "epsilon" else a * (a * x) - s * guess

    noisy = Rng(0, 3).normal(2, 4).double()
    ours = euler(denoise, noisy / kept[0].sqrt(), [*sigmas, 0.0])
    for (x, clean), t, after in zip(ours, times, [*kept[1:].tolist(), 1.0], strict=True):
        step = scheduler.step(network(noisy, t), t, noisy)
        noisy = step.prev_sample
        torch.testing.assert_close(x * math.sqrt(after), noisy, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(clean, step.pred_original_sample, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("steps", [2, 18])
def test_noise_levels_are_those_of_diffusers(steps: int) -> None:
    scheduler = EDMEulerScheduler(sigma_min=0.02, sigma_max=20.0, rho=7.0)
    scheduler.set_timesteps(steps)
    torch.testing.assert_close(torch.tensor(karras_sigmas(steps, 0.02, 20.0)), scheduler.sigmas, atol=1e-5, rtol=1e-5)


def test_noise_levels_fall_from_high_to_low_and_then_to_nothing() -> None:
    sigmas = karras_sigmas(7, 0.1, 10)
    assert len(sigmas) == 8 and sigmas == sorted(sigmas, reverse=True)
    assert (sigmas[0], sigmas[-2], sigmas[-1]) == pytest.approx((10, 0.1, 0))


@pytest.mark.parametrize("stochastic", ["ancestral", "langevin"])
def test_noise_comes_from_each_samples_own_stream(stochastic: str) -> None:
    def run(rng: Rng) -> Tensor:
        x = rng.normal(3)
        if stochastic == "ancestral":
            return last(ancestral(gaussian, x, karras_sigmas(5, 0.1, 1), rng))
        return list(langevin(lambda x: -x, x, 0.1, 5, rng))[-1]

    before = torch.get_rng_state()
    torch.testing.assert_close(run(Rng(3, 4))[2:3], run(Rng(3, 4).pick([2])))
    assert torch.equal(before, torch.get_rng_state())
