"""Deterministic against ancestral sampling in ten steps (Song, Meng and Ermon 2021, arXiv:2010.02502, table 1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playground.catalog import Metric
from playground.evaluation.fidelity import check_enough, distances, judge_of
from playground.evaluation.parts import Part, Task
from playground.evaluation.pictures import SEED, drawn, measure_of, real, sample_knobs
from playground.knobs import Choice

STEPS = 10
SAMPLERS = ("ddim", "ddpm")
MORE = 5  # times as many samples as other distances take: two samplers of one model differ by little


def offered(task: Task) -> dict[str, str]:
    """The options of the model's ``sampler`` knob that begin with one of the names, such as ``DDPM, ancestral``."""
    spec = sample_knobs(task).get("sampler")
    options = spec.knob.options if spec and isinstance(spec.knob, Choice) else ()
    return {name: option for option in options for name in SAMPLERS if option.lower().startswith(name)}


def measure(task: Task) -> dict[str, Metric]:
    """The Frechet distance of either sampler: without guidance, and with as much as the model has by default."""
    task = replace(task, options=replace(task.options, n=MORE * task.options.n))
    judge = judge_of(task)
    check_enough(task, judge.model.feature_size)
    ways: dict[str, dict[str, Any]] = {"": {"steps": STEPS}}
    guidance = sample_knobs(task).get("guidance_scale")
    if guidance:
        ways = {"": {"steps": STEPS, "guidance_scale": 1.0}}
        ways["_guided"] = {"steps": STEPS, "guidance_scale": guidance.default}
    test = real(task.card.data, measure_of(task), "test", task.options.n)
    found = {}
    for ending, settings in ways.items():
        for name, option in offered(task).items():
            tag = f"{name}_{STEPS}{ending}"
            fake = drawn(task, tag, {**settings, "sampler": option})
            found[f"frechet_{tag}"] = distances(judge, fake, test, ("frechet",))["frechet"]
    return found


part = Part(
    "samplers",
    fits=lambda task: len(offered(task)) == len(SAMPLERS),
    settings=lambda task: {
        "n": MORE * task.options.n,
        "judge": judge_of(task).card.sha256,
        "seed": SEED,
        "steps": STEPS,
    },
    measure=measure,
    draws=True,
)
