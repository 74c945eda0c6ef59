"""Sample quality against the number of steps, and against guidance: Frechet distance and right classes at a few values.

Guidance trades variety for quality (Ho and Salimans 2022, arXiv:2207.12598, figure 4).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from playground.capabilities import Samples
from playground.catalog import Metric
from playground.evaluation.fidelity import check_enough, distances, judge_of, label_accuracy
from playground.evaluation.parts import Part, Task
from playground.evaluation.pictures import SEED, as_binary, drawn, measure_of, real, sample_knobs
from playground.evaluation.progress import shared
from playground.knobs import Slider
from playground.rng import Rng

MOST = 1000  # samples at each value
LONGEST = 600.0  # seconds of one processor, five minutes of two, for one value: what would take longer is left out
TRIAL = 20  # samples to time
SWEPT = {"steps": ("steps", (1, 2, 4, 8, 16, 32)), "guidance_scale": ("guidance", (1.0, 1.5, 2.0, 3.0, 5.0))}


def points(task: Task) -> Iterator[tuple[str, dict[str, Any]]]:
    """The end of a metric's key, and the one knob that is set: to values in its limits, and to a greater default."""
    for name, spec in sample_knobs(task).items():
        if name in SWEPT and isinstance(spec.knob, Slider):
            short, values = SWEPT[name]
            for value in sorted({*values, max(*values, spec.default)}):
                if spec.knob.low <= value <= spec.knob.high:
                    yield f"{short}_{value:g}", {name: value}


@torch.no_grad()
def expected_seconds(task: Task, settings: dict[str, Any]) -> float:
    """How long all samples will take, from a few."""
    assert isinstance(task.model, Samples)
    begun = time.process_time()
    task.model.sample(Rng(SEED, TRIAL), **settings)
    return (time.process_time() - begun) * task.options.n / TRIAL


def fewer(task: Task) -> Task:
    """The task with as many samples as a value gets."""
    return replace(task, options=replace(task.options, n=min(MOST, task.options.n)))


def measure(task: Task) -> dict[str, Metric]:
    """Distances to the test pictures at each value, and the floor; with guidance also how often the class is right."""
    task = fewer(task)
    judge, n, pixels = judge_of(task), task.options.n, measure_of(task)
    check_enough(task, judge.model.feature_size)
    test = real(task.card.data, pixels, "test", n)
    key = {"data": task.card.data, "measure": pixels, **settings(task)}
    train = real(task.card.data, pixels, "train", n)
    floor = shared(task, "sweeps", key, lambda: distances(judge, train, test, ("frechet",)))
    found = {"frechet_sweep_floor": floor["frechet"]}
    for ending, knob in points(task):
        seconds = expected_seconds(task, knob)
        if seconds > LONGEST:
            task.say(f"{ending} is left out of the sweeps: {n} samples would take {seconds / 60:.0f} minutes.")
            continue
        fake = drawn(task, ending, knob)
        shown = as_binary(fake) if pixels == "binary pixels" else fake
        found[f"frechet_{ending}"] = distances(judge, shown, test, ("frechet",))["frechet"]
        if ending.startswith("guidance"):
            found |= {f"{k}_{ending}": v for k, v in label_accuracy(judge, fake).items()}
    return found


def settings(task: Task) -> dict[str, Any]:
    """The values, and how they are measured."""
    judge = judge_of(task).card.sha256
    return {"n": fewer(task).options.n, "judge": judge, "seed": SEED, "values": [list(v) for _, v in SWEPT.values()]}


part = Part(
    "sweeps",
    fits=lambda task: isinstance(task.model, Samples) and any(points(task)),
    settings=settings,
    measure=measure,
    draws=True,
)
