"""How often a model's network is passed for one sample: what its speed is made of on any machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from playground.capabilities import Samples
from playground.catalog import Metric
from playground.evaluation.parts import Part, Task
from playground.evaluation.pictures import SEED, described, sample_knobs
from playground.rng import Rng


def size(module: nn.Module) -> int:
    """How many parameters a module has."""
    return sum(p.numel() for p in module.parameters())


@contextmanager
def counted(model: nn.Module) -> Iterator[Counter[str]]:
    """Count how many data pass forward through each module below ``model``, by its dotted name."""
    passed: Counter[str] = Counter()

    def count(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], out: Any) -> None:
        tensors = [v for v in (*args, *kwargs.values()) if isinstance(v, Tensor) and v.ndim]
        passed[name] += len(tensors[0]) if tensors else 1

    hooks = [
        module.register_forward_hook(partial(count, name), with_kwargs=True)
        for name, module in model.named_modules()
        if name and size(module)
    ]
    try:
        yield passed
    finally:
        for hook in hooks:
            hook.remove()


def evaluations(model: nn.Module, draw: Callable[[], Any]) -> dict[str, int]:
    """How many data pass through each part of a model while one is drawn, by the part's name; parts unused left out.

    A part is a direct child of the model, and is counted by the largest module in it that is called: networks with a
    memory are called layer by layer, never as a whole.
    """
    with counted(model) as passed:
        draw()
    sizes = {name: size(model.get_submodule(name)) for name in passed}
    found: dict[str, int] = {}
    for name in sorted(passed, key=lambda n: (-sizes[n], n.count("."))):
        found.setdefault(name.partition(".")[0], passed[name])
    return found


@torch.no_grad()
def measure(task: Task) -> dict[str, Metric]:
    """The evaluations of the part that is passed most often, with all parts in the protocol."""
    model = task.model
    assert isinstance(model, Samples)
    found = evaluations(model, lambda: model.sample(Rng(SEED, 1)))
    parts = ", ".join(f"{name} {times}" for name, times in found.items()) or "none: its samples are closed formulas"
    protocol = (
        f"Forward passes of the network to draw one sample ({described(sample_knobs(task), {})}), counted by hooks; a "
        f"pass of a batch counts once for each member. By part of the model: {parts}."
    )
    return {"network_evaluations": Metric(max(found.values(), default=0), None, 1, "exact", "none", protocol)}


part = Part(
    "network",
    fits=lambda task: isinstance(task.model, Samples),
    settings=lambda task: {"seed": SEED},
    measure=measure,
    media=("pictures", "drawings"),
)
