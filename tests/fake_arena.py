"""An arena without workers: pictures that move as if something learnt, for the tests of the laboratory's page.

``python tests/fake_arena.py [port]`` serves the page over it.
"""

from __future__ import annotations

import base64
import math
import secrets
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from playground.knobs import Refused
from playground.lab.learners import learners
from playground.lab.stories import stories
from playground.lab.targets import Target, target_from, targets
from playground.ui.functions import answer, family_source

SIDE, HALF, POINTS, KEPT = 64, 4.5, 400, 40
KINDS = {"vae": "lower bound", "score": "estimate", "ddpm": "estimate", "energy": "estimate"}
NONE = ("gan", "wgan", "autoencoder")
FINAL = {"ppca": 0.9, "vae": 0.35, "realnvp": 0.12, "gan": 0.5}  # how far from the truth each ends
FIELDS = {"flow_matching": "velocity", "score": "score", "ddpm": "score", "energy": "downhill", "gan": "push"}

Json = dict[str, Any]


def grid(n: int = SIDE) -> np.ndarray:
    """The centres of n x n cells, row 0 at the top."""
    line = (np.arange(n) + 0.5) / n * 2 * HALF - HALF
    x, y = np.meshgrid(line, -line)
    return np.stack([x.ravel(), y.ravel()], 1)


CELLS = grid()


def b64(values: np.ndarray, scale: float, kind: str = "<i2") -> Json:
    scaled = np.clip(np.nan_to_num(values * scale, nan=-32768, neginf=-32767, posinf=32767), -32768, 32767)
    return {"b64": base64.b64encode(np.rint(scaled).astype(kind).tobytes()).decode()}


def floats(values: np.ndarray) -> Json:
    return {"b64": base64.b64encode(values.astype("<f4").tobytes()).decode()}


def entry(target: Target) -> Json:
    """One target as the page shows it."""
    known = target.known
    points = target.sample(POINTS, np.random.default_rng(1))
    return {
        "name": target.name,
        "title": target.title,
        "line": target.line,
        "entropy": target.entropy,
        "known": known,
        "modes": None if target.modes is None else len(target.modes),
        "record": target.record(),
        "info": target.info,
        "points": b64(points, 2000),
        "logp": b64(target.log_prob(CELLS), 100) if known else None,
    }


def learner(name: str) -> Json:
    """One learner as the page shows it, with what it can and cannot."""
    found = learners()[name]
    none = name in NONE
    fits = {
        "density": "it only learns to draw samples" if none else None,
        "samples": "it only rebuilds what it is given" if name == "autoencoder" else None,
        "field": None if name in FIELDS else "nothing in it moves points step by step",
        "latent_grid": None if name in ("vae", "gan", "wgan", "autoencoder") else "its latent is not a plane",
        "path": None if name in ("realnvp", "spline", *FIELDS) else "it draws in one pass",
        "turn": None if name in ("gan", "wgan") else "there is no second player",
    }
    told = {"kind": "none" if none else KINDS.get(name, "exact"), "line": f"{found.title}, in one line."}
    told |= {"timed": name not in ("energy", "gan"), "field_name": FIELDS.get(name)}
    told |= {"players": ["discriminator", "generator"] if name in ("gan", "wgan") else ["model"]}
    return {**found.facts(), **told, "fits": fits, "source": f"{found.family.split('.')[0]}.py"}


