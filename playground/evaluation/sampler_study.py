"""Deterministic against ancestral sampling in ten steps (Song, Meng and Ermon 2021, arXiv:2010.02502, table 1)."""

from __future__ import annotations

from typing import Any

from playground.catalog import Metric
from playground.evaluation.fidelity import check_enough, compare, judge_of
from playground.evaluation.parts import Part, Task
from playground.evaluation.pictures import SEED, drawn, measure_of, real, sample_knobs
from playground.knobs import Choice

STEPS = 10
SAMPLERS = ("DDIM", "DDPM")


def options_of(task: Task) -> tuple[str, ...]:
    """What the model's ``sampler`` knob offers, or nothing."""
    spec = sample_knobs(task).get("sampler")
    return spec.knob.options if spec and isinstance(spec.knob, Choice) else ()


def measure(task: Task) -> dict[str, Metric]:
    """The Frechet distance of either sampler, without guidance."""
    judge = judge_of(task)
    check_enough(task, judge)
    plain: dict[str, Any] = {"steps": STEPS}
    if "guidance_scale" in sample_knobs(task):
        plain["guidance_scale"] = 1.0
    test = real(task.card.data, measure_of(task), "test", task.options.n)
    found = {}
    for sampler in SAMPLERS:
        tag = f"{sampler.lower()}_{STEPS}"
        fake = drawn(task, tag, {**plain, "sampler": sampler})
        found[f"frechet_{tag}"] = compare(judge, fake, test, task.options.n)["frechet"]
    return found


part = Part(
    "samplers",
    fits=lambda task: set(SAMPLERS) <= set(options_of(task)),
    settings=lambda task: {"n": task.options.n, "judge": judge_of(task).card.sha256, "seed": SEED, "steps": STEPS},
    measure=measure,
)
