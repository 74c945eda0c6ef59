"""Filling in what is hidden of a picture with a network that removes noise: what diffusion and its kin share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from playground.rng import Rng

Denoise = Callable[[Tensor, Tensor, Tensor], Tensor]  # of noisy data (n, *shape), deviations (n,) and classes (n,)
Guess = Callable[[Tensor], Tensor]

WILD, CALM = 6.0, 0.5  # noise levels, in deviations of the data, between which the class is found out
COMPLETING = (
    "Drawn from noise; at every step what is known is put in place, and the rest is moved so that the network would"
    " have guessed it. Unless told, the class is found out on the way, from how well each class explains what is known."
)
GRIP = 3.0  # deviations of the data: the noise of an edit half way between faithful and free
NEGLIGIBLE = 0.01  # of the odds: a class of less is not looked at any more


class Class:
    """What is believed of the class of each datum while it is drawn.

    A step that takes the noise from s to t tells of class c 1/2 (1/t^2 - 1/s^2) |seen - guess_c|^2 nats less than of a
    class that guessed it right, where ``seen`` is what is known of the datum, and the step that was taken where it is
    not: Bayes' rule for the normal distributions of the steps. (Summed over the way down, for whole data, these are
    what Li et al. 2023, arXiv:2303.16203, equation 5, classify by.)

    Args:
        denoise: the network, for a class or, with index ``classes``, any.
        n: how many data.
        classes: how many there are.
        told: (n,) the class of each, or None.
        choice: (n, 1) uniform, which draws the class in the end.
        scale: of the guidance away from any class, once the class is known; 1 is none.
    """

    def __init__(
        self, denoise: Denoise, n: int, classes: int, told: Tensor | None, choice: Tensor, scale: float
    ) -> None:
        self.denoise, self.label, self.choice, self.scale = denoise, told, choice, scale
        self.any = torch.full((n,), classes, device=choice.device)
        self.nats = choice.new_zeros(n, classes)
        self.asked: tuple[Tensor, Tensor, Tensor] | None = None

    def guess(self, x: Tensor, sigma: float, spread: float) -> Tensor:
        """The clean data expected of noisy ones, (n, *shape): of the class, or of all weighed by what is believed."""
        self.asked = None
        if self.label is None and sigma <= CALM * spread:
            self.label = (self.nats.softmax(1).cumsum(1)[:, :-1] <= self.choice).sum(1)
        level = x.new_full((len(x),), sigma)
        if self.label is not None:
            wanted = self.denoise(x, level, self.label)
            return wanted if self.scale == 1 else wanted.lerp(self.denoise(x, level, self.any), 1 - self.scale)
        if sigma > WILD * spread:
            return self.denoise(x, level, self.any)
        odds = self.nats.softmax(1)
        odds = odds * (odds > NEGLIGIBLE)
        rows, column = odds.nonzero().unbind(1)
        each = self.denoise(x[rows], level[rows], column)
        self.asked = rows, column, each.detach()
        share = (odds / odds.sum(1, keepdim=True))[rows, column]
        return torch.zeros_like(x).index_add(0, rows, share.view(-1, *[1] * (x.dim() - 1)) * each)

    def learn(self, seen: Tensor, gain: float) -> None:
        """Take in what the step showed, (n, *shape), ``gain`` being 1/t^2 - 1/s^2."""
        if self.asked is None:
            return
        rows, column, each = self.asked
        nats = torch.full_like(self.nats, -torch.inf)
        nats[rows, column] = self.nats[rows, column] - gain / 2 * (seen[rows] - each).square().flatten(1).sum(1)
        self.nats = nats


def filled(
    given: Tensor, known: Tensor, believed: Class, rng: Rng, sigmas: list[float], spread: float
) -> Iterator[tuple[Tensor, Tensor]]:
    """From noise to data of which some elements are known: the state and the clean datum guessed, after each step.

    Steps are those of ``samplers.ancestral``. In each clean datum what is known is put in place, and what is not is
    moved so that the network's guess of the known comes true: Song, Vahdat, Mardani and Kautz 2023, Pseudoinverse-
    Guided Diffusion Models for Inverse Problems, ICLR, equation 7, without noise in what is known.

    Args:
        given: (n, *shape) data in the network's units.
        known: (n, *shape) bool.
        believed: the network, and what is believed of each datum's class.
        rng: draws the noise.
        sigmas: falling noise levels that end in 0.
        spread: the data's standard deviation in these units.
    """
    noise = sigmas[0] * rng.normal(*given.shape[1:])
    x = torch.where(known, given + noise, noise)
    for now, then in pairwise(sigmas):
        clean = torch.where(known, given, _agreed(believed, x, given, known, now, spread))
        share = (then / now) ** 2
        low = clean + share * (x - clean)
        if then > 0:
            low = low + then * (1 - share) ** 0.5 * rng.normal(*x.shape[1:])
            believed.learn(torch.where(known, given, (low - share * x) / (1 - share)), 1 / then**2 - 1 / now**2)
        x = low
        yield x, clean


def _agreed(believed: Class, x: Tensor, given: Tensor, known: Tensor, sigma: float, spread: float) -> Tensor:
    """The guess, moved along its derivative by what it gets wrong of the known."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        clean = believed.guess(x, sigma, spread)
        wrong = torch.where(known, given - clean.detach(), 0.0)
        slope = torch.autograd.grad((clean * wrong).sum(), x)[0]
    return clean.detach() + (1 + (sigma / spread) ** 2) * slope


def noise_of(strength: float, spread: float, most: float) -> float:
    """The noise level at which an edit of this strength, below 1, begins; ``most`` is where drawing begins."""
    return min(most, GRIP * spread * strength / (1 - strength)) if strength < 1 else most
