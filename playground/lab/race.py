"""A worker's share of one race: some of its learners, each trained, painted, measured and kept in slices of time."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Model
from playground.lab.examiner import Numbers, Truth, examine
from playground.lab.learners import Learner, learners
from playground.lab.painter import Painter
from playground.lab.targets import Target, target_from
from playground.lab.trainer import Kept, Trainer, build

log = logging.getLogger(__name__)

KEPT = 40  # snapshots per budget, besides the first
READ = 4  # snapshots until a panel's note is taken to have been read
QUICK = 0.3  # a frame for each snapshot, if painting it takes at most this share of the training between two

Send = Callable[[Mapping[str, Any], Mapping[str, bytes]], None]
Costs = dict[str, float]  # CPU seconds of a learner's "points", "map" and "exam"


class Unit:
    """One learner of one race.

    Args:
        learner: who it is.
        race: for its seed, its truth and its data.
        settings: the model's, checked.
        data: how many points it is trained on.
        rate: times the family's learning rate.
        costs: what its pictures take, shared with all units of that learner.
    """

    def __init__(
        self, learner: Learner, race: Race, settings: Mapping[str, Any], data: int, rate: float, costs: Costs
    ) -> None:
        self.learner, self.race, self.costs = learner, race, costs
        self.settings, self.data, self.rate = dict(settings), data, rate
        self.family = learner.model_class()
        self.begin("")

    def begin(self, note: str) -> None:
        """From scratch, with the present settings."""
        race, points = self.race, self.race.points(self.data)
        model = build(self.family, {**self.learner.fixed, **self.settings}, race.seed)
        self.trainer = Trainer(model, points, race.seed, self.rate)
        held = torch.from_numpy(race.truth.held)
        self.painter = Painter(self.family, self.learner.drawing, race.seed, held, self.costs, self.learner.sketch)
        self.kept: dict[int, Kept] = {0: self.trainer.state()}
        self.numbers: Numbers = {}
        self.note, self.error = note, ""
        self.crossed: int | None = 0  # the snapshot that the next frame shows
        self.changed()

    def changed(self) -> None:
        """The weights are others: what was painted and measured of them is old."""
        self.painted, self.mapped, self.examined = -1, -1, -1  # the step at which each was done
        self.sketched = False  # whether the points were quick ones
        self.eager = True  # a frame is wanted as soon as none of the others is late
        self.waits_since, self.mapped_at = time.monotonic(), -math.inf
        self.trained_at = self.waits_since
        self.examined_at = time.monotonic()  # its first numbers can wait until it has learnt a little
        self.painting: Iterator[bytes | None] | None = None
        self.exam: Iterator[Numbers] | None = None
        self.exam_final, self.exam_spent = False, 0.0
        self.final, self.told_done = False, False  # whether its numbers are the complete ones; whether that is known

    @property
    def trouble(self) -> str:
        """Why it does not go on, or ""."""
        return self.error or self.trainer.trouble

    @property
    def spent(self) -> float:
        """Of the budget: its own seconds, or its steps."""
        return self.trainer.seconds if self.race.kind == "seconds" else float(self.trainer.steps)

    @property
    def progress(self) -> float:
        """0 to 1; 1 also when there is nothing left to learn."""
        return 1.0 if self.trainer.settled else min(1.0, self.spent / self.race.total)

    @property
    def finished(self) -> bool:
        """Whether it will not train on."""
        return self.progress >= 1 or bool(self.trouble)

    @property
    def resting(self) -> bool:
        """Whether it does not train at the moment."""
        return self.finished or not self.race.running

    @property
    def index(self) -> int:
        """The number of the snapshot that is due at the present."""
        if self.trainer.settled:
            return round(KEPT * self.race.total / self.race.amount)
        return math.floor(KEPT * self.spent / self.race.amount + 1e-9)

    def shown(self, kept: int | None = None) -> Model:
        """The model as it is shown and measured; of the newest snapshot that is not newer than ``kept``, if given."""
        if kept is None:
            return self.trainer.shown()
        return self.trainer.past(self.kept[self._newest(kept)])

    def _newest(self, to: int) -> int:
        return max(i for i in self.kept if i <= to)

    def train(self, seconds: float) -> None:
        """Train on for about so many CPU seconds, at most to the next snapshot."""
        ahead = (self.index + 1) / KEPT * self.race.amount - self.spent
        if self.race.kind == "seconds":
            self.trainer.advance(min(seconds, ahead))
        else:
            self.trainer.advance(seconds, max(1, math.ceil(ahead - 1e-9)))
        self.trained_at = time.monotonic()
        self._keep()

    def step(self) -> None:
        """Exactly one step, even beyond the budget."""
        if not self.trouble:
            self.trainer.advance_steps(1)
            self._keep()

    def _keep(self) -> None:
        self.final, self.told_done = False, False
        index = self.index
        if index >= READ:
            self.note = ""
        self.exam = None  # it was of other weights
        if index % self.race.stride == 0 and index not in self.kept and not self.trouble:
            self.kept[index] = self.trainer.state()
            self.crossed = index
            between = self.race.amount / KEPT if self.race.kind == "seconds" else self.trainer.micros * 1e-6
            if self.costs["points"] < QUICK * between:
                self.eager = True  # a frame for it, at once

    def guarded(self, act: Callable[[Unit], None]) -> None:
        """Do it; what a family's code does wrong ends this learner, says so in its panel, and harms no other."""
        try:
            act(self)
        except OSError:
            raise  # nobody reads any more
        except Exception as error:
            log.exception("%s stopped", self.learner.name)
            self.error = f"It stopped: {type(error).__name__} in its code, which the server's log tells."
            self.painting, self.exam, self.painted, self.sketched = None, None, -1, False

    def rewind(self, to: int) -> None:
        """Back to the newest snapshot that is not newer than ``to``; later ones are dropped."""
        index = self._newest(to)
        self.kept = {i: kept for i, kept in self.kept.items() if i <= index}
        self.trainer.restore(self.kept[index])
        self.crossed, self.error, self.note = index, "", ""
        self.changed()

    def set(self, settings: Mapping[str, Any]) -> None:
        """Other settings, as far as it has them: the rate holds at once, all others mean a new beginning."""
        self.rate = settings.get("rate", self.rate)
        self.trainer.rate_factor = self.rate
        own = {key: value for key, value in settings.items() if key in self.learner.settings}
        data = settings.get("data", self.data)
        if {**self.settings, **own} != self.settings or data != self.data:
            self.settings, self.data = {**self.settings, **own}, data
            self.begin("It begins anew, with the new settings.")

    # ---- pictures

    def stale(self) -> bool:
        """Whether the newest frame does not show the present weights, or only shows a sketch of them, without need."""
        return self.painted != self.trainer.steps or (self.sketched and self.resting)

    def wants_map(self, pace: float, now: float) -> bool:
        """Whether the map is to be made anew: it is old, and its last one is ``pace`` seconds ago."""
        return self.painter.dense and self.mapped != self.trainer.steps and now - self.mapped_at >= pace

    def paint(self, send: Send, with_map: bool) -> None:
        """One piece of a frame; the last of them sends it."""
        blobs: dict[str, bytes] = {}
        self.sketched = False
        if not self.trouble:  # else the last good pictures stay
            if with_map and self.painting is None:
                self.painting = self.painter.map(self.shown())
            if self.painting is not None:
                nats = next(self.painting)
                if nats is None:
                    return
                self.painting, blobs["logp"] = None, nats
                self.mapped, self.mapped_at = self.trainer.steps, time.monotonic()
            self.sketched = not self.resting and self.painter.sketch != self.painter.drawing
            blobs["points"] = self.painter.points(self.shown(), quick=not self.resting)
        self.painted, self.waits_since, self.eager = self.trainer.steps, time.monotonic(), False
        trainer, kept, self.crossed = self.trainer, self.crossed, None
        frame = {
            "learner": self.learner.name,
            "progress": round(self.progress, 4),
            "step": trainer.steps,
            "seconds": round(trainer.seconds, 4),
            "loss": _finite(trainer.loss),
            "kept": kept,
            "kind": self.painter.kind,
            "micros": trainer.micros,
            "note": self.trouble or self.note,
        }
        send({"is": "frame", **self.race.stamp(), "frame": frame}, blobs)

    # ---- numbers

    def examining(self, send: Send, final: bool) -> None:
        """One piece of an examination; the last of them sends its numbers."""
        if self.exam is None or self.exam_final != final:
            knobs = {} if final else self.painter.preview
            model, race = self.shown(), self.race
            self.exam = examine(model, race.truth, race.seed, self.learner.drawing, knobs, final)
            self.numbers = {}
            self.exam_final, self.exam_spent = final, 0.0
        begun = time.thread_time()
        found = next(self.exam, None)
        self.exam_spent += time.thread_time() - begun
        if found is not None:
            self.numbers.update(found)
            return
        self.exam, self.final = None, final
        self.examined, self.examined_at = self.trainer.steps, time.monotonic()
        if not final:
            self.costs["exam"] += 0.5 * (self.exam_spent - self.costs["exam"])
        numbers = {**_finite(self.numbers), "final": final, "progress": round(self.progress, 4)}
        numbers |= {"seconds": round(self.trainer.seconds, 4), "step": self.trainer.steps}
        send({"is": "numbers", **self.race.stamp(), "learner": self.learner.name, "numbers": numbers}, {})


