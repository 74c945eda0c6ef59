"""Test likelihood of drawings: negative log-probability per drawing, per stroke and per point, and the pen alone's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground import catalog
from playground.capabilities import Density, LogProb, RateDistortion
from playground.catalog import Metric
from playground.data import datasets
from playground.data.strokes import to_strokes
from playground.evaluation.likelihood import log_prob
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED
from playground.rng import Rng

CODES = 100  # of an importance-weighted estimate: each is a pass of the network over the whole drawing
UNIT = "lengths in standard deviations of the training drawings' steps, the density of a step times the probability of"


@dataclass(frozen=True)
class Drawn:
    """Test drawings: (n, points, 5), how many strokes and points each has, (n,), and what they are in words."""

    x: Tensor
    strokes: Tensor
    points: Tensor
    words: str


def drawn(task: Task) -> Drawn:
    """The test drawings of a model's data set, or as many of them as the command line allows."""
    data = datasets()[task.card.data]
    drawings, _ = data.load("test")
    limit = task.options.limit
    drawings = drawings[:limit]
    lines = [to_strokes(drawing) for drawing in drawings]
    words = f"{'the first' if limit else 'all'} {len(lines):,} test drawings of {data.title}"
    sizes = [sum(map(len, each)) - 1 for each in lines]
    return Drawn(torch.as_tensor(drawings), torch.tensor(list(map(len, lines))), torch.tensor(sizes), words)


def share(nats: Tensor, counts: Tensor) -> tuple[float, float]:
    """The ratio of two sums, over drawings, and its standard error by the delta method (Cochran 1977, section 2.11)."""
    nats, counts = nats.double(), counts.double()
    ratio = float(nats.sum() / counts.sum())
    spread = float((nats - ratio * counts).std())
    return ratio, spread / (float(counts.mean()) * math.sqrt(len(nats)))


def metrics(result: LogProb, test: Drawn, prefix: str, how: str) -> dict[str, Metric]:
    """The negative log-probability per drawing, per stroke and per point; standard errors are over drawings."""
    found, nll = {}, -result.nats
    each = {"": torch.ones_like(test.points), "_per_stroke": test.strokes, "_per_point": test.points}
    for suffix, counts in each.items():
        value, error = share(nll, counts)
        of = suffix.removeprefix("_per_") or "drawing"
        protocol = f"Mean negative log-probability per {of} of {test.words}; {UNIT} the pen's mark; {how}; standard "
        protocol += "error over drawings."
        found[f"{prefix}{suffix}_nats"] = Metric(
            rounded(value), rounded(error), len(nll), result.kind, "test", protocol
        )
    return found


def alone(task: Task) -> str | None:
    """The model of the pen alone, without a code, that was trained on the same drawings; None if there is none."""
    for name, card in catalog.cards().items():
        family = catalog.family_class(card)
        exact = family.medium == "drawings" and not issubclass(family, RateDistortion)
        if card.data == task.card.data and exact and not card.labels:
            return name
    return None


def measure(task: Task) -> dict[str, Metric]:
    """The exact value or the bound; of a model with a code its rate too, an estimate, and the pen alone beside it."""
    test = drawn(task)
    model = task.model
    if not isinstance(model, RateDistortion):
        return metrics(log_prob(task, test.x), test, "nll", "exact")
    found = metrics(log_prob(task, test.x, "bound"), test, "nll", f"a bound, by one code (stream i of seed {SEED})")
    estimate = log_prob(task, test.x, "estimate", importance_samples=CODES)
    how = f"importance-weighted estimate with {CODES} codes (Burda et al. 2016), in expectation a lower bound"
    found |= metrics(estimate, test, "nll_iw", how)
    with torch.no_grad():
        rate, _ = model.rate_distortion(test.x, Rng(SEED, len(test.x)))
    value, error = share(rate, torch.ones_like(test.points))
    words = f"Mean rate, KL(q(z|x) || p(z)), in nats per drawing of {test.words}; standard error over drawings."
    found["rate_nats"] = Metric(rounded(value), rounded(error), len(rate), "exact", "test", words)
    other = alone(task)
    if other is not None:
        beside = Task(catalog.cards()[other], catalog.load(other), task.options)
        assert isinstance(beside.model, Density)
        found |= metrics(log_prob(beside, test.x, other), test, "nll_alone", f"exact, of {other}, which has no code")
    return found


def settings(task: Task) -> dict[str, Any]:
    """What the outcome depends on, the pen alone's weights among it."""
    other = alone(task) if isinstance(task.model, RateDistortion) else None
    weights = catalog.cards()[other].sha256 if other is not None else ""
    return {"drawings": task.options.limit, "codes": CODES, "seed": SEED, "alone": weights}


part = Part(
    "strokes",
    fits=lambda task: isinstance(task.model, Density),
    settings=settings,
    measure=measure,
    media=("drawings",),
)
