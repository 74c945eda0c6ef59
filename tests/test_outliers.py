"""Telling other pictures apart by their density: which way round, of which kinds, and refusals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from evalshelf import SHAPE, TOY, Normal, command, metrics_of, task_of, toys
from torch import Tensor

from playground import data
from playground.capabilities import LogProb
from playground.evaluation import likelihood, outliers, pictures
from playground.knobs import Refused
from playground.rng import Rng


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    with toys(tmp_path) as folder:
        yield folder


def test_impossible_pictures_score_lowest(shelf: Path) -> None:
    class Strict(Normal):
        """Noise is impossible: nothing is far from the mean."""

        def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
            result = Normal.log_prob(self, x, rng)
            far = (x - 0.5).abs().flatten(1).amax(1) > 0.49
            return replace(result, nats=result.nats.masked_fill(far, -math.inf))

    found = outliers.measure(replace(task_of("normal", shelf), model=Strict()))
    assert found["roc_area_noise"].value > 0.99


def test_higher_density_means_it_belongs(shelf: Path) -> None:
    def bright(split: str) -> tuple[np.ndarray, np.ndarray]:
        return 255 - TOY.load("test")[0] // 2, TOY.load("test")[1]

    def like_its_mean(split: str) -> tuple[np.ndarray, np.ndarray]:
        return np.full((300, *SHAPE), 128, np.uint8), TOY.load("test")[1]

    toys = [TOY, replace(TOY, name="bright-toy", read=bright), replace(TOY, name="mean-toy", read=like_its_mean)]
    toys.append(replace(TOY, name="large-toy", shape=(1, 5, 5)))
    toys.append(replace(TOY, name="binarized-mean-toy"))
    with mock.patch.object(data, "datasets", lambda: {toy.name: toy for toy in toys}):
        found = outliers.measure(task_of("normal", shelf))
    assert set(found) == {"roc_area_bright_toy", "roc_area_mean_toy", "roc_area_noise"}
    assert found["roc_area_bright_toy"].value > 0.99 and found["roc_area_noise"].value > 0.99
    assert found["roc_area_mean_toy"].value < 0.05  # nothing is likelier than the mean
    assert found["roc_area_noise"].n == 300 and "log-density (exact)" in found["roc_area_noise"].protocol


def test_black_and_white_models_see_black_and_white_noise(shelf: Path) -> None:
    (_, noise), = outliers.others(task_of("vae", shelf), 100)  # fmt: skip
    assert set(noise.x.unique().tolist()) == {0.0, 1.0} and "fair coins" in noise.words


def test_slow_densities_get_fewer_pictures_or_none(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(outliers.time, "process_time", lambda: 20.0 * next(ticks))  # two seconds for each picture
    task, x = task_of("normal", shelf), torch.rand(300, *SHAPE)
    assert outliers.affordable(task, x, 2) == 150
    with pytest.raises(Refused, match="20 pictures of each kind are too few"):
        outliers.affordable(task, x, 15)


class Energy(Normal):
    """A log-density up to a constant."""

    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        return LogProb(-(x - self.mean).square().flatten(1).sum(1), "unnormalised", "continuous")


def test_what_is_unnormalised_is_no_likelihood_but_tells_noise(shelf: Path) -> None:
    task = replace(task_of("normal", shelf), model=Energy())
    assert pictures.kind_of(task) == "unnormalised"
    assert not likelihood.part.fits(task) and outliers.part.fits(task)
    found = outliers.measure(task)["roc_area_noise"]
    assert found.value > 0.9 and "log-density (unnormalised)" in found.protocol


def test_no_number_at_all_is_refused(shelf: Path) -> None:
    task = task_of("normal", shelf)
    with pytest.raises(Refused, match="1 of 1 test pictures"):
        likelihood.log_prob(task, torch.full((1, *SHAPE), math.nan), impossible=True)


def test_the_command_puts_it_on_the_card(shelf: Path) -> None:
    assert command(shelf, "normal", "--only", "outliers") == 0
    assert metrics_of("normal")["roc_area_noise"].value > 0.9
