"""Filling in what is hidden of a picture with a network that removes noise: what diffusion and its kin share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from playground.rng import Rng

Denoise = Callable[[Tensor, Tensor, Tensor], Tensor]  # of noisy data (n, *shape), deviations (n,) and classes (n,)

COMPLETING = (
    "Drawn from noise; at every step what is known is put in place, and the rest is moved so that the network would"
    " have guessed it. Unless told, each ending's class is drawn first, by how well each class explains what is known."
)
GRIP = 3.0  # deviations of the data: the noise of an edit half way between faithful and free
TELLING = (5.0, 3.5, 2.5, 1.8)  # noise levels, in deviations of the data, that tell classes apart best
SEED = 0  # of the noise by which classes are weighed: the same for equal pictures


def guided_guess(denoise: Denoise, told: Tensor, everyone: int, scale: float) -> Callable[[Tensor, float], Tensor]:
    """The guess of clean data of classes ``told``, (n,), pushed away from that for any class (number ``everyone``).

    Ho and Salimans 2022, arXiv:2207.12598, equation 6, with ``scale`` their 1 + w.
    """
    anyone = torch.full_like(told, everyone)

    def guess(y: Tensor, sigma: float) -> Tensor:
        level = y.new_full((len(y),), sigma)
        wanted = denoise(y, level, told)
        return wanted if scale == 1 else wanted.lerp(denoise(y, level, anyone), 1 - scale)

    return guess


@torch.no_grad()
def suggested(denoise: Denoise, given: Tensor, known: Tensor, classes: int, spread: float, choice: Tensor) -> Tensor:
    """Classes (n,) drawn by how well each explains what is known of a datum.

    Noise is added, and each class takes it away; going from level s down to t, it loses 1/2 (1/t^2 - 1/s^2)
    |known - guess|^2 nats (Li et al. 2023, Your Diffusion Model is Secretly a Zero-Shot Classifier, arXiv:2303.16203,
    equation 5, on what is known). Where nothing is known, each class is given its own guess from the level before.

    Args:
        denoise: the network.
        given: (n, *shape) data in its units, dequantised with one and the same draw.
        known: (n, *shape) bool.
        classes: how many there are, all as likely beforehand.
        spread: the data's standard deviation.
        choice: (n, 1) uniform, which draws the class.
    """
    seen, which = torch.cat([torch.where(known, given, 0.0), known.float()], 1).unique(dim=0, return_inverse=True)
    fixed, there = seen.chunk(2, 1)  # nine endings of one picture are weighed once
    y, there = fixed.repeat_interleave(classes, 0), there.bool().repeat_interleave(classes, 0)
    label = torch.arange(classes, device=y.device).repeat(len(seen))
    generator = torch.Generator().manual_seed(SEED)
    nats, guess = y.new_zeros(len(y)), torch.zeros_like(y)
    for now, then in pairwise(spread * level for level in TELLING):
        noise = torch.randn(given.shape[1:], generator=generator).to(y.device)
        start, level = torch.where(there, y, guess), y.new_full((len(y),), now)
        pair = [denoise(start + sign * now * noise, level, label) for sign in (-1, 1)]  # much of the noise cancels out
        wrong = sum(torch.where(there, y - each, 0.0).square().flatten(1).sum(1) for each in pair) / 2
        nats = nats - 0.5 * (1 / then**2 - 1 / now**2) * wrong
        guess = (pair[0] + pair[1]) / 2
    odds = nats.view(-1, classes).softmax(1)[which]
    return (odds.cumsum(1)[:, :-1] <= choice).sum(1)


def filled(
    guess: Callable[[Tensor, float], Tensor],
    given: Tensor,
    known: Tensor,
    rng: Rng,
    sigmas: list[float],
    spread: float,
) -> Iterator[tuple[Tensor, Tensor]]:
    """From noise to data of which some elements are known: the state and the clean datum guessed, after each step.

    Steps are those of ``samplers.ancestral``. In each clean datum what is known is put in place, and what is not is
    moved so that the network's guess of the known comes true: Song, Vahdat, Mardani and Kautz 2023, Pseudoinverse-
    Guided Diffusion Models for Inverse Problems, ICLR, equation 7, without noise in what is known. For independent
    normal elements it is exact.

    Args:
        guess: the clean data expected of noisy ones.
        given: (n, *shape) data in the network's units.
        known: (n, *shape) bool.
        rng: draws the noise.
        sigmas: falling noise levels that end in 0.
        spread: the data's standard deviation in these units.
    """
    noise = sigmas[0] * rng.normal(*given.shape[1:])
    x = torch.where(known, given + noise, noise)
    for now, then in pairwise(sigmas):
        clean = torch.where(known, given, _agreed(guess, x, given, known, now, spread))
        share = (then / now) ** 2
        x = clean + share * (x - clean)
        if then > 0:
            x = x + then * (1 - share) ** 0.5 * rng.normal(*x.shape[1:])
        yield x, clean


def noise_of(strength: float, spread: float, most: float) -> float:
    """The noise level at which an edit of this strength begins; ``most``, where drawing begins, for strength 1."""
    return min(most, GRIP * spread * strength / (1 - strength)) if strength < 1 else most


def _agreed(
    guess: Callable[[Tensor, float], Tensor], x: Tensor, given: Tensor, known: Tensor, sigma: float, spread: float
) -> Tensor:
    """The guess, moved along its derivative by what it gets wrong of the known."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        clean = guess(x, sigma)
        wrong = torch.where(known, given - clean.detach(), 0.0)
        slope = torch.autograd.grad((clean * wrong).sum(), x)[0]
    return clean.detach() + (1 + (sigma / spread) ** 2) * slope
