"""Is it copying? How near samples are to their nearest training pictures, beside how near test pictures are.

Distances between pixels, as Euclid has them: they find copies, not paraphrases. Soft pictures are nearer to everything
than sharp ones, so the middle of the distances says less than the share of samples that are nearer than is usual.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from playground.capabilities import Measure, Samples
from playground.catalog import Metric
from playground.evaluation.fidelity import BLOCKS, jackknife
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, Pictures, drawn, has_greys, measure_of, real
from playground.knobs import Refused

QUANTILE = 0.01
LEAST = 500  # samples: fewer know a hundredth of the distances by hardly five pictures
CHUNK = 250


def nearest(x: Tensor, pictures: Tensor) -> Tensor:
    """The Euclidean distance (n,) of each of ``x``, (n, *shape), to the nearest of ``pictures``, (m, *shape).

    Found by the product of matrices, then measured anew, for the product is off by as much as a near copy.
    """
    x, pictures = x.flatten(1), pictures.flatten(1)
    half = pictures.square().sum(1) / 2
    which = torch.cat([(half - part @ pictures.T).argmin(1) for part in x.split(CHUNK)])
    return torch.cat([(x[i] - pictures[which[i]]).square().sum(1).sqrt() for i in torch.arange(len(x)).split(CHUNK)])


@lru_cache(maxsize=2)
def usual(data: str, measure: Measure, n: int) -> tuple[Pictures, Pictures, Tensor]:
    """The training pictures, ``n`` test pictures, and how near each of the latter is to the former."""
    train, test = real(data, measure, "train"), real(data, measure, "test", n)
    return train, test, nearest(test.x, train.x)


def measure(task: Task) -> dict[str, Metric]:
    """The ratio of the median distances, and how many samples are nearer than all but a hundredth of test pictures."""
    n = task.options.n
    if n < LEAST:
        raise Refused(
            f"{task.card.name}: {n} samples are too few to say how near the nearest hundredth of pictures is; ask for "
            f"at least {LEAST} with --n."
        )
    fake = drawn(task, "default", {})
    binary = measure_of(task) == "binary pixels" and not has_greys(fake)
    train, test, beside = usual(task.card.data, "binary pixels" if binary else "8-bit pixels", n)
    far = nearest(fake.x, train.x)
    ratio, stderr = jackknife(lambda a, b: float(a.median() / b.median()), far, beside)
    bar = float(beside.quantile(QUANTILE))
    share = float((far < bar).double().mean())
    how = (
        f"the Euclidean distance between pixels in [0, 1] to the nearest of {train.words}, of {fake.words}, beside the "
        f"same of {test.words}"
    )
    middle = f"Ratio of the medians of {how}; standard error by a jackknife over {BLOCKS} blocks."
    close = f"Share nearer than {bar:.4g}, as {QUANTILE:.0%} of test pictures are, by {how}; binomial standard error."
    error = math.sqrt(share * (1 - share) / n)
    return {
        "copying_ratio": Metric(rounded(ratio), rounded(stderr), n, "estimate", "train", middle),
        "copying_share": Metric(rounded(share), rounded(error), n, "estimate", "train", close),
    }


def settings(task: Task) -> dict[str, Any]:
    """The same for all models."""
    return {"n": task.options.n, "seed": SEED, "quantile": QUANTILE}


part = Part(
    "copying", fits=lambda task: isinstance(task.model, Samples), settings=settings, measure=measure, draws=True
)
