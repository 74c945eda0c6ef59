"""Seconds per 16 samples on this machine, beside a matrix-product yardstick measured in turn with them."""

from __future__ import annotations

import collections
import math
import platform
import statistics
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch

from playground.capabilities import Refines, Samples, State, Translates
from playground.catalog import Metric
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, described, sample_knobs
from playground.rng import Rng

BATCH = 16
THREADS = 2
REPEATS = 7
SECONDS = 1.0  # a fast model is repeated until this much time is used
SIDE = 1024  # of the yardstick's matrices


@cache
def machine() -> str:
    """The processor, the threads used, and torch's version."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = named[0] if named else platform.processor() or platform.machine()
    return f"{processor}, {THREADS} threads, torch {torch.__version__}"


def yardstick(a: torch.Tensor) -> float:
    """GFLOP/s of one float32 matrix product of ``a`` with itself."""
    begun = time.perf_counter()
    torch.mm(a, a)
    return 2 * len(a) ** 3 / (time.perf_counter() - begun) / 1e9


@torch.no_grad()
def times(model: Samples | Translates) -> tuple[list[float], list[float]]:
    """Seconds of every draw of 16 after one to warm up, and the GFLOP/s just before each."""
    a = torch.ones(SIDE, SIDE)
    torch.mm(a, a)
    draw(model, BATCH, SEED)
    seconds: list[float] = []
    rates: list[float] = []
    while len(seconds) < REPEATS or (sum(seconds) < SECONDS and len(seconds) < 100):
        rates.append(yardstick(a))
        begun = time.perf_counter()
        draw(model, BATCH, SEED + len(seconds))
        seconds.append(time.perf_counter() - begun)
    return seconds, rates


def states(model: Refines | Translates, n: int, seed: int) -> Iterator[State]:
    """The states of ``n`` pictures, of a square's outline if the model wants one."""
    if isinstance(model, Refines):
        return model.refine(Rng(seed, n))
    square = torch.zeros(n, 1, *model.shape[1:])
    square[..., 4:-4, 4:-4] = 1
    return model.translate(model.outline(square.expand(-1, *model.shape)), Rng(seed, n))


def draw(model: Samples | Translates, n: int, seed: int) -> None:
    """Draw ``n`` pictures."""
    if isinstance(model, Samples):
        model.sample(Rng(seed, n))
    else:
        collections.deque(states(model, n, seed), maxlen=1)


@torch.no_grad()
def steps(model: Samples | Translates) -> str:
    """How many states a model that draws in steps goes through, as words; else nothing."""
    if not isinstance(model, Refines | Translates):
        return ""
    total = next(states(model, 1, SEED)).total
    return f" in {total} steps" if total > 1 else ""


def measure(task: Task) -> dict[str, Metric]:
    """The median, its standard error from the quartiles, and the yardstick in the protocol."""
    assert isinstance(task.model, Samples | Translates)
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        seconds, rates = times(task.model)
    finally:
        torch.set_num_threads(before)
    low, _, high = statistics.quantiles(seconds, n=4)
    stderr = 1.2533 * (high - low) / 1.349 / math.sqrt(len(seconds))  # of a median, where the times are normal
    protocol = (
        f"Median wall-clock seconds to draw {BATCH} samples{steps(task.model)} ({described(sample_knobs(task), {})}) "
        f"over {len(seconds)} repeats after one to warm up, on {machine()}; in turn with them a float32 product of "
        f"{SIDE} x {SIDE} matrices ran at a median of {statistics.median(rates):.0f} GFLOP/s; standard error "
        "from the quartiles."
    )
    value = Metric(rounded(statistics.median(seconds)), rounded(stderr), len(seconds), "estimate", "none", protocol)
    return {"seconds_per_16": value}


def settings(task: Task) -> dict[str, Any]:
    """A timing holds for this machine only."""
    return {"machine": machine(), "batch": BATCH, "repeats": REPEATS}


part = Part(
    "timing",
    fits=lambda task: isinstance(task.model, Samples | Translates),
    settings=settings,
    measure=measure,
    media=("pictures", "drawings"),
)
