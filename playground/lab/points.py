"""Data of unknown density as a target: what models learn from, and a fifth held out to judge them by."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from playground.knobs import Refused
from playground.lab.targets import Target

MAX_POINTS = 20_000  # kept: as many as travel to a worker in a quarter of a megabyte
MIN_POINTS = 20
HELD_OUT = 0.2
FAR = 12.0  # beyond it a point is an error or would upset every model


@dataclass(frozen=True, eq=False)
class Points(Target):
    """Data of unknown density: those that models learn from, and a fifth held out to judge them by.

    Args:
        train: (n, 2) float32, in window units.
        columns: their names.
        centre: (2,), in the file's own units, what became 0.
        scale: (2,), how many of the file's units became 1.
    """

    train: np.ndarray
    columns: tuple[str, str]
    centre: tuple[float, float]
    scale: tuple[float, float]

    known: ClassVar[bool] = False

    @property
    def entropy(self) -> None:
        return None

    def sample(self, n: int, generator: np.random.Generator) -> np.ndarray:
        """Rows of the file that are not held out: each at most once as long as they last, then drawn again."""
        if n <= len(self.train):
            return self.train[generator.permutation(len(self.train))[:n]]
        return self.train[generator.integers(len(self.train), size=n)]

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        raise Refused("Of your own data only points are known, no density; the held-out fifth judges the models.")

    def record(self) -> dict[str, Any]:
        assert self.held_out is not None
        kept = {name: list(getattr(self, name)) for name in ("columns", "centre", "scale")}
        return {"points": {"train": _text(self.train), "held_out": _text(self.held_out), "info": self.info, **kept}}


def from_record(value: Any) -> Points:
    """The target of a record that ``Points.record`` made, checked again: it has been outside.

    Raises:
        Refused: it is not such a record.
    """
    try:
        train, held_out = (_points_of(value[key]) for key in ("train", "held_out"))
        first, second = (str(name)[:60] for name in value["columns"])
        numbers = [float(v) for key in ("centre", "scale") for v in value[key]]
        centre, scale = (numbers[0], numbers[1]), (numbers[2], numbers[3])
        whole = len(numbers) == 4 and all(map(math.isfinite, numbers)) and min(scale) > 0
        info = str(value["info"])[:1000]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        raise Refused("Those points cannot be read; upload the table again.") from None
    if not whole or len(train) < MIN_POINTS // 2 or not len(held_out):
        raise Refused("Those points are incomplete; upload the table again.")
    return own_points(train, held_out, (first, second), centre, scale, info)


def own_points(
    train: np.ndarray,
    held_out: np.ndarray,
    names: tuple[str, str],
    centre: tuple[float, float],
    scale: tuple[float, float],
    info: str,
) -> Points:
    """The target of two columns ``names``, split already; the arguments are those of ``Points``."""
    title, line = f"{names[0]} and {names[1]}"[:60], "Your own points: the models are judged by those held out."
    return Points("points", title, line, train, names, centre, scale, info=info, held_out=held_out)


def _text(points: np.ndarray) -> str:
    return base64.b64encode(points.astype("<f4").tobytes()).decode()


def _points_of(text: str) -> np.ndarray:
    if len(text) > MAX_POINTS * 8 * 4 // 3 + 4:
        raise ValueError("too many points")
    points = np.frombuffer(base64.b64decode(text, validate=True), "<f4").reshape(-1, 2)
    if not (np.abs(points) <= FAR + 1).all():  # NaN fails too
        raise ValueError("points far outside")
    return points.astype(np.float32)
