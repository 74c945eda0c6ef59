"""Diffusion with a network that is exact for Gaussian data, and what it shares with diffusers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, UNet2DModel
from torch import Tensor
from toyshelf import put

from playground import catalog
from playground.families.diffusion import SIGMA_MAX, SIGMA_MIN, Diffusion
from playground.rng import Rng

MEAN, STD = 0.1, 0.2  # of every pixel, in [-1, 1]
SAMPLERS = ("DDIM", "DDPM", "DPM-Solver++", "Heun")
Guess = Callable[[Tensor, Tensor, Tensor], Tensor]


def made(classes: int = 3) -> Diffusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Diffusion((1, 8, 8), classes, channels=(8, 8), norm_groups=4).eval().requires_grad_(False)


def expected_clean(x: Tensor, sigma: Tensor, std: float) -> Tensor:
    """Of a datum plus noise, by Bayes' rule for two normals."""
    return (std**2 * x + sigma**2 * MEAN) / (std**2 + sigma**2)


def exact_network(model: Diffusion, std: float) -> Guess:
    """What a perfect network answers about pixels that are all N(MEAN, std^2), at whole and fractional levels."""
    odds = torch.logit(model.kept)

    def guess(x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        below = t.double().floor().long().clamp(0, 998)
        kept = torch.lerp(odds[below], odds[below + 1], t.double() - below).sigmoid()[:, None, None, None]
        a, s = kept.sqrt(), (1 - kept).sqrt()
        clean = expected_clean(x.double() / a, s / a, std)
        noise = (x.double() - a * clean) / s
        return (a * noise - s * clean).to(x.dtype)

    return guess


@pytest.fixture
def perfect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Diffusion]:
    """A model with the exact network in place of its own."""
    model = made()
    monkeypatch.setattr(model, "guess", exact_network(model, STD))
    yield model


def pictures(n: int) -> Tensor:
    """Draws from the Gaussian, in [0, 1], with 256 grey levels."""
    x = MEAN + STD * torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return (255 * (x / 2 + 0.5)).round().clamp(0, 255) / 255


def test_the_noise_schedule_is_that_of_diffusers() -> None:
    theirs = made()._scheduler("DDIM").alphas_cumprod.double()
    ours = made().kept
    assert ours.dtype == torch.float64 and ours.shape == (1000,)
    torch.testing.assert_close(ours, theirs, atol=1e-7, rtol=1e-4)
    assert (ours.diff() < 0).all() and 0 < float(ours[-1]) < 1e-5


