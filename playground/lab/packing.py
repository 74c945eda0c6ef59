"""How pictures travel: points and maps as small arrays of whole numbers. Only numpy: the server packs the truth."""

from __future__ import annotations

import numpy as np

HALF = 4.5  # every picture shows [-HALF, HALF]^2
SIDE = 64  # cells a side of a map
POINTS = 400
PLACES = 2000  # per unit of length, in which points are sent
NATS = 100  # per nat, in which maps are sent
NONE = -32768  # in a map: not a number


def cells(side: int, half: float = HALF) -> np.ndarray:
    """The centres of the cells of [-half, half]^2, (side^2, 2) float32, row by row from the top left."""
    line = ((np.arange(side) + 0.5) / side * 2 - 1) * half
    x, y = np.meshgrid(line, -line)
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)


def packed_points(x: np.ndarray) -> bytes:
    """Points (n, 2) as int16, little-endian: a 2000th of a unit each; what is no number lies far outside."""
    far = np.nan_to_num(np.asarray(x, np.float64) * PLACES, nan=32767, posinf=32767, neginf=-32767)
    return bytes(np.clip(np.rint(far), -32767, 32767).astype("<i2").tobytes())


def packed_map(nats: np.ndarray) -> bytes:
    """A map's values as int16, little-endian: a 100th of a nat each, ``NONE`` for what is no number."""
    whole = np.clip(
        np.nan_to_num(np.asarray(nats, np.float64) * NATS, nan=0, posinf=32767, neginf=-32767), -32767, 32767
    )
    return bytes(np.where(np.isnan(nats), NONE, np.rint(whole)).astype("<i2").tobytes())
