"""What a single full-covariance Gaussian reaches: the baseline of fitted models with an 8-bit density."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from playground.capabilities import Density, Fits, LogProb
from playground.catalog import Metric
from playground.evaluation.likelihood import metrics
from playground.evaluation.parts import Part, Task
from playground.evaluation.pictures import SEED, measure_of, real
from playground.rng import Rng


def fit_gaussian(x: Tensor) -> tuple[Tensor, Tensor]:
    """Maximum-likelihood mean (d,) and covariance (d, d) of uniformly dequantised grey levels, in float64.

    The noise is integrated out: it adds 1/2 to every mean and 1/12 to every variance, which also makes the covariance
    invertible where pixels never change.

    Args:
        x: (n, d) grey levels, whole numbers 0 to 255.
    """
    total, square = torch.zeros(x.shape[1], dtype=torch.float64), torch.zeros(x.shape[1], x.shape[1]).double()
    for part in x.split(5000):
        wide = part.double()
        total += wide.sum(0)
        square += wide.T @ wide
    mean = total / len(x)
    covariance = square / len(x) - mean.outer(mean)
    return mean + 0.5, covariance + torch.eye(len(mean)).double() / 12


def gaussian_log_prob(y: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """The log-density of N(y; mean, covariance) in nats, (n,), for y (n, d)."""
    factor = torch.linalg.cholesky(covariance)
    white = torch.linalg.solve_triangular(factor, (y - mean).T, upper=False)
    return -0.5 * (white.square().sum(0) + len(mean) * math.log(2 * math.pi)) - factor.diagonal().log().sum()


def measure(task: Task) -> dict[str, Metric]:
    """Nats and bits per dimension of one full-covariance Gaussian, measured as the model itself is."""
    train = real(task.card.data, "8-bit pixels", "train")
    test = real(task.card.data, "8-bit pixels", "test", task.options.limit)
    mean, covariance = fit_gaussian((train.x * 255).round().flatten(1))
    noise = Rng(SEED, len(test.x)).uniform(*test.x.shape[1:])
    y = ((test.x * 255).round() + noise).flatten(1).double()  # grey level k became uniform on [k, k + 1)
    nats = gaussian_log_prob(y, mean, covariance)
    protocol = (
        f"Mean negative log-probability per picture of {test.words}; uniform dequantisation (one draw "
        f"for each picture, seed {SEED}); exact, by one full-covariance Gaussian fitted by maximum likelihood to "
        f"{train.words}, dequantised in closed form, in float64"
    )
    found = metrics(LogProb(nats, "exact", "8-bit pixels"), test.x[0].numel(), "", protocol)
    return {
        "baseline_full_gaussian_nats": found["nll_nats"],
        "baseline_full_gaussian_bits_per_dim": found["bits_per_dim"],
    }


part = Part(
    "baseline",
    fits=lambda task: (
        isinstance(task.model, Fits) and isinstance(task.model, Density) and measure_of(task) == "8-bit pixels"
    ),
    settings=lambda task: {"pictures": task.options.limit, "seed": SEED},
    measure=measure,
)
