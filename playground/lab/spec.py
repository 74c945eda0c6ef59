"""What a visitor may ask of a race, checked on the server: a race's spec, a command, a question. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.knobs import Choice, Knob, Refused, Slider, Toggle, check
from playground.lab.learners import Learner, learners
from playground.lab.targets import target_from

DATA = Slider(1000, 100_000, 1)
SEED = Slider(0, 2**31 - 1, 1)
RATE = Slider(0.01, 100.0, 0.01)
AMOUNTS = {"seconds": Slider(0.1, 30.0, 0.1), "steps": Slider(1, 100_000, 1)}
KEPT = Slider(0, 400, 1)
TIME = Slider(0.0, 1.0, 0.01)
GRID = Slider(2, 40, 1)
TURN = Slider(1, 200, 1)
MOST_POINTS = 64  # of one question
FAR = 1000.0  # a point farther out is a mistake

Json = dict[str, Any]


def spec_from(asked: Any) -> Json:
    """A race's spec with every value checked and every default filled in.

    Raises:
        Refused: something in it cannot be; the sentence says what.
    """
    asked = _record(asked, "A race", ("target", "learners", "data", "seed", "budget", "rate"))
    target = target_from(asked.get("target", {"name": "ring"}))
    wanted = asked.get("learners")
    if not isinstance(wanted, Mapping) or not wanted:
        raise Refused("Choose at least one learner.")
    known = learners()
    names = [name for name in known if name in wanted]  # in our own order
    if len(names) < len(wanted):
        strange = next(name for name in wanted if name not in known)
        raise Refused(f"There is no learner {str(strange)[:40]!r}; there are {', '.join(known)}.")
    return {
        "target": target.record(),
        "learners": {name: _settings(known[name], wanted[name] or {}) for name in names},
        "data": DATA.check("data", asked.get("data", 10_000)),
        "seed": SEED.check("seed", asked.get("seed", 17)),
        "budget": _budget(asked.get("budget", {})),
        "rate": RATE.check("rate", asked.get("rate", 1.0)),
    }


def command_from(asked: Any, spec: Json) -> Json:
    """A command to a race of ``spec``, checked.

    Raises:
        Refused: there is no such command, or a value of it cannot be.
    """
    asked = _record(asked, "A command", ("do", "to", "learner", "settings"))
    options = ("pause", "resume", "step", "stop", "more", "rewind", "set")
    do = Choice(*options).check("do", asked.get("do"))
    if do == "rewind":
        return {"do": do, "to": KEPT.check("to", asked.get("to"))}
    if do != "set":
        return {"do": do}
    name, settings = asked.get("learner"), asked.get("settings")
    if not isinstance(settings, Mapping) or not settings:
        raise Refused("Say which setting is to change.")
    if name is not None:
        _chosen(name, spec)
    racing = [learners()[one] for one in (spec["learners"] if name is None else [name])]
    checked = {key: _turned(racing, str(key), value) for key, value in settings.items()}
    return {"do": do, "learner": name, "settings": checked}


def question_from(asked: Any, spec: Json) -> Json:
    """A question about a race of ``spec``, checked.

    Raises:
        Refused: there is no such question, or a value of it cannot be.
    """
    keys = ("what", "points", "learner", "t", "n", "start", "player", "steps", "sampler", "kept", "quick")
    asked = _record(asked, "A question", keys)
    options = ("log_prob", "field", "path", "latent_grid", "turn", "cost")
    what = Choice(*options).check("what", asked.get("what"))
    kept = None if asked.get("kept") is None else KEPT.check("kept", asked["kept"])
    if what == "log_prob":
        points = asked.get("points")
        if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
            raise Refused(f"Ask for 1 to {MOST_POINTS} points at a time.")
        quick = Toggle().check("quick", asked.get("quick", False))
        return {"what": what, "points": [_point(point) for point in points], "kept": kept, "quick": quick}
    question: Json = {"what": what, "learner": _chosen(asked.get("learner"), spec), "kept": kept}
    if what == "field":
        question |= {"t": TIME.check("t", asked.get("t", 1.0)), "n": GRID.check("n", asked.get("n", 20))}
    elif what == "path":
        question["start"] = _point(asked.get("start"))
    elif what == "turn":
        question |= {"player": _word(asked.get("player")), "steps": TURN.check("steps", asked.get("steps", 20))}
    elif what == "cost":
        question["sampler"] = _word(asked.get("sampler"))
    return question


def _turned(racing: list[Learner], key: str, value: Any) -> Any:
    """The value of a setting of all those that have it."""
    common: dict[str, Knob] = {"rate": RATE, "data": DATA}
    if key in common:
        return common[key].check(key, value)
    having = [learner for learner in racing if key in learner.settings]
    if not having:
        raise Refused(f"None of these has a setting {key[:40]!r}.")
    checked = [check(learner.knobs, {key: value})[key] for learner in having]
    return checked[0]


def _record(asked: Any, what: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(asked, Mapping):
        raise Refused(f"{what} is an object with {', '.join(keys)}.")
    strange = [key for key in asked if key not in keys]
    if strange:
        raise Refused(f"{what} has no {str(strange[0])[:40]!r}; it has {', '.join(keys)}.")
    return asked


def _settings(learner: Learner, values: Any) -> Json:
    if not isinstance(values, Mapping):
        raise Refused(f"The settings of {learner.title} are an object, such as {{}}.")
    return check(learner.knobs, values)


def _budget(asked: Any) -> Json:
    asked = _record(asked, "A budget", ("kind", "amount"))
    kind = Choice(*AMOUNTS).check("kind", asked.get("kind", "seconds"))
    default = 3.0 if kind == "seconds" else 2000
    return {"kind": kind, "amount": AMOUNTS[kind].check("amount", asked.get("amount", default))}


def _chosen(name: Any, spec: Json) -> str:
    if not isinstance(name, str) or name not in spec["learners"]:
        raise Refused(f"Name one learner of the race: {', '.join(spec['learners'])}.")
    return name


def _point(value: Any) -> list[float]:
    if not isinstance(value, list) or len(value) != 2 or not all(_number(v) for v in value):
        raise Refused("A point is two numbers, such as [0.5, -1.0].")
    return [float(v) for v in value]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FAR  # NaN is not


def _word(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= 60):
        return value
    raise Refused("That name is too long, or no text.")
