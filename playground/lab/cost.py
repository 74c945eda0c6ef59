"""What a sample costs: quality against the number of times that the network is evaluated, from the same noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from playground.capabilities import Refines
from playground.knobs import Choice, Refused, Spec, knobs
from playground.lab.metrics import sliced_wasserstein
from playground.rng import Stream

EVALUATIONS = (1, 2, 4, 8, 16, 32, 64)
POINTS = 2000
PER_STEP = {"heun": 2, "rk4": 4, "predictor-corrector": 2}  # evaluations of the network; all others take one


def samplers(family: type[Refines]) -> dict[str, tuple[str, ...]]:
    """The one knob that names the samplers of ``family``, and their names; empty if it has no such choice.

    Raises:
        Refused: the number of steps cannot be chosen, so there is nothing to compare.
    """
    specs = {spec.name: spec for spec in _own(family)}
    if "steps" not in specs:
        raise Refused("This learner draws in one go: there are no steps to count.")
    return {name: spec.knob.options for name, spec in specs.items() if isinstance(spec.knob, Choice)}


def per_step(sampler: str) -> int:
    """How often one step of ``sampler`` evaluates the network."""
    return PER_STEP.get(sampler.lower().replace(" ", "-"), 1)


@torch.no_grad()
def cost(
    model: Refines, truth: np.ndarray, sampler: str | None, seed: int, evaluations: Sequence[int] = EVALUATIONS
) -> Iterator[dict[str, Any] | None]:
    """Sliced Wasserstein distance to ``truth`` after so many evaluations, all from the same noise.

    Args:
        model: draws in steps.
        truth: (n, 2) samples of the target.
        sampler: one of the names in ``samplers``; None where there is no choice.
        seed: of the noise.
        evaluations: how many; those that are no whole number of the sampler's steps are left out.

    Yields:
        None after each of the counts; at last ``sampler``, ``evaluations`` and ``sliced`` (data units), two lists of
        one length, and ``floor``: the distance of the two halves of ``truth``, of which the first is what samples are
        compared with.

    Raises:
        Refused: no such sampler, or no steps to count.
    """
    choices = samplers(type(model))
    chosen = {name: sampler for name, options in choices.items() if sampler in options}
    if sampler is not None and not chosen:
        known = ", ".join(option for options in choices.values() for option in options) or "no choice of samplers"
        raise Refused(f"This learner has no sampler of that name; it has {known}.")
    each = per_step(sampler or "")
    counts = [n for n in evaluations if n >= each and n % each == 0]
    half = len(truth) // 2
    distances = []
    for count in counts:
        drawn = model.sample(Stream(seed, half), steps=count // each, **chosen).numpy()
        distances.append(float(sliced_wasserstein(drawn, truth[:half])))
        yield None
    floor = float(sliced_wasserstein(truth[half : 2 * half], truth[:half]))
    yield {"sampler": sampler, "evaluations": counts, "sliced": distances, "floor": floor}


def _own(family: type[Refines]) -> tuple[Spec, ...]:
    return knobs(family.refine) or knobs(family.sample)
