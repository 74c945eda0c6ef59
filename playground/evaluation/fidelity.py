"""Frechet and kernel distance between samples and test pictures, in the features of our own classifier.

Heusel et al. 2017, arXiv:1706.08500, equation 6; Binkowski et al. 2018, arXiv:1801.01401. Both by torchmetrics,
in float64. Values in our features compare with each other, never with distances in Inception features.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from playground import catalog
from playground.capabilities import Classifies, Measure, Samples
from playground.catalog import Metric
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, Pictures, base_data, drawn, measure_of, real
from playground.knobs import Refused
from playground.rng import Rng

BLOCKS = 10


class Given(nn.Module):
    """The feature extractor that torchmetrics is told to use: the features are given already."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.num_features = size

    def forward(self, features: Tensor) -> Tensor:
        return features


def frechet(real_features: Tensor, fake_features: Tensor) -> float:
    """Squared Frechet distance of the Gaussians fitted to two sets of features, (n, d) float64 each."""
    metric = FrechetInceptionDistance(feature=Given(real_features.shape[1]))
    metric.update(real_features, real=True)
    metric.update(fake_features, real=False)
    return float(metric.compute())


def kernel(real_features: Tensor, fake_features: Tensor) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3, over all of two sets of equal size.

    One subset that holds everything, instead of many random ones, is the estimator of the least variance.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Metric `Kernel Inception Distance`", UserWarning
        )  # it keeps all features: so do we
        metric = KernelInceptionDistance(
            feature=Given(real_features.shape[1]), subsets=1, subset_size=len(real_features), degree=3, coef=1.0
        )
    metric.update(real_features, real=True)
    metric.update(fake_features, real=False)
    with torch.random.fork_rng(devices=[]):  # it permutes, which changes nothing here
        return float(metric.compute()[0])


def jackknife(statistic: Callable[[Tensor, Tensor], float], a: Tensor, b: Tensor) -> tuple[float, float]:
    """A statistic of two sets and its delete-a-block jackknife standard error.

    Block k of both sets is left out together (Efron and Stein 1981, Annals of Statistics 9, 586, for single data).
    """
    rows_a, rows_b = torch.arange(len(a)).tensor_split(BLOCKS), torch.arange(len(b)).tensor_split(BLOCKS)

    def without(x: Tensor, rows: Tensor) -> Tensor:
        return torch.cat([x[: rows[0]], x[rows[-1] + 1 :]])

    left = torch.tensor([statistic(without(a, i), without(b, j)) for i, j in zip(rows_a, rows_b, strict=True)])
    stderr = math.sqrt((BLOCKS - 1) * float(left.double().var(correction=0)))
    return statistic(a, b), stderr


@dataclass(frozen=True)
class Judge:
    """The classifier in whose features a data set's pictures are compared, with its card."""

    card: catalog.Card
    model: Classifies

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """Features (n, d), float64, of pictures (n, *shape)."""
        return torch.cat([self.model.features(part) for part in x.split(500)]).double()

    @torch.no_grad()
    def classes(self, x: Tensor) -> Tensor:
        """The class it takes each picture for, (n,) int64."""
        return torch.cat([self.model.classify(part).argmax(1) for part in x.split(500)])


def judge_of(task: Task) -> Judge:
    """The classifier on the shelf that was trained on the model's data.

    Raises:
        Refused: there is none.
    """
    wanted = base_data(task.card.data)
    for card in catalog.cards().values():
        if card.data == wanted and issubclass(catalog.family_class(card), Classifies):
            model = catalog.load(card.name)
            assert isinstance(model, Classifies)
            return Judge(card, model)
    raise Refused(
        f"{task.card.name}: no classifier of {wanted} is on the shelf to give features; train one with "
        f"python -m playground.train {wanted}-classifier."
    )