class Race:
    """A worker's share of one race.

    Args:
        id: of the race.
        spec: the whole race's, as the server has checked it.
        names: the learners that train here.
        judge: whether the floor of the distances is measured here.
        costs: by learner, what its pictures take.
    """

    def __init__(
        self, id: str, spec: Mapping[str, Any], names: list[str], costs: Mapping[str, Costs], judge: bool = False
    ) -> None:
        self.id, self.seed, self.size = id, int(spec["seed"]), int(spec["data"])
        self.kind, self.amount = spec["budget"]["kind"], float(spec["budget"]["amount"])
        self.total, self.stride = self.amount, 1  # with what was added to the budget; between kept snapshots
        self.judge = judge
        self.target: Target = target_from(spec["target"])
        self.truth = Truth.of(self.target, self.seed)
        self.running, self.away, self.era = True, False, 0
        self.used, self.rested = 0.0, 0.0  # CPU seconds it has had here; for learners that had finished
        self._data: dict[int, Tensor] = {}
        known, rate = learners(), float(spec["rate"])
        self.units = {
            name: Unit(known[name], self, spec["learners"][name], self.size, rate, costs[name]) for name in names
        }

    def stamp(self) -> dict[str, Any]:
        """Whose message it is, and how many commands that made older ones wrong came before it."""
        return {"race": self.id, "era": self.era}

    def points(self, n: int) -> Tensor:
        """``n`` training points, (n, 2) float32; the same for all learners."""
        if n not in self._data:
            self._data = {n: torch.from_numpy(self.target.sample(n, np.random.default_rng(self.seed)))}
        return self._data[n]

    def tell(self, command: Mapping[str, Any]) -> None:
        """Do what the visitor wants; the server has checked the command."""
        do, self.era = command["do"], command["era"]
        for unit in self.units.values():
            unit.told_done = False
        if do in ("pause", "resume"):
            self.running = do == "resume"
        elif do == "step":
            self.running = False
            for unit in self.units.values():
                unit.guarded(Unit.step)
        elif do == "more":
            self._more()
        elif do == "rewind":
            self.running = False
            for unit in self.units.values():
                unit.guarded(lambda unit: unit.rewind(command["to"]))
        elif do == "set":
            for name, unit in self.units.items():
                if command["learner"] in (None, name):
                    unit.guarded(lambda unit: unit.set(command["settings"]))

    def _more(self) -> None:
        """Another budget. So that memory does not grow, snapshots are then kept at rarer, round indices only."""
        self.total += self.amount
        self.stride = math.ceil(self.total / self.amount - 1e-9)
        self.running = True
        for unit in self.units.values():
            unit.kept = {i: kept for i, kept in unit.kept.items() if i % self.stride == 0}
            unit.trainer.settled = False


def _finite(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Without NaN and infinities, which JSON cannot say."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in numbers.items()}
