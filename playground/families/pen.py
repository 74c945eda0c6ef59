"""Where the pen goes next: a mixture of Gaussians for the step, and whether the pen is lifted (Graves 2013).

A drawing is (points, 5), as ``playground.data.strokes`` says: dx, dy, and one of three marks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MARKS = 3  # the pen goes on, is lifted, or the drawing ends
START = (0.0, 0.0, 1.0, 0.0, 0.0)  # what precedes the first step: the pen has been put down
FLAT = 0.95  # the largest correlation: beyond it a component is a line without width


def tidied(x: Tensor) -> Tensor:
    """Drawings (n, points, 5) with one mark a point, and nothing after the end; a last point there is always an end."""
    mark = F.one_hot(x[..., 2:].argmax(-1), MARKS).to(x.dtype)
    mark[:, -1] = mark.new_tensor([0, 0, 1])
    past = (mark[..., 2].cumsum(1) - mark[..., 2]) > 0  # (n, points)
    end = torch.cat([x.new_zeros(2), mark.new_tensor([0, 0, 1])])
    return torch.where(past[..., None], end, torch.cat([x[..., :2], mark], -1))


def lengths(x: Tensor) -> Tensor:
    """How many points each of tidy drawings (n, points, 5) has, its end included, (n,) int64."""
    return x[..., 4].argmax(1) + 1


def cropped(x: Tensor) -> Tensor:
    """Tidy drawings without what comes after the longest of them."""
    return x[:, : int(lengths(x).max())]


def inside(x: Tensor) -> Tensor:
    """1 at the points of tidy drawings (n, points, 5), their end included, and 0 after it: (n, points)."""
    return (torch.arange(x.shape[1], device=x.device) < lengths(x)[:, None]).to(x.dtype)


def open_ended(begun: Tensor) -> Tensor:
    """A beginning (k, 5) as a tidy drawing (1, k + 1, 5), which ends with a point more."""
    return tidied(F.pad(begun, (0, 0, 0, 1))[None])


@dataclass(frozen=True)
class Next:
    """What the pen may do next, at each of (...) places.

    Args:
        weight: (..., m) log-weights of the components.
        mean: (..., m, 2) their means.
        scale: (..., m, 2) their standard deviations.
        tilt: (..., m) their correlations.
        mark: (..., 3) log-probabilities of the three marks.
    """

    weight: Tensor
    mean: Tensor
    scale: Tensor
    tilt: Tensor
    mark: Tensor

    @staticmethod
    def of(raw: Tensor, finest: float) -> Next:
        """From a network's outputs (..., 6 m + 3): Ha and Eck 2018, arXiv:1704.03477, equations 4 to 6.

        Args:
            raw: the outputs.
            finest: the smallest standard deviation: finer than the grid that data lie on, a density has no bound.
        """
        mark, rest = raw[..., :MARKS].log_softmax(-1), raw[..., MARKS:].unflatten(-1, (6, -1))
        weight, x, y, across, down, tilt = rest.unbind(-2)
        scale = torch.stack([across, down], -1).clamp(max=5).exp() + finest
        return Next(weight.log_softmax(-1), torch.stack([x, y], -1), scale, FLAT * tilt.tanh(), mark)

    def log_prob(self, point: Tensor) -> Tensor:
        """Log of the step's density times the mark's probability, (...), of points (..., 5)."""
        z = (point[..., None, :2] - self.mean) / self.scale  # (..., m, 2)
        slack = 1 - self.tilt.square()
        square = z.square().sum(-1) - 2 * self.tilt * z.prod(-1)
        nats = -0.5 * (square / slack + slack.log()) - self.scale.log().sum(-1) - math.log(2 * math.pi)
        return (self.weight + nats).logsumexp(-1) + (self.mark * point[..., 2:]).sum(-1)

    def draw(self, uniform: Tensor, normal: Tensor, temperature: float) -> Tensor:
        """One point each, (n, 5), from draws (n, 2) uniform and (n, 2) normal.

        A temperature below one favours what is likely and narrows every component: weights and probabilities to the
        power of 1 / temperature, variances times temperature (equation 8).
        """
        heat = max(temperature, 1e-3)
        component = _choose(self.weight / heat, uniform[:, 0])[:, None]
        mean, scale = (v.gather(1, component[..., None].expand(-1, 1, 2))[:, 0] for v in (self.mean, self.scale))
        tilt = self.tilt.gather(1, component)[:, 0]
        stray = math.sqrt(temperature) * normal
        across = stray[:, 0]
        down = tilt * stray[:, 0] + (1 - tilt.square()).sqrt() * stray[:, 1]
        step = mean + scale * torch.stack([across, down], -1)
        mark = F.one_hot(_choose(self.mark / heat, uniform[:, 1]), MARKS).to(step.dtype)
        return torch.cat([step, mark], -1)


def _choose(log_weight: Tensor, uniform: Tensor) -> Tensor:
    """The index (n,) at which the sum of weights (n, m) passes each of (n,) uniform draws."""
    passed = log_weight.softmax(1).cumsum(1) < uniform[:, None]
    return passed.sum(1).clamp(max=log_weight.shape[1] - 1)


class Pen(nn.Module):
    """A recurrent network that goes with the pen, told a code from beginning to end.

    Args:
        code: the size of the code, 0 for none.
        width: units of the LSTM.
        mixtures: components of the mixture.
        finest: the smallest standard deviation of a component.
    """

    def __init__(self, code: int, width: int, mixtures: int, finest: float) -> None:
        super().__init__()
        self.width, self.finest = width, finest
        self.begin = nn.Linear(code, 2 * width) if code else None
        self.lstm = nn.LSTM(5 + code, width, batch_first=True)
        self.out = nn.Linear(width, MARKS + 6 * mixtures)

    def state(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """The state to begin with, (1, n, width) twice, of codes (n, size)."""
        if self.begin is None:
            nothing = code.new_zeros(1, len(code), self.width)
            return nothing, nothing
        hidden, cell = self.begin(code).tanh()[None].chunk(2, -1)
        return hidden.contiguous(), cell.contiguous()

    def forward(self, x: Tensor, code: Tensor, kept: Tensor | None = None) -> Next:
        """What may come at each point of tidy drawings (n, points, 5), given those before it and codes (n, size).

        Args:
            x: the drawings.
            code: the codes.
            kept: (n, points, width) factors of the network's memory as it is read, for dropout; None for none.
        """
        before = torch.cat([x.new_tensor(START).expand(len(x), 1, 5), x[:, :-1]], 1)
        told = code[:, None].expand(-1, x.shape[1], -1)
        read, _ = self.lstm(torch.cat([before, told], -1), self.state(code))
        return Next.of(self.out(read if kept is None else read * kept), self.finest)

    def log_prob(self, x: Tensor, code: Tensor) -> Tensor:
        """Log-probability in nats of each point of tidy drawings, (n, points); 0 after the end."""
        return self(x, code).log_prob(x) * inside(x)

    def draw(self, code: Tensor, uniform: Tensor, normal: Tensor, temperature: float, begun: Tensor) -> Tensor:
        """Drawings (n, points, 5) of codes (n, size), point after point.

        Args:
            code: the codes.
            uniform: (n, points, 2) uniform draws.
            normal: (n, points, 2) normal draws.
            temperature: see ``Next.draw``.
            begun: (k, 5) the points that all of them begin with, no end among them; or none.
        """
        n, points, _ = uniform.shape
        here, state = code.new_tensor(START).expand(n, 1, 5), self.state(code)
        drawing = [p.expand(n, 1, 5) for p in begun[:points]]
        if drawing:
            taught = torch.cat([here, *drawing[:-1]], 1)
            _, state = self.lstm(torch.cat([taught, code[:, None].expand(-1, len(drawing), -1)], -1), state)
            here = drawing[-1]
        open_ = torch.ones(n, dtype=torch.bool, device=code.device)
        for i in range(len(drawing), points):
            read, state = self.lstm(torch.cat([here, code[:, None]], -1), state)
            here = Next.of(self.out(read[:, 0]), self.finest).draw(uniform[:, i], normal[:, i], temperature)[:, None]
            drawing.append(here)
            open_ &= here[:, 0, 4] == 0
            if not open_.any():
                break
        whole = torch.cat(drawing, 1)
        return tidied(F.pad(whole, (0, 0, 0, points - whole.shape[1])))
