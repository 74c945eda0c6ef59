"""What a single full-covariance Gaussian reaches: the baseline of fitted models with an 8-bit density.

It lives in the space of the logits of the pixels, where on MNIST it is three bits per dimension better than among
the pixels, and where the literature has it (Papamakarios, Pavlakou and Murray 2017, arXiv:1705.07057).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from playground.capabilities import Density, Fits, LogProb
from playground.catalog import Metric
from playground.evaluation.likelihood import metrics
from playground.evaluation.parts import Part, Task
from playground.evaluation.pictures import SEED, measure_of, real
from playground.rng import Rng

MARGIN = 1e-6  # of the logit, that paper's


def logits(levels: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Dequantised grey levels stretched to the real line, and what that does to a density.

    Args:
        levels: (n, d) whole numbers 0 to 255.
        noise: (n, d) uniform on [0, 1).

    Returns:
        t = logit(a + (1 - 2a) y) for y = (levels + noise) / 256, (n, d) float64, and log |dt/dy| - log 256 summed over
        dimensions, (n,): what to add to the log-density of t for the log-probability of 8-bit pixels.
    """
    p = MARGIN + (1 - 2 * MARGIN) * (levels.double() + noise.double()) / 256
    log_det = math.log1p(-2 * MARGIN) - p.log() - torch.log1p(-p) - math.log(256)
    return torch.logit(p), log_det.sum(1)


def fit_gaussian(chunks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Maximum-likelihood mean (d,) and covariance (d, d) of data that come in chunks (n, d) of float64."""
    n, total, square = 0, torch.zeros(()).double(), torch.zeros(()).double()
    for t in chunks:
        n, total, square = n + len(t), total + t.sum(0), square + t.T @ t
    mean = total / n
    return mean, square / n - mean.outer(mean)


def gaussian_log_prob(y: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """The log-density of N(y; mean, covariance) in nats, (n,), for y (n, d)."""
    factor = torch.linalg.cholesky(covariance)
    white = torch.linalg.solve_triangular(factor, (y - mean).T, upper=False)
    return -0.5 * (white.square().sum(0) + len(mean) * math.log(2 * math.pi)) - factor.diagonal().log().sum()


def measure(task: Task) -> dict[str, Metric]:
    """Nats and bits per dimension of one full-covariance Gaussian, measured as the model itself is."""
    train = real(task.card.data, "8-bit pixels", "train")
    test = real(task.card.data, "8-bit pixels", "test", task.options.limit)
    generator = torch.Generator().manual_seed(SEED)
    chunks = ((x * 255).round().flatten(1) for x in train.x.split(5000))
    mean, covariance = fit_gaussian(logits(k, torch.rand(k.shape, generator=generator))[0] for k in chunks)
    noise = Rng(SEED, len(test.x)).uniform(*test.x.shape[1:])
    t, log_det = logits((test.x * 255).round().flatten(1), noise.flatten(1))
    nats = gaussian_log_prob(t, mean, covariance) + log_det
    protocol = (
        f"Mean negative log-probability per picture of {test.words}; uniform dequantisation (one draw for each "
        f"picture, seed {SEED}); exact, by one full-covariance Gaussian of the logits of the pixels (margin"
        " {MARGIN:g}), "
        f"fitted by maximum likelihood to {train.words} (dequantised once, seed {SEED}), in float64"
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
