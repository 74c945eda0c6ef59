"""Precision, recall, density and coverage, against scikit-learn's neighbours and against sets that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from playground.evaluation import fidelity
from playground.evaluation.manifolds import NEAREST, overlap, radii
from playground.knobs import Refused


def normal(n: int, d: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def by_scikit(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """The four shares by counting, ball by ball."""

    def reach(x: np.ndarray, k: int) -> np.ndarray:
        return NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x).kneighbors()[0][:, -1]

    def inside(x: np.ndarray, centres: np.ndarray, k: int) -> np.ndarray:
        index = NearestNeighbors(algorithm="brute").fit(x)
        found = np.zeros((len(centres), len(x)), bool)
        for i, (centre, radius) in enumerate(zip(centres, reach(centres, k), strict=True)):
            found[i, index.radius_neighbors(centre[None], radius, return_distance=False)[0]] = True
        return found

    return {
        "precision": inside(fake, real, 3).any(0).mean(),
        "recall": inside(real, fake, 3).any(0).mean(),
        "density": inside(fake, real, 5).sum() / (5 * len(fake)),
        "coverage": inside(fake, real, 5).any(1).mean(),
    }


@pytest.mark.parametrize(("n", "m", "shift"), [(120, 90, 0.0), (60, 150, 0.7), (40, 40, 3.0)])
def test_overlap_is_what_counting_with_scikit_learn_gives(n: int, m: int, shift: float) -> None:
    real, fake = normal(n, 4, 0), 0.8 * normal(m, 4, 1, shift)
    assert overlap(real, fake) == pytest.approx(by_scikit(real.numpy(), fake.numpy()))


def test_a_set_overlaps_itself_and_nothing_far_away() -> None:
    x = normal(50, 3, 0)
    same, far = overlap(x, x), overlap(x, x + 100)
    assert same["precision"] == same["recall"] == same["coverage"] == 1
    assert same["density"] == pytest.approx(
        sum(
            float((torch.cdist(x, x)[i] <= r).sum())
            for i, r in enumerate(radii(torch.cdist(x, x).fill_diagonal_(0), 5))
        )
        / 250
    )
    assert set(far.values()) == {0.0}


def test_one_mode_of_two_is_precise_and_recalls_half() -> None:
    modes = torch.cat([normal(100, 2, 0), normal(100, 2, 1, 50.0)])
    found = overlap(modes, normal(200, 2, 2))
    assert found["precision"] > 0.9 and found["density"] > 0.4
    assert found["recall"] < 0.5 and found["coverage"] < 0.51


def test_coverage_of_the_same_distribution_is_its_closed_form() -> None:
    """Naeem et al. 2020, lemma 2: 1 - (M-1)...(M-k) / ((2M-1)...(2M-k)) for two samples of M each."""
    m, k = 100, NEAREST["coverage"]
    expected = 1 - math.prod((m - i) / (2 * m - i) for i in range(1, k + 1))
    found = [overlap(normal(m, 2, 2 * i), normal(m, 2, 2 * i + 1)) for i in range(40)]
    coverage = [f["coverage"] for f in found]
    assert np.mean(coverage) == pytest.approx(expected, abs=4 * np.std(coverage) / math.sqrt(40))
    density = [f["density"] for f in found]
    assert np.mean(density) == pytest.approx(1, abs=4 * np.std(density) / math.sqrt(40))


def test_the_jackknife_knows_the_spread_of_new_draws() -> None:
    found = [fidelity.jackknives(overlap, normal(200, 2, 2 * i), normal(200, 2, 2 * i + 1, 0.5)) for i in range(25)]
    for name in NEAREST:
        spread = np.std([f[name][0] for f in found])
        stated = np.mean([f[name][1] for f in found])
        assert 0.5 * spread < stated < 2.5 * spread, name


def test_too_few_have_no_neighbours() -> None:
    with pytest.raises(Refused, match="5 pictures have no 5 neighbours"):
        overlap(normal(5, 2, 0), normal(50, 2, 1))
