"""One worker of the laboratory: trains its share of all races in turn, and answers in between.

python -m playground.lab.worker     messages in by standard input, out by standard output; ends with its input
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO

import numpy as np
import torch

from playground.knobs import Refused
from playground.lab import framing, metrics, probes
from playground.lab.examiner import DRAWN
from playground.lab.facts import facts
from playground.lab.learners import learners
from playground.lab.painter import paces
from playground.lab.race import Costs, Race, Unit

log = logging.getLogger(__name__)

SLICE, SLIVER = 0.025, 0.002  # seconds of training at a time, at the most and at the least: a question waits so long
ROUND = 0.1  # seconds of training in which each learner has its turn, by the clock on the wall
TURN = 1.0  # seconds after which a learner has its turn though it, or its race, has spent more than others
LEAST, MOST = 0.2, 1.2  # seconds from one frame of a panel to the next, at the shortest and at the longest
LATE = 1.2  # times that pace: from then on a panel gets its points alone, and maps wait, but for their share
SPARE = 0.1  # the most seconds that maps can save up for when many panels wait
MAPS, EXAMS = 20.0, 20.0  # the longest from one map, one examination, to the next
POINTS_SHARE, MAP_SHARE, EXAM_SHARE = 0.27, 0.11, 0.07  # of the worker's time
DEAR = 0.1  # seconds: what takes longer, such as a library's first use, is not one race's fault
REST = 0.2  # of a race's time, for those of its learners that have finished while others train
SETTLED = 1.0  # seconds of a race before its floor is measured: first all want to be seen
BEHIND = 0.1  # of the newest measurement, in how much slower than its CPU time the worker is
IDLE = {"seed": 0, "data": 1000, "rate": 1.0, "target": {"name": "ring"}, "budget": {"kind": "steps", "amount": 100}}
COST = {"points": 0.005, "map": 0.02, "exam": 0.05}  # CPU seconds, until they have been measured


class Worker:
    """Every race's share that is here, and the rhythm of the work.

    Args:
        out: where messages go.
    """

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.races: dict[str, Race] = {}
        self.costs: dict[str, Costs] = {name: dict(COST) for name in learners()}
        self.asked: deque[tuple[int, Iterator[Mapping[str, Any] | None]]] = deque()  # questions that are being answered
        self.open: Unit | None = None  # whose map is half made
        self.judged: Unit | None = None  # who is being examined while it learns
        self.training, self.examining = 0.0, 0.0  # CPU seconds spent on either, of learners that train
        self.fair = True  # whether the last turn went by who has had the least
        self.spare = SPARE  # seconds that maps may take though points are late
        self.slowed = 1.0  # wall seconds per CPU second: others use these cores too

    def send(self, header: Mapping[str, Any], blobs: Mapping[str, bytes]) -> None:
        """Write one message."""
        framing.write(self.out, header, blobs)

    def hear(self, message: Mapping[str, Any]) -> None:
        """Do what a message says."""
        do, race = message["do"], self.races.get(message.get("race", ""))
        if do == "start":
            self._start(message)
        elif do == "facts":
            self.send({"is": "answer", "ask": message["ask"], "answer": {"learners": facts()}}, {})
        elif do == "probe":
            self.asked.append((message["ask"], self.answered(race, message["question"])))
        elif race is None:
            return  # it was dropped while the message was on its way
        elif do == "tell":
            race.tell(message["command"])
        elif do == "away":
            race.away = message["away"]
            self._join(race)
        elif do == "drop":
            del self.races[race.id]
            self.open = self.open if self.open is not None and self.open.race is not race else None
            self.judged = self.judged if self.judged is not None and self.judged.race is not race else None

    def _start(self, message: Mapping[str, Any]) -> None:
        race_id, names = message["race"], message["learners"]
        try:
            race = Race(race_id, message["spec"], names, self.costs, message["judge"])
        except Exception as error:  # other visitors' races go on
            log.exception("a race could not begin")
            why = f"It could not begin: {type(error).__name__}, which the server's log tells."
            self.send({"is": "lost", "race": race_id, "era": 0, "learners": names, "why": why}, {})
        else:
            self._join(race)
            self.races[race_id] = race

    def _join(self, race: Race) -> None:
        """Who comes later, or back, has no claim on the time that others had meanwhile."""
        others = [other.used for other in self.races.values() if other is not race and not other.away]
        race.used = max(race.used, min(others, default=0.0))

    def answered(self, race: Race | None, question: Mapping[str, Any]) -> Iterator[Mapping[str, Any] | None]:
        """The answer to a probe, or ``{"refused": sentence}``, after None for each piece of the work."""
        if race is None:
            yield {"refused": "That race is over: press play."}
            return
        try:
            yield from probes.answered(race, question)
        except Refused as refusal:
            yield {"refused": str(refusal)}
        except Exception:  # whatever a family's code does, the worker has other visitors
            log.exception("%s was not answered", question["what"])
            yield {"refused": "That could not be computed; the server's log says why."}

    def _told(self) -> bool:
        """Whether something had been asked; one piece of an answer has been made then."""
        if not self.asked:
            return False
        ask, pieces = self.asked.popleft()
        answer = next(pieces)
        if answer is None:
            self.asked.append((ask, pieces))  # others have asked too
        else:
            self.send({"is": "answer", "ask": ask, "answer": answer}, {})
        return True

    def work(self) -> bool:
        """A piece of an answer and one of the work, each of a few hundredths of a second; False if there was none."""
        begun, cpu = time.monotonic(), time.thread_time()
        told = self._told()
        did = self._painted(begun) or self._turn(begun) or told
        wall, cpu = time.monotonic() - begun, time.thread_time() - cpu
        self.spare = min(SPARE, self.spare + MAP_SHARE * cpu)
        if cpu > 0.005:
            self.slowed += BEHIND * (max(1.0, wall / cpu) - self.slowed)
        return did

    def _units(self) -> Iterator[Unit]:
        for race in self.races.values():
            if not race.away:
                yield from race.units.values()

    def _painted(self, now: float) -> bool:
        """Whether a frame was due, or half made; one piece of it has been made then."""
        units = [unit for unit in self._units() if unit.stale() and unit is not self.open]
        often = paces([self.slowed * u.costs["points"] for u in units], POINTS_SHARE, LEAST, MOST)
        late = [(now - unit.waits_since) / pace for unit, pace in zip(units, often, strict=True)]
        latest = int(np.argmax(late)) if late else -1
        if late and late[latest] > LATE and self.spare <= 0:
            self._paint_piece(units[latest], False)  # its points alone: many wait
        elif self.open is not None:
            self._paint_piece(self.open, True)
        elif late and (late[latest] >= 1 or units[latest].resting):
            self._paint(units[latest], now)
        elif eager := [unit for unit in units if unit.eager]:
            self._paint(eager[0], now)
        else:
            return False
        return True

    def _paint(self, unit: Unit, now: float) -> None:
        dense = [u for u in self._units() if u.painter.dense]
        often = paces([self.slowed * u.costs["map"] for u in dense], MAP_SHARE, LEAST, MAPS)
        pace = 0.0 if unit.resting else next((p for u, p in zip(dense, often, strict=True) if u is unit), MAPS)
        with_map = unit.wants_map(pace, now)
        self._paint_piece(unit, with_map)

    def _paint_piece(self, unit: Unit, with_map: bool) -> None:
        begun = time.thread_time()
        unit.guarded(lambda unit: unit.paint(self.send, with_map))
        if with_map:
            self.spare -= time.thread_time() - begun
        if unit.painting is not None:
            self.open = unit
        elif self.open is unit:
            self.open = None

    def _turn(self, now: float) -> bool:
        """Whether a race had something to do; the one that has had the least time so far does one thing.

        Where many race, that would let a learner wait for long after a long step, or its race after an examination:
        so every other time it is the turn of the learner that has waited longest, if that is too long.
        """
        self.fair = not self.fair
        waiting = min((u for u in self._units() if not u.resting), key=lambda unit: unit.trained_at, default=None)
        if waiting is not None and not self.fair and now - waiting.trained_at > TURN:
            self._learn(waiting, now)
            return True
        here = [race for race in self.races.values() if not race.away]
        return any(self._advance(race, now) for race in sorted(here, key=lambda race: race.used))

    def _advance(self, race: Race, now: float) -> bool:
        """Whether one of the race's learners trained, was examined or got its last picture."""
        units = list(race.units.values())
        training = [unit for unit in units if not unit.resting]
        if race.judge and (race.used > SETTLED or not (training or self._rested(race))):
            race.judge = False
            self.send({"is": "floor", **race.stamp(), "floor": metrics.floor(race.target, DRAWN, race.seed)}, {})
        elif not training:
            return self._rested(race)
        elif race.rested < REST * race.used and self._rested(race):
            pass
        else:
            self._learn(min(training, key=lambda unit: unit.progress), now)
        return True

    def _rested(self, race: Race) -> bool:
        begun = time.thread_time()
        did = any(self._rest(unit) for unit in race.units.values() if unit.resting)
        spent = min(DEAR, time.thread_time() - begun)
        race.rested, race.used = race.rested + spent, race.used + spent
        return did

    def _learn(self, unit: Unit, now: float) -> None:
        """A slice of training, or a piece of an examination that is due."""
        all_here = [u for u in self._units() if not u.resting]
        often = paces([self.slowed * u.costs["exam"] for u in all_here], EXAM_SHARE, 1.0, EXAMS)
        pace = next(p for u, p in zip(all_here, often, strict=True) if u is unit)
        if self.judged is not unit and self._may_judge() and now - unit.examined_at >= pace:
            self.judged = unit
        begun = time.thread_time()
        if self.judged is unit:
            unit.guarded(lambda unit: unit.examining(self.send, False))
            self.judged = unit if unit.exam is not None else None
            self.examining += time.thread_time() - begun
        else:
            slice = min(SLICE, max(SLIVER, ROUND / (self.slowed * len(all_here))))
            unit.guarded(lambda unit: unit.train(slice))
            spent = time.thread_time() - begun
            self.training, unit.race.used = self.training + spent, unit.race.used + min(DEAR, spent)

    def _may_judge(self) -> bool:
        """Whether another may be examined: one at a time, and not beyond the share that examinations get."""
        free = self.judged is None or self.judged.exam is None or self.judged.resting or self.judged.race.away
        return free and self.examining < EXAM_SHARE * (self.training + self.examining)

    def _rest(self, unit: Unit) -> bool:
        """What is left to do for a learner that does not train: its last map, the complete numbers."""
        if not unit.trouble:
            if unit.wants_map(0.0, time.monotonic()):
                self._paint_piece(unit, True)
                return True
            if not unit.final:
                unit.guarded(lambda unit: unit.examining(self.send, True))
                return True
        if unit.finished and not unit.told_done:
            unit.told_done = True
            self.send({"is": "done", **unit.race.stamp(), "learner": unit.learner.name}, {})
        return False

    def warm(self, name: str) -> None:
        """Pay for what a learner's first moments cost, and measure what its pictures do; its first race need not."""
        learner = learners()[name]
        race = Race("", {**IDLE, "learners": {name: learner.settings}}, [name], self.costs)

        def all_of_it(unit: Unit) -> None:
            unit.step()
            for costs in (COST, unit.costs, unit.costs, unit.costs):  # the first time is not like the others
                unit.paint(_nowhere, unit.painter.dense)
                while unit.painting is not None:
                    unit.paint(_nowhere, True)
                unit.costs.update(costs)

        race.units[name].guarded(all_of_it)


def _nowhere(header: Mapping[str, Any], blobs: Mapping[str, bytes]) -> None:
    pass


def main() -> None:
    """Work until the input ends."""
    logging.basicConfig(format="laboratory worker: %(message)s")
    torch.set_num_threads(1)
    if os.name == "posix":
        os.nice(5)  # the page and the server first
    # A library that prints must not garble the messages: they get the real standard output, prints the error output.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    inbox: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inbox,), name="inbox", daemon=True).start()
    with suppress(BrokenPipeError):
        _serve(Worker(out), inbox)


def _listen(inbox: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    while (message := framing.read(sys.stdin.buffer)) is not None:
        inbox.put(message[0])
    inbox.put(None)


def _serve(worker: Worker, inbox: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    cold: list[Callable[[], object]] = [metrics.transport, *(partial(worker.warm, name) for name in learners())]
    busy = True
    while True:
        while not busy or not inbox.empty():
            message = inbox.get()
            if message is None:
                return
            worker.hear(message)
            busy = True
        busy = worker.work()
        if not busy and cold:
            cold.pop()()
            busy = True


if __name__ == "__main__":
    main()