class FakeRace:
    """One race: a clock that can be stopped, and pictures for any moment of it."""

    def __init__(self, spec: Json) -> None:
        self.id = secrets.token_hex(4)
        self.spec, self.names = spec, list(spec["learners"])
        self.target = target_from(spec["target"])
        budget = spec.get("budget", {"kind": "seconds", "amount": 3.0})
        self.budget = budget["amount"] if budget["kind"] == "seconds" else budget["amount"] / 2000
        self.spent, self.limit, self.since = 0.0, self.budget, time.monotonic()
        self.running, self.seq, self.told = True, 0, -1.0
        self.truth = self.target.log_prob(CELLS) if self.target.known else np.full(SIDE**2, np.nan)
        rng = np.random.default_rng(int(spec.get("seed", 17)))
        self.points, self.noise = self.target.sample(POINTS, rng), rng.normal(size=(POINTS, 2))

    def seconds(self) -> float:
        """Of own training of every learner so far."""
        if self.running:
            now = time.monotonic()
            self.spent, self.since = self.spent + (now - self.since) * 0.6, now
            if self.spent >= self.limit:
                self.spent, self.running = self.limit, False
        return self.spent

    def go(self) -> None:
        self.running, self.since = True, time.monotonic()

    def off(self, name: str, seconds: float) -> float:
        """How wrong a learner still is, 1 to 0."""
        end = FINAL.get(name, 0.03)
        return end + (1 - end) * math.exp(-5 * seconds / max(self.budget, 0.1))

    def logp(self, name: str, seconds: float) -> np.ndarray:
        wrong = self.off(name, seconds)
        wide = 1.2 + 0.6 * math.sin(seconds * 2 + len(name)) * wrong
        base = -((CELLS - 0.5 * wrong) ** 2).sum(1) / (2 * wide**2) - math.log(2 * math.pi * wide**2)
        truth = np.where(np.isnan(self.truth), base, self.truth)
        return np.logaddexp(math.log(max(1e-9, 1 - wrong)) + truth, math.log(wrong) + base)

    def moved(self, name: str, seconds: float) -> np.ndarray:
        wrong = self.off(name, seconds)
        return self.points * (1 - wrong) + self.noise * wrong * 1.3

    def frame(self, name: str, seconds: float, kept: int | None) -> Json:
        self.seq += 1
        frame = {
            "learner": name,
            "seq": self.seq,
            "progress": min(1.0, seconds / self.limit),
            "step": int(seconds * 2000),
            "seconds": seconds,
            "kept": kept,
            "micros": 300 + 40 * len(name),
            "loss": {
                player: self.off(name, seconds) * 3 + 0.05 * math.sin(40 * seconds) for player in self.players(name)
            },
            "points": b64(self.moved(name, seconds), 2000),
            "kind": "none" if name in NONE else KINDS.get(name, "exact"),
        }
        if name not in NONE:
            frame["logp"] = b64(self.logp(name, seconds), 100)
        return frame

    def players(self, name: str) -> list[str]:
        return ["discriminator", "generator"] if name in ("gan", "wgan") else ["model"]

    def numbers(self, name: str, seconds: float) -> Json:
        wrong = self.off(name, seconds)
        kl = 1.6 * wrong**2
        told: Json = {"kind": "none" if name in NONE else KINDS.get(name, "exact"), "final": seconds >= self.limit}
        told |= {"sliced": 0.05 + wrong, "wasserstein": 0.1 + wrong, "mmd": wrong / 10, "energy": wrong / 5}
        if name not in NONE and self.target.known:
            told |= {"kl": kl, "kl_stderr": 0.004, "nll": kl + (self.target.entropy or 0.0), "integral": 0.9995}
        if self.target.modes is not None:
            modes = len(self.target.modes)
            told |= {"modes": [max(1, round(modes * (1 - 0.5 * wrong))), modes], "lost": wrong / 3}
        return told

    def status(self) -> str:
        now = self.seconds()
        return "running" if self.running else "done" if now >= self.limit else "paused"


class FakeArena:
    """Has the methods of ``playground.lab.arena.Arena``."""

    def __init__(self) -> None:
        self.races: dict[str, FakeRace] = {}
        self.asked: list[tuple[str, Any]] = []  # what was asked of it, for the tests

    def race(self, name: str) -> FakeRace:
        if name not in self.races:
            raise Refused("This race is over. Press play for a new one.")
        return self.races[name]

    def start(self, spec: Json) -> str:
        self.asked.append(("start", spec))
        if not spec.get("learners"):
            raise Refused("Choose at least one learner.")
        race = FakeRace(spec)
        self.races[race.id] = race
        return race.id

    def poll(self, race_id: str, since: int = 0, wait: float = 0.25) -> Json:
        race = self.race(race_id)
        time.sleep(min(wait, 0.2))
        now, frames = race.seconds(), []
        if now != race.told or since == 0:
            slots = range(math.floor(race.told / race.budget * KEPT) + 1, math.floor(now / race.budget * KEPT) + 1)
            for name in race.names:
                frames += [race.frame(name, slot / KEPT * race.budget, slot) for slot in slots[:-1]]
                frames.append(race.frame(name, now, slots[-1] if slots else None))
            race.told = now
        floor = {"sliced": 0.05, "wasserstein": 0.12, "mmd": 0.03, "energy": 0.04, "lost": 0.011}
        state = {
            "id": race.id,
            "status": race.status(),
            "seconds": now * len(race.names),
            "seq": race.seq,
            "floor": floor,
        }
        numbers = {name: race.numbers(name, now) for name in race.names} if frames else {}
        return {"race": state, "frames": frames, "numbers": numbers}

    def tell(self, race_id: str, command: Json) -> None:
        self.asked.append(("tell", command))
        race, do = self.race(race_id), command.get("do")
        race.seconds()
        if do == "pause":
            race.running = False
        elif do == "resume" and race.spent < race.limit:
            race.go()
        elif do == "step":
            race.running, race.spent = False, min(race.limit, race.spent + 0.02)
        elif do == "more":
            race.limit += race.budget
            race.go()
        elif do == "rewind":
            race.running, race.spent = False, command["to"] / KEPT * race.budget
            race.told = race.spent - 1e-9

    def stop(self, race_id: str) -> None:
        self.races.pop(race_id, None)

    def probe(self, race_id: str, question: Json, timeout: float = 2.0) -> Json:
        self.asked.append(("probe", question))
        race = self.race(race_id)
        kept = question.get("kept")
        now = race.seconds() if kept is None else kept / KEPT * race.budget
        what, name = question.get("what"), str(question.get("learner"))
        if what == "log_prob":
            return self.log_prob(race, np.asarray(question["points"], float), now)
        if what == "field":
            n = int(question.get("n", 20))
            wrong = 1.2 - float(question.get("t", 0.5))
            return {
                "n": n,
                "t": question.get("t"),
                "name": FIELDS.get(name),
                "timed": True,
                "vectors": floats(swirl(grid(n), wrong)),
            }
        if what == "path":
            states = [np.asarray(question["start"], float)]
            for _ in range(24):
                states.append(states[-1] + 0.12 * swirl(states[-1][None], 0.4)[0])
            return {"states": [state.tolist() for state in states]}
        if what == "latent_grid":
            line = np.linspace(-2.5, 2.5, 13)
            lines = [[[a, b] for b in line] for a in line] + [[[a, b] for a in line] for b in line]
            return {"lines": [(np.array(one) + 0.3 * np.sin(2 * np.array(one)[:, ::-1])).tolist() for one in lines]}
        if what == "turn":
            return self.turn(race, name, str(question.get("player")), now)
        raise Refused("That cannot be asked.")

    def log_prob(self, race: FakeRace, points: np.ndarray, now: float) -> Json:
        columns = np.clip(((points[:, 0] + HALF) / (2 * HALF) * SIDE).astype(int), 0, SIDE - 1)
        rows = np.clip(((HALF - points[:, 1]) / (2 * HALF) * SIDE).astype(int), 0, SIDE - 1)
        told = {}
        for name in race.names:
            value = None if name in NONE else race.logp(name, now)[rows * SIDE + columns].round(4).tolist()
            kind = "none" if name in NONE else KINDS.get(name, "exact")
            told[name] = {"value": value, "kind": kind, "stderr": [0.02] * len(points) if kind == "estimate" else None}
        true = race.target.log_prob(points).round(4).tolist() if race.target.known else None
        return {"learners": told, "true": true}

    def turn(self, race: FakeRace, name: str, player: str, now: float) -> Json:
        points, verdict = race.moved(name, now), np.sin(CELLS[:, 0] + now) * np.cos(CELLS[:, 1])
        moment = {"verdict": b64(verdict, 100), "points": b64(points, 2000)}
        after = {"verdict": b64(1.3 * verdict, 100), "points": b64(points * 0.95, 2000)}
        told = {"player": player, "players": race.players(name), "before": moment, "after": after}
        return {**told, "push": floats(swirl(points, 0.2)), "loss": {"before": 0.7, "after": 0.6}}


