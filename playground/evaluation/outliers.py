"""Does a model give pictures of another kind less density? The area under the ROC curve, one other kind at a time.

Deep densities often fail at this (Nalisnick et al. 2019, arXiv:1810.09136), so an area below one half is a finding.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from playground import data
from playground.capabilities import Density
from playground.catalog import Metric
from playground.evaluation.likelihood import log_prob
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, Pictures, base_data, kind_of, measure_of, real
from playground.knobs import Refused
from playground.rng import Rng
from playground.weighing import roc_area

MOST = 1000  # pictures of each kind
LEAST = 100
LONGEST = 600.0  # seconds of one processor for all kinds: fewer pictures of models that would take longer
TRIAL = 10  # pictures to time


def others(task: Task, n: int) -> Iterator[tuple[str, Pictures]]:
    """Pictures of other kinds in the form that the model's probabilities are of: other data sets' tests, and noise."""
    measure, own = measure_of(task), base_data(task.card.data)
    for name, dataset in data.datasets().items():
        if base_data(name) == name != own and dataset.shape == task.model.shape:
            yield name.replace("-", "_"), real(name, measure, "test", n)
    x = Rng(SEED + 1, n).uniform(*task.model.shape)
    binary = measure == "binary pixels"
    x = x.round() if binary else (256 * x).floor() / 255
    words = "fair coins" if binary else "equally frequent greys"
    yield "noise", Pictures(x, None, f"{n:,} pictures of noise, every pixel drawn from {words} (seed {SEED + 1})")


def affordable(task: Task, x: Tensor, kinds: int) -> int:
    """How many pictures of each kind the time allows.

    Raises:
        Refused: hardly any.
    """
    begun = time.process_time()
    log_prob(task, x[:TRIAL], "a trial", impossible=True)
    seconds = (time.process_time() - begun) / len(x[:TRIAL])
    n = min(MOST, task.options.limit or MOST, len(x), int(LONGEST / seconds / kinds))
    if n < LEAST:
        raise Refused(
            f"{task.card.name}: {n} pictures of each kind are too few for a ROC curve; at least {LEAST} are needed. "
            f"A log-density takes {seconds:.2g} s here: use a faster machine, or a higher --limit."
        )
    return n


def measure(task: Task) -> dict[str, Metric]:
    """An area for each other kind of pictures: 1 if every picture of the model's own data has the higher density."""
    test = real(task.card.data, measure_of(task), "test", MOST)
    kinds = [name for name, _ in others(task, LEAST)]
    n = affordable(task, test.x, 1 + len(kinds))
    test = real(task.card.data, measure_of(task), "test", n)
    inside, found = log_prob(task, test.x, "log-densities", impossible=True).nats, {}
    for name, pictures in others(task, n):
        outside = log_prob(task, pictures.x, f"log-densities of {name}", impossible=True).nats
        value, stderr = roc_area(inside.numpy(), outside.numpy())
        protocol = (
            f"Area under the ROC curve of the log-density ({kind_of(task)}), the higher the more likely to belong, for "
            f"{test.words} against {pictures.words}: 1 tells them apart, 0.5 is a guess, less prefers the others; "
            "standard error by DeLong, DeLong and Clarke-Pearson 1988."
        )
        found[f"roc_area_{name}"] = Metric(rounded(value), rounded(stderr), n, "estimate", "test", protocol)
    return found


def settings(task: Task) -> dict[str, Any]:
    """How many pictures at the most, and of what."""
    limit = min(MOST, task.options.limit or MOST)
    return {"pictures": limit, "seed": SEED, "kinds": sorted(data.datasets()), "longest": LONGEST}


part = Part("outliers", fits=lambda task: isinstance(task.model, Density), settings=settings, measure=measure)
