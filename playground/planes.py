"""A plane through a model's latent space: what a pad shows, and what a finger on it means."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Decodes, Encodes, Model
from playground.data import Dataset
from playground.pictures import to_data
from playground.rng import Rng

THROUGH = ("main directions", "three pictures")
CODED = 1000  # test pictures whose codes are shown, at the most
PATIENCE = 4.0  # seconds that coding them may take
FIRST = 8  # of them coded before it is known how long that takes
REACH = 3.0  # standard deviations that the pad shows either way
KEPT = 8  # planes of a model
INSIDE = 0.995  # of the codes are on a pad of two numbers
CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.5, 3**0.5 / 2))  # where three pictures are on the pad
ROOM = 0.2  # around them, on all sides
POINTS = 65  # of an ellipse's outline

Extent = tuple[float, float, float, float]  # left, right, bottom, top


@dataclass(frozen=True)
class Plane:
    """The points ``origin + x across + y up``; a pad shows those within ``extent``.

    Args:
        origin: a code, (*latent).
        across: what one step to the right adds to it.
        up: what one step up adds.
        extent: left, right, bottom and top end of the pad.
        axes: what x and y are, in words.
        points: where test pictures' codes are on it, projected, (n, 2), or None.
        classes: the class of each, (n,).
        anchors: the three pictures' places, or none.
        round: whether codes are brought to the length that normal draws have at the anchors.
        note: how it was laid, a sentence.
    """

    origin: Tensor
    across: Tensor
    up: Tensor
    extent: Extent
    axes: tuple[str, str]
    points: np.ndarray | None = None
    classes: np.ndarray | None = None
    anchors: tuple[tuple[float, float], ...] = ()
    round: bool = False
    note: str = ""

    def codes(self, x: Tensor, y: Tensor) -> Tensor:
        """Codes (n, *latent) at places x and y, (n,) each."""
        shape = (-1, *[1] * self.origin.dim())
        z = self.origin + x.view(shape) * self.across + y.view(shape) * self.up
        if not self.round:
            return z
        # the mixture of three independent normal draws is as long as each of them after division by this
        second = y * 2 / 3**0.5
        weights = torch.stack([1 - x - second / 2, x - second / 2, second])  # of the corners, (3, n)
        return z / weights.square().sum(0).sqrt().clamp(min=0.2).view(shape)

    def places(self, codes: Tensor) -> np.ndarray:
        """Where codes (n, *latent) are on the plane, or their nearest points of it, (n, 2)."""
        away = (codes - self.origin).flatten(1).cpu().double()
        return (away @ self._inverse().T).float().numpy()

    def ellipses(self, mean: Tensor, deviation: Tensor) -> np.ndarray:
        """Where normal codes lie on the plane, projected: the outlines one and two deviations wide, (2, POINTS, 2).

        Args:
            mean: the code in the middle, (*latent).
            deviation: the standard deviation of each of its numbers, which are independent, (*latent).
        """
        shadow = self._inverse() * deviation.flatten().cpu().double()  # B^+ diag(s), (2, size of a code)
        width, turn = torch.linalg.eigh(shadow @ shadow.T)
        angle = torch.linspace(0, 2 * torch.pi, POINTS, dtype=torch.float64)
        ring = torch.stack([angle.cos(), angle.sin()], 1) * width.clamp(min=0).sqrt() @ turn.T  # (POINTS, 2)
        away = ring.float().numpy()
        return self.places(mean[None]) + np.stack([away, 2 * away])

    def _inverse(self) -> Tensor:
        """The pseudo-inverse of the two directions, (2, size of a code)."""
        return torch.linalg.pinv(torch.stack([self.across.flatten(), self.up.flatten()], 1).cpu().double())


def plane_of(model: Decodes, data: Dataset, rng: Rng, through: str) -> Plane:
    """The plane of a way in ``THROUGH``; of a latent of two numbers always the whole of it.

    Main directions are those in which the codes of test pictures vary most (principal components); a model that has no
    codes of pictures gets three pictures of its own, which ``rng`` chooses. The last few planes of a model are kept.
    """
    known = _planes.setdefault(model, {})
    key = through, rng.seed
    if key not in known:
        if len(known) >= KEPT:
            known.clear()
        known[key] = _laid(model, data, rng, through)
    return known[key]


def _laid(model: Decodes, data: Dataset, rng: Rng, through: str) -> Plane:
    if isinstance(model, Encodes):
        codes, classes = coded(model, data)
        made = _through(codes, classes, rng, through)
        note = data.examples()[2]  # what stands in for test pictures that are not at hand
        return replace(made, note=f"{made.note} {note}") if note else made
    note = "Through three draws of its own: it has no encoder that would say where pictures are."
    return _corners(rng.take(3).normal(*model.latent), True, note)


def _through(codes: Tensor, classes: np.ndarray, rng: Rng, through: str) -> Plane:
    if codes[0].numel() == 2:
        return _whole(codes, classes)
    if through == THROUGH[0]:
        return _main(codes, classes)
    chosen = Rng(rng.seed, 1).uniform(len(codes))[0].argsort()[:3].to(codes.device)
    return _corners(codes[chosen], False, "Through the codes of three test pictures.", codes, classes)


def _whole(codes: Tensor, classes: np.ndarray) -> Plane:
    points = codes.flatten(1).cpu().double().numpy()
    low, high = np.quantile(points, [1 - INSIDE, INSIDE], axis=0)
    middle, half = (low + high) / 2, float((high - low).max()) / 2 * 1.05
    across, up = torch.eye(2, device=codes.device).view(2, *codes.shape[1:])
    return Plane(
        torch.zeros_like(codes[0]),
        across,
        up,
        (*_ends(middle[0], half), *_ends(middle[1], half)),
        ("first number of the code", "second number"),
        points.astype(np.float32),
        classes,
        note="The whole latent space: a code is two numbers.",
    )


def _main(codes: Tensor, classes: np.ndarray) -> Plane:
    flat = codes.flatten(1)
    centre = flat.mean(0)
    _, spread, directions = torch.linalg.svd(flat - centre, full_matrices=False)
    spread = (spread / (len(flat) - 1) ** 0.5)[:2, None].clamp(min=1e-6)
    axes = directions[:2] * spread  # one step is a standard deviation
    axes = axes * torch.sign(axes.gather(1, axes.abs().argmax(1, keepdim=True)))  # a direction's sign means nothing
    points = (flat - centre) @ (axes / spread.square()).T
    share = float(spread.square().sum() / flat.var(0).sum())
    across, up = axes.view(2, *codes.shape[1:])
    return Plane(
        centre.view(codes.shape[1:]),
        across,
        up,
        (-REACH, REACH, -REACH, REACH),
        ("first main direction, standard deviations", "second main direction"),
        points.float().cpu().numpy(),
        classes,
        note=f"Two of {flat.shape[1]} directions, with {100 * share:.0f} % of the variance of {len(flat)} test"
        " pictures' codes.",
    )


def _corners(
    three: Tensor, round: bool, note: str, codes: Tensor | None = None, classes: np.ndarray | None = None
) -> Plane:
    """Through three codes (3, *latent), which are at ``CORNERS``; other ``codes`` are projected onto it."""
    origin, across = three[0], three[1] - three[0]
    up = (three[2] - three[0] - across / 2) / CORNERS[2][1]
    left, right, bottom, top = -ROOM, 1 + ROOM, -ROOM, CORNERS[2][1] + ROOM
    down = (right - left - (top - bottom)) / 2  # a square
    axes = ("from the first picture to the second", "towards the third")
    extent = (left, right, bottom - down, top + down)
    bare = Plane(origin, across, up, extent, axes, None, classes, CORNERS, round, note)
    return bare if codes is None else replace(bare, points=bare.places(codes))


def _ends(middle: float, half: float) -> tuple[float, float]:
    return float(middle) - half, float(middle) + half


_planes: WeakKeyDictionary[Model, dict[tuple[str, int], Plane]] = WeakKeyDictionary()
_known: WeakKeyDictionary[Model, tuple[Tensor, np.ndarray]] = WeakKeyDictionary()


@torch.no_grad()
def coded(model: Encodes, data: Dataset) -> tuple[Tensor, np.ndarray]:
    """Codes (n, *latent) of test pictures and their classes (n,), computed once as long as the model is in use.

    As many as are coded in time: a flow that is followed by an ODE takes a fifth of a second for each.
    """
    if model not in _known:
        levels, classes, _ = data.examples()
        begun, codes, done, size = time.monotonic(), [], 0, FIRST
        while done < CODED and (done == 0 or size >= FIRST):
            x = to_data(levels[done : min(CODED, done + size)], model.device)
            codes.append(model.encode(x))
            done += len(x)
            spent = time.monotonic() - begun
            size = min(4 * size, int(done * (PATIENCE - spent) / max(spent, 1e-3)), len(levels) - done)
        _known[model] = torch.cat(codes), classes[:done]
    return _known[model]
