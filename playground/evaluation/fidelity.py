"""How samples differ from test pictures, in the features of our own classifier: distances, overlap, classes.

Frechet distance: Heusel et al. 2017, arXiv:1706.08500, equation 6. Kernel distance: Binkowski et al. 2018,
arXiv:1801.01401. Both by torchmetrics, in float64. Precision, recall, density and coverage are in ``manifolds``. Values
in our features compare with each other, never with those in Inception features.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from playground import catalog
from playground.capabilities import Classifies, Measure, Samples
from playground.catalog import Metric
from playground.evaluation.manifolds import NEAREST, overlap
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, Pictures, as_binary, base_data, drawn, has_greys, measure_of, real
from playground.evaluation.progress import shared
from playground.knobs import Refused

BLOCKS = 10
Found = dict[str, Metric]


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


DISTANCES: dict[str, tuple[Callable[[Tensor, Tensor], float], str]] = {
    "frechet": (frechet, "Squared Frechet distance"),
    "kernel": (kernel, "Unbiased squared maximum mean discrepancy with the cubic kernel (x.y / d + 1)^3"),
}
OVERLAPS = {
    "precision": "share of {fake} within the distance of the {k}rd neighbour of one of {real}",
    "recall": "share of {real} within the distance of the {k}rd neighbour of one of {fake}",
    "density": "mean number of {real} that have each of {fake} within the distance of their {k}th neighbour, over {k}",
    "coverage": "share of {real} that have one of {fake} within the distance of their {k}th neighbour",
}


def jackknives(
    statistic: Callable[[Tensor, Tensor], Mapping[str, float]], a: Tensor, b: Tensor
) -> dict[str, tuple[float, float]]:
    """Statistics of two sets, by name, each with its delete-a-block jackknife standard error.

    Block k of both sets is left out together (Efron and Stein 1981, Annals of Statistics 9, 586, for single data).
    Not a bootstrap: a picture drawn twice would be its own nearest neighbour.
    """
    rows_a, rows_b = torch.arange(len(a)).tensor_split(BLOCKS), torch.arange(len(b)).tensor_split(BLOCKS)

    def without(x: Tensor, rows: Tensor) -> Tensor:
        return torch.cat([x[: rows[0]], x[rows[-1] + 1 :]])

    left = [statistic(without(a, i), without(b, j)) for i, j in zip(rows_a, rows_b, strict=True)]
    found = {}
    for name, value in statistic(a, b).items():
        spread = torch.tensor([each[name] for each in left]).double().var(correction=0)
        found[name] = (value, math.sqrt((BLOCKS - 1) * float(spread)))
    return found


def jackknife(statistic: Callable[[Tensor, Tensor], float], a: Tensor, b: Tensor) -> tuple[float, float]:
    """One statistic of two sets and its delete-a-block jackknife standard error."""
    return jackknives(lambda x, y: {"value": statistic(x, y)}, a, b)["value"]


class Space(Protocol):
    """Where pictures are compared: the features of some network."""

    @property
    def words(self) -> str:
        """What they are, as a clause of a protocol."""

    def features(self, x: Tensor) -> Tensor:
        """Features (n, d), float64, of pictures (n, *shape)."""


@dataclass(frozen=True)
class Judge:
    """The classifier in whose features a data set's pictures are compared, with its card."""

    card: catalog.Card
    model: Classifies

    @property
    def words(self) -> str:
        """Which classifier, and which weights of it."""
        return f"the {self.model.feature_size} features of {self.card.name} (weights {self.card.sha256[:12]})"

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """Features (n, d), float64, of pictures (n, *shape)."""
        return torch.cat([self.model.features(part) for part in x.split(500)]).double()

    @torch.no_grad()
    def classes(self, x: Tensor) -> Tensor:
        """The class it takes each picture for, (n,) int64."""
        return torch.cat([self.model.classify(part).argmax(1) for part in x.split(500)])


def is_judge(card: catalog.Card) -> bool:
    """Whether this is a classifier and nothing else: a generative model that classifies must not judge its own kind."""
    return card.family == "classifier"


def judge_for(data: str) -> Judge:
    """The classifier on the shelf that was trained on a data set, or on what it is a binarisation of.

    Raises:
        Refused: there is none.
    """
    wanted = base_data(data)
    for card in catalog.cards().values():
        if card.data == wanted and is_judge(card):
            model = catalog.load(card.name)
            assert isinstance(model, Classifies)
            return Judge(card, model)
    raise Refused(
        f"no classifier of {wanted} is on the shelf to give features; train one with "
        f"python -m playground.train {wanted}-classifier."
    )


def judge_of(task: Task) -> Judge:
    """The classifier that judges a model.

    Raises:
        Refused: there is none.
    """
    try:
        return judge_for(task.card.data)
    except Refused as error:
        raise Refused(f"{task.card.name}: {error}") from None


