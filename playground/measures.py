"""What can be measured in a picture by itself, and which direction of a latent space changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

INK = 0.02  # the least mean ink of a picture whose shape is measured
STRENGTHS = np.logspace(-3, 3, 13)  # of the ridge regression, of which held-out parts choose
FEWEST = 40  # codes that a regression is fitted to and checked on


def ink(x: np.ndarray) -> np.ndarray:
    """How far each pixel is from the background, (n, height, width), of pictures (n, channels, height, width).

    The background is the median of the picture's edge.
    """
    edge = np.concatenate([x[:, :, 0], x[:, :, -1], x[:, :, :, 0], x[:, :, :, -1]], 2)  # (n, channels, pixels)
    return np.abs(x - np.median(edge, 2)[:, :, None, None]).mean(1)


def brightness(x: np.ndarray) -> np.ndarray:
    """The mean pixel in per cent, (n,)."""
    return 100 * x.mean((1, 2, 3))


def thickness(x: np.ndarray) -> np.ndarray:
    """The width of strokes in pixels, (n,): twice the ink over the length of its outline.

    The outline's length is the total variation: a stroke of width w and length l has w l of ink and 2 l of outline.
    """
    a = ink(x)
    down, right = np.diff(a, axis=1, append=0), np.diff(a, axis=2, append=0)
    return 2 * a.sum((1, 2)) / np.maximum(np.hypot(down, right).sum((1, 2)), 1e-9)


def width(x: np.ndarray) -> np.ndarray:
    """The width of the thing in pixels, (n,): root 12 deviations of where its ink is, as of a bar."""
    return np.sqrt(12 * np.maximum(_moments(x)[0], 0))


def slant(x: np.ndarray) -> np.ndarray:
    """The angle in degrees, to the right, by which the thing is sheared, (n,): of the second moments of its ink."""
    _, mixed, upright = _moments(x)
    return np.degrees(np.arctan2(-mixed, np.maximum(upright, 1e-9)))


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Second central moments of the ink: across, mixed (down is positive) and down, (n,) each; NaN without ink."""
    a = ink(x).astype(np.float64)
    mass = np.where(a.mean((1, 2)) > INK, a.sum((1, 2)), np.nan)
    rows, columns = np.arange(a.shape[1]), np.arange(a.shape[2])
    down, across = a.sum(2), a.sum(1)  # (n, height), (n, width)
    y, z = (down @ rows) / mass, (across @ columns) / mass
    mixed = np.einsum("nij,i,j->n", a, rows, columns) / mass - y * z
    return across @ columns**2 / mass - z**2, mixed, down @ rows**2 / mass - y**2


MEASURES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "slant": (slant, "°"),
    "thickness": (thickness, " px"),
    "width": (width, " px"),
    "brightness": (brightness, " %"),
}


@dataclass(frozen=True)
class Direction:
    """A direction of a latent space along which something changes.

    Args:
        step: what codes differ by, on average, where it is one standard deviation larger, (d,).
        r2: the share of its variance that a linear function of the code explains, on codes not fitted to; or NaN.
    """

    step: np.ndarray
    r2: float


def direction(codes: np.ndarray, values: np.ndarray) -> Direction:
    """The direction of a value (n,) among codes (n, d), and how well codes tell it.

    The step is the codes' covariance with the value over its deviation: unlike the weights of a regression it stays
    where codes are (Haufe et al. 2014, NeuroImage 87, 96-110, equation 6). The share explained is that of a ridge
    regression on the first half of the codes, measured on the second.
    """
    from sklearn.linear_model import RidgeCV  # slow to import: only where it is used

    good = np.isfinite(values)
    z, v = codes[good].astype(np.float64), values[good].astype(np.float64)
    deviation = float(v.std()) if len(v) else 0.0
    if deviation < 1e-9:
        return Direction(np.zeros(codes.shape[1]), float("nan"))
    step = (z - z.mean(0)).T @ (v - v.mean()) / len(v) / deviation
    half = len(v) // 2
    if len(v) < FEWEST:
        return Direction(step, float("nan"))
    scale = max(float(z[:half].std()), 1e-9)
    fitted = RidgeCV(STRENGTHS).fit(z[:half] / scale, v[:half])
    return Direction(step, float(fitted.score(z[half:] / scale, v[half:])))
