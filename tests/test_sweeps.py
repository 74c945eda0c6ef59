"""Quality against steps and guidance: which values, the time allowed, going on, and rate and distortion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from evalshelf import command, metrics_of, task_of, toys
from torch import nn

from playground.evaluation import pictures, rate_distortion, sweeps
from playground.evaluation.pictures import real
from playground.families.vae import VAE
from playground.knobs import Slider, Spec
from playground.rng import Rng


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    with toys(tmp_path) as folder:
        yield folder


def test_values_stay_within_the_knobs_limits(shelf: Path) -> None:
    points = dict(sweeps.points(task_of("stepper", shelf)))
    assert points["steps_32"] == {"steps": 32} and points["guidance_1.5"] == {"guidance_scale": 1.5}
    assert len(points) == 11
    assert not list(sweeps.points(task_of("normal", shelf)))
    assert not sweeps.part.fits(task_of("vae", shelf))


def test_a_default_beyond_the_values_is_one_of_them(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = Spec("steps", Slider(1, 400), 96)
    monkeypatch.setattr(sweeps, "sample_knobs", lambda task: {"steps": spec})
    endings = [ending for ending, _ in sweeps.points(task_of("stepper", shelf))]
    assert endings == [f"steps_{k}" for k in (1, 2, 4, 8, 16, 32, 96)]


def test_more_guidance_than_none_is_worse_for_the_stepper(shelf: Path) -> None:
    assert command(shelf, "stepper", "--only", "sweeps", "--n", "100") == 0
    found = metrics_of("stepper")
    assert found["frechet_guidance_1"].value < found["frechet_guidance_1.5"].value < found["frechet_guidance_3"].value
    assert "guidance_scale = 3.0" in found["frechet_guidance_3"].protocol
    assert "steps = 8" in found["frechet_steps_8"].protocol and found["frechet_steps_8"].n == 100
    assert found["frechet_sweep_floor"].value < found["frechet_guidance_1.5"].value


def test_what_would_take_too_long_is_left_out_and_said(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweeps, "expected_seconds", lambda task, settings: 100.0 * settings.get("steps", 1))
    found = sweeps.measure(task_of("stepper", shelf, n=100))
    assert "frechet_steps_4" in found and "frechet_steps_8" not in found
    assert "stepper: steps_32 is left out of the sweeps: 100 samples would take 53 minutes." in capsys.readouterr().out


def test_at_most_a_thousand_samples_each(shelf: Path) -> None:
    assert sweeps.fewer(task_of("stepper", shelf, n=5000)).options.n == sweeps.MOST
    assert sweeps.fewer(task_of("stepper", shelf, n=50)).options.n == 50


def test_interrupted_sweeps_go_on(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of("stepper", shelf, n=100)
    once = sweeps.measure(task)
    monkeypatch.setattr(sweeps, "expected_seconds", lambda task, settings: 0.0)
    monkeypatch.setattr(pictures, "_draw", None)  # nothing is drawn any more
    assert sweeps.measure(task) == once


def test_rate_and_distortion_are_the_terms_of_the_bound(shelf: Path) -> None:
    command(shelf, "vae", "--only", "rate_distortion,likelihood")
    found = metrics_of("vae")
    rate, distortion = found["rate_nats"], found["distortion_nats"]
    assert rate.value + distortion.value == pytest.approx(found["nll_nats"].value, rel=1e-5)
    assert rate.n == 300 and rate.stderr is not None and distortion.stderr is not None


def test_rate_is_the_divergence_of_torch(shelf: Path) -> None:
    task = task_of("vae", shelf)
    assert isinstance(task.model, VAE) and isinstance(task.model.encoder, nn.Module)
    x = real("toy", "binary pixels", "test").x
    mean, log_std = task.model.posterior(x)
    q = torch.distributions.Normal(mean, log_std.exp())
    wanted = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    assert rate_distortion.measure(task)["rate_nats"].value == pytest.approx(float(wanted), rel=1e-5)
    rate, distortion = task.model.rate_distortion(x[:9], Rng(0, 9))
    again = task.model.log_prob(x[:9], Rng(0, 9))
    assert torch.allclose(-rate - distortion, again.nats)
