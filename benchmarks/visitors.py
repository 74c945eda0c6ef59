"""Many visitors race every learner at once: how long each panel waits for news, and a click for its answer.

    python benchmarks/visitors.py [visitors] [seconds]

No browser: each visitor polls the arena as a page does, and one of them asks for a point twice a second. A panel counts
from the press to the frame that says its learner has spent its budget.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playground.knobs import Refused
from playground.lab.arena import Arena
from playground.lab.learners import learners

POINT = {"what": "log_prob", "points": [[1.0, 1.0]], "quick": True}


class Visitor(threading.Thread):
    """One visitor, from the press on; ``frames`` holds the moments at which news of each panel came."""

    def __init__(self, arena: Arena, seed: int, seconds: float, asks: bool) -> None:
        super().__init__(daemon=True)
        self.arena, self.seed, self.seconds, self.asks = arena, seed, seconds, asks
        self.frames: dict[str, list[float]] = defaultdict(list)
        self.ended: set[str] = set()
        self.answers: list[float] = []

    def run(self) -> None:
        pressed = time.monotonic()
        self.race = self.arena.start({"learners": {name: {} for name in learners()}, "seed": self.seed})
        since = 0
        for name in learners():
            self.frames[name].append(pressed)
        asker = threading.Thread(target=self._ask, args=(pressed + self.seconds,), daemon=True)
        if self.asks:
            asker.start()
        while (now := time.monotonic()) < pressed + self.seconds:
            told = self.arena.poll(self.race, since)
            since, now = told["race"]["seq"], time.monotonic()
            for frame in told["frames"]:
                if frame["learner"] not in self.ended:
                    self.frames[frame["learner"]].append(now)
                    if frame["progress"] >= 1:
                        self.ended.add(frame["learner"])
        for name in set(learners()) - self.ended:
            self.frames[name].append(now)
        if self.asks:
            asker.join()

    def _ask(self, until: float) -> None:
        while time.monotonic() < until:
            begun = time.monotonic()
            try:
                self.arena.probe(self.race, POINT)
            except Refused:
                continue  # it took longer than a page waits
            self.answers.append(1000 * (time.monotonic() - begun))
            time.sleep(0.5)


def peak() -> float:
    """The most memory that this process and its workers have held at any time, in GB, each at its own; Linux only."""
    children = Path("/proc/self/task").glob("*/children")
    processes = ["self", *(pid for file in children for pid in file.read_text().split())]
    status = [Path(f"/proc/{pid}/status").read_text().split() for pid in processes]
    return sum(int(words[words.index("VmHWM:") + 1]) for words in status) / 1e6


def main(count: int, seconds: float) -> None:
    arena = Arena()
    arena.facts()
    time.sleep(10)  # the workers come to rest
    visitors = [Visitor(arena, seed, seconds, seed == 0) for seed in range(count)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    memory = peak()
    arena.close()
    everything = np.concatenate([np.diff(times) for v in visitors for times in v.frames.values()])
    print(f"{'learner':15s}   first  median    95 %   worst   (seconds from one picture to the next)")
    for name in learners():
        gaps = np.concatenate([np.diff(v.frames[name]) for v in visitors])
        first = max(v.frames[name][1] - v.frames[name][0] for v in visitors)
        print(f"{name:15s} {first:7.2f} {np.median(gaps):7.2f} {np.quantile(gaps, 0.95):7.2f} {gaps.max():7.2f}")
    print(f"all: 95 % within {np.quantile(everything, 0.95):.2f} s, 99 % within {np.quantile(everything, 0.99):.2f} s")
    print(f"longer than 2 s: {int((everything > 2).sum())} of {len(everything)}")
    answers = [ms for v in visitors for ms in v.answers]
    print(f"a point under every model: median {np.median(answers):.0f} ms, at most {max(answers):.0f} ms")
    print(f"memory of the server and its workers: {memory:.1f} GB at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, float(sys.argv[2]) if len(sys.argv) > 2 else 40)
