"""How far samples are from a target, each number beside its floor: what two true samples of the same size differ by."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.spatial.distance import cdist

from playground.lab.targets import Target

DIRECTIONS = 64  # of the half-circle; equally spaced, their mean is exact for all but the finest detail
EXACT = 500  # samples of the exact Wasserstein distance: 1000 take six times as long, a fifth of a second
SPARE = ("networkx", "sklearn")  # what POT imports where it finds it; together they take 3 seconds
BANDWIDTHS = (0.25, 0.5, 1.0, 2.0)  # of the MMD's kernels, window units: from a mode's width to the window's


def nll(log_p: np.ndarray) -> tuple[float, float]:
    """Mean negative log-likelihood and its standard error, nats, from log-densities (n,) at independent data."""
    return _mean(-np.asarray(log_p, np.float64))


def kl(log_p_true: np.ndarray, log_p_model: np.ndarray) -> tuple[float, float]:
    """KL(data || model) and its standard error, nats: the mean of log p - log q over independent true samples.

    Its error is far below that of NLL - H, for the two logarithms vary together. An estimate a little below zero is
    that error; well below zero, ``log_p_model`` is no normalised density. Infinite where the model excludes a datum.

    Args:
        log_p_true: (n,), the target's log-density at the samples.
        log_p_model: (n,), the model's at the same samples.

    Raises:
        ValueError: the shapes differ, or a sample has no finite true density and so cannot be one.
    """
    true, model = np.asarray(log_p_true, np.float64), np.asarray(log_p_model, np.float64)
    if true.shape != model.shape or not np.isfinite(true).all():
        raise ValueError("the true log-densities must be finite, and as many as the model's")
    return _mean(true - model)


def _mean(values: np.ndarray) -> tuple[float, float]:
    if not np.isfinite(values).all():
        odd = set(values[~np.isfinite(values)].tolist())
        worst = odd.pop() if len(odd) == 1 else math.nan
        return worst, worst
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def modes_covered(samples: np.ndarray, target: Target) -> tuple[int, int, float] | None:
    """Modes with a sample, modes in all, and the share of samples in no mode; None where modes are no question.

    A sample is in its nearest mode if it lies within three standard deviations of the centre; a mode is covered if it
    has at least one. Srivastava et al. 2017, "VEEGAN" (arXiv:1705.07761), section 5.1; Lin et al. 2018, "PacGAN"
    (arXiv:1712.04086), section 4.1. Of a round Gaussian's own samples exp(-9/2) = 1.1 % lie outside: the share's floor.

    Args:
        samples: (n, 2), n > 0.
        target: with its ``modes`` and ``mode_radius``.
    """
    if target.modes is None:
        return None
    distance = cdist(samples, target.modes)  # (n, K); NaN is in no mode
    near = distance.min(1) <= target.mode_radius
    covered = np.unique(distance[near].argmin(1)) if near.any() else np.empty(0)
    return len(covered), len(target.modes), float(1 - near.mean())


def sliced_wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Sliced 2-Wasserstein distance of two samples of one size, window units.

    The root of the mean, over directions, of the squared one-dimensional 2-Wasserstein distance of the projections,
    which sorting gives. Bonneel et al. 2015, "Sliced and Radon Wasserstein barycenters of measures" (JMIV 51).
    """
    _same(a, b)
    angle = (np.arange(DIRECTIONS) + 0.5) * (np.pi / DIRECTIONS)
    directions = np.stack([np.cos(angle), np.sin(angle)])  # (2, DIRECTIONS)
    # rows of float64: a row is sorted two times as fast as a column
    along, beside = (np.sort((np.asarray(x, np.float64) @ directions).T.copy()) for x in (a, b))
    return math.sqrt(((along - beside) ** 2).mean())


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Exact 2-Wasserstein distance of two samples of one size, window units: the root of the least mean squared move.

    Of the first ``EXACT`` of each. Solved as a linear programme by POT (Flamary et al. 2021, JMLR 22(78); Bonneel et
    al. 2011). Convergence in n is slow, so a value says something only beside its floor at the same n.
    """
    _same(a, b)
    return math.sqrt(transport()([], [], cdist(a[:EXACT], b[:EXACT], "sqeuclidean"), numItermax=10**6))


@lru_cache(maxsize=1)
def transport() -> Callable[..., float]:
    """POT's solver. The first call imports it: half a second, and torch with it, so never in the server's process."""
    absent = [name for name in SPARE if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: as if they were not there
    try:
        from ot import emd2
    finally:
        for name in absent:
            del sys.modules[name]
    solver: Callable[..., float] = emd2
    return solver


def mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Maximum mean discrepancy of two samples: the root of the biased (V-statistic) estimate, never negative, no unit.

    Gretton et al. 2012, "A kernel two-sample test" (JMLR 13), equation 5. The kernel is the mean of the Gaussians
    exp(-|x - y|^2 / 2 s^2), s in ``BANDWIDTHS``: fixed, not the median heuristic, so that every model and every moment
    is measured alike. Its floor is about sqrt(2 / n).
    """
    return math.sqrt(max(0.0, _kernel(a, a) + _kernel(b, b) - 2 * _kernel(a, b)))


def _kernel(a: np.ndarray, b: np.ndarray) -> float:
    """The kernel's mean over all pairs; float32, whose error of 1e-7 is far below the floor."""
    value = (cdist(a, b, "sqeuclidean") / (-2 * max(BANDWIDTHS) ** 2)).astype(np.float32)
    np.exp(value, out=value)
    total = 0.0
    for _ in BANDWIDTHS:  # each half as wide as the last: its Gaussian is the fourth power, far cheaper than exp
        total += float(value.mean())
        np.square(value, out=value)
        np.square(value, out=value)
    return total / len(BANDWIDTHS)


def energy_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Energy distance of two samples, window units to the power 1/2: the root of 2 E|x - y| - E|x - x'| - E|y - y'|.

    The root, as ``scipy.stats.energy_distance`` in one dimension, not its square. Expectations are over all pairs of
    the samples, so it is never negative. Székely and Rizzo 2013, "Energy statistics" (J. Stat. Plan. Inference 143).
    """
    return math.sqrt(max(0.0, 2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()))


def distances(a: np.ndarray, b: np.ndarray, exact: bool = True) -> dict[str, float]:
    """All distances of two samples by the name a race gives them; ``exact`` with the exact Wasserstein one."""
    found = {"sliced": sliced_wasserstein(a, b), "mmd": mmd(a, b), "energy": energy_distance(a, b)}
    return {**found, "wasserstein": wasserstein(a, b)} if exact else found


def floor(target: Target, n: int = 1000, seed: int = 0, exact: bool = True) -> dict[str, float]:
    """What ``distances`` gives for two independent true samples of ``n``, and "lost" where there are modes.

    Of a target of which only points are known, the second sample is held out; both shrink to the smaller of the two.
    """
    generator = np.random.default_rng(seed)
    a = target.sample(n, generator)
    b = target.sample(n, generator) if target.held_out is None else target.held_out[:n]
    n = min(len(a), len(b))
    found = distances(a[:n], b[:n], exact)
    modes = modes_covered(a, target)
    return {**found, "lost": modes[2]} if modes else found


def _same(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        raise ValueError("the two samples must be of one size")
