"""An autoregressive model whose conditionals are mixtures (Uria, Murray and Larochelle 2013, arXiv:1306.0186)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, final

import torch
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Density, LogProb, Refines, Sprints, State
from playground.families.layers import Mlp
from playground.families.realnvp import REACH, spread_bends
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 61  # among the families on a page

NARROWEST, WIDEST = 0.02, 5.0  # standard deviations: a component can neither collapse onto a datum nor run away
MIDDLE, HALF = math.log(NARROWEST * WIDEST) / 2, math.log(WIDEST / NARROWEST) / 2  # of the interval of their logs


@final
class AutoregressiveMixture(Sprints, Refines, Density):
    """p(x1) p(x2 | x1) ...: each factor a mixture of Gaussians that a network reads off the earlier numbers.

    A density network for mixtures (Bishop 1994, Mixture density networks, NCRG/94/004) per factor; all together they
    are RNADE, here without its shared weights. The gradient is in closed form: a component is pulled by its
    responsibility for the datum.

    Args:
        shape: one datum, (D,).
        components: Gaussians in each mixture.
        width: hidden units of each network.
        depth: hidden layers of it.

    Reference:
        Uria, Murray and Larochelle 2013, RNADE: The real-valued neural autoregressive density-estimator,
        arXiv:1306.0186.

    Example:
        >>> AutoregressiveMixture().sample(Rng(0, 4)).shape
        torch.Size([4, 2])
    """

    rate: ClassVar[float] = 5e-3
    cannot = {
        "Encodes": "it has no latent: a datum is drawn number by number, each from a list of odds",
        "Decodes": "it has no latent: a datum is drawn number by number, each from a list of odds",
        "Reconstructs": "it has no latent: there is no code that a datum could come back from",
        "Denoises": "it never sees noisy data: it predicts the next number from those before it",
        "Fields": "it draws one number after the other: nothing is moved",
        "Carries": "it has no latent: the next number is drawn, not moved there from a start",
    }
    about = About(
        title="Autoregressive mixture",
        line="Draws the first number, then the second one knowing the first.",
        intuition="Tell where a point is by its left-right position first. Given that, say how likely every height is:"
        " a few bell curves, whose places, widths and weights a network reads off the position. Multiply the two"
        " probabilities and you have the probability of the point.",
        pros="Exact density, and no trouble with modes that are apart: a mixture can leave a gap. Often the best fit of"
        " all within a second.",
        cons="The order is arbitrary, and the first number must be modelled blind. Long data take as many steps to draw"
        " as they have numbers.",
        training="Maximise the exact log-likelihood: each number is predicted from those before it, all at once.",
        latent="None: there is no code behind a datum.",
        sampling="Draw the first number from its mixture, hand it to the network, draw the next one from the mixture"
        " that the network answers.",
        density="Exact: the product of the mixtures' densities, one for each number.",
        paper="Uria, Murray and Larochelle 2013, RNADE: The real-valued neural autoregressive density-estimator",
        arxiv="1306.0186",
    )

    def __init__(self, shape: tuple[int, ...] = (2,), components: int = 16, width: int = 64, depth: int = 2) -> None:
        super().__init__()
        if len(shape) != 1:
            raise ValueError(f"shape must be (D,); it was {tuple(shape)}.")
        self.shape = tuple(shape)
        self.components = components
        scale = torch.full((components,), math.atanh((math.log(0.5) - MIDDLE) / HALF))
        start = torch.stack([torch.zeros(components), torch.linspace(1 - REACH, REACH - 1, components), scale])
        self.first = nn.Parameter(start.clone())  # log-weights, means and bent log-scales of p(x1), (3, K)
        self._nets = tuple(Mlp(i, width, 3 * components, depth, zero=True) for i in range(1, shape[0]))
        self.nets = nn.ModuleList(self._nets)
        for net in self._nets:
            spread_bends(net)
            net.biases[-1].data.copy_(start.flatten())

    @classmethod
    def tiny(cls) -> Self:
        return cls(components=3, width=8)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The exact negative log-likelihood in nats."""
        return {"nats": -self._nats(x).mean()}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        n, (size,) = len(x), self.shape
        ahead = [net.ahead(x[:, :i]) for i, net in enumerate(self._nets, 1)]
        raw = torch.stack([self.first.flatten().expand(n, -1), *(out for out, _ in ahead)])
        logit, mean, bend = raw.view(size, n, 3, -1).unbind(2)  # (D, n, K) each
        bend, log_weight = bend.tanh(), logit.log_softmax(2)
        log_scale = MIDDLE + HALF * bend
        precision = (-log_scale).exp()
        d = (x.T[..., None] - mean) * precision
        joint = log_weight - log_scale - d.square() / 2
        each = joint.logsumexp(2, keepdim=True)
        pull = (joint - each).exp() / -n  # the responsibilities: Bishop 1994, equation 31
        g = torch.empty_like(raw).view(size, n, 3, -1)
        g[:, :, 0] = torch.add(pull, log_weight.exp(), alpha=1 / n)
        pulled = pull * d
        g[:, :, 1] = pulled * precision
        g[:, :, 2] = torch.ops.aten.tanh_backward(HALF * (pulled * d - pull), bend)
        self.first.grad = g[0].sum(0) if self.first.grad is None else self.first.grad.copy_(g[0].sum(0))
        for net, (_, tape), g_raw in zip(self._nets, ahead, g[1:].flatten(2), strict=True):
            net.back(tape, g_raw)
        return size / 2 * math.log(2 * math.pi) - each.sum() / n

    def conditional(self, given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mixture of the next number given the first ones, (n, i): log-weights, means, log-scales, (n, K) each."""
        i = given.shape[1]
        raw = self._nets[i - 1](given).unflatten(1, (3, -1)) if i else self.first.expand(len(given), -1, -1)
        logit, mean, bend = raw.unbind(1)
        return logit.log_softmax(1), mean, MIDDLE + HALF * bend.tanh()

    def _nats(self, x: Tensor) -> Tensor:
        nats = x.new_zeros(len(x))
        for i in range(x.shape[1]):
            log_weight, mean, log_scale = self.conditional(x[:, :i])
            d = (x[:, i, None] - mean) / log_scale.exp()
            nats = nats + (log_weight - log_scale - d.square() / 2).logsumexp(1)
        return nats - x.shape[1] / 2 * math.log(2 * math.pi)

    @torch.no_grad()
    def refine(
        self, rng: Rng, *, temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="less noise, safer data")] = 1.0
    ) -> Iterator[State]:
        """Number by number; those that are not drawn yet are zero. ``temperature`` narrows every Gaussian."""
        x = torch.zeros(len(rng), *self.shape, device=self.device)
        yield State(x, 0, len(x[0]), "nothing drawn yet")
        for i in range(len(x[0])):
            log_weight, mean, log_scale = self.conditional(x[:, :i])
            edges = log_weight.exp().cumsum(1)
            which = (edges < rng.uniform(1)).sum(1, keepdim=True).clamp(max=self.components - 1)
            grain = temperature * rng.normal(1) * log_scale.gather(1, which).exp()
            x = x.clone()
            x[:, i : i + 1] = mean.gather(1, which) + grain
            yield State(x, i + 1, len(x[0]), f"number {i + 1} of {len(x[0])}")

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        """Exact: the sum of the conditionals' log-densities, equation 1."""
        return LogProb(self._nats(x), "exact", "continuous")
