"""Rectified flow (Liu, Gong and Liu 2022, arXiv:2209.03003): a flow is taught again, on its own pairs of noise and end.

Lines between any noise and any datum cross, and where they cross the flow must bend. The flow's own paths never cross:
lines between their two ends seldom do, so the flow that learns those lines is nearly straight, and a step or two of
Euler's follow it (section 2.2, the reflow procedure; their 2-rectified flow).
"""

from __future__ import annotations

import copy
from collections.abc import Generator

import torch

from playground.families.flow_matching import FlowMatching
from playground.lab.trainer import Player
from playground.rng import stream

PAIRS, SOLVED = 8192, 256  # pairs in all, and of them so many at a time
STEPS, AT_ONCE = 1500, 25  # of training; without a break
BATCH = 256


def reflow(flow: FlowMatching, seed: int) -> Generator[None, None, FlowMatching]:
    """A straighter flow, taught from the weights of ``flow`` on; the generator yields after each piece of the work.

    Args:
        flow: trained; not changed.
        seed: of the noises, the batches and the times.
    """
    generator = torch.Generator().manual_seed(stream(seed, 0))
    model = copy.deepcopy(flow)
    noise = torch.randn(PAIRS, *flow.shape, generator=generator)
    ends = []
    for part in noise.split(SOLVED):
        ends.append(flow.decode(part))
        yield
    x = torch.cat(ends)
    player = Player(list(model.parameters()), FlowMatching.rate, (0.9, 0.99))
    for done in range(STEPS):
        batch = torch.randint(PAIRS, (BATCH,), generator=generator)
        model.straighten(noise[batch], x[batch], generator)
        player.step(0.5 * (1 - done / STEPS))  # down to nothing, in place of an average
        if done % AT_ONCE == AT_ONCE - 1:
            yield
    return model
