"""Visitors who sample one model with equal knobs at the same moment share one forward pass."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from playground.rng import Rng

MOST = 256  # samples in one pass: beyond it a batch gains nothing on two cores and only makes the first wait


@dataclass
class _Call:
    rng: Rng
    knobs: dict[str, Any]
    result: Tensor | None = None
    error: BaseException | None = None


class Batched:
    """Stands in for ``sample``: who comes while a pass runs waits, and the next pass takes all who wait.

    Nobody waits for others to come, so a lone visitor loses nothing. Each sample has a random stream of its own, so it
    is the same picture in any company. An error reaches every caller of the pass it happened in.

    Args:
        sample: a model's ``sample``.
        most: the largest batch; one call that asks for more runs alone.
    """

    def __init__(self, sample: Callable[..., Tensor], most: int = MOST) -> None:
        self.sample, self.most = sample, most
        self.passes = 0
        self._waiting: list[_Call] = []
        self._list = threading.Lock()
        self._turn = threading.Lock()

    def __call__(self, rng: Rng, **knobs: Any) -> Tensor:
        call = _Call(rng, knobs)
        with self._list:
            self._waiting.append(call)
        with self._turn:
            if call.result is None and call.error is None:
                self._lead(call)
        if call.error is not None:
            raise call.error
        assert call.result is not None
        return call.result

    def _lead(self, first: _Call) -> None:
        """Run ``first`` and all who wait with equal knobs, as many as fit."""
        with self._list:
            calls, room = [first], self.most - len(first.rng)
            for call in self._waiting:
                if call is not first and call.knobs == first.knobs and len(call.rng) <= room:
                    calls.append(call)
                    room -= len(call.rng)
            self._waiting = [c for c in self._waiting if all(c is not taken for taken in calls)]
        try:
            self.passes += 1
            whole = self.sample(Rng.cat(c.rng for c in calls), **first.knobs)
            for call, part in zip(calls, whole.split([len(c.rng) for c in calls]), strict=True):
                call.result = part
        except BaseException as error:  # noqa: BLE001 - handed to every caller, who raises it
            for call in calls:
                call.error = error