def check_enough(task: Task, features: int) -> None:
    """Refuse a Frechet distance of too few samples: their covariance would have hardly more samples than dimensions.

    Raises:
        Refused: fewer than twice as many samples as features.
    """
    least = 2 * features
    if task.options.n < least:
        raise Refused(
            f"{task.card.name}: {task.options.n} samples are too few for a Frechet distance in "
            f"{features} features; ask for at least {least} with --n."
        )


def distances(space: Space, fake: Pictures, reference: Pictures, names: tuple[str, ...] = tuple(DISTANCES)) -> Found:
    """Frechet and kernel distance of two sets of pictures, as metrics ``frechet`` and ``kernel``."""
    a, b = space.features(reference.x), space.features(fake.x)
    how = (
        f"between {fake.words} and {reference.words}, in {space.words}, by torchmetrics in float64; standard error by "
        f"a jackknife over {BLOCKS} blocks."
    )
    found = {}
    for name in names:
        statistic, words = DISTANCES[name]
        value, stderr = jackknife(statistic, a, b)
        found[name] = Metric(rounded(value), rounded(stderr), len(b), "estimate", "test", f"{words} {how}")
    return found


def overlaps(space: Space, fake: Pictures, reference: Pictures) -> Found:
    """Precision, recall, density and coverage of two sets of pictures."""
    found = {}
    for name, (value, stderr) in jackknives(overlap, space.features(reference.x), space.features(fake.x)).items():
        words = OVERLAPS[name].format(fake=fake.words, real=reference.words, k=NEAREST[name])
        how = f"in {space.words}; standard error by a jackknife over {BLOCKS} blocks."
        protocol = f"{name.capitalize()}: {words}, {how}"
        found[name] = Metric(rounded(value), rounded(stderr), len(fake.x), "estimate", "test", protocol)
    return found


def class_balance(judge: Judge, pictures: Pictures) -> Found:
    """The total variation distance between the shares of the classes that the judge sees and equal shares.

    Its standard error is the delta method's: the share of the classes that are seen too often is a binomial one.
    """
    n, classes = len(pictures.x), len(judge.card.labels)
    shares = torch.bincount(judge.classes(pictures.x), minlength=classes).double() / n
    often = shares > 1 / classes
    much = float(shares[often].sum())
    entropy = float(torch.special.entr(shares).sum())
    seen = ", ".join(f"{label} {share:.3f}" for label, share in zip(judge.card.labels, shares.tolist(), strict=True))
    protocol = (
        f"Total variation distance from equal shares of the classes that {judge.card.name} sees in {pictures.words}: "
        f"0 is balanced. Shares: {seen}; entropy {entropy:.3f} of {math.log(classes):.3f} nats; standard error by the "
        "delta method."
    )
    value, stderr = much - float(often.sum()) / classes, math.sqrt(much * (1 - much) / n)
    return {"class_balance": Metric(rounded(value), rounded(stderr), n, "estimate", "none", protocol)}


def compare(judge: Judge, fake: Pictures, reference: Pictures) -> Found:
    """All that tells two sets of pictures apart."""
    return distances(judge, fake, reference) | overlaps(judge, fake, reference) | class_balance(judge, fake)


def compare_with_floor(task: Task, judge: Judge, fake: Pictures, measure: Measure, suffix: str) -> Found:
    """How samples differ from the test pictures, and the floor: how as many training pictures do.

    The floor of a share such as precision is its ceiling.
    """
    n = task.options.n
    test = real(task.card.data, measure, "test", n)
    if len(test.x) < n:
        raise Refused(f"{task.card.name}: {n} samples need as many test pictures; there are {len(test.x)}: set --n.")
    key = {"data": task.card.data, "measure": measure, "judge": judge.card.sha256, **fixed(task)}
    floor = shared(task, "floor", key, lambda: compare(judge, real(task.card.data, measure, "train", n), test))
    found = {f"{k}{suffix}": v for k, v in compare(judge, fake, test).items()}
    return found | {f"{k}{suffix}_floor": v for k, v in floor.items()}


def label_accuracy(judge: Judge, fake: Pictures) -> Found:
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
    check_enough(task, judge.model.feature_size)
    fake, kind_of_pixels = drawn(task, "default", {}), measure_of(task)
    found = label_accuracy(judge, fake)
    if kind_of_pixels != "binary pixels":
        return found | compare_with_floor(task, judge, fake, "8-bit pixels", "")
    if has_greys(fake):
        found |= compare_with_floor(task, judge, fake, "8-bit pixels", "_shown")
    return found | compare_with_floor(task, judge, as_binary(fake), "binary pixels", "")


def fixed(task: Task) -> dict[str, Any]:
    """What the distances depend on besides the pictures and their judge."""
    return {"n": task.options.n, "seed": SEED, "blocks": BLOCKS, "neighbours": NEAREST}


part = Part(
    "fidelity",
    fits=lambda task: isinstance(task.model, Samples),
    settings=lambda task: {"judge": judge_of(task).card.sha256, **fixed(task)},
    measure=measure,
    draws=True,
)
