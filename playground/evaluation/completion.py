"""Completion: whether the lower half of a test picture, drawn to go with the upper one, makes it what it was."""

from __future__ import annotations

import inspect
import math
from typing import Any

import torch
from torch import Tensor

from playground.capabilities import Completes, Denoises, Density
from playground.catalog import Metric
from playground.evaluation.fidelity import Judge, judge_of
from playground.evaluation.likelihood import log_prob
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, Pictures, measure_of, real
from playground.evaluation.progress import shared
from playground.knobs import Label, Spec, knobs
from playground.rng import Rng

CHUNK = 50
MANY = 1000  # test pictures
FEW = 200  # of them, where an ending takes two hundred passes of a network, or one for each patch
NEIGHBOURS = 10


def allowed(task: Task) -> int:
    """On how many test pictures."""
    slow = isinstance(task.model, Denoises) or (measure_of(task) == "binary pixels" and not has_latent(task))
    return min(FEW if slow else MANY, task.options.limit or MANY)


def has_latent(task: Task) -> bool:
    """Whether its endings come from codes, which is quick."""
    return "latent" in inspect.signature(type(task.model)).parameters


def measure(task: Task) -> dict[str, Metric]:
    """The share of completed pictures that the judge names rightly, with the class not told and told.

    Beside it the baselines: the judge on whole pictures, on their upper halves alone, and the class most frequent among
    the training pictures whose upper halves are nearest.
    """
    assert isinstance(task.model, Completes)
    judge, n = judge_of(task), allowed(task)
    test = real(task.card.data, "8-bit pixels", "test", n)
    assert test.label is not None
    known = torch.ones_like(test.x, dtype=torch.bool)
    known[:, :, test.x.shape[2] // 2 :] = False
    how = f"one ending of the lower half of each of {test.words}, at the model's own settings (picture i uses stream i"
    how += f" of seed {SEED}), the upper half pasted back; share that {judge.card.name} names as the true class"
    free = completed(task, test.x, known, None)
    found = {"completion_recognised": _share(judge, free, test, f"{how}; the class is not told")}
    told = [s.name for s in _knobs(task) if isinstance(s.knob, Label)]
    if told:
        drawn = completed(task, test.x, known, test.label)
        found["completion_told_recognised"] = _share(judge, drawn, test, f"{how}; the class is told")
    if isinstance(task.model, Density):
        truth = log_prob(task, test.x, "log p of the truth")
        ending = log_prob(task, free, "log p of endings")
        for name, what, result in (("truth", "the true pictures", truth), ("ending", "the completed ones", ending)):
            spread = float(result.nats.std()) / math.sqrt(n)
            words = f"Mean log-probability in nats ({result.measure}) of {what}: {how.partition(';')[0]}."
            value = rounded(float(result.nats.mean()))
            found[f"completion_log_p_{name}"] = Metric(value, rounded(spread), n, result.kind, "test", words)
    return found | baselines(task, judge, test, known)


@torch.no_grad()
def completed(task: Task, x: Tensor, known: Tensor, label: Tensor | None) -> Tensor:
    """One ending of each picture (n, *shape), which is known where ``known``; of the class told, or any."""
    assert isinstance(task.model, Completes)
    out, rng = torch.empty_like(x), Rng(SEED, len(x))
    classes = torch.full((len(x),), -1) if label is None else label
    with task.bar(len(x), "completing") as bar:
        for c in classes.unique().tolist():
            knob = {} if c < 0 else {"label": task.card.labels[c]}
            for index in (classes == c).nonzero().squeeze(1).split(CHUNK):
                *_, last = task.model.complete(x[index], known[index], rng.pick(index.tolist()), **knob)
                out[index] = last.x
                bar.update(len(index))
    return out


def baselines(task: Task, judge: Judge, test: Pictures, known: Tensor) -> dict[str, Metric]:
    """What the judge says of whole pictures and of upper halves alone, and what the nearest upper halves say."""

    def make() -> dict[str, Metric]:
        train = real(task.card.data, "8-bit pixels", "train")
        assert train.label is not None
        top = known[0, 0, :, 0]
        upper = [p.x[:, :, top].flatten(1) for p in (test, train)]
        parts = upper[0].split(100)
        near = torch.cat([torch.cdist(part, upper[1]).topk(NEIGHBOURS, largest=False).indices for part in parts])
        vote = train.label[near].mode(1).values
        words = f"share of {test.words} that"
        judged = f"{words} {judge.card.name} names rightly"
        return {
            "completion_baseline_whole": _share(judge, test.x, test, f"{judged}, whole"),
            "completion_baseline_upper": _share(
                judge,
                test.x * known,
                test,
                f"{judged} by the upper half, the rest black",
            ),
            "completion_baseline_neighbours": _right(
                vote,
                test,
                f"{words} have the class most frequent among the {NEIGHBOURS} training pictures whose upper"
                " halves are nearest",
            ),
        }

    key = {"judge": judge.card.sha256, "data": task.card.data, "n": len(test.x), "neighbours": NEIGHBOURS}
    return shared(task, "completion", key, make)


def _knobs(task: Task) -> tuple[Spec, ...]:
    """The family's own knobs of completing."""
    return knobs(getattr(type(task.model), Completes.method), task.card.labels)


def _share(judge: Judge, x: Tensor, test: Pictures, protocol: str) -> Metric:
    return _right(judge.classes(x), test, protocol)


def _right(guess: Tensor, test: Pictures, protocol: str) -> Metric:
    """The share of right guesses, with its binomial standard error."""
    assert test.label is not None
    n, share = len(guess), float(guess.eq(test.label).double().mean())
    words = protocol[0].upper() + protocol[1:] + "; binomial standard error."
    return Metric(rounded(share), rounded(math.sqrt(share * (1 - share) / n)), n, "estimate", "test", words)


def settings(task: Task) -> dict[str, Any]:
    """On how many pictures, and the model's own settings."""
    return {"pictures": allowed(task), "knobs": {s.name: s.default for s in _knobs(task)}}


part = Part(
    "completion",
    fits=lambda task: isinstance(task.model, Completes),
    settings=settings,
    measure=measure,
    on_request=True,
)
