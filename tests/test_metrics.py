"""The metrics against SciPy, POT, plain loops and closed forms."""

from __future__ import annotations

import math
import sys
import time

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance as energy_of_a_line
from scipy.stats import norm

from playground.lab import metrics
from playground.lab.own import from_csv
from playground.lab.targets import Gaussians, targets

RNG = np.random.default_rng(0)


def gaussian(mean: tuple[float, float], sigma: float) -> Gaussians:
    entropy = 1 + math.log(2 * math.pi * sigma**2)
    return Gaussians("g", "G", "G", np.array([mean]), np.array([sigma]), np.ones(1), entropy)


def test_kl_of_two_gaussians() -> None:
    p, q = gaussian((0, 0), 1.0), gaussian((0.5, -0.3), 1.4)
    exact = 2 * math.log(1.4) + (2 + 0.5**2 + 0.3**2) / (2 * 1.4**2) - 1
    x = p.sample(100_000, np.random.default_rng(1))
    value, error = metrics.kl(p.log_prob(x), q.log_prob(x))
    assert value == pytest.approx(exact, abs=4 * error)
    assert error < 0.003
    cross, wide = metrics.nll(q.log_prob(x))
    assert cross - p.entropy == pytest.approx(exact, abs=4 * wide)
    assert error < wide  # the two logarithms vary together


def test_kl_of_a_target_with_itself_is_zero() -> None:
    log_p = targets()["ring"].log_prob(targets()["ring"].sample(100, RNG))
    assert metrics.kl(log_p, log_p) == (0, 0)


def test_kl_without_a_finite_value() -> None:
    zeros = np.zeros(3)
    assert metrics.kl(zeros, np.array([0, -np.inf, 0])) == (math.inf, math.inf)
    assert all(map(math.isnan, metrics.kl(zeros, np.array([0, np.nan, -np.inf]))))
    assert all(map(math.isnan, metrics.kl(zeros, np.array([0, np.inf, -np.inf]))))
    for wrong in (np.array([0, -np.inf, 0]), np.zeros(2)):
        with pytest.raises(ValueError, match="true log-densities"):
            metrics.kl(wrong, zeros)


def test_a_moved_sample_is_as_far_as_it_was_moved() -> None:
    """W2 is the length of the move; a direction sees its cosine, whose mean square is a half."""
    x = targets()["moons"].sample(300, RNG).astype(float)
    assert metrics.wasserstein(x, x + np.array([3, 4])) == pytest.approx(5)
    assert metrics.sliced_wasserstein(x, x + np.array([3, 4])) == pytest.approx(5 / math.sqrt(2))


def test_wasserstein_of_two_gaussians() -> None:
    """W2^2 = |m|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2), here of diagonal A and B.

    For samples that have these moments exactly it is a lower bound (Gelbrich 1990), and nearly reached.
    """

    def white() -> np.ndarray:
        x = RNG.standard_normal((1000, 2))
        x -= x.mean(0)
        return x @ np.linalg.inv(np.linalg.cholesky(x.T @ x / len(x))).T

    exact = math.sqrt(3**2 + (2 - 1) ** 2 + (0.5 - 1) ** 2)
    value = metrics.wasserstein(white(), white() * [2, 0.5] + [3, 0])
    assert exact <= value < 1.03 * exact


def test_wasserstein_is_the_best_assignment() -> None:
    a, b = targets()["ring"].sample(200, RNG), targets()["moons"].sample(200, RNG)
    moves = cdist(a, b, "sqeuclidean")
    assert metrics.wasserstein(a, b) == pytest.approx(math.sqrt(moves[linear_sum_assignment(moves)].mean()), rel=1e-9)


def test_pots_solver_comes_without_what_it_does_not_need() -> None:
    spare = [name for name in metrics.SPARE if name not in sys.modules]
    metrics.transport()
    assert not any(name in sys.modules and sys.modules[name] is None for name in spare)  # others may import them
    a = np.random.default_rng(1).standard_normal((metrics.EXACT + 50, 2))
    b = a.copy()
    b[metrics.EXACT :] += 9
    assert metrics.wasserstein(a, b) == pytest.approx(0, abs=1e-6)  # of so many


def test_sliced_wasserstein_is_pots() -> None:
    import ot

    a, b = targets()["ring"].sample(300, RNG), targets()["moons"].sample(300, RNG)
    many = ot.sliced_wasserstein_distance(a.astype(float), b.astype(float), n_projections=3000, seed=0)
    assert metrics.sliced_wasserstein(a, b) == pytest.approx(many, rel=0.02)


def test_energy_distance_on_a_line_is_scipys() -> None:
    a, b = RNG.standard_normal(200), RNG.exponential(size=150)
    flat = [np.stack([v, np.full_like(v, 7)], 1) for v in (a, b)]
    assert metrics.energy_distance(*flat) == pytest.approx(energy_of_a_line(a, b))


