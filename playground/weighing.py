"""Many pictures through one density in bearable time, and how well its values tell two kinds of pictures apart."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from playground.capabilities import Density, LogProb
from playground.pictures import to_data
from playground.rng import MAX_SEED, Rng

MOMENT = 0.2  # seconds that pictures weighed together may take: so long does a press of Cancel wait
FLAT = 1.5  # times the quickest group's time, for models that take as long for many pictures as for one
MOST = 128  # of them at a time


def weigh(
    model: Density, levels: np.ndarray, seed: int, own: Mapping[str, Any], patience: float = math.inf
) -> Generator[int, None, LogProb]:
    """Log-probabilities of pictures, in groups that grow while it costs little; yields how many are done.

    Args:
        model: the density.
        levels: (n, *shape) uint8.
        seed: the visitor's. What the evaluation draws comes from the next one's streams, so that it has nothing in
            common with pictures drawn from this one's: noise must not be dequantised by itself.
        own: keywords of the model's ``log_prob``.
        patience: seconds after which no further group is begun.

    Returns:
        The values on the CPU, of the first pictures only if patience ran out.
    """
    rng = Rng((seed + 1) % MAX_SEED, len(levels), model.device)
    begun, done, size, least = time.perf_counter(), 0, 1, math.inf
    parts: list[LogProb] = []
    while done < len(levels) and (not parts or time.perf_counter() - begun < patience):
        started, group = time.perf_counter(), range(done, min(done + size, len(levels)))
        parts.append(model.log_prob(to_data(levels[group.start : group.stop], model.device), rng.pick(group), **own))
        done = group.stop
        took = time.perf_counter() - started
        least = min(least, took)
        if took < max(MOMENT / 2, FLAT * least):
            size = min(2 * size, MOST)
        yield done
    nats = torch.cat([part.nats for part in parts]).cpu()
    errors = [part.stderr for part in parts if part.stderr is not None]
    return replace(parts[0], nats=nats, stderr=torch.cat(errors).cpu() if errors else None)


def ranks(values: np.ndarray) -> np.ndarray:
    """The place of each value (n,) among them: 1 for the largest; equal ones share the better place."""
    return 1 + (values[None, :] > values[:, None]).sum(1)


def roc_curve(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of ``outside`` and of ``inside`` at or above each threshold, from none to all; equal scores at once."""
    scores = np.concatenate([inside, outside]).clip(np.finfo(np.float64).min)  # the impossible, minus infinity
    belongs = np.concatenate([np.ones(len(inside)), np.zeros(len(outside))])
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # of each group of equal scores
    hits, alarms = (np.append(0, np.cumsum(b[order])[last]) for b in (belongs, 1 - belongs))
    return alarms / len(outside), hits / len(inside)


def roc_area(inside: np.ndarray, outside: np.ndarray) -> tuple[float, float]:
    """The share of pairs in which the score of ``inside`` is the higher one (equal: half), and its standard error.

    Below one half the scores tell them apart the wrong way round. The error is that of DeLong, DeLong and
    Clarke-Pearson 1988 (Biometrics 44, 837); it needs two scores of each kind.
    """
    wins = (inside[:, None] > outside) + 0.5 * (inside[:, None] == outside)  # (inside, outside)
    spread = wins.mean(1).var(ddof=1) / len(inside) + wins.mean(0).var(ddof=1) / len(outside)
    return float(wins.mean()), float(math.sqrt(spread))
