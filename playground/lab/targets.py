"""The distributions that are learnt: points of the plane, each with its exact log-density and its entropy.

A curve (moons, rings, a spiral) is *defined* as a few hundred Gaussians along it, so that its density is a closed
form and its samples are exact. All live in [-4, 4]^2, though tails may leave.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from playground.knobs import Refused

HALF = 4.0  # the targets' window is [-HALF, HALF]^2
CHUNK = 2048  # points whose distances to all components are held at once
FINE = 2**16  # places in a cell at which a raster's samples fall: few enough that float32 holds each exactly
LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Target(ABC):
    """A distribution of the plane.

    Args:
        name: how a record and the code call it.
        title: how the page calls it.
        line: what to look at, in one sentence.
        modes: (K, 2), the centres of what counts as a mode, or None where that is no question.
        mode_radius: a point within this distance of a centre is in that mode: three standard deviations.
        info: what was done to the visitor's own data, in words.
        held_out: (m, 2), data that no model is trained on, where there are only data; else None: draw new ones.
    """

    name: str
    title: str
    line: str
    modes: np.ndarray | None = field(default=None, kw_only=True)
    mode_radius: float = field(default=0.0, kw_only=True)
    info: str = field(default="", kw_only=True)
    held_out: np.ndarray | None = field(default=None, kw_only=True)

    known: ClassVar[bool] = True  # False: only data are known, no density and no entropy

    @property
    @abstractmethod
    def entropy(self) -> float | None:
        """Differential entropy in nats; None where the density is unknown."""

    @abstractmethod
    def sample(self, n: int, generator: np.random.Generator) -> np.ndarray:
        """``n`` independent points, (n, 2) float32."""

    @abstractmethod
    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Log-density in nats at the points ``x`` (n, 2), (n,) float64; -inf where there is none."""

    def record(self) -> dict[str, Any]:
        """Plain values from which ``target_from`` makes this target again, in another process too."""
        return {"name": self.name}