def check_enough(task: Task, judge: Judge) -> None:
    """Refuse a Frechet distance of too few samples: their covariance would have hardly more samples than dimensions.

    Raises:
        Refused: fewer than twice as many samples as features.
    """
    least = 2 * judge.model.feature_size
    if task.options.n < least:
        raise Refused(
            f"{task.card.name}: {task.options.n} samples are too few for a Frechet distance in "
            f"{judge.model.feature_size} features; ask for at least {least} with --n."
        )


def compare(judge: Judge, fake: Pictures, reference: Pictures, n: int, suffix: str = "") -> dict[str, Metric]:
    """Frechet and kernel distance of two sets of pictures, as metrics ``frechet`` and ``kernel``."""
    a, b = judge.features(reference.x), judge.features(fake.x)
    how = (
        f"between {fake.words} and {reference.words}, in the {a.shape[1]} features of {judge.card.name} "
        f"(weights {judge.card.sha256[:12]}), by torchmetrics in float64; standard error by a jackknife over {BLOCKS} "
        "blocks."
    )
    found = {}
    for key, statistic, words in (
        ("frechet", frechet, "Squared Frechet distance"),
        ("kernel", kernel, "Unbiased squared maximum mean discrepancy with the cubic kernel (x.y / d + 1)^3"),
    ):
        value, stderr = jackknife(statistic, a, b)
        found[key + suffix] = Metric(rounded(value), rounded(stderr), n, "estimate", "test", f"{words} {how}")
    return found


def compare_with_floor(task: Task, judge: Judge, fake: Pictures, measure: Measure, suffix: str) -> dict[str, Metric]:
    """The distances to the test pictures, and the floor: what as many training pictures reach."""
    n = task.options.n
    test, train = real(task.card.data, measure, "test", n), real(task.card.data, measure, "train", n)
    if len(test.x) < n:
        raise Refused(f"{task.card.name}: {n} samples need as many test pictures; there are {len(test.x)}: set --n.")
    return compare(judge, fake, test, n, suffix) | compare(judge, train, test, n, f"{suffix}_floor")


def accuracy(judge: Judge, fake: Pictures) -> dict[str, Metric]:
    """How often the classifier sees the class that was asked for; nothing for models without classes."""
    if fake.label is None:
        return {}
    n, share = len(fake.x), float((judge.classes(fake.x) == fake.label).float().mean())
    protocol = f"Share of {fake.words} that {judge.card.name} takes for the class asked for; binomial standard error."
    stderr = math.sqrt(share * (1 - share) / n)
    return {"label_accuracy": Metric(rounded(share), rounded(stderr), n, "estimate", "none", protocol)}


def measure(task: Task) -> dict[str, Metric]:
    """Distances to the test pictures with their floor, and the accuracy of the classes asked for.

    A model of binary pictures is compared with binarised test pictures. If it shows grey ones, the probabilities of
    white, a binary picture is drawn from each, for that is the model's distribution; the grey ones as shown are
    compared with 8-bit test pictures besides, as ``frechet_shown``.
    """
    judge = judge_of(task)
    check_enough(task, judge)
    fake, kind_of_pixels = drawn(task, "default", {}), measure_of(task)
    found = accuracy(judge, fake)
    if kind_of_pixels != "binary pixels":
        return found | compare_with_floor(task, judge, fake, "8-bit pixels", "")
    if bool(((fake.x > 0) & (fake.x < 1)).any()):
        found |= compare_with_floor(task, judge, fake, "8-bit pixels", "_shown")
        white = Rng(SEED + 1, len(fake.x)).uniform(*fake.x.shape[1:]) < fake.x
        words = f"binary pictures, one drawn (seed {SEED + 1}) from the pixel probabilities of each of {fake.words}"
        fake = Pictures(white.float(), fake.label, words)
    return found | compare_with_floor(task, judge, fake, "binary pixels", "")


part = Part(
    "fidelity",
    fits=lambda task: isinstance(task.model, Samples),
    settings=lambda task: {"n": task.options.n, "judge": judge_of(task).card.sha256, "seed": SEED, "blocks": BLOCKS},
    measure=measure,
)
