"""The recipes: one file per pretrained model, each defining ``recipe``; ``playground.train`` runs them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from playground.capabilities import Model


@dataclass(frozen=True)
class Recipe:
    """How one pretrained model is made: a frozen value.

    Args:
        name: the model's name, and its folder's.
        model: makes the untrained model; a ``functools.partial`` over a family, whose keywords go on the card.
        data: a data set's name.
        steps: optimiser steps, or iterations of a model that is fitted.
        batch: data per step.
        lr: peak learning rate, by player or for all; cosine to zero after ``warmup`` steps.
        betas: of Adam.
        weight_decay: decoupled, as in AdamW.
        warmup: steps of linear warm-up.
        ema: decay of the averaged weights, which are the ones stored; 0 stores the last ones.
        clip: the largest gradient norm.
        seed: of everything random in the run.
        labelled: how many data keep their label, equally many of each class, which then make half of every batch; the
            others' label is -1. None: all keep it.
        begins: the pretrained model of the same family and sizes whose weights the run begins with.
        teacher: the pretrained model that a ``Distils`` model learns from.
        device: the device it was written for, ``cpu`` or ``cuda``; the latter's recipes form the GPU queue.
        value: the order in the GPU queue, highest first.
        half: store the weights in half precision, for those that would be larger than 9 MB.
        expects: the metric it should reach, in words.
        published: numbers from the literature to show beside ours: metric, value, source.
        licence: of the weights, with that of the data.
    """

    name: str
    model: Callable[[], Model]
    data: str
    steps: int
    batch: int = 128
    lr: float | dict[str, float] = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    warmup: int = 200
    ema: float = 0.999
    clip: float = 1.0
    seed: int = 0
    labelled: int | None = None
    begins: str = ""
    teacher: str = ""
    device: str = "cpu"
    value: float = 0.0
    half: bool = False
    expects: str = ""
    published: tuple[dict[str, Any], ...] = ()
    licence: str = "Apache-2.0"
    init: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "init", dict(getattr(self.model, "keywords", {})))


@cache
def recipes() -> dict[str, Recipe]:
    """Every recipe, by the name of the model it trains."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return {m.recipe.name: m.recipe for m in modules}
