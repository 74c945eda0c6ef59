"""Rate and distortion: what a code costs, and what it leaves out (Alemi et al. 2018, arXiv:1711.00464)."""

from __future__ import annotations

import math

import torch

from playground.capabilities import RateDistortion
from playground.catalog import Metric
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, measure_of, real
from playground.rng import Rng

CHUNK = 500


@torch.no_grad()
def measure(task: Task) -> dict[str, Metric]:
    """Both means over the test pictures, in nats; their sum is the negative bound."""
    model = task.model
    assert isinstance(model, RateDistortion)
    test = real(task.card.data, measure_of(task), "test", task.options.limit)
    rng, parts = Rng(SEED, len(test.x)), []
    with task.bar(len(test.x), "rate and distortion") as bar:
        for index in torch.arange(len(test.x)).split(CHUNK):
            parts.append(torch.stack(model.rate_distortion(test.x[index], rng.pick(index.tolist()))))
            bar.update(len(index))
    n, found = len(test.x), {}
    words = {"rate": "Mean rate, KL(q(z|x) || p(z)) or the code's own -log p(z)", "distortion": "Mean of -log p(x|z)"}
    for name, nats in zip(words, torch.cat(parts, 1).double(), strict=True):
        protocol = f"{words[name]}, in nats per picture of {test.words}; one code for each (random stream i of seed "
        protocol += f"{SEED} for picture i); the standard error is over pictures."
        error = rounded(float(nats.std()) / math.sqrt(n))
        found[f"{name}_nats"] = Metric(rounded(float(nats.mean())), error, n, "estimate", "test", protocol)
    return found


part = Part(
    "rate_distortion",
    fits=lambda task: isinstance(task.model, RateDistortion),
    settings=lambda task: {"pictures": task.options.limit, "seed": SEED},
    measure=measure,
)
