"""The numbers of a race: how far each learner's distribution is from the truth, in small pieces of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from playground.capabilities import Density, Model, Samples
from playground.lab import metrics
from playground.lab.packing import cells
from playground.lab.painter import log_prob
from playground.lab.targets import Target
from playground.rng import Stream

HELD = 2000  # points that nobody trains on
DRAWN = 1000  # samples that are compared with as many true ones
AHEAD = 1_000_003  # from the race's seed to those of the examination, so that its points are not the training's
REACH = 8.0  # the density is summed over [-REACH, REACH]^2
FINE, COARSE = 160, 64  # cells a side of that sum; the smooth densities of flows by ODE take long, and need fewer
PIECE, BRIEF = 500, 64  # points at a time; of a flow in all its steps, which takes long for a single one too
SUMMED = {"steps": 16}  # of a flow whose density is summed: 32 change the sum by less than 1e-4

Numbers = dict[str, Any]


@dataclass(frozen=True)
class Truth:
    """What learners are compared with, the same for all of a race.

    Args:
        target: what is learnt.
        held: (m, 2) float32 points of it.
        nats: (m,) its log-density there; None where that is unknown.
        drawn: (``DRAWN``, 2) further points of it.
    """

    target: Target
    held: np.ndarray
    nats: np.ndarray | None
    drawn: np.ndarray

    @staticmethod
    def of(target: Target, seed: int) -> Truth:
        """Fresh points of ``target``, or those it has held out."""
        generator = np.random.default_rng([seed, AHEAD])
        held = target.held_out
        if held is None:
            held = target.sample(HELD, generator)
            drawn = target.sample(DRAWN, generator)
        else:
            drawn = held[:DRAWN]
            held = held[:HELD]
        return Truth(target, held, target.log_prob(held) if target.known else None, drawn)


def examine(
    model: Model, truth: Truth, seed: int, drawing: Mapping[str, Any], knobs: Mapping[str, Any], final: bool
) -> Iterator[Numbers]:
    """Numbers to add to those so far, after each piece of work.

    Args:
        model: trained so far; it must not change meanwhile.
        truth: what it is compared with.
        seed: of the race.
        drawing: knobs for its ``sample``.
        knobs: for its ``log_prob``.
        final: whether the complete set is wanted, whatever it takes.
    """
    if isinstance(model, Density):
        yield from _density(model, truth, seed, knobs)
    if isinstance(model, Samples):
        x = model.sample(Stream(seed + AHEAD, len(truth.drawn)), **drawing).numpy()
        yield {}
        if np.isfinite(x).all():
            yield from _samples(x, truth, final)
    if final and isinstance(model, Density):
        yield from _integral(model, seed, knobs)


def _density(model: Density, truth: Truth, seed: int, knobs: Mapping[str, Any]) -> Iterator[Numbers]:
    parts: list[np.ndarray] = []
    kind = ""
    for part in torch.from_numpy(truth.held).split(BRIEF if _flows(model) and not knobs else PIECE):
        nats, kind, _ = log_prob(model, part, seed, knobs)
        parts.append(nats)
        yield {}
    nats = np.concatenate(parts)
    numbers: Numbers = {"nll": float(-nats.mean()), "kind": kind}
    if truth.nats is not None:
        numbers["kl"], numbers["kl_stderr"] = metrics.kl(truth.nats, nats)
    yield numbers


def _samples(x: np.ndarray, truth: Truth, final: bool) -> Iterator[Numbers]:
    modes = metrics.modes_covered(x, truth.target)
    if modes is not None:
        yield {"modes": list(modes[:2]), "lost": modes[2]}
    distances: dict[str, Callable[..., float]] = {"sliced": metrics.sliced_wasserstein}
    if final:
        distances |= {"wasserstein": metrics.wasserstein, "mmd": metrics.mmd, "energy": metrics.energy_distance}
    for name, distance in distances.items():
        yield {name: distance(x, truth.drawn)}


def _integral(model: Density, seed: int, knobs: Mapping[str, Any]) -> Iterator[Numbers]:
    """The density's integral by the midpoint rule; of a lower bound there is none."""
    total, flows = 0.0, _flows(model)
    side, piece = (COARSE, 2 * BRIEF) if flows else (FINE, 4 * PIECE)
    knobs = {**knobs, **SUMMED} if flows else knobs
    for part in torch.from_numpy(cells(side, REACH)).split(piece):
        nats, kind, _ = log_prob(model, part, seed, knobs)
        if kind not in ("exact", "estimate"):
            return
        total += float(np.exp(nats).sum())
        yield {}
    yield {"integral": total * (2 * REACH / side) ** 2}


def _flows(model: Density) -> bool:
    """Whether its density takes an equation's solution in steps."""
    return "steps" in getattr(type(model), "preview", {})
