"""Who judges, how classes are balanced, floors measured once, and Inception features where they can be had."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torchmetrics.image.fid
from evalshelf import SHAPE, command, metrics_of, put, task_of, toys
from torch import Tensor, nn

from playground import catalog
from playground.evaluation import fidelity, inception
from playground.evaluation.fidelity import Judge
from playground.evaluation.parts import parts
from playground.evaluation.pictures import Pictures
from playground.evaluation.report import report
from playground.families.classifier import Classifier
from playground.knobs import Refused


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    with toys(tmp_path) as folder:
        yield folder


class Seer(nn.Module):
    """Takes a picture for the class that its first pixel says."""

    feature_size = 2

    def classify(self, x: Tensor) -> Tensor:
        return nn.functional.one_hot((4 * x[:, 0, 0, 0]).long(), 4).float()


def seen(*classes: int) -> fidelity.Found:
    x = torch.zeros(len(classes), *SHAPE)
    x[:, 0, 0, 0] = torch.tensor(classes) / 4
    card = replace(catalog.cards()["judge"], labels=("a", "b", "c", "d"))
    return fidelity.class_balance(Judge(card, Seer()), Pictures(x, None, "pictures"))  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------------------- judges


def test_only_classifiers_judge(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generative model that also classifies comes first in the alphabet, and is passed over."""
    known = {**catalog.families(), "m2.Classifier": Classifier}
    monkeypatch.setattr(catalog, "families", lambda: known)
    put("a-vae", Classifier(SHAPE, 2, 2, 8), {"shape": list(SHAPE), "classes": 2, "width": 2, "features": 8})
    card = catalog.cards()["a-vae"]
    catalog.save_card(replace(card, family="m2"))
    assert fidelity.judge_for("toy").card.name == "judge"
    assert fidelity.judge_for("binarized-toy").card.name == "judge"
    assert not fidelity.is_judge(catalog.cards()["a-vae"])
    (catalog.root() / "judge" / "card.json").unlink()
    with pytest.raises(Refused, match="no classifier of toy"):
        fidelity.judge_for("toy")
    with pytest.raises(Refused, match="normal: no classifier of toy"):
        fidelity.judge_of(task_of("normal", shelf))


# ------------------------------------------------------------------------------------------------------------- classes


def test_balance_is_the_distance_from_equal_shares(shelf: Path) -> None:
    assert seen(*[0, 1, 2, 3] * 10)["class_balance"].value == 0
    assert seen(*[2] * 40)["class_balance"].value == pytest.approx(0.75)
    found = seen(*[0, 0, 1, 2] * 10)["class_balance"]
    assert found.value == pytest.approx(0.25)
    assert found.stderr == pytest.approx(math.sqrt(0.25 / 40), rel=1e-5)  # of the share of class a
    assert "Shares: a 0.500, b 0.250, c 0.250, d 0.000; entropy 1.040 of 1.386 nats" in found.protocol


# -------------------------------------------------------------------------------------------------------------- floors


def test_floors_are_measured_once_for_all_models(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(shelf, "normal", "--only", "fidelity", "--n", "100")
    compared: list[str] = []
    compare = fidelity.compare

    def spied(judge: Judge, fake: Pictures, reference: Pictures) -> fidelity.Found:
        compared.append(fake.words)
        return compare(judge, fake, reference)

    monkeypatch.setattr(fidelity, "compare", spied)
    command(shelf, "stepper", "--only", "fidelity", "--n", "100")
    assert len(compared) == 1 and "samples" in compared[0]
    for name in ("frechet_floor", "coverage_floor", "class_balance_floor"):
        assert metrics_of("normal")[name] == metrics_of("stepper")[name]
    command(shelf, "stepper", "--only", "fidelity", "--n", "100", "--fresh")
    assert len(compared) == 3


def test_a_good_model_reaches_the_floor(shelf: Path) -> None:
    command(shelf, "normal", "--only", "fidelity", "--n", "300")
    found = metrics_of("normal")
    for name in ("precision", "recall", "coverage"):
        error = math.hypot(found[name].stderr or 0, found[f"{name}_floor"].stderr or 0)
        assert abs(found[name].value - found[f"{name}_floor"].value) < 4 * error, name
    assert "3rd neighbour" in found["recall"].protocol and "jackknife over 10 blocks" in found["recall"].protocol


def test_the_report_groups_what_belongs_together(shelf: Path) -> None:
    command(shelf, "normal", "--only", "fidelity,timing", "--n", "100")
    text = report(catalog.cards().values())
    assert "Samples, in the features of the judge\nmodel   Frechet" in text
    assert "coverage" in text and "Cost" in text and "Likelihood" not in text


# ----------------------------------------------------------------------------------------------------------- Inception


class Means(nn.Module):
    """A stand-in for Inception: a few random products of 8-bit pixels."""

    def forward(self, x: Tensor) -> Tensor:
        assert x.dtype == torch.uint8 and x.shape[1] == 3
        weight = torch.randn(x[0].numel(), 6, generator=torch.Generator().manual_seed(0))
        return x.flatten(1).float() / 255 @ weight


def test_inception_takes_the_same_way(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "FEATURES", 6)
    monkeypatch.setattr(inception, "network", Means)
    assert command(shelf, "normal", "stepper", "--only", "inception", "--n", "100") == 0
    found = metrics_of("normal")
    assert set(found) == {f"inception_{d}{s}" for d in ("frechet", "kernel") for s in ("", "_floor")}
    assert found["inception_frechet"].value < metrics_of("stepper")["inception_frechet"].value
    assert "torch-fidelity's weights" in found["inception_frechet"].protocol


def test_inception_needs_many_samples_and_its_weights(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="100 samples are too few for a Frechet distance in 2048 features"):
        inception.measure(task_of("normal", shelf, n=100))

    def absent(*arguments: object) -> None:
        raise ModuleNotFoundError("torch-fidelity")

    def unreachable(*arguments: object) -> None:
        raise URLError("no route")

    for fails, sentence in ((absent, "pip install torch-fidelity"), (unreachable, "weights cannot be fetched")):
        inception.network.cache_clear()
        monkeypatch.setattr(torchmetrics.image.fid, "NoTrainInceptionV3", fails)
        with pytest.raises(Refused, match=sentence):
            inception.network()


def test_inception_is_measured_only_on_request() -> None:
    assert parts()["inception"].on_request
