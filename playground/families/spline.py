"""An autoregressive neural spline flow (Durkan, Bekasov, Murray and Papamakarios 2019, arXiv:1906.04032) of points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Carries, Density, LogProb, Reconstructs, Refines, Sprints, State
from playground.families.layers import Mlp, Tape
from playground.families.realnvp import spread_bends
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 52  # among the families on a page

BOX = 5.0  # splines live on [-5, 5], which holds the data and all but a millionth of the noise
STEEPEST = math.log(1000)  # of a knot's log-slope, and of the logarithm of the largest share of the box over the least


@final
class NeuralSplineFlow(Sprints, Refines, Reconstructs, Density, Carries):
    """Layers that bend each axis by a monotone spline; the second axis's depends on where the point is on the first.

    The layers take turns in which axis comes first. A spline is made of rational-quadratic pieces, and has an inverse
    in closed form (section 3.1); outside its box it is the identity. One such layer could model any density in the box
    if its bins were fine enough; a second one makes it smoother.

    Args:
        shape: one datum, (2,).
        layers: how many times each axis is bent.
        bins: pieces of each spline.
        width: hidden units of each layer's network.
        depth: hidden layers of it.

    See Also:
        RealNVP: couplings that stretch where these bend.

    Reference:
        Durkan, Bekasov, Murray and Papamakarios 2019, Neural Spline Flows, arXiv:1906.04032.

    Example:
        >>> NeuralSplineFlow().encode(torch.zeros(1, 2)).shape
        torch.Size([1, 2])
    """

    rate: ClassVar[float] = 5e-3
    cannot = {
        "Denoises": "a flow never sees noisy data: it maps between data and noise in exact steps",
        "Fields": "its steps are jumps along one axis at a time, not a field that moves points a little",
    }
    about = About(
        title="Neural spline flow",
        line="Bends each axis by a flexible curve, until the data have become a bell-shaped cloud.",
        intuition="Draw a rising curve that says where each position on an axis goes: steep where data are dense, flat"
        " where there are none. Bend the first axis by one such curve; then bend the second by a curve that is"
        " different for every position on the first. Rising curves can be read backwards, so noise becomes data.",
        pros="Exact density and exact inverse, like RealNVP, but one spline does what takes many stretches: hard edges"
        " and separate modes come out in one or two layers.",
        cons="Each layer costs more than a stretch. It works in a box: what lies outside stays as it is.",
        training="Maximise the exact log-likelihood: the probability of the noise a point maps to, plus the logarithm"
        " of the curves' slopes there (the change-of-variables formula).",
        latent="Yes: normal noise of the same size as the datum, one for each datum.",
        sampling="Draw normal noise and read the curves backwards, axis by axis, the last layer first.",
        density="Exact: the noise's probability times the slopes of all curves.",
        paper="Durkan, Bekasov, Murray and Papamakarios 2019, Neural Spline Flows",
        arxiv="1906.04032",
    )

    def __init__(
        self, shape: tuple[int, ...] = (2,), layers: int = 2, bins: int = 16, width: int = 64, depth: int = 2
    ) -> None:
        super().__init__()
        if tuple(shape) != (2,):
            raise ValueError(f"shape must be (2,), points in the plane; it was {tuple(shape)}.")
        self.shape = self.latent = tuple(shape)
        self.free = nn.ParameterList(nn.Parameter(torch.zeros(3 * bins - 1)) for _ in range(layers))
        self._nets = tuple(Mlp(1, width, 3 * bins - 1, depth, zero=True) for _ in range(layers))
        self.nets = nn.ModuleList(self._nets)
        self._layers = tuple(zip(self.free, self._nets, strict=True))  # looking into a ParameterList is slow
        for net in self._nets:
            spread_bends(net)

    @classmethod
    def tiny(cls) -> Self:
        return cls(bins=4, width=8)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The exact negative log-likelihood in nats."""
        return {"nats": -self._nats(x).mean()}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        n, state = len(x), x.T  # (2, n): the axis that comes first, then the other one
        kept: list[tuple[Tape, Spline]] = []
        total = x.new_zeros(())
        for free, net in self._layers:
            raw, tape = net.ahead(state[0, :, None])
            spline = Spline.through(torch.cat([free.expand(n, -1), raw]), state.flatten())
            kept.append((tape, spline))
            total = total + spline.log_slope.sum()
            state = spline.y.view(2, n).flip(0)
        g = state / n
        for i in reversed(range(len(kept))):
            (free, net), (tape, spline) = self._layers[i], kept[i]
            g_state, g_raw = spline.back(g.flip(0).flatten(), -1 / n)
            g_free = g_raw[:n].sum(0)
            free.grad = g_free if free.grad is None else free.grad.copy_(g_free)
            g_known = net.back(tape, g_raw[n:], inputs=i > 0)
            if g_known is not None:
                g = g_state.view(2, n)
                g[0] += g_known[:, 0]
        return (state.square().sum() / 2 - total) / n + math.log(2 * math.pi)

    def forward_map(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Noise (n, 2) of data (n, 2), and the log-determinant of the map, (n,), in nats."""
        n, state, log_det = len(x), x.T, x.new_zeros(len(x))
        for free, net in self._layers:
            raw = torch.cat([free.expand(n, -1), net(state[0, :, None])])
            spline = Spline.through(raw, state.flatten())
            log_det = log_det + spline.log_slope.view(2, n).sum(0)
            state = spline.y.view(2, n).flip(0)
        return self._upright(state, len(self._layers)), log_det

    def _upright(self, state: Tensor, layers: int) -> Tensor:
        """Points (n, 2) of a state after so many layers: each swaps the axes."""
        return (state.flip(0) if layers % 2 else state).T

    def _nats(self, x: Tensor) -> Tensor:
        z, log_det = self.forward_map(x)
        return log_det - z.square().sum(1) / 2 - math.log(2 * math.pi)

    @torch.no_grad()
    def invert(self, z: Tensor) -> Iterator[tuple[Tensor, str]]:
        """Every state on the way from noise (n, 2) to data (n, 2), one axis at a time, with its name."""
        last = len(self._layers)
        state = z.T.flip(0) if last % 2 else z.T
        yield z, "noise"
        for i in reversed(range(last)):
            free, net = self._layers[i]
            first, second = state[1], state[0]
            first = Spline.inverse(free.expand(len(z), -1), first)
            yield self._upright(torch.stack([first, second]), i), f"layer {last - i} of {last}, first axis"
            second = Spline.inverse(net(first[:, None]), second)
            state = torch.stack([first, second])
            yield self._upright(state, i), f"layer {last - i} of {last}, second axis"

    def refine(
        self, rng: Rng, *, temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="less noise, safer data")] = 1.0
    ) -> Iterator[State]:
        """The splines read backwards, one axis at a time, the last layer first."""
        for done, (x, name) in enumerate(self.invert(temperature * rng.normal(2))):
            yield State(x, done, 2 * len(self._layers), name)

    @torch.no_grad()
    def encode(self, x: Tensor, **knobs: Any) -> Tensor:
        return self.forward_map(x)[0]

    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        *_, (x, _name) = self.invert(z)
        return x

    def carry(self, z: Tensor) -> Tensor:
        """The states after each axis of each layer, (2 layers + 1, n, 2)."""
        return torch.stack([x for x, _ in self.invert(z)])

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        """Exact, by the change of variables."""
        return LogProb(self._nats(x), "exact", "continuous")


class Knots(NamedTuple):
    """Splines by their knots; ``raw`` (m, 3 K - 1) are K widths, K heights and the K - 1 log-slopes between, unbounded.

    Bounded as in zuko, t / (1 + |t| / bound), whose gradient never quite dies.
    """

    shrink: Tensor  # bounded over raw, (m, 3 K - 1)
    shares: Tensor  # of the box: of the K widths and the K heights, (m, 2, K)
    edges: Tensor  # knots: where they are and where they go, (m, 2, K + 1)
    log_slopes: Tensor  # at the knots, (m, K + 1)

    @classmethod
    def of(cls, raw: Tensor) -> Knots:
        """The knots of unbounded parameters."""
        m, bins = len(raw), (raw.shape[1] + 1) // 3
        tables = _tables(bins, raw.dtype, raw.device)
        shrink = 1 / (1 + (raw * tables.bound).abs())
        bounded = raw * shrink
        shares = bounded[:, : 2 * bins].unflatten(1, (2, bins)).softmax(2)
        edges = torch.addmm(tables.start, shares.flatten(0, 1), tables.climb).view(m, 2, bins + 1)
        return cls(shrink, shares, edges, F.pad(bounded[:, 2 * bins :], (1, 1)))

    def at(self, x: Tensor, axis: int) -> Piece:
        """The piece that holds each of ``x``, (m,), on an axis: 0 is before the spline, 1 is after it."""
        left = (self.edges[:, axis, 1:-1] <= x[:, None]).sum(1)
        which = torch.stack([left, left + 1], 1)  # (m, 2)
        ends = self.edges.gather(2, which[:, None].expand(-1, 2, 2))  # (m, 2, 2)
        (x0, x1), (y0, y1) = ends.permute(1, 2, 0).contiguous()
        d0, d1 = self.log_slopes.gather(1, which).T.exp()
        w, h = x1 - x0, y1 - y0
        return Piece(which, x.abs() < BOX, x0, y0, w, h, h / w, d0, d1)


class Piece(NamedTuple):
    """One piece of each of m splines, (m,) all but the first: from (x0, y0), w wide and h high, with slopes d0, d1."""

    which: Tensor  # its two knots, (m, 2)
    inside: Tensor  # whether the point is in the box
    x0: Tensor
    y0: Tensor
    w: Tensor
    h: Tensor
    s: Tensor  # h / w
    d0: Tensor
    d1: Tensor


class Spline(NamedTuple):
    """Points that went through splines, and what the way back needs; (m,) each."""

    knots: Knots
    piece: Piece
    z: Tensor  # where in the piece, 0 to 1
    top: Tensor  # numerator of the slope over s^2
    below: Tensor  # the common denominator
    part: Tensor  # how much of the piece's height
    slope: Tensor
    y: Tensor
    log_slope: Tensor

    @classmethod
    def through(cls, raw: Tensor, x: Tensor) -> Spline:
        """Send ``x``, (m,), through the splines of ``raw``, (m, 3 K - 1): equations 4 and 5."""
        knots = Knots.of(raw)
        piece = knots.at(x, 0)
        _, inside, x0, y0, w, h, s, d0, d1 = piece
        z = ((x - x0) / w).clamp(0, 1)
        rest = 1 - z
        both = z * rest
        below = s + (d0 + d1 - 2 * s) * both
        top = d1 * z * z + 2 * s * both + d0 * rest * rest
        part = (s * z * z + d0 * both) / below
        slope = (s / below).square() * top
        y = torch.where(inside, y0 + h * part, x)
        return cls(knots, piece, z, top, below, part, slope, y, torch.where(inside, slope.log(), 0))

    @staticmethod
    def inverse(raw: Tensor, y: Tensor) -> Tensor:
        """Where ``y``, (m,), came from: the root of the quadratic of equations 6 to 8."""
        _, inside, x0, y0, w, h, s, d0, d1 = Knots.of(raw).at(y, 1)
        rise = y - y0
        bend = d0 + d1 - 2 * s
        a, b = h * (s - d0) + rise * bend, h * d0 - rise * bend
        root = (b.square() + 4 * a * s * rise).clamp(min=0).sqrt()
        return torch.where(inside, x0 + w * (2 * s * rise / (b + root)).clamp(0, 1), y)

    def back(self, g_y: Tensor, g_log_slope: float) -> tuple[Tensor, Tensor]:
        """The gradients at x, (m,), and at raw, (m, 3 K - 1), given those at y, (m,), and at every log-slope."""
        which, inside, _, _, w, h, s, d0, d1 = self.piece
        z, rest = self.z, 1 - self.z
        both, zz, rr = z * rest, z * z, rest * rest
        g = inside * g_y
        by_slope = inside.to(z.dtype) * g_log_slope
        g_part = g * h / self.below
        by_top, by_below = by_slope / self.top, -2 * by_slope / self.below
        shared, lean = both * by_below, rest - z
        g_d0 = g_part * both * (1 - self.part) + rr * by_top + shared
        g_d1 = zz * by_top + shared - g_part * both * self.part
        g_s = both * (g_part * (d1 * zz - d0 * rr) / self.below + 2 * by_top)
        g_s = g_s + 2 * by_slope / s + (1 - 2 * both) * by_below
        g_z = 2 * (d1 * z - d0 * rest + s * lean) * by_top + (d0 + d1 - 2 * s) * lean * by_below
        g_x = g * self.slope + g_z / w
        g_w, g_h = -g_x * z - g_s * s / w, g * self.part + g_s / w
        ends = torch.stack([-g_x - g_w, g_w, g - g_h, g_h], 1).view(-1, 2, 2)
        slopes = torch.stack([g_d0 * d0, g_d1 * d1], 1)
        return torch.where(inside, g_x, g_y), self._to_raw(which, ends, slopes)

    def _to_raw(self, which: Tensor, ends: Tensor, slopes: Tensor) -> Tensor:
        """The gradient at raw, (m, 3 K - 1), of those at the two knots, (m, 2, 2), and at their log-slopes, (m, 2)."""
        shrink, shares, edges, log_slopes = self.knots
        climb = _tables(shares.shape[2], shares.dtype, shares.device).climb
        g_edges = torch.zeros_like(edges).scatter_(2, which[:, None].expand(-1, 2, 2), ends)
        g_shares = (g_edges.flatten(0, 1) @ climb.T).view_as(shares)
        g_bounded = torch._softmax_backward_data(g_shares, shares, 2, shares.dtype).flatten(1)
        g_slopes = torch.zeros_like(log_slopes).scatter_(1, which, slopes)
        return torch.cat([g_bounded, g_slopes[:, 1:-1]], 1) * shrink * shrink


class _Tables(NamedTuple):
    bound: Tensor  # one over how large raw parameters can become, (3 K - 1,)
    start: Tensor  # (K + 1,)
    climb: Tensor  # from shares of the box to knots, (K, K + 1)


@cache
def _tables(bins: int, dtype: torch.dtype, device: torch.device) -> _Tables:
    bound = torch.full((3 * bins - 1,), 1 / STEEPEST, dtype=dtype, device=device)
    bound[: 2 * bins] *= 2
    start = torch.full((bins + 1,), -BOX, dtype=dtype, device=device)
    return _Tables(bound, start, 2 * BOX * torch.ones(bins, bins + 1, dtype=dtype, device=device).triu(1))
