"""Flow matching (Lipman et al. 2023, arXiv:2210.02747): a velocity learnt by regression, a density by its flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, final

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from typing_extensions import Self

from playground.capabilities import (
    About,
    Carries,
    Denoises,
    Density,
    Fields,
    LogProb,
    Reconstructs,
    Refines,
    Sprints,
    State,
)
from playground.families import ode
from playground.knobs import Choice, Slider
from playground.rng import Rng

ORDER = 62  # among the families on a page

PATH = 32  # Runge-Kutta steps of a path, and of coding and decoding
GROUP = 32  # data paired with as many noises at a time: 64 pair a little better, in three times the time


@final
class FlowMatching(Sprints, Refines, Reconstructs, Density, Denoises, Fields, Carries):
    """A velocity v(x, t) that carries the standard normal at t = 0 to the data at t = 1.

    Trained on straight lines between noise z and data x (section 4.1, with no noise left at the end): at the point
    (1 - t) z + t x the network is to answer x - z. The best answer is the average over all lines through that point,
    and the flow along it has the right density at every time (theorem 2).

    Args:
        shape: one datum, (D,).
        width: units of each hidden layer.
        depth: hidden layers.
        pairing: which noise goes with which datum in training: any, or, within groups of 32, that which makes the
            squared lengths of the lines the least (Tong et al. 2024, arXiv:2302.00482, section 3.3): straighter paths,
            which fewer steps can follow.

    Reference:
        Lipman, Chen, Ben-Hamu, Nickel and Le 2023, Flow Matching for Generative Modeling, arXiv:2210.02747.

    Example:
        >>> FlowMatching().sample(Rng(0, 4), steps=5).shape
        torch.Size([4, 2])
    """

    about = About(
        title="Flow matching",
        line="Learns a wind that blows noise to data, and follows it.",
        intuition="Draw a straight line from a random noise to a random datum, many times. At a point in between, lines"
        " of many pairs cross; the network learns their average direction. Follow those directions from any noise and"
        " you arrive at data.",
        pros="Training is plain regression: quick and stable, without a game or a simulation. The flow can be reversed,"
        " so every datum has a code and an exact density.",
        cons="A sample or a density takes many passes of the network. In many dimensions the density can only be"
        " estimated.",
        training="Pick a datum, a noise and a time; the network sees the point between them and must answer the"
        " difference of the two. The error is a plain squared difference. Pairing each noise with a near datum makes"
        " the paths straighter.",
        latent="Yes: the start of the path, as large as the datum, standard normal.",
        sampling="Draw noise and follow the velocity from time 0 to time 1 in small steps.",
        density="Exactly, up to the solver's error: follow the flow back to the noise and add up how much it has"
        " spread or squeezed on the way.",
        paper="Lipman, Chen, Ben-Hamu, Nickel and Le 2023, Flow Matching for Generative Modeling",
        arxiv="2210.02747",
    )
    field_name = "velocity"
    rate: ClassVar[float] = 4e-3
    preview: ClassVar[dict[str, Any]] = {"steps": 12, "solver": "Adams-Bashforth"}

    def __init__(
        self, shape: tuple[int, ...] = (2,), width: int = 64, depth: int = 3, pairing: str = "independent"
    ) -> None:
        if pairing not in ("independent", "optimal transport"):
            raise ValueError(f'pairing must be "independent" or "optimal transport"; it was {pairing!r}.')
        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.pairing = pairing
        self.net = ode.plane_mlp(shape[0], times=1, width=width, depth=depth)

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=8, depth=2)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Mean squared error of the velocity, in data units squared."""
        inputs, velocity = self._lines(x, generator)
        return {"mse": F.mse_loss(self.net(inputs), velocity)}

    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        return ode.match(self.net, *self._lines(x, generator))

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """The network's answer, (n, D), at points (n, D) and a time from 0, noise, to 1, data."""
        return self.net(ode.at_time(x, t))

    def field(self, x: Tensor, t: float) -> Tensor:
        """The velocity."""
        return self.velocity(x, t)

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The datum expected of it plus noise: at time 1 / (1 + sigma) the flow is there, shrunk by that factor."""
        t = 1 / (1 + sigma[:, None])
        return t * x + (1 - t) * self.net(torch.cat([t * x, t], 1))

    @torch.no_grad()
    def refine(
        self,
        rng: Rng,
        *,
        solver: Annotated[str, Choice("Euler", "Heun", "RK4", help="takes 1, 2 or 4 network passes a step")] = "RK4",
        steps: Annotated[int, Slider(1, 100, help="steps from noise to data")] = 10,
    ) -> Iterator[State]:
        """Follows the velocity in equal steps of time."""
        for done, x in enumerate(ode.follow(self.velocity, rng.normal(*self.shape), _times(steps), solver), 1):
            yield State(x, done, steps, f"t = {done / steps:.2f}")

    @torch.no_grad()
    def carry(self, z: Tensor) -> Tensor:
        return torch.stack([z, *ode.follow(self.velocity, z, _times(PATH))])

    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        return self.carry(z)[-1]

    @torch.no_grad()
    def encode(self, x: Tensor, **knobs: Any) -> Tensor:
        """The noise that the flow would carry to x, (n, D)."""
        *_, z = ode.follow(self.velocity, x, _times(PATH)[::-1])
        return z

    @torch.no_grad()
    def log_prob(
        self,
        x: Tensor,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(4, 128, help="of the solver; more is more exact")] = 32,
        solver: Annotated[str, Choice(*ode.SOLVERS, help="4 evaluations a step, or 1")] = "Runge-Kutta",
    ) -> LogProb:
        """Exact up to the solver's error, by the flow from the data back to the noise."""

        def field(x: Tensor, t: float) -> tuple[Tensor, Tensor]:
            return ode.with_trace(self.net, ode.at_time(x, t))

        nats = ode.log_density(field, x, _times(steps)[::-1], solver)
        return LogProb(nats, "exact", "continuous")

    def straighten(self, noise: Tensor, x: Tensor, generator: torch.Generator) -> Tensor:
        """``gradient`` with pairs that are given, noise and its own end of a flow: reflow (see ``lab/reflow.py``)."""
        return ode.match(self.net, *_between(noise, x, generator))

    def _lines(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        noise = torch.randn(x.shape, generator=generator, device=x.device)
        return _between(_paired(noise, x) if self.pairing == "optimal transport" else noise, x, generator)


def _between(noise: Tensor, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points on the lines from noise to data with their times, (n, D + 1), and the lines' velocities, (n, D)."""
    t = torch.rand(len(x), 1, generator=generator, device=x.device)
    velocity = x - noise
    return torch.cat([torch.addcmul(noise, t, velocity), t], 1), velocity


def _times(steps: int) -> list[float]:
    return [k / steps for k in range(steps + 1)]


def _paired(noise: Tensor, x: Tensor) -> Tensor:
    """The noises (n, D), swapped within groups to make their squared distances to the data x (n, D) small.

    The sum of squared distances is least where that of the inner products is greatest: the squares of both stay.
    """
    order = []
    for start in range(0, len(x), GROUP):
        alike = x[start : start + GROUP] @ noise[start : start + GROUP].T
        order.append(start + linear_sum_assignment(alike.cpu().numpy(), maximize=True)[1])
    return noise[torch.from_numpy(np.concatenate(order)).to(x.device)]