def test_mmd_is_the_mean_over_pairs() -> None:
    a, b = RNG.standard_normal((40, 2)), RNG.standard_normal((30, 2)) + 1

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        values = [np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / (2 * s * s)).mean() for s in metrics.BANDWIDTHS]
        return float(np.mean(values))

    assert metrics.mmd(a, b) == pytest.approx(math.sqrt(kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)), rel=1e-4)


def test_mmd_of_two_gaussians() -> None:
    """E k(x, y) for x - y ~ N(m, v I) and a Gaussian of width s: s^2 / (s^2 + v) exp(-|m|^2 / 2 (s^2 + v))."""
    m, spread = 1.5, 0.5

    def mean(move: float, v: float) -> float:
        return float(
            np.mean([s * s / (s * s + v) * math.exp(-(move**2) / (2 * (s * s + v))) for s in metrics.BANDWIDTHS])
        )

    exact = math.sqrt(mean(0, 2) + mean(0, 2 * spread**2) - 2 * mean(m, 1 + spread**2))
    a, b = RNG.standard_normal((3000, 2)), RNG.standard_normal((3000, 2)) * spread + [m, 0]
    assert metrics.mmd(a, b) == pytest.approx(exact, rel=0.03)


@pytest.mark.parametrize(
    "distance", [metrics.sliced_wasserstein, metrics.wasserstein, metrics.mmd, metrics.energy_distance]
)
def test_distances_are_distances(distance) -> None:
    a, b = targets()["ring"].sample(100, RNG), targets()["spiral"].sample(100, RNG)
    assert distance(a, a) == 0
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-5)
    assert distance(a, b) > distance(a, targets()["ring"].sample(100, RNG))
    assert distance(a, a[::-1]) < 1e-3


@pytest.mark.parametrize("distance", [metrics.sliced_wasserstein, metrics.wasserstein])
def test_transport_wants_equal_sizes(distance) -> None:
    with pytest.raises(ValueError, match="one size"):
        distance(np.zeros((3, 2)), np.zeros((4, 2)))


def test_modes_are_counted() -> None:
    ring = targets()["ring"]
    assert ring.modes is not None
    some = np.concatenate([ring.modes[:3], ring.modes[:1] + np.array([3 * 0.3536 - 1e-6, 0]), [[0, 0], [np.nan, 0]]])
    assert metrics.modes_covered(some, ring) == (3, 8, pytest.approx(2 / 6))
    assert metrics.modes_covered(np.full((5, 2), 99.0), ring) == (0, 8, 1.0)
    assert metrics.modes_covered(some, targets()["moons"]) is None


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_true_samples_cover_all_modes_and_lose_one_percent(name: str) -> None:
    target = targets()[name]
    found = metrics.modes_covered(target.sample(20_000, RNG), target)
    assert found is not None
    assert found[0] == found[1]
    outside = math.exp(-9 / 2)  # of a round Gaussian beyond three standard deviations
    assert found[2] == pytest.approx(outside, abs=0.003)
    assert outside == pytest.approx(1 - (1 - 2 * norm.sf(3)), abs=0.01)


def test_the_floor_is_what_true_samples_differ_by() -> None:
    ring = targets()["ring"]
    floor = metrics.floor(ring, 500, seed=3)
    assert set(floor) == {"sliced", "wasserstein", "mmd", "energy", "lost"}
    assert floor == metrics.floor(ring, 500, seed=3)
    assert floor != metrics.floor(ring, 500, seed=4)
    more = metrics.floor(ring, 2000, seed=3, exact=False)
    assert "wasserstein" not in more
    # by theory half; a single draw varies
    assert more["mmd"] < 0.9 * floor["mmd"]
    assert "lost" not in metrics.floor(targets()["moons"], 100, exact=False)
    assert 0 < floor["mmd"] < 2 * math.sqrt(2 / 500)


def test_the_floor_of_own_points_is_between_the_parts() -> None:
    rows = "\n".join(f"{a},{b}" for a, b in RNG.standard_normal((500, 2)))
    floor = metrics.floor(from_csv(rows.encode())[0], 1000)
    assert set(floor) == {"sliced", "wasserstein", "mmd", "energy"}
    assert all(value > 0 for value in floor.values())


@pytest.mark.parametrize(
    "distance", [metrics.sliced_wasserstein, metrics.wasserstein, metrics.mmd, metrics.energy_distance]
)
def test_a_thousand_points_cost_little(distance) -> None:
    """The bound is several times what a free core takes, so that a busy machine passes."""
    a, b = targets()["ring"].sample(1000, RNG), targets()["ring"].sample(1000, RNG)
    distance(a[:9], b[:9])  # imports what it needs
    start = time.thread_time()
    distance(a, b)
    assert time.thread_time() - start < 0.6
