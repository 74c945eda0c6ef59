"""The ready-made targets: density, samples and entropy agree with one another."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from playground.knobs import Refused
from playground.lab.targets import FINE, Gaussians, Ridge, Target, raster, target_from, targets

NAMES = list(targets())


def integral(target: Target, half: float = 6.5, step: float = 0.05) -> tuple[float, float]:
    """The density's integral and the entropy, by the midpoint rule: exponentially accurate for smooth densities."""
    ticks = np.arange(-half, half, step) + step / 2
    log_p = target.log_prob(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2))
    p = np.exp(log_p) * step**2
    return float(p.sum()), float(-(p[p > 0] * log_p[p > 0]).sum())


def test_the_order_of_the_page() -> None:
    first = ["ring", "grid", "moons", "rings", "pinwheel", "spiral", "checkerboard", "swiss_roll"]
    assert [*first, "funnel", "banana", "islands", "smiley"] == NAMES
    assert all(name == target.name and target.title and target.line for name, target in targets().items())


@pytest.mark.parametrize("name", [n for n, t in targets().items() if not isinstance(t, Ridge)])
def test_densities_integrate_to_one_and_entropies_are_right(name: str) -> None:
    mass, entropy = integral(targets()[name])
    assert mass == pytest.approx(1, abs=1e-6)
    assert targets()[name].entropy == pytest.approx(entropy, abs=1e-4)


@pytest.mark.parametrize("name", ["funnel", "banana"])
def test_ridges_integrate_to_one_given_x(name: str) -> None:
    """A narrow funnel wants a grid of its own at each x: integrated over y it must leave the Gaussian of x."""
    target = targets()[name]
    assert isinstance(target, Ridge)
    for x in np.linspace(-4, 4, 9):
        spread = target.spread * math.exp(target.flare * x)
        y = target.bend * x**2 + target.shift + spread * np.linspace(-9, 9, 4001)
        p = np.exp(target.log_prob(np.stack([np.full_like(y, x), y], 1)))
        marginal = math.exp(-0.5 * (x / target.sigma) ** 2) / (target.sigma * math.sqrt(2 * math.pi))
        assert np.trapezoid(p, y) == pytest.approx(marginal, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_samples_have_the_density_they_claim(name: str) -> None:
    """The mean of -log p over samples is the entropy; their histogram is the density."""
    target = targets()[name]
    x = target.sample(40_000, np.random.default_rng(3))
    assert x.dtype == np.float32
    assert x.shape == (40_000, 2)
    log_p = target.log_prob(x)
    assert np.isfinite(log_p).all()
    entropy = target.entropy
    assert entropy is not None
    assert -log_p.mean() == pytest.approx(entropy, abs=5 * log_p.std() / len(x) ** 0.5 + 1e-6)
    counts, edges, _ = np.histogram2d(x[:, 0], x[:, 1], bins=18, range=[[-4.5, 4.5]] * 2)
    fine = (np.arange(18 * 24) + 0.5) / 48 - 4.5
    p = np.exp(target.log_prob(np.stack(np.meshgrid(fine, fine, indexing="ij"), -1).reshape(-1, 2))) / 48**2
    share = p.reshape(18, 24, 18, 24).sum((1, 3))
    assert edges[0] == -4.5
    # the integral over a cell is itself a little off where the funnel is narrower than the grid
    assert np.all(np.abs(counts / len(x) - share) < 6 * np.sqrt(share / len(x)) + 1e-3)


def test_the_ring_is_the_one_the_figures_are_about() -> None:
    ring = targets()["ring"]
    assert isinstance(ring, Gaussians)
    assert ring.modes is not None
    assert np.allclose(np.linalg.norm(ring.modes, axis=1), 2.83)
    assert ring.mode_radius == pytest.approx(3 * 0.3536)
    apart = math.log(8) + 1 + math.log(2 * math.pi * 0.3536**2)  # 2.838, were there no overlap
    assert apart - 0.007 < ring.nats < apart


def test_the_checkerboard_is_exact() -> None:
    board = targets()["checkerboard"]
    assert board.entropy == pytest.approx(math.log(32))
    points = np.array([[-3, 3], [-1, 3], [-3, 1], [3.999, -3.999], [4.001, 0], [np.nan, 0]])
    expected = [-math.log(32), -math.inf, -math.inf, -math.log(32), -math.inf, -math.inf]
    assert np.allclose(board.log_prob(points), expected)


def test_a_rasters_samples_never_leave_their_cells() -> None:
    """Float32 must not round a point over an edge, where the density may be zero."""
    weights = np.zeros((128, 128))
    weights[::2, ::2] = 1
    weights[0, 0] = weights[-1, -1] = 0
    dots = raster(weights, "dots", "Dots", "Dots.", {})

    class Edge(np.random.Generator):
        def integers(self, *args, **kwargs):
            return np.full(kwargs["size"], FINE - 1)

    assert np.isfinite(dots.log_prob(dots.sample(20_000, Edge(np.random.PCG64(1))))).all()
    assert np.isfinite(dots.log_prob(dots.sample(20_000, np.random.default_rng(1)))).all()


def test_curves_show_no_beads() -> None:
    """The Gaussians along a curve stand so close that the ridge is level to 2 %."""
    for name, radius in (("rings", 3.2), ("rings", 2.05), ("smiley", 3.3)):
        angle = np.linspace(2.6, 3.6, 500)
        ridge = np.exp(targets()[name].log_prob(radius * np.stack([np.cos(angle), np.sin(angle)], 1)))
        assert ridge.min() > 0.98 * ridge.max()


@pytest.mark.parametrize("name", NAMES)
def test_records_make_the_same_target(name: str) -> None:
    assert target_from(targets()[name].record()) is targets()[name]


@pytest.mark.parametrize("record", [None, 3, [], {}, {"name": "ring", "more": 1}, {"name": ["ring"]}, {"name": "no"}])
def test_a_bad_record_is_refused_with_a_sentence(record: object) -> None:
    with pytest.raises(Refused, match=r"^[A-Z].*\.$"):
        target_from(record)


def test_same_generator_same_points() -> None:
    for target in targets().values():
        a, b = (target.sample(50, np.random.default_rng(5)) for _ in range(2))
        assert np.array_equal(a, b)


def test_no_points_no_densities() -> None:
    for target in targets().values():
        assert target.log_prob(np.empty((0, 2))).shape == (0,)
        assert target.sample(0, np.random.default_rng(5)).shape == (0, 2)


def test_a_heatmap_costs_little() -> None:
    """The bound is ten times what it takes, so that a busy machine passes."""
    ticks = np.linspace(-4.5, 4.5, 64)
    grid = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
    start = time.thread_time()
    for target in targets().values():
        target.log_prob(grid)
    assert time.thread_time() - start < 2
