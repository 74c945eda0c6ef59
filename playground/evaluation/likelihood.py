"""Test likelihood: negative log-probability in nats per picture and bits per dimension, with its protocol and error."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from playground.capabilities import Denoises, Density, LogProb
from playground.catalog import Metric
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, described, kind_of, measure_of, real
from playground.knobs import Refused, knobs
from playground.rng import Rng

CHUNK = 100
MANY_EVALUATIONS = 1000  # test pictures for a bound that takes a whole run of a denoising network for each
IMPORTANCE_SAMPLES = 500


def allowed(task: Task) -> int | None:
    """On how many test pictures: all (None), unless the model's bound is slow or the command line limits them."""
    slow = MANY_EVALUATIONS if isinstance(task.model, Denoises) else None
    limits = [n for n in (slow, task.options.limit) if n is not None]
    return min(limits, default=None)


@torch.no_grad()
def log_prob(
    task: Task, x: Tensor, what: str = "log-probabilities", impossible: bool = False, **settings: Any
) -> LogProb:
    """Log-probabilities of all of ``x``, (n, *shape); picture i uses the i-th random stream of the fixed seed.

    Args:
        task: the model.
        x: the pictures.
        what: what the progress bar says.
        impossible: whether a picture may be impossible, its log-probability minus infinity.
        settings: knobs that differ from their defaults.

    Raises:
        Refused: a value is not finite.
    """
    assert isinstance(task.model, Density)
    rng, parts = Rng(SEED, len(x)), []
    with task.bar(len(x), what) as bar:
        for index in torch.arange(len(x)).split(CHUNK):
            parts.append(task.model.log_prob(x[index], rng.pick(index.tolist()), **settings))
            bar.update(len(index))
    nats = torch.cat([p.nats for p in parts]).double()
    fine = nats < math.inf if impossible else nats.isfinite()  # the former is false for no number at all
    odd = int((~fine).sum())
    if odd:
        raise Refused(f"{task.card.name}: {odd} of {len(x)} test pictures have no finite log-probability.")
    errors = [p.stderr for p in parts if p.stderr is not None]
    stderr = torch.cat(errors).double() if errors else None
    return LogProb(nats, parts[0].kind, parts[0].measure, stderr)


def metrics(result: LogProb, dims: int, suffix: str, protocol: str) -> dict[str, Metric]:
    """The mean negative log-probability in nats and, for discrete pixels, in bits per dimension.

    The standard error is that of the mean over pictures, s / sqrt(n). As every picture has noise of its own, this
    already holds the Monte Carlo error; the protocol says how large that part is.

    Args:
        result: of every test picture.
        dims: pixels times channels.
        suffix: put behind ``nll`` and ``bits_per_dim``.
        protocol: on what and how, a sentence without its full stop.
    """
    n = len(result.nats)
    nll, stderr = float(-result.nats.mean()), float(result.nats.std()) / math.sqrt(n)
    if result.stderr is not None:
        noise = float(result.stderr.square().sum().sqrt()) / n
        protocol += f"; the standard error is over pictures, and holds the Monte Carlo part of {noise:.2g} nats"
    else:
        protocol += "; the standard error is over pictures"
    nats = Metric(rounded(nll), rounded(stderr), n, result.kind, "test", protocol + ".")
    if result.measure == "continuous":
        return {f"nll{suffix}_nats": nats}
    unit = dims * math.log(2)
    text = f"{protocol}; nats divided by {dims} ln 2."
    bits = Metric(rounded(nll / unit), rounded(stderr / unit), n, result.kind, "test", text)
    return {f"nll{suffix}_nats": nats, f"bits_per_dim{suffix}": bits}


def measure(task: Task) -> dict[str, Metric]:
    """The bound or exact value at the default knobs, and an importance-weighted estimate where the family has one."""
    kind_of_pixels = measure_of(task)
    test = real(task.card.data, kind_of_pixels, "test", allowed(task))
    specs = {s.name: s for s in knobs(type(task.model).log_prob, task.card.labels)}  # type: ignore[attr-defined]
    noise = {
        "8-bit pixels": f"uniform dequantisation (one draw for each picture, seed {SEED})",
        "binary pixels": "the probability of the binary pixels",
        "continuous": "a density of continuous pixels in [0, 1]",
    }[kind_of_pixels]

    def run(suffix: str, how: str = "", **settings: Any) -> dict[str, Metric]:
        result = log_prob(task, test.x, f"nll{suffix}", **settings)
        protocol = f"Mean negative log-probability per picture of {test.words}; {noise}; {how or result.kind}"
        if specs:
            protocol += f" ({described(specs, settings)}; random stream i of seed {SEED} for picture i)"
        return metrics(result, math.prod(task.model.shape), suffix, protocol)

    found = run("")
    if "importance_samples" in specs:
        how = "importance-weighted estimate (Burda et al. 2016), in expectation a lower bound"
        found |= run("_iw", how, importance_samples=IMPORTANCE_SAMPLES)
    return found


part = Part(
    "likelihood",
    fits=lambda task: isinstance(task.model, Density) and kind_of(task) != "unnormalised",
    settings=lambda task: {"pictures": allowed(task), "importance_samples": IMPORTANCE_SAMPLES, "seed": SEED},
    measure=measure,
)