def swirl(x: np.ndarray, wrong: float) -> np.ndarray:
    return np.stack([-x[:, 1] * 0.8 - 0.3 * wrong * x[:, 0], x[:, 0] * 0.8 - 0.3 * wrong * x[:, 1]], 1)


def functions(arena: FakeArena) -> list[Callable[[Any], Json]]:
    """The server functions of the laboratory, over the fake."""

    @answer
    def lab_facts(asked: Json) -> Json:
        plain = {"learners": [learner(name) for name in learners()], "targets": [entry(t) for t in targets().values()]}
        return {**plain, "stories": [story.to_json() for story in stories().values()], "floors": {}}

    @answer
    def lab_target(asked: Json) -> Json:
        record = asked.get("record") or {k: v for k, v in asked.items() if k in ("name", "drawn", "formula", "picture")}
        return {"target": entry(target_from(record))}

    @answer
    def lab_start(asked: Json) -> Json:
        return {"race": arena.start(asked.get("spec", asked))}

    @answer
    def lab_poll(asked: Json) -> Json:
        return arena.poll(str(asked.get("race")), int(asked.get("since", 0)))

    @answer
    def lab_tell(asked: Json) -> Json:
        arena.tell(str(asked.get("race")), asked["command"])
        return {}

    @answer
    def lab_probe(asked: Json) -> Json:
        return arena.probe(str(asked.get("race")), asked["question"])

    @answer
    def lab_export(asked: Json) -> Json:
        text = f"fake {asked.get('format')}"
        return {"name": f"race.{asked.get('format')}", "b64": base64.b64encode(text.encode()).decode()}

    @answer
    def lab_cost(asked: Json) -> Json:
        counts = [1, 2, 4, 8, 16, 32, 64]
        samplers = ["euler", "heun"]
        sliced = [0.06 + 1 / n for n in counts]
        told = {"sampler": asked.get("sampler") or samplers[0], "samplers": samplers, "evaluations": counts}
        return {**told, "sliced": sliced, "floor": 0.05}

    @answer
    def source(asked: Json) -> Json:
        return {"text": family_source(str(asked.get("path")))}

    return [lab_facts, lab_target, lab_start, lab_poll, lab_tell, lab_probe, lab_export, lab_cost, source]


if __name__ == "__main__":
    import sys

    from fake import Fake

    from playground.ui import build, launch_options

    page = build(Fake(), functions(FakeArena()))
    page.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, **launch_options())
