"""One race, as the server knows it: its state, its clock, its newest pictures and those that are kept."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from playground.lab.hands import Hand
from playground.lab.learners import learners

TRAIL = 400  # numbers kept per learner

Json = dict[str, Any]


@dataclass
class Entry:
    """One race, as the server knows it."""

    id: str
    spec: Json
    owners: dict[str, Hand]  # by learner
    news: threading.Condition
    seq: int = 0
    era: int = 0  # commands so far that made older messages wrong
    paused: bool = False
    away: bool = False
    budgets: int = 1
    polled: float = field(default_factory=time.monotonic)
    answered: float = 0.0
    since: float | None = field(default_factory=time.monotonic)  # when its clock was started; None while it stands
    seconds: float = 0.0  # on the clock when it was last stopped
    done: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)  # whose worker died
    frames: dict[str, Json] = field(default_factory=dict)
    kept: dict[str, dict[int, Json]] = field(default_factory=dict)
    numbers: dict[str, Json] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)  # the seq of each learner's numbers
    trail: dict[str, list[Json]] = field(default_factory=dict)
    floor: Json | None = None  # the distances of two true samples

    @property
    def status(self) -> str:
        """running, paused or done."""
        if self.done | self.lost >= set(self.owners):
            return "done"
        return "paused" if self.paused else "running"

    def hands(self) -> list[Hand]:
        """Its workers, each once, as far as they live."""
        return list(dict.fromkeys(hand for name, hand in self.owners.items() if name not in self.lost))

    def tick(self) -> None:
        """Start or stop its clock, as its state wants."""
        now, running = time.monotonic(), self.status == "running" and not self.away
        if self.since is not None:
            self.seconds += now - self.since
        self.since = now if running else None

    def facts(self) -> Json:
        """What every poll says of it."""
        clock = self.seconds + (time.monotonic() - self.since if self.since is not None else 0.0)
        return {"id": self.id, "status": self.status, "seconds": round(clock, 3), "seq": self.seq, "floor": self.floor}

    def news_since(self, since: int) -> Json:
        """Frames and numbers newer than ``since``; a map that is older is left out, the page has it."""
        frames = {f["seq"]: f for kept in self.kept.values() for f in kept.values() if f["seq"] > since}
        frames |= {f["seq"]: f for f in self.frames.values() if f["seq"] > since}
        told = [{k: v for k, v in f.items() if k != "logp" or f["mapped"] > since} for _, f in sorted(frames.items())]
        return {"frames": told, "numbers": {n: v for n, v in self.numbers.items() if self.counted[n] > since}}

    def framed(self, frame: Json) -> None:
        """A frame has come."""
        name = frame["learner"]
        last = self.frames.get(name, {})
        pictures: Json = {key: last[key] for key in ("points", "logp", "mapped") if key in last}
        self.seq += 1
        if "logp" in frame:
            pictures["mapped"] = self.seq
        self.frames[name] = {**pictures, **frame, "seq": self.seq}  # a picture that is not new stays
        if frame["kept"] is not None:
            self.kept.setdefault(name, {})[frame["kept"]] = self.frames[name]

    def measured(self, name: str, numbers: Json) -> None:
        """A learner's numbers have come."""
        self.seq += 1
        self.numbers[name], self.counted[name] = numbers, self.seq
        trail = self.trail.setdefault(name, [])
        trail.append(numbers)
        del trail[:-TRAIL]

    def lose(self, names: list[str], why: str) -> None:
        """Say in the panels of ``names`` why nothing more will come."""
        for name in names:
            blank = {
                "learner": name,
                "progress": 0.0,
                "step": 0,
                "seconds": 0.0,
                "loss": {},
                "kind": "none",
                "micros": 0,
            }
            self.framed({**blank, **self.frames.get(name, {}), "kept": None, "note": why})
            self.lost.add(name)

    def note(self, command: Json) -> None:
        """What a command changes on this side."""
        do = command["do"]
        anew = do == "set" and set(command["settings"]) != {"rate"}
        if do in ("more", "rewind") or anew:
            self.era += 1  # messages that are on their way tell of what is no more
        if do in ("more", "rewind", "set", "step"):
            self.done.clear()
        self.paused = do in ("pause", "step", "rewind") or (do == "set" and self.paused)
        if do == "more":
            self.budgets += 1
            for kept in self.kept.values():
                for index in [i for i in kept if i % self.budgets]:
                    del kept[index]
        if do == "rewind":
            for kept in self.kept.values():
                for index in [i for i in kept if i > command["to"]]:
                    del kept[index]
        if do == "set":
            self._turned(command["learner"], command["settings"])

    def _turned(self, name: str | None, settings: Json) -> None:
        """Other settings: the spec says so from now on, and of a learner that begins anew the old pictures go."""
        known = learners()
        for one, now in self.spec["learners"].items():
            own = {k: v for k, v in settings.items() if k in known[one].settings or k in ("rate", "data")}
            if name in (None, one) and own:
                now |= own
                if set(own) != {"rate"}:
                    self.kept.pop(one, None)
