"""What a panel shows of a model: points, a map of its log-density, arrows, paths; as small arrays of whole numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Density, Model, Reconstructs, Samples
from playground.lab.packing import HALF, PLACES, POINTS, SIDE, cells, packed_map, packed_points
from playground.rng import Stream

__all__ = ["HALF", "PLACES", "Painter", "cells", "log_prob", "paces"]

AT_ONCE = 0.04  # seconds that nobody notices: a map that takes longer is made in parts
CEILING = 0.5  # of the time, for all pictures of a kind, however many there are
SMOOTH = 0.3  # of the newest cost in the expected one

T = TypeVar("T")


def paces(costs: Sequence[float], share: float, least: float, most: float) -> list[float]:
    """How often each of several pictures is to be made, as seconds from one to the next.

    Proportional to the square roots of their costs: of all rhythms that take ``share`` of the time together, that one
    makes the pictures the freshest on average.

    Args:
        costs: seconds that each takes.
        share: of the time, for all together.
        least: the shortest time between two; more often nobody sees.
        most: the longest, unless all together then took more than ``CEILING`` of the time.
    """
    roots = [math.sqrt(max(cost, 1e-5)) for cost in costs]
    total = sum(roots) / share
    often = [min(most, max(least, root * total)) for root in roots]
    taken = sum(cost / pace for cost, pace in zip(costs, often, strict=True))
    return [pace * max(1.0, taken / CEILING) for pace in often]


class Painter:
    """Makes one panel's pictures, and knows what they cost.

    Args:
        family: what is painted.
        drawing: knobs for its ``sample``.
        seed: of the noise behind the points, always the same, so that points move smoothly from picture to picture.
        data: (n, 2) points that are given back by what can only reconstruct.
        costs: expected CPU seconds of ``points`` and ``map``; updated.
        sketch: further knobs for quick points.
    """

    def __init__(
        self,
        family: type[Model],
        drawing: Mapping[str, Any],
        seed: int,
        data: Tensor,
        costs: dict[str, float],
        sketch: Mapping[str, Any] | None = None,
    ) -> None:
        self.drawing, self.sketch = dict(drawing), {**drawing, **(sketch or {})}
        self.seed, self.data, self.costs = seed, data[:POINTS], costs
        self.dense = issubclass(family, Density)
        self.preview = dict(getattr(family, "preview", {}))
        self.kind = "none"  # of the density, known from the first map on
        self.cells = torch.from_numpy(cells(SIDE))

    @torch.no_grad()
    def points(self, model: Model, quick: bool = False) -> bytes:
        """``POINTS`` samples; where nothing is drawn, what data look like after coding and decoding."""
        if isinstance(model, Samples):
            knobs = self.sketch if quick else self.drawing
            x = self._timed("points", lambda: model.sample(Stream(self.seed, POINTS), **knobs))
        elif isinstance(model, Reconstructs):
            x = self._timed("points", lambda: model.reconstruct(self.data))
        else:
            return b""
        return packed_points(x.numpy())

    def map(self, model: Model) -> Iterator[bytes | None]:
        """The log-density at the cells' centres, in parts if it takes long: None after each but the last."""
        assert isinstance(model, Density)
        parts = max(1, math.ceil(self.costs["map"] / AT_ONCE))
        nats: list[np.ndarray] = []
        spent, begun = 0.0, time.thread_time()
        for part in self.cells.chunk(parts):
            if nats:
                yield None
                begun = time.thread_time()
            answer = log_prob(model, part, self.seed, self.preview)
            spent += time.thread_time() - begun
            self.kind = answer[1]
            nats.append(answer[0])
        self._cost("map", spent)
        yield packed_map(np.concatenate(nats))

    def _timed(self, what: str, make: Callable[[], T]) -> T:
        begun = time.thread_time()
        made = make()
        self._cost(what, time.thread_time() - begun)
        return made

    def _cost(self, what: str, seconds: float) -> None:
        self.costs[what] += SMOOTH * (seconds - self.costs[what])


@torch.no_grad()
def log_prob(
    model: Density, x: Tensor, seed: int, knobs: Mapping[str, Any]
) -> tuple[np.ndarray, str, np.ndarray | None]:
    """Nats (n,) float64 at points (n, 2), their kind, and their standard errors (n,) where they are estimates."""
    answer = model.log_prob(x, Stream(seed, len(x)), **knobs)
    stderr = None if answer.stderr is None else answer.stderr.double().numpy()
    return answer.nats.double().numpy(), answer.kind, stderr