@dataclass(frozen=True, eq=False)
class Gaussians(Target):
    """A mixture of round Gaussians.

    Args:
        means: (K, 2).
        sigmas: (K,), their standard deviations.
        weights: (K,), summing to one.
        nats: the entropy, integrated once; the tests integrate it again.
    """

    means: np.ndarray
    sigmas: np.ndarray
    weights: np.ndarray
    nats: float

    @property
    def entropy(self) -> float:
        return self.nats

    def sample(self, n: int, generator: np.random.Generator) -> np.ndarray:
        which = generator.choice(len(self.weights), n, p=self.weights)
        noise = generator.standard_normal((n, 2))
        return (self.means[which] + self.sigmas[which, None] * noise).astype(np.float32)

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, np.float64)
        parts = [self._log_prob(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _log_prob(self, x: np.ndarray) -> np.ndarray:
        precisions = self.sigmas**-2.0
        constants = np.log(self.weights) - 2 * np.log(self.sigmas) - LOG_2PI - (self.means**2).sum(1) * precisions / 2
        # -|x - m|^2 / 2 sigma^2, multiplied out: one matrix product in place of an (n, K, 2) array
        joint = x @ (self.means * precisions[:, None]).T + constants  # (n, K)
        joint -= np.outer((x**2).sum(1) / 2, precisions)
        top = joint.max(1)
        joint -= top[:, None]
        np.exp(joint, out=joint)
        return np.log(joint.sum(1)) + top


@dataclass(frozen=True, eq=False)
class Ridge(Target):
    """A Gaussian x with a Gaussian y whose mean or spread depends on x: the banana and the funnel.

    y | x ~ N(bend x^2 + shift, (spread exp(flare x))^2), so that the entropy is that of x plus the mean one of y.
    """

    sigma: float
    spread: float
    bend: float = 0.0
    shift: float = 0.0
    flare: float = 0.0

    @property
    def entropy(self) -> float:
        return 1 + LOG_2PI + math.log(self.sigma * self.spread)  # flare x has mean zero

    def sample(self, n: int, generator: np.random.Generator) -> np.ndarray:
        noise = generator.standard_normal((n, 2))
        x = self.sigma * noise[:, 0]
        y = self.bend * x**2 + self.shift + self.spread * np.exp(self.flare * x) * noise[:, 1]
        return np.stack([x, y], 1).astype(np.float32)

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        across, up = np.asarray(x, np.float64).T
        log_spread = math.log(self.spread) + self.flare * across
        z = (up - self.bend * across**2 - self.shift) * np.exp(-log_spread)
        return -0.5 * ((across / self.sigma) ** 2 + z**2) - math.log(self.sigma) - log_spread - LOG_2PI


@dataclass(frozen=True, eq=False)
class Raster(Target):
    """A density that is constant on each cell of a square grid over [-4, 4]^2 and zero outside: exact by definition.

    Args:
        mass: (side, side), each cell's probability, row 0 at the top; ``side`` is a power of two.
        source: the record it was made from.
    """

    mass: np.ndarray
    source: dict[str, Any]

    @property
    def cell(self) -> float:
        """A cell's width."""
        return 2 * HALF / len(self.mass)

    @property
    def entropy(self) -> float:
        full = self.mass[self.mass > 0]
        return float(-(full * np.log(full)).sum() + 2 * math.log(self.cell))

    def sample(self, n: int, generator: np.random.Generator) -> np.ndarray:
        upto = self.mass.ravel().cumsum()
        # a number below the last sum and ``right`` never choose an empty cell
        which = np.searchsorted(upto, generator.random(n) * upto[-1], side="right")
        row, column = np.divmod(which, len(self.mass))
        corner = np.stack([column, len(self.mass) - 1 - row], 1)
        return ((corner + generator.integers(FINE, size=(n, 2)) / FINE) * self.cell - HALF).astype(np.float32)

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        side = len(self.mass)
        place = np.floor((np.asarray(x, np.float64) + HALF) / self.cell)
        inside = np.all((place >= 0) & (place < side), axis=1)  # NaN is outside
        column, row = np.where(inside[:, None], place, 0).astype(int).T
        mass = np.where(inside, self.mass[side - 1 - row, column], 0.0)
        with np.errstate(divide="ignore"):
            return np.log(mass) - 2 * math.log(self.cell)

    def record(self) -> dict[str, Any]:
        return self.source


def raster(weights: np.ndarray, name: str, title: str, line: str, source: dict[str, Any], info: str = "") -> Raster:
    """The density proportional to ``weights`` (side, side), finite and not negative, row 0 at the top.

    Raises:
        Refused: all are zero.
    """
    if not weights.max() > 0:
        raise Refused("There is nothing there: the density is zero everywhere.")
    mass = weights / weights.max()  # first, so that neither huge nor tiny values leave the floating-point range
    return Raster(name, title, line, mass=mass / mass.sum(), source=source, info=info)


def _gaussians(
    name: str, title: str, line: str, parts: list[tuple[Any, float, float]], nats: float, k: int = 0
) -> Target:
    """Each part: centres (n, 2), standard deviation, share of the whole (spread evenly); the first ``k`` are modes."""
    means = np.concatenate([np.reshape(centres, (-1, 2)) for centres, _, _ in parts])
    counts = [np.size(centres) // 2 for centres, _, _ in parts]
    sigmas = np.repeat([sigma for _, sigma, _ in parts], counts)
    weights = np.repeat([share / n for (_, _, share), n in zip(parts, counts, strict=True)], counts)
    modes = {"modes": means[:k], "mode_radius": 3 * float(sigmas[0])} if k else {}
    return Gaussians(name, title, line, means, sigmas, weights / weights.sum(), nats, **modes)  # type: ignore[arg-type]


def _arc(radius: float, start: float, stop: float, n: int, centre: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """The middles of ``n`` equal pieces of an arc, angles in turns: (n, 2)."""
    return _spiral(np.full(n, radius), start, stop) + centre


def _spiral(radii: np.ndarray, start: float, stop: float) -> np.ndarray:
    n = len(radii)
    angle = 2 * np.pi * (start + (stop - start) * (np.arange(n) + 0.5) / n)
    return radii[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)


def _ring() -> Target:
    line = "Eight equal islands with nothing between: which are lost, and who leaves threads between them?"
    return _gaussians("ring", "8 Gaussians", line, [(_arc(2.83, -1 / 16, 15 / 16, 8), 0.3536, 1)], 2.831869, 8)


def _grid() -> Target:
    line = "Twenty-five small islands: a count of how much is covered."
    ticks = np.linspace(-3.2, 3.2, 5)
    return _gaussians("grid", "25 Gaussians", line, [(np.stack(np.meshgrid(ticks, ticks), -1), 0.2, 1)], 2.837578, 25)


def _moons() -> Target:
    line = "Two crescents that interlock but do not touch: is the gap kept clear?"
    upper, lower = _arc(2.3, 0, 0.5, 64, (-1.15, -0.55)), _arc(2.3, 0.5, 1, 64, (1.15, 0.55))
    return _gaussians("moons", "Two moons", line, [(upper, 0.2, 1), (lower, 0.2, 1)], 2.527540)


def _rings() -> Target:
    line = "Three circles, one inside the other: a map that bends a disc must tear to make them."
    sizes = ((0.9, 44), (2.05, 100), (3.2, 156))  # the share of a ring is its length: all are equally bright
    return _gaussians("rings", "Rings", line, [(_arc(r, 0, 1, n), 0.15, r) for r, n in sizes], 3.174115)


def _pinwheel() -> Target:
    line = "Five blades that widen outwards: is each as sharp at its root as at its tip?"
    out = (np.arange(36) + 0.5) / 36
    blades = [_spiral(0.5 + 3 * out, k / 5, k / 5 + 0.27) for k in range(5)]
    parts = [(blade[i], 0.1 + 0.22 * out[i], 1.0) for blade in blades for i in range(36)]
    return _gaussians("pinwheel", "Pinwheel", line, parts, 2.997200)


def _two_arms() -> Target:
    line = "Two arms wound round each other: who follows them, and who fills the gap?"
    out = np.sqrt((np.arange(140) + 0.5) / 140)  # equal steps of area are about equal steps of length
    return _gaussians("spiral", "Spiral", line, [(3.7 * s * _even(out), 0.13, 1) for s in (1, -1)], 2.796485)


def _even(out: np.ndarray) -> np.ndarray:
    """A spiral of one and a quarter turns whose radius and angle both grow as ``out`` does."""
    angle = 2 * np.pi * 1.25 * out
    return out[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)


def _checkerboard() -> Target:
    line = "Sharp edges and flat squares: smooth models round the corners and bleed over the edges."
    white = (np.add.outer(np.arange(4), np.arange(4)) % 2 == 0).astype(float)
    return raster(white, "checkerboard", "Checkerboard", line, {"name": "checkerboard"})


def _swiss_roll() -> Target:
    line = "One sheet rolled up, thinner outwards: neighbours across the gap are far apart along the sheet."
    roll = _spiral(np.linspace(1.0, 3.6, 180), 0.75, 2.25 + 0.5)
    return _gaussians("swiss_roll", "Swiss roll", line, [(roll, 0.15, 1)], 2.843101)


def _funnel() -> Target:
    line = "Wide on the right, a needle on the left: one step size cannot suit both."
    return Ridge("funnel", "Funnel", line, sigma=1.35, spread=0.4, flare=0.55)


def _banana() -> Target:
    line = "A Gaussian, bent: the smallest step beyond what straight models can do."
    return Ridge("banana", "Banana", line, sigma=1.3, spread=0.35, bend=0.5, shift=-1.7)


def _islands() -> Target:
    line = "Two islands and a thin bridge that holds a tenth of the mass: is the bridge there, and not too wide?"
    along = np.linspace(-1, 1, 96)
    bridge = np.stack([2.3 * along, 1.3 * np.sin(np.pi / 2 * along)], 1)
    parts = [(bridge[0], 0.6, 0.45), (bridge[-1], 0.6, 0.45), (bridge, 0.1, 0.1)]
    return _gaussians("islands", "Islands with a bridge", line, parts, 2.548329, 2)


def _smiley() -> Target:
    line = "A circle, an arc and two dots: shapes of different kinds in one density."
    eyes, mouth = [(-1.15, 1.1), (1.15, 1.1)], _arc(1.8, 0.56, 0.94, 50)
    parts = [(_arc(3.3, 0, 1, 160), 0.15, 0.55), (mouth, 0.15, 0.2), (eyes, 0.28, 0.25)]
    return _gaussians("smiley", "Smiley", line, parts, 2.855784)


BUILT_IN: tuple[Callable[[], Target], ...] = (
    *(_ring, _grid, _moons, _rings, _pinwheel, _two_arms),
    *(_checkerboard, _swiss_roll, _funnel, _banana, _islands, _smiley),
)


@lru_cache(maxsize=1)
def targets() -> dict[str, Target]:
    """The ready-made targets by name, in the order in which the page shows them."""
    return {target.name: target for target in (make() for make in BUILT_IN)}


def target_from(record: Any) -> Target:
    """The target a record describes: ``{"name": "ring"}``, or one of the visitor's own as ``lab.own`` makes them.

    Raises:
        Refused: the record, which came from outside, describes none.
    """
    if not isinstance(record, Mapping) or len(record) != 1:
        raise Refused("A target is one of: a name, a drawing, a picture, a formula, a table of points.")
    ((kind, value),) = record.items()
    if kind == "name":
        if not isinstance(value, str) or value not in targets():
            raise Refused(f"There is no target of that name; there are {', '.join(targets())}.")
        return targets()[value]
    from playground.lab.own import from_record  # which is made of this file

    return from_record(str(kind), value)
