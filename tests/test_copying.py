"""Nearest training pictures: against brute force, and on a model that copies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from evalshelf import TOY, Normal, task_of, toys
from torch import Tensor

from playground.evaluation import copying
from playground.knobs import Refused
from playground.rng import Rng


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    with toys(tmp_path) as folder:
        yield folder


class Copier(Normal):
    """Shows training pictures."""

    def sample(self, rng: Rng, *, label: str = "any") -> Tensor:  # type: ignore[override]
        train = torch.as_tensor(TOY.load("train")[0]).float() / 255
        return train[rng.integers(len(train))]


def test_distances_are_those_of_brute_force() -> None:
    generator = torch.Generator().manual_seed(0)
    x, pictures = (torch.rand(n, 1, 5, 5, generator=generator) for n in (700, 300))
    x[3] = pictures[7]
    wanted = torch.cdist(x.flatten(1).double(), pictures.flatten(1).double()).min(1).values
    found = copying.nearest(x, pictures)
    assert found[3] == 0
    assert torch.allclose(found.double(), wanted, atol=1e-5)


def test_a_model_that_draws_anew_does_not_copy(shelf: Path) -> None:
    found = copying.measure(task_of("normal", shelf, n=300))
    ratio, share = found["copying_ratio"], found["copying_share"]
    assert ratio.stderr is not None and abs(ratio.value - 1) < 4 * ratio.stderr < 0.2
    assert share.stderr is not None and share.value <= 0.01 + 4 * max(share.stderr, 0.006)
    assert "300 train pictures of Toy" in ratio.protocol and (share.n, share.split) == (300, "train")


def test_a_copier_is_found_out(shelf: Path) -> None:
    task = task_of("normal", shelf, n=300)
    found = copying.measure(replace(task, model=Copier()))
    assert found["copying_ratio"].value == 0
    assert found["copying_share"].value == 1


def test_distances_of_test_pictures_are_computed_once(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copying.measure(task_of("normal", shelf, n=300))
    searched: list[int] = []
    nearest = copying.nearest
    monkeypatch.setattr(copying, "nearest", lambda x, y: searched.append(len(x)) or nearest(x, y))
    copying.measure(task_of("stepper", shelf, n=300))
    assert len(searched) == 1


def test_too_few_samples_are_refused(shelf: Path) -> None:
    with pytest.raises(Refused, match=r"99 samples are too few .* at least 100 with --n"):
        copying.measure(task_of("normal", shelf, n=99))


def test_greys_are_compared_with_greys_and_black_and_white_with_its_kind(shelf: Path) -> None:
    grey = copying.measure(task_of("vae", shelf, n=100))["copying_ratio"]
    assert "in 8 bits" in grey.protocol
    assert np.isfinite(grey.value)
