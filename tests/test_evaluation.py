"""The evaluation: distances and likelihoods against closed forms, resuming, refusals, and the cards on the shelf."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import scipy.linalg
import torch
from evalshelf import DIMS, SHAPE, STD, TOY, Normal, command, metrics_of, task_of, toys
from torch import Tensor

from playground import catalog, data
from playground.capabilities import LogProb
from playground.catalog import Metric
from playground.data import DataMissing
from playground.evaluation import baseline, fidelity, likelihood, pictures, progress, timing
from playground.evaluation.parts import Options, Task, parts
from playground.evaluation.report import report, shown
from playground.knobs import Refused, Slider
from playground.rng import Rng


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    with toys(tmp_path) as folder:
        yield folder


def exactly(n: int, mean: Tensor, covariance: Tensor, seed: int) -> Tensor:
    """Features whose sample mean and covariance are these to rounding."""
    x = torch.randn(n, len(mean), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    white = torch.linalg.solve_triangular(
        torch.linalg.cholesky((x - x.mean(0)).T.cov()), (x - x.mean(0)).T, upper=False
    )
    return (torch.linalg.cholesky(covariance) @ white).T + mean


# ---------------------------------------------------------------------------------------------------------- distances


def test_frechet_of_identical_sets_is_zero() -> None:
    x = torch.randn(200, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert fidelity.frechet(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_of_two_gaussians_is_the_closed_form() -> None:
    generator = torch.Generator().manual_seed(1)
    roots = [torch.randn(4, 4, generator=generator, dtype=torch.float64) for _ in range(2)]
    a, b = (r @ r.T + torch.eye(4) for r in roots)
    shift = torch.arange(4).double()
    root = scipy.linalg.sqrtm((a @ b).numpy()).real
    wanted = float(shift.square().sum() + a.trace() + b.trace()) - 2 * np.trace(root)
    found = fidelity.frechet(exactly(100, shift, a, 0), exactly(70, torch.zeros(4).double(), b, 1))
    assert found == pytest.approx(wanted, rel=1e-8)


def test_kernel_distance_is_the_u_statistic_and_unbiased() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randn(2, 40, 3, generator=generator, dtype=torch.float64) for _ in range(60)]
    values = [fidelity.kernel(x, y) for x, y in draws]
    assert abs(np.mean(values)) < 4 * np.std(values) / math.sqrt(len(values))

    def k(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    x, y = draws[0]
    within = sum(k(u[i], u[j]) for u in (x, y) for i in range(40) for j in range(40) if i != j) / (40 * 39)
    across = sum(k(u, v) for u in x for v in y) / 40**2
    assert values[0] == pytest.approx(within - 2 * across, rel=1e-9)


def test_kernel_distance_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    fidelity.kernel(torch.ones(20, 2).double(), torch.ones(20, 2).double())
    assert torch.equal(before, torch.get_rng_state())


def test_jackknife_gives_the_standard_error_of_a_difference_of_means() -> None:
    x = torch.randn(2, 5000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    value, stderr = fidelity.jackknife(lambda a, b: float(a.mean() - b.mean()), x[0], x[1])
    assert value == pytest.approx(float(x[0].mean() - x[1].mean()))
    assert stderr == pytest.approx(math.sqrt(2 / 5000), rel=0.6)  # ten blocks know it to a quarter


# -------------------------------------------------------------------------------------------------------- likelihoods


def test_likelihood_of_a_known_gaussian_is_its_entropy(shelf: Path) -> None:
    x = (Normal().sample(Rng(5, 2000)).detach() * 255).round() / 255  # its own samples, as 8-bit pictures
    result = likelihood.log_prob(task_of("normal", shelf), x)
    found = likelihood.metrics(result, DIMS, "", "on itself")
    nats, bits = found["nll_nats"], found["bits_per_dim"]
    entropy = DIMS * (0.5 * math.log(2 * math.pi * math.e) + math.log(STD * 256))
    assert nats.stderr is not None and nats.stderr == pytest.approx(math.sqrt(DIMS / 2 / 2000), rel=0.1)
    assert abs(nats.value - entropy) < 4 * nats.stderr
    assert bits.value == pytest.approx(nats.value / DIMS / math.log(2), rel=1e-5)
    assert (nats.n, nats.kind, nats.split) == (2000, "exact", "test")


def test_a_picture_has_the_same_noise_in_any_chunk(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task, x = task_of("normal", shelf), torch.rand(7, *SHAPE)
    whole = likelihood.log_prob(task, x).nats
    monkeypatch.setattr(likelihood, "CHUNK", 3)
    assert torch.allclose(whole, likelihood.log_prob(task, x).nats, atol=1e-4)


def test_monte_carlo_noise_is_told_apart() -> None:
    nats = torch.arange(4.0).double()
    found = likelihood.metrics(LogProb(nats, "estimate", "continuous", torch.full((4,), 0.2)), 1, "", "so")
    assert set(found) == {"nll_nats"}  # a density has no bits per pixel
    assert "Monte Carlo part of 0.1 nats" in found["nll_nats"].protocol


def test_baseline_gaussian_is_that_of_torch() -> None:
    x = torch.randn(6000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + torch.arange(3)
    mean, covariance = baseline.fit_gaussian(x.split(2500))
    assert torch.allclose(mean, x.mean(0))
    assert torch.allclose(covariance, x.T.cov(correction=0))
    wanted = torch.distributions.MultivariateNormal(mean, covariance).log_prob(x)
    assert torch.allclose(baseline.gaussian_log_prob(x, mean, covariance), wanted)


def test_logits_change_no_probability() -> None:
    """Summed over the 256 levels of a pixel, the probability of a logistic density of the logits is one."""
    noise = torch.linspace(0.0005, 0.9995, 1000)[None].expand(256, -1).reshape(-1, 1)
    t, log_det = baseline.logits(torch.arange(256.0).repeat_interleave(1000)[:, None], noise)
    logistic = torch.nn.functional.logsigmoid(t) + torch.nn.functional.logsigmoid(-t)
    assert float((logistic[:, 0] + log_det).exp().mean() * 256) == pytest.approx(1, abs=1e-4)
    assert bool((t.diff(dim=0) > 0).all())


def test_importance_weighting_tightens_the_bound(shelf: Path) -> None:
    assert command(shelf, "vae", "--only", "likelihood") == 0
    bound, weighted = (metrics_of("vae")[k] for k in ("nll_nats", "nll_iw_nats"))
    assert (bound.kind, weighted.kind) == ("lower bound", "estimate")
    assert bound.n == weighted.n == 300
    assert weighted.value < bound.value
    assert "importance_samples = 500" in weighted.protocol and "one Bernoulli draw per pixel" in weighted.protocol


# ------------------------------------------------------------------------------------------------------- the command


def test_every_part_of_every_toy(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(shelf, "--n", "100") == 0
    assert set(metrics_of("judge")) == {"accuracy", "accuracy_binarised", "calibration_error"}
    apart = ("frechet", "kernel", "precision", "recall", "density", "coverage", "class_balance")
    samples = {f"{d}{s}" for d in apart for s in ("", "_floor")} | {"copying_ratio", "copying_share"}
    samples |= {"seconds_per_16", "network_evaluations"}
    density = {"nll_nats", "bits_per_dim", "roc_area_noise"}
    gaussian = {"baseline_full_gaussian_nats", "baseline_full_gaussian_bits_per_dim"}
    assert set(metrics_of("normal")) == samples | density | gaussian | {"label_accuracy"}
    study = {f"frechet_{s}_10{ending}" for s in ("ddim", "ddpm") for ending in ("", "_guided")}
    steps = {f"frechet_steps_{k}" for k in (1, 2, 4, 8, 16, 32)} | {"frechet_sweep_floor"}
    guidance = {f"frechet_guidance_{g}" for g in ("1", "1.5", "2", "3", "5")}
    assert set(metrics_of("stepper")) == samples | study | steps | guidance
    shown_grey = {f"{d}_shown{s}" for d in apart for s in ("", "_floor")}
    code = {f"{p}_{n}{b}" for p in ("probe", "knn") for n in ("60", "all") for b in ("", "_pixels", "_pca", "_random")}
    importance = {"nll_iw_nats", "bits_per_dim_iw", "rate_nats", "distortion_nats"}
    assert set(metrics_of("vae")) == samples | shown_grey | density | importance | code
    for card in catalog.cards().values():
        for metric in card.metrics.values():
            assert metric.protocol[0].isupper() and metric.protocol.endswith(".")
            assert math.isfinite(metric.value) and metric.n > 0
    text = capsys.readouterr().out
    assert "normal" in text and "Frechet" in text and "took" in text and "1 of 4: judge" in text


def test_samplers_differ_in_nothing_but_the_sampler(shelf: Path) -> None:
    command(shelf, "stepper", "--only", "samplers", "--n", "100")
    ddim, ddpm = (metrics_of("stepper")[f"frechet_{s}_10"] for s in ("ddim", "ddpm"))
    assert ddim.value < ddpm.value
    assert "steps = 10, sampler = DDIM, guidance_scale = 1.0" in ddim.protocol
    assert ddim.protocol.replace("DDIM", "DDPM") == ddpm.protocol


def test_classes_are_drawn_in_turn(shelf: Path) -> None:
    fake = pictures.drawn(task_of("normal", shelf, n=50), "default", {})
    assert fake.label is not None and fake.label.tolist() == [0, 1] * 25
    first = Normal().sample(Rng(pictures.SEED, 2), label="1")[1]
    assert torch.allclose(fake.x[1], first, atol=1 / 255)
    assert float(fake.x[1::2].mean() - fake.x[::2].mean()) == pytest.approx(0.1, abs=0.03)


def test_nothing_is_measured_twice(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("normal", "--only", "fidelity,likelihood", "--n", "100")
    command(shelf, *arguments)
    once = metrics_of("normal")
    catalog.save_card(replace(catalog.cards()["normal"], metrics={}))
    monkeypatch.setattr(Normal, "calls", 0)
    command(shelf, *arguments)
    assert metrics_of("normal") == once and Normal.calls == 0
    command(shelf, "normal", "--only", "fidelity", "--n", "120")  # another protocol
    assert metrics_of("normal")["frechet"].n == 120 and Normal.calls == 120
    command(shelf, "normal", "--only", "fidelity", "--n", "120", "--fresh")
    assert Normal.calls == 240


def test_another_default_of_a_knob_is_another_measurement(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sampling(default: float) -> Callable[..., Tensor]:
        def sample(
            self: Normal, rng: Rng, *, spread: Annotated[float, Slider(0.0, 1.0, 0.1, help="of pixels")] = default
        ) -> Tensor:
            return self.mean + spread * rng.normal(*self.shape)

        return sample

    found = []
    for spread in (0.1, 0.1, 0.3):
        monkeypatch.setattr(Normal, "sample", sampling(spread))
        command(shelf, "normal", "--only", "fidelity", "--n", "100")
        found.append(metrics_of("normal")["frechet"])
    assert found[0] == found[1] and found[2].value > 2 * found[0].value
    assert "spread = 0.3" in found[2].protocol


def test_drawing_goes_on_where_it_was_interrupted(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CHUNK", 10)
    wanted = pictures.drawn(task_of("normal", shelf / "whole", n=40), "default", {}).x
    task, draw = task_of("normal", shelf / "torn", n=40), pictures._draw
    left = iter(range(2))

    def torn(*arguments: Any) -> np.ndarray:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return draw(*arguments)

    monkeypatch.setattr(pictures, "_draw", torn)
    with pytest.raises(KeyboardInterrupt):
        pictures.drawn(task, "default", {})
    monkeypatch.setattr(pictures, "_draw", draw)
    monkeypatch.setattr(Normal, "calls", 0)
    assert torch.equal(pictures.drawn(task, "default", {}).x, wanted)
    assert Normal.calls == 20


def test_a_card_is_written_whole_or_not_at_all(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task, path = task_of("normal", shelf), catalog.root() / "normal" / "card.json"
    before = path.read_text()

    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            progress.put(task, {"x": Metric(1.0, None, 1, "exact", "test", "None.")})
    assert path.read_text() == before
    progress.put(task, {"x": Metric(1.0, None, 1, "exact", "test", "None.")})
    assert json.loads(path.read_text())["metrics"]["x"]["value"] == 1.0


def test_replaced_weights_get_no_foreign_metrics(shelf: Path) -> None:
    task = task_of("normal", shelf)
    catalog.save_card(replace(task.card, sha256="0" * 64))
    with pytest.raises(Refused, match="replaced while they were measured"):
        progress.put(task, {})


# ----------------------------------------------------------------------------------------------------------- refusals


def test_too_few_samples_are_refused(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(shelf, "normal", "--only", "fidelity", "--n", "15") == 1
    assert "15 samples are too few for a Frechet distance in 8 features; ask for at least 16" in capsys.readouterr().err
    assert command(shelf, "normal", "--only", "fidelity", "--n", "301") == 1
    assert "need as many test pictures; there are 300" in capsys.readouterr().err


def test_without_a_judge_there_is_no_distance(shelf: Path) -> None:
    (catalog.root() / "judge" / "card.json").unlink()
    with pytest.raises(Refused, match=r"no classifier of toy .* python -m playground.train toy-classifier"):
        fidelity.judge_of(task_of("normal", shelf))


def test_infinite_values_are_refused(shelf: Path) -> None:
    with pytest.raises(Refused, match="1 of 2 test pictures have no finite"):
        x = torch.stack([torch.zeros(SHAPE), torch.full(SHAPE, math.nan)])
        likelihood.log_prob(task_of("normal", shelf), x)
    model = Normal()
    model.mean.data.fill_(math.nan)
    with pytest.raises(Refused, match="not finite"):
        pictures.drawn(replace(task_of("normal", shelf, n=20), model=model), "default", {})


def test_missing_data_and_spoilt_weights_do_not_stop_the_rest(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere(split: str) -> Any:
        raise DataMissing("The toy data are missing.")

    monkeypatch.setattr(data, "datasets", lambda: {"toy": replace(TOY, read=nowhere)})
    (catalog.root() / "vae" / catalog.WEIGHTS).write_bytes(b"spoilt")
    assert command(shelf, "normal", "vae", "--only", "likelihood,timing") == 1
    assert set(metrics_of("normal")) == {"seconds_per_16"}
    errors = capsys.readouterr().err
    assert "The toy data are missing." in errors and "is not the file its card describes" in errors


@pytest.mark.parametrize("arguments", [("nobody",), ("--only", "taste"), ("--n", "0"), ("--limit", "1")])
def test_nonsense_on_the_command_line(shelf: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command(shelf, *arguments)
    assert stopped.value.code == 2


# ------------------------------------------------------------------------------------------------- timing and the table


def test_timing_says_what_the_machine_can_do(shelf: Path) -> None:
    threads = torch.get_num_threads()
    found = timing.measure(task_of("stepper", shelf))["seconds_per_16"]
    assert torch.get_num_threads() == threads
    assert 0 < found.value < 1 and found.n >= timing.REPEATS and found.stderr is not None
    assert "16 samples in 4 steps (steps = 4, sampler = DDIM, guidance_scale = 2.0)" in found.protocol
    assert "GFLOP/s" in found.protocol and "2 threads" in found.protocol


def test_report_marks_bounds_and_names_the_published(shelf: Path) -> None:
    bound = Metric(91.234, 0.2, 10, "lower bound", "test", "So.")
    card = catalog.cards()["vae"]
    row = {"metric": "NLL", "value": 89.78, "source": "somebody"}
    text = report([replace(card, metrics={"nll_nats": bound}, published=(row,))])
    assert "<= 91.23 ± 0.2" in text and "89.78" in text and "somebody" in text
    assert shown("kernel", replace(bound, value=0.01, stderr=None)) == "0.01"
    assert "no model" in report([])


def test_parts_are_found_by_their_files() -> None:
    usual = {"baseline", "classification", "copying", "fidelity", "likelihood", "network", "outliers"}
    usual |= {"rate_distortion", "representation", "samplers", "strokes", "sweeps", "timing", "translation"}
    assert {name for name, part in parts().items() if not part.on_request} == usual
    assert {name for name, part in parts().items() if part.on_request} == {"completion", "inception"}


@pytest.mark.slow
def test_evaluation_imports_no_gradio() -> None:
    code = "import sys; from playground.evaluation.parts import parts; parts(); assert 'gradio' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------------------------------------------ the real shelf


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.slow
def test_cards_agree_with_a_small_new_measurement(tmp_path: Path) -> None:
    """Accuracy and likelihoods on some hundred test pictures, within four standard errors of what the cards say."""
    options, compared = Options(limit=200, folder=tmp_path, quiet=True), 0
    for card in catalog.cards().values():
        old = {k: v for k, v in card.metrics.items() if k in ("nll_nats", "accuracy")}
        if not old or ("nll_nats" in old and old["nll_nats"].n <= likelihood.MANY_EVALUATIONS):
            continue  # the slow bounds are left to the command
        task = Task(card, catalog.load(card.name), options)
        if "accuracy" in old:
            new = parts()["classification"].measure(task)
        else:
            test = pictures.real(card.data, pictures.measure_of(task), "test", options.limit)
            new = likelihood.metrics(likelihood.log_prob(task, test.x), test.x[0].numel(), "", "Again")
        for key, before in old.items():
            error = math.hypot(before.stderr or 0.0, new[key].stderr or 0.0)
            assert abs(new[key].value - before.value) <= 4 * error, f"{card.name}: {key}"
            compared += 1
    assert compared, "no card on the shelf has been measured: run python -m playground.evaluation"
