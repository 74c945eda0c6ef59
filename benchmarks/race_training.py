"""Steps a second of each learner of the laboratory against the plainest PyTorch loop of the same network and batch.

    python benchmarks/race_training.py [seconds per turn] [names]

On one thread, in turns of one process, median of five turns each: ours trains as the race does, the plain one is
``nn.Sequential`` or the library's own module (zuko's for the spline flow), autograd and ``torch.optim.Adam`` as they
come.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np
import plain

from playground.lab.learners import learners
from playground.lab.targets import targets
from playground.lab.trainer import Trainer, build

TURNS = 5


def rate(step: Callable[[], object], seconds: float) -> float:
    """Steps a second of processor time."""
    begun, done = time.thread_time(), 0
    while time.thread_time() - begun < seconds:
        step()
        done += 1
    return done / (time.thread_time() - begun)


def plain_step(name: str, data: torch.Tensor) -> Callable[[], None]:
    """One step of the plain loop; a step of a game is all its players' turns."""
    parameters, loss = getattr(plain, f"plain_{name}")()
    players = parameters if isinstance(parameters, dict) else {"": parameters}
    optimisers = {player: torch.optim.Adam(ps) for player, ps in players.items()}
    turns = getattr(learners()[name].model_class(), "turns", {})
    order = [p for p in players for _ in range(turns.get(p, 1))]

    def step() -> None:
        for player in order:
            optimiser = optimisers[player]
            x = data[torch.randint(len(data), (256,))]
            optimiser.zero_grad()
            (loss(x, player) if player else loss(x)).backward()
            optimiser.step()

    return step


def ours_step(name: str, data: torch.Tensor) -> Callable[[], None]:
    """One step as the race takes it."""
    learner = learners()[name]
    trainer = Trainer(build(learner.model_class(), {**learner.fixed, **learner.settings}, 17), data, 17)
    return lambda: trainer.advance_steps(1)


def main(seconds: float, names: list[str]) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = torch.from_numpy(targets()["ring"].sample(10_000, np.random.default_rng(0)))
    for name in names:
        ways = {"ours": ours_step(name, data), "plain": plain_step(name, data)}
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(TURNS):
            for way, step in ways.items():
                rates[way].append(rate(step, seconds))
        ours, plainly = (statistics.median(rates[way]) for way in ("ours", "plain"))
        ratios = [a / b for a, b in zip(rates["ours"], rates["plain"], strict=True)]
        print(
            f"{name:15s} ours {ours:6.0f}  plain {plainly:6.0f} steps/s"
            f"  ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    known = [name for name in learners() if f"plain_{name}" in vars(plain)]
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0, sys.argv[2:] or known)
