"""A multi-scale normalizing flow with spline couplings (Durkan et al. 2019, arXiv:1906.04032)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, cast, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Density, Learns, LogProb, Reconstructs, Refines, State
from playground.families.layers import Residual
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 50  # among the families on a page

EDGE = 1e-7  # how near to 0 and 1 a uniform may come: its normal quantile stays within six
PHASES = ((1, 1), (0, 0), (0, 1))  # the three of each four pixels that are factored out, in this order, before (1, 0)


@final
class Flow(Learns, Refines, Reconstructs, Density):
    """An invertible map from pictures to normal noise, built from monotone splines.

    As in RealNVP's multi-scale architecture (Dinh et al. 2017, arXiv:1605.08803, section 3.6) each level factors pixels
    out and passes the rest on: of every four pixels three are mapped to noise, one after the other, by splines whose
    shape a network reads off the pixels that remain; the fourth ones are a picture of half the size, for the next
    level. The coarsest picture is mapped by a masked autoregressive flow (Germain et al. 2015, arXiv:1502.03509).

    Grey levels are first made uniform by their common cumulative histogram, so splines live on the unit interval.

    Args:
        shape: one picture, (1, height, width), sides divisible by 2**levels.
        levels: how often the picture is halved.
        width: channels of the conditioning networks.
        depth: residual blocks in each.
        top_width: hidden units of the coarsest level's masked network.
        bins: pieces of each spline.

    Reference:
        Durkan, Bekasov, Murray and Papamakarios 2019, Neural Spline Flows, arXiv:1906.04032.

    Example:
        >>> Flow().encode(torch.zeros(1, 1, 28, 28)).shape
        torch.Size([1, 1, 28, 28])
    """

    wants_float64 = True
    cannot = {"Denoises": "a flow never sees noisy pictures: it maps between pictures and noise in one exact step"}
    about = About(
        title="Normalizing flow",
        line="An exact, invertible map between pictures and noise.",
        intuition="Stretch and squeeze the space of pictures, step by step and without tearing it, until the data look"
        " like a plain bell curve. Run the same steps backwards and noise becomes a picture.",
        pros="Exact: it knows the probability of every picture, and every picture has exactly one code that leads back"
        " to it. Sampling is a single fast pass.",
        cons="Every step must be invertible, so the code is as large as the picture, and much capacity goes into"
        " details that nobody sees. Pictures are less sharp than a GAN's of the same size.",
        training="Maximise the exact log-likelihood: the probability of the noise that a picture maps to, corrected by"
        " how much the map stretches space there (the change-of-variables formula).",
        latent="Yes: noise of the same size as the picture, one for each picture, exactly invertible.",
        sampling="Draw normal noise and run the map backwards, from coarse pixels to fine.",
        density="Exact: the noise's probability plus the logarithm of the map's stretching (its log-determinant).",
        paper="Durkan, Bekasov, Murray and Papamakarios 2019, Neural Spline Flows",
        arxiv="1906.04032",
    )

    seen: Tensor

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        levels: int = 2,
        width: int = 48,
        depth: int = 2,
        top_width: int = 128,
        bins: int = 8,
    ) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.levels, self.bins = levels, bins
        self.histogram = nn.Parameter(torch.zeros(256))  # log-probabilities of the grey levels, up to a constant
        self.register_buffer("seen", torch.zeros(()))
        grids = [(shape[1] >> k, shape[2] >> k) for k in range(1, levels + 1)]
        self.conditioners = nn.ModuleList(
            nn.ModuleList(Conditioner(3 - step, 3 * bins + 1, width, depth, grid) for step in range(3))
            for grid in grids
        )
        self.top = MaskedMLP(math.prod(grids[-1]), 3 * bins + 1, top_width)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), levels=1, width=4, depth=1, top_width=32, bins=4)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The exact negative log-likelihood in bits per dimension, under uniform dequantisation."""
        if not self.seen:
            with torch.no_grad():  # start from the first batch's histogram
                counts = torch.bincount((255 * x).round().long().flatten(), minlength=256)
                self.histogram.copy_((counts + 1).log())
                self.seen.fill_(1)
        noise = torch.rand(x.shape, generator=generator, device=x.device)
        nats = -self.forward_map(x, noise)[1].mean()
        return {"bits/dim": nats / (math.log(2) * math.prod(self.shape)), "nats": nats}

    def forward_map(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Uniform codes (n, *shape) of pictures, and the log of the map's stretching, summed, (n,).

        Codes are uniform on the unit cube, so the stretching is all of the log-probability in nats.
        ``noise`` in [0, 1) fills each of the 256 grey levels; its precision is that of the map, whose networks stay in
        their own.
        """
        grey = (255 * x).round().clamp(0, 255)
        y = ((grey + noise) / 256).to(x.dtype)
        log_q = self.histogram.log_softmax(0)
        level = grey.long()
        q = log_q.exp().to(noise.dtype)
        h = (F.pad(q.cumsum(0), (1, 0))[level] + noise * q[level]).clamp(EDGE, 1 - EDGE)
        stretch = log_q[level].flatten(1).sum(1)  # log of h'(y) / 256
        codes = torch.empty_like(h)
        for at, theta in self._knots(y):
            u, slope = spline(h[at], theta.to(h.dtype))
            codes[at] = u
            stretch = stretch + slope.flatten(1).sum(1)
        return codes, stretch

    def _knots(self, y: Tensor) -> Iterator[tuple[tuple[slice, ...], Tensor]]:
        """Places of pixels, from fine to coarse, with the parameters of their splines, (n, ..., 3 bins + 1)."""
        for level in range(self.levels):
            for step in range(3):
                yield _at(level, PHASES[step]), self._condition(y, level, step)
        at = _coarsest(self.levels)
        coarse = y[at]
        yield at, self.top(coarse.flatten(1)).view(*coarse.shape, -1)

    def _condition(self, y: Tensor, level: int, step: int) -> Tensor:
        """The splines of the pixels that leave at one step of one level, read off those that leave later."""
        known = torch.cat([y[_at(level, phase)] for phase in (*PHASES[step + 1 :], (1, 0))], 1)
        nets = cast(nn.ModuleList, self.conditioners[level])
        return nets[step](known)

    def invert(self, codes: Tensor) -> Iterator[tuple[Tensor, str]]:
        """Pictures of uniform codes (n, *shape): every state with its name, first the bare noise."""
        y = self._grey(codes)
        yield y, "noise"
        at = _coarsest(self.levels)
        grid = codes[at].shape
        dtype = self.histogram.dtype
        coarse, u = y[at].flatten(1).clone(), codes[at].flatten(1)
        for i in range(coarse.shape[1]):  # one by one: each pixel's spline depends on those before it
            h, _ = spline(u[:, i], self.top(coarse.to(dtype))[:, i].to(u.dtype), inverse=True)
            coarse[:, i] = self._grey(h)
        y = y.clone()
        y[at] = coarse.view(grid)
        yield y, "coarsest pixels"
        for level in reversed(range(self.levels)):
            for step in reversed(range(3)):
                place = _at(level, PHASES[step])
                theta = self._condition(y.to(dtype), level, step)
                h, _ = spline(codes[place], theta.to(codes.dtype), inverse=True)
                y = y.clone()
                y[place] = self._grey(h)
                yield y, f"level {self.levels - level}, pixel {3 - step} of 3"

    def _grey(self, h: Tensor) -> Tensor:
        """Grey levels in [0, 1) of uniforms: the inverse of the cumulative histogram."""
        q = self.histogram.softmax(0).to(h.dtype)
        upper = q.cumsum(0)
        level = torch.searchsorted(upper, h.contiguous()).clamp(max=255)
        part = (h - (upper - q)[level]) / q[level]
        return (level + part.clamp(0, 1)) / 256

    def refine(
        self, rng: Rng, *, temperature: Annotated[float, Slider(0.0, 1.2, 0.05, help="less noise, safer strokes")] = 1.0
    ) -> Iterator[State]:
        """The inverse map, from the coarsest pixels to the finest."""
        codes = _uniform(temperature * rng.normal(*self.latent))
        total = 1 + 3 * self.levels
        for done, (y, name) in enumerate(self.invert(codes)):
            yield State(_pixels(y), done, total, name)

    def encode(self, x: Tensor) -> Tensor:
        """Normal noise (n, *shape), float64, of pictures, which are taken at the middle of their grey levels.

        An unlikely grey level owns a sliver of the unit interval too thin for float32.
        """
        codes, _ = self.forward_map(x, torch.full_like(x, 0.5, dtype=torch.float64))
        return torch.special.ndtri(codes.clamp(EDGE, 1 - EDGE))

    def decode(self, z: Tensor) -> Tensor:
        *_, (y, _name) = self.invert(_uniform(z))
        return _pixels(y)

    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        """Exact log-probability of the 8-bit picture under one draw of uniform dequantisation."""
        return LogProb(self.forward_map(x, rng.uniform(*self.shape))[1], "exact", "8-bit pixels")


class Conditioner(nn.Module):
    """Reads known pixels, (n, known, height, width), and gives each place's spline, (n, 1, height, width, outputs)."""

    def __init__(self, known: int, outputs: int, width: int, depth: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.read = nn.Conv2d(known, width, 3, padding=1)
        self.place = nn.Parameter(torch.zeros(width, *grid))
        blocks = (
            Residual(nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 1))
            for _ in range(depth)
        )
        last = nn.Conv2d(width, outputs, 1)
        nn.init.zeros_(last.weight)  # all splines begin as the identity
        self.blocks = nn.Sequential(*blocks, nn.SiLU(), last)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a tenth to a third faster on a CPU

    def forward(self, y: Tensor) -> Tensor:
        return self.blocks(self.read(2 * y - 1) + self.place).permute(0, 2, 3, 1)[:, None]


class MaskedMLP(nn.Module):
    """Output i depends on inputs before i only, (n, size) to (n, size, outputs)."""

    first: Tensor
    middle: Tensor
    last: Tensor

    def __init__(self, size: int, outputs: int, width: int) -> None:
        super().__init__()
        order = torch.arange(size)
        unit = torch.arange(width) * (size - 1) // width
        self.register_buffer("first", (unit[:, None] >= order).float(), persistent=False)  # (width, size)
        self.register_buffer("middle", (unit[:, None] >= unit).float(), persistent=False)
        self.register_buffer("last", (order[:, None] > unit).float().repeat_interleave(outputs, 0), persistent=False)
        shapes = ((size, width), (width, width), (width, size * outputs))
        self.layers = nn.ModuleList(nn.Linear(*shape) for shape in shapes)
        nn.init.zeros_(self._linears()[2].weight)
        self.outputs = outputs

    def _linears(self) -> list[nn.Linear]:
        return cast("list[nn.Linear]", list(self.layers))

    def forward(self, y: Tensor) -> Tensor:
        a, b, c = self._linears()
        h = F.silu(F.linear(2 * y - 1, a.weight * self.first, a.bias))
        h = h + F.silu(F.linear(h, b.weight * self.middle, b.bias))
        return F.linear(h, c.weight * self.last, c.bias).unflatten(1, (-1, self.outputs))


def spline(x: Tensor, theta: Tensor, inverse: bool = False) -> tuple[Tensor, Tensor]:
    """A monotone rational-quadratic spline of the unit interval onto itself, and the log of its slope.

    Args:
        x: points in [0, 1], any shape.
        theta: (*x.shape, 3 K + 1) unconstrained widths, heights and knot slopes of K pieces.
        inverse: map the other way; the slope is then the inverse's.

    Reference: Durkan et al. 2019, equations 4 to 8 and appendix A.1.
    """
    bins = theta.shape[-1] // 3
    width, height, slope = theta.split([bins, bins, bins + 1], -1)
    width, height = (1e-4 + (1 - 1e-4 * bins) * t.softmax(-1) for t in (width, height))
    slope = 1e-4 + F.softplus(slope + math.log(math.e - 1))
    right, top = width.cumsum(-1), height.cumsum(-1)
    edges = (top if inverse else right)[..., :-1]
    k = (x[..., None] > edges).sum(-1, keepdim=True)
    w, h, x1, y1, d0, d1 = (
        t.gather(-1, k).squeeze(-1) for t in (width, height, right, top, slope[..., :-1], slope[..., 1:])
    )
    x0, y0, s = x1 - w, y1 - h, h / w
    bend = d0 + d1 - 2 * s
    if inverse:  # solve the quadratic of appendix A.1 for the place in the piece
        rise = x - y0
        a = h * (s - d0) + rise * bend
        b = h * d0 - rise * bend
        root = (b.square() + 4 * a * s * rise).clamp(min=0).sqrt()
        part = (2 * s * rise / (b + root)).clamp(0, 1)
    else:
        part = ((x - x0) / w).clamp(0, 1)
    rest = part * (1 - part)
    below = s + bend * rest
    log_slope = 2 * s.log() + (d1 * part.square() + 2 * s * rest + d0 * (1 - part).square()).log() - 2 * below.log()
    if inverse:
        return x0 + part * w, -log_slope
    return y0 + h * (s * part.square() + d0 * rest) / below, log_slope


def _at(level: int, phase: tuple[int, int]) -> tuple[slice, ...]:
    """The pixels of one phase of the picture halved ``level`` times: row and column in each 2x2 cell."""
    near, far = 2**level, 2 ** (level + 1)
    row, column = _corner(level)
    return (
        slice(None),
        slice(None),
        slice(row + near * phase[0], None, far),
        slice(column + near * phase[1], None, far),
    )


def _corner(level: int) -> tuple[int, int]:
    """Where the picture halved ``level`` times begins: the pixels that remain are those of phase (1, 0)."""
    return 2**level - 1, 0


def _coarsest(levels: int) -> tuple[slice, ...]:
    row, column = _corner(levels)
    return (slice(None), slice(None), slice(row, None, 2**levels), slice(column, None, 2**levels))


def _uniform(z: Tensor) -> Tensor:
    return torch.special.ndtr(z.double()).clamp(EDGE, 1 - EDGE)


def _pixels(y: Tensor) -> Tensor:
    """The 8-bit picture of grey levels in [0, 1)."""
    return ((256 * y).floor().clamp(0, 255) / 255).float()
