"""A model's walks between two codes, and what they cost: in change of the picture, in log p, in the prior's eyes."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Decodes, Density, Encodes, LogProb
from playground.geodesics import KNOTS, ROUNDS, along, changes, differentiable, resampled, shortest, steps
from playground.pictures import to_pixels
from playground.rng import Rng
from playground.views import Curve, Images, Progress, Table, View
from playground.weighing import weigh

CHUNK = 32  # codes decoded between two chances to show progress or to stop
PATIENCE = 8.0  # seconds that looking for the shortest way may take
WEIGHING = 12.0  # seconds that log p may take
SLOWEST = 0.02  # seconds a picture: a gradient of a whole path then takes some four seconds
MEASURED = 96  # steps that a path's length is the sum of, where decoding is cheap
CHEAP = 0.01  # seconds a picture
OF = {"8-bit pixels": "256 grey levels", "binary pixels": "black and white pixels", "continuous": "continuous pixels"}
INVERTED = "Its codes are as large as pictures, and every picture has one: the shortest way is the plain cross-fade."
ROUGH = "Here the cross-fade's codes, found step by step, decode to a longer way, so the better of the two is shown."
SLOW = "No geodesic: this decoder is too slow to be asked often enough for the shortest way."
CUT = "No geodesic: no gradient comes through this decoder."
NONE = "No way shorter than the better of the two was found."

Steps = Generator[View, None, None]
Ways = Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]]


@dataclass
class Trip:
    """What is known so far of the walks of one model.

    Args:
        model: whose.
        title: its title.
        decode: its decoder, with the visitor's knobs.
        codes: of each walk's pictures, (frames, *latent).
        strips: the pictures, (frames, *shape).
        each: seconds that a picture took.
        note: a sentence on the geodesic.
    """

    model: Decodes
    title: str
    decode: Callable[[Tensor], Tensor]
    codes: dict[str, Tensor]
    strips: dict[str, Tensor] = field(default_factory=dict)
    each: float = math.inf
    note: str = ""

    def images(self, key: str, caption: str, seconds: float) -> Images:
        """The strips that there are, one below the other."""
        return Images(
            key=key,
            pixels=np.concatenate([to_pixels(strip) for strip in self.strips.values()]),
            columns=len(next(iter(self.strips.values()))),
            group=tuple(self.strips),
            title=self.title,
            caption=f"{caption} {self.note}".strip(),
            seconds=seconds,
        )

    def changes(self, way: str) -> Tensor:
        """How the picture changes along a walk, in smaller steps than are shown where decoding is cheap: (steps,)."""
        path = self.codes[way]
        if self.each < CHEAP:
            return changes(self.decode, along(path, max(1, MEASURED // len(path))))
        return steps(self.strips[way])

    def drawn(self, way: str) -> Steps:
        """Decode a walk, with progress on the way."""
        parts: list[Tensor] = []
        for chunk in self.codes[way].split(CHUNK):
            parts.append(self.decode(chunk))
            done = sum(map(len, parts))
            if done < len(self.codes[way]):
                yield Progress(done=done, total=len(self.codes[way]), text=f"{self.title}: the {way} walk")
        self.strips[way] = torch.cat(parts)

    def shortened(self, a: Tensor, b: Tensor, ways: Ways) -> Steps:
        """Look for the shortest walk from code a to code b, (1, *latent), beginning with the shorter of ``ways``."""
        frames = len(self.codes["linear"])
        if a[0].numel() == math.prod(self.model.shape) and isinstance(self.model, Encodes):
            if self.each * frames > PATIENCE:
                self.note = SLOW
                return
            yield Progress(done=0, total=1, text="the codes of a cross-fade")
            t = torch.linspace(0, 1, frames, device=a.device)
            x = ways["linear"](self.strips["linear"][:1], self.strips["linear"][-1:], t)[0]
            self.codes["geodesic"], self.note = self.model.encode(x), INVERTED
            return
        if self.each > SLOWEST:
            self.note = SLOW
            return
        if not differentiable(self.decode, a):
            self.note = CUT
            return
        yield Progress(done=0, total=1, text=f"{self.title}: looking for the shortest way")
        lengths = {way: float(self.changes(way).sum()) for way in ways}
        nearest = min(lengths, key=lambda way: lengths[way])
        t = torch.linspace(0, 1, KNOTS + 1, device=a.device)
        search, rounds = shortest(self.decode, ways[nearest](a, b, t)[0], PATIENCE), 0
        while True:
            try:
                energy = next(search)
            except StopIteration as stop:
                path = resampled(stop.value, frames)
                break
            rounds += 1
            yield Progress(done=rounds, total=ROUNDS, text=f"{self.title}: the shortest way so far, {energy**0.5:.3f}")
        self.codes["geodesic"] = path

    def checked(self) -> None:
        """What was found counts only if it is shorter; else the shorter of the other walks is the shortest known."""
        others = [way for way in self.codes if way != "geodesic"]
        nearest = min(others, key=lambda way: float(self.changes(way).sum()))
        if float(self.changes("geodesic").sum()) >= float(self.changes(nearest).sum()):
            self.note = f"{INVERTED} {ROUGH}" if self.note == INVERTED else NONE
            for kept in (self.codes, self.strips):
                kept["geodesic"] = kept[nearest]

    def weighed(self, rng: Rng) -> Generator[View, None, LogProb | None]:
        """Log p of the strips' pictures: of the ends first, then of ever finer steps between, while time lasts."""
        if not isinstance(self.model, Density):
            return None
        order = coarse_first(len(self.codes["linear"]))
        frames = torch.stack([strip[order] for strip in self.strips.values()], 1).flatten(0, 1)
        weighing = weigh(self.model, to_pixels(frames).transpose(0, 3, 1, 2), rng.seed, {}, WEIGHING)
        while True:
            try:
                done = next(weighing)
            except StopIteration as stop:
                return stop.value
            yield Progress(done=done, total=len(frames), text=f"{self.title}: log p")

    def figures(self, key: str, known: LogProb | None) -> Table:
        """How long each walk is, how evenly it goes, and its least probable picture."""
        strip = self.strips["linear"]
        crossed = float(steps(strip[[0, -1]]).sum())
        rows: list[tuple[str | float | None, ...]] = []
        for i, way in enumerate(self.strips):
            change = self.changes(way)
            whole = float(change.sum())
            row: list[str | float | None] = [way, round(whole, 4), round(whole / max(crossed, 1e-9), 3)]
            row.append(round(float(change.max() / change.mean().clamp(min=1e-9)), 2))
            if known is not None:
                row.append(round(float(known.nats[i :: len(self.strips)].min()), 1))
            rows.append(tuple(row))
        least = () if known is None else ("least log p, nats",)
        return Table(
            key=key,
            columns=("way", "length", "times the cross-fade", "largest change over mean", *least),
            rows=tuple(rows),
            title=self.title,
            caption="Length: the sum of root-mean-square changes of the picture along the way, 1 for all black to all"
            f" white. No path through pictures is shorter than the cross-fade's {crossed:.3f}.",
        )

    def density(self, key: str, known: LogProb) -> Curve:
        """What each walk does to log p."""
        frames, ways = len(self.codes["linear"]), len(self.strips)
        order = np.array(coarse_first(frames))
        x, y = np.full((ways, frames), np.nan), np.full((ways, frames), np.nan)
        for i in range(ways):
            nats = known.nats[i::ways].double().numpy()
            place = order[: len(nats)]
            by = place.argsort()
            x[i, : len(nats)], y[i, : len(nats)] = place[by] / (frames - 1), nats[by]
        rest = "" if len(known.nats) == frames * ways else " There was time for some of the pictures only."
        return Curve(
            key=key,
            series=tuple(self.strips),
            x=x,
            y=y,
            axes=("share of the way", f"log p, nats ({known.kind})"),
            title=f"{self.title}: log p of the pictures",
            caption=f"What the model says of the pictures that it decodes on the way, as {OF[known.measure]}.{rest}",
        )

    def prior(self, key: str) -> Curve:
        """What the standard normal prior says of the codes."""
        size = self.codes["linear"][0].numel()
        y = np.stack([_normal(path).double().cpu().numpy() for path in self.codes.values()])
        typical = -0.5 * size * (1 + math.log(2 * math.pi))
        return Curve(
            key=key,
            series=tuple(self.codes),
            x=np.stack([np.linspace(0, 1, y.shape[1])] * len(y)),
            y=y,
            axes=("share of the way", "log density, nats (exact)"),
            title=f"{self.title}: the prior's view of the codes",
            caption=f"Of the standard normal in {size} dimensions, whose own draws have {typical:,.1f} on average.",
        )


def coarse_first(n: int) -> list[int]:
    """0 to n - 1: the ends, the middle, the quarters and so on."""
    order, step = [0, n - 1], n - 1
    while len(order) < n:
        step = max(1, step // 2)
        order += [i for i in range(0, n, step) if i not in order]
    return order


def _normal(codes: Tensor) -> Tensor:
    """Log density of codes (n, *latent) under the standard normal, (n,)."""
    flat: Any = codes.flatten(1)
    return -0.5 * (flat.square().sum(1) + flat.shape[1] * math.log(2 * math.pi))