def test_denoising_gaussian_data_is_bayes_rule(perfect: Diffusion) -> None:
    sigma = torch.tensor([0.02, 0.1, 0.5, 1.0, 3.0, 20.0])
    x = MEAN + sigma[:, None, None, None] * Rng(0, 6).normal(1, 8, 8)
    torch.testing.assert_close(
        perfect.denoise(x, sigma), expected_clean(x, sigma[:, None, None, None], STD), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize(("sampler", "steps"), [("DDIM", 100), ("DDPM", 200), ("DPM-Solver++", 25), ("Heun", 25)])
def test_samples_have_the_mean_and_spread_of_the_data(perfect: Diffusion, sampler: str, steps: int) -> None:
    x = 2 * perfect.sample(Rng(1, 64), steps=steps, sampler=sampler, guidance_scale=1.0) - 1
    assert float(x.mean()) == pytest.approx(MEAN, abs=0.01 + 5 * STD / 64)
    assert float(x.std()) == pytest.approx(STD, rel=0.07)


@pytest.mark.parametrize("steps", [10, 40, 61, 130])
def test_the_noise_free_samplers_agree(perfect: Diffusion, steps: int) -> None:
    """They follow one flow, which takes the same noise to the same picture."""
    noise = Rng(2, 3).normal(1, 8, 8)
    for sampler, tolerance in {"DDIM": 2 / steps, "DPM-Solver++": 2 / steps, "Heun": 2 / steps}.items():
        x = 2 * perfect.sample(Rng(2, 3), label="0", steps=steps, sampler=sampler, guidance_scale=1.0) - 1
        torch.testing.assert_close(x, MEAN + STD * noise, atol=tolerance, rtol=0)


def exact_bound(model: Diffusion, x: Tensor) -> Tensor:
    """The variational bound of pictures in [-1, 1] under the exact network, in closed form, (n,), float64."""
    kept, far, dims = model.kept, (x - MEAN).square().flatten(1).sum(1), x[0].numel()
    variance = (1 - kept) / kept
    keeps = STD**2 / (STD**2 + variance)
    snr = 1 / variance
    errors = (1 - keeps).square() * far[:, None] + keeps.square() * variance * dims  # (n, 1000)
    steps = 0.5 * ((snr[:-1] - snr[1:]) * errors[:, 1:]).sum(1)
    last = 0.5 * (kept[-1] * x.square() - kept[-1] - (1 - kept[-1]).log()).flatten(1).sum(1)
    noise = torch.linspace(-6, 6, 301, dtype=torch.float64)
    odds = torch.softmax(-0.5 * noise.square(), 0)  # quadrature over the first level's noise
    guess = MEAN + keeps[0] * (x[..., None] + variance[0].sqrt() * noise - MEAN)
    decoder = torch.distributions.Normal(guess, (1 - kept[0]).sqrt())
    mass = decoder.cdf(x[..., None] + 1 / 255) - decoder.cdf(x[..., None] - 1 / 255)
    return (mass.clamp(min=1e-12).log() * odds).sum(-1).flatten(1).sum(1) - steps - last


def test_the_bound_lies_below_the_exact_log_probability_and_near_it(perfect: Diffusion) -> None:
    x = 2 * pictures(40).double() - 1
    normal = torch.distributions.Normal(torch.tensor(MEAN).double(), STD)
    exact = (normal.cdf(x + 1 / 255) - normal.cdf(x - 1 / 255)).log().flatten(1).sum(1)
    gap = (exact - exact_bound(perfect, x)) / 64
    assert (gap > 0).all()
    assert float(gap.mean()) < 0.45  # nats per pixel: what the few levels next to the picture cost, where noise doubles


@pytest.mark.parametrize("levels", [2, 16])
def test_the_estimate_of_the_bound_is_unbiased_and_its_error_honest(perfect: Diffusion, levels: int) -> None:
    n = 600
    x = pictures(1).expand(n, -1, -1, -1)
    result = perfect.log_prob(x, Rng(3, n), levels=levels)
    assert (result.kind, result.measure) == ("lower bound", "8-bit pixels") and result.stderr is not None
    spread = float(result.nats.double().std())
    wanted = float(exact_bound(perfect, 2 * x[:1].double() - 1))
    assert float(result.nats.double().mean()) == pytest.approx(wanted, abs=4 * spread / math.sqrt(n))
    assert float(result.stderr.square().mean().sqrt()) > 0.9 * spread  # strata make the true error smaller


def test_all_levels_give_the_whole_sum(perfect: Diffusion) -> None:
    x = pictures(2)
    result = perfect.log_prob(x, Rng(4, 2), levels=999)
    torch.testing.assert_close(result.nats.double(), exact_bound(perfect, 2 * x.double() - 1), atol=15, rtol=0)


def test_the_loss_of_a_perfect_guess_is_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    monkeypatch.setattr(model, "guess", exact_network(model, 1e-9))
    x = torch.full((16, 1, 8, 8), MEAN / 2 + 0.5)
    losses = model.loss(x, torch.zeros(16, dtype=torch.int64), torch.Generator().manual_seed(0), "model")
    assert float(losses["mse"]) < 1e-8


def test_labels_are_dropped_one_time_in_ten_and_levels_are_spread_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    model, seen = made(), []

    def listen(x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        seen.append((t, label))
        return x

    monkeypatch.setattr(model, "guess", listen)
    x, label = torch.zeros(1000, 1, 8, 8), torch.ones(1000, dtype=torch.int64)
    model.loss(x, label, torch.Generator().manual_seed(0), "model")
    (t, told) = seen[0]
    assert torch.equal(t.sort().values, torch.arange(1000))
    assert set(told.unique().tolist()) == {1, 3}
    assert 60 < int((told == 3).sum()) < 140


def test_without_guidance_the_network_is_passed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, sizes = made(), []
    own = model.guess

    def count(x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        sizes.append(len(x))
        return own(x, t, label)

    monkeypatch.setattr(model, "guess", count)
    model.sample(Rng(0, 3), steps=4, guidance_scale=1.0)
    assert sizes == [3] * 4
    sizes.clear()
    model.sample(Rng(0, 3), steps=4, guidance_scale=1.1)
    assert sizes == [6] * 4


def test_guidance_extrapolates_from_any_class_through_the_wanted_one() -> None:
    model = made()
    x, t, label = Rng(0, 3).normal(1, 8, 8), torch.tensor([5, 500, 999]), torch.tensor([0, 1, 2])
    wanted, free = model.guess(x, t, label), model.guess(x, t, torch.full((3,), 3))
    assert float((wanted - free).abs().max()) > 1e-4
    torch.testing.assert_close(model.guided(x, t, label, 0.0), free, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.guided(x, t, label, 1.0), wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.guided(x, t, label, 2.5), free + 2.5 * (wanted - free), atol=1e-5, rtol=0)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws_each_picture_from_its_own_stream(sampler: str) -> None:
    model = made()
    settings = {"steps": 5, "sampler": sampler, "guidance_scale": 1.5}
    batch = model.sample(Rng(7, 4), **settings)
    torch.testing.assert_close(model.sample(Rng(7, 4).pick([2]), **settings), batch[2:3], atol=1e-5, rtol=0)
    assert not torch.equal(batch[1], batch[2])


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 61])
def test_every_sampler_takes_as_many_steps_as_it_is_told(perfect: Diffusion, sampler: str, steps: int) -> None:
    states = list(perfect.refine(Rng(0, 2), sampler=sampler, steps=steps, guidance_scale=1.0, show="noisy"))
    assert [(s.done, s.total) for s in states] == [(k, steps) for k in range(1, steps + 1)]
    assert states[-1].x.isfinite().all()
    if sampler != "Heun":
        levels = [int(s.label.removeprefix("level ")) for s in states]
        assert levels[0] == 999 and all(a > b for a, b in itertools.pairwise(levels)) and 0 <= levels[-1] < 1000 / steps


def test_guesses_are_shown_until_the_last_step() -> None:
    model = made()
    guesses, noisy = (list(model.refine(Rng(0, 2), steps=6, show=show)) for show in ("guess", "noisy"))
    assert torch.equal(guesses[-1].x, noisy[-1].x)
    assert not torch.equal(guesses[0].x, noisy[0].x)


def test_encoding_follows_the_probability_flow(perfect: Diffusion) -> None:
    x = pictures(5)
    grown = math.sqrt((STD**2 + SIGMA_MAX**2) / (STD**2 + SIGMA_MIN**2))
    exact = (MEAN + (2 * x - 1 - MEAN) * grown) / SIGMA_MAX
    torch.testing.assert_close(perfect.encode(x, steps=50), exact, atol=0.02, rtol=0)
    torch.testing.assert_close(perfect.reconstruct(x, steps=50), x, atol=0.01, rtol=0)


def test_the_folder_opens_with_diffusers_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Network and schedule from files, and their own loop, give the pictures that ours gives."""
    monkeypatch.setenv("PLAYGROUND_PRETRAINED", str(tmp_path))
    model = made()
    folder = put(model, "tried", shape=[1, 8, 8], classes=3, channels=[8, 8], norm_groups=4)
    assert catalog.cards()["tried"].labels == ("0", "1", "2")
    unet = UNet2DModel.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()
    scheduler = DDIMScheduler.from_pretrained(folder, local_files_only=True)
    rng, label = Rng(9, 3), torch.full((3,), 2)
    x = rng.normal(1, 8, 8)
    scheduler.set_timesteps(5)
    with torch.no_grad():
        for t in scheduler.timesteps:
            v = F.pixel_shuffle(unet(F.pixel_unshuffle(x, 2), t, label).sample, 2)
            x = scheduler.step(v, t, x).prev_sample
    ours = model.sample(Rng(9, 3), steps=5, label="2", guidance_scale=1.0)
    torch.testing.assert_close((x / 2 + 0.5).clamp(0, 1), ours, atol=1e-5, rtol=0)
