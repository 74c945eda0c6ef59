"""What the Laboratory's page asks the server: one plain object in, one plain object out, never an error."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from playground.knobs import MAX_BYTES as MAX_PICTURE
from playground.knobs import Refused
from playground.lab.arena import Arena
from playground.lab.export import Finished, export
from playground.lab.learners import learners
from playground.lab.own import columns_of, from_csv, from_picture
from playground.lab.packing import POINTS, SIDE, cells, packed_map, packed_points
from playground.lab.script import script
from playground.lab.stories import stories
from playground.lab.table import MAX_BYTES as MAX_TABLE
from playground.lab.targets import Target, target_from, targets
from playground.ui.functions import Answer, answer, family_source

SEED = 1  # of a target's points on the page


def functions(arena: Arena) -> list[Callable[[Any], Answer]]:
    """The functions of the page, over ``arena``."""

    @answer
    def lab_facts(asked: Answer) -> Answer:
        arena.warm()
        told = [story.to_json() for story in stories().values()]
        return {"targets": _ready(), "stories": told, "learners": arena.facts()}

    @answer
    def lab_target(asked: Answer) -> Answer:
        return _target(asked)

    @answer
    def lab_start(asked: Answer) -> Answer:
        return {"race": arena.start(asked)}

    @answer
    def lab_poll(asked: Answer) -> Answer:
        since = asked.get("since", 0)
        if isinstance(since, bool) or not isinstance(since, int) or since < 0:
            raise Refused("since is the seq of the last answer, a whole number.")
        return arena.poll(str(asked.get("race")), since)

    @answer
    def lab_tell(asked: Answer) -> Answer:
        return arena.tell(str(asked.get("race")), asked.get("command"))

    @answer
    def lab_probe(asked: Answer) -> Answer:
        return arena.probe(str(asked.get("race")), asked.get("question"))

    @answer
    def lab_cost(asked: Answer) -> Answer:
        question = {"what": "cost", "learner": asked.get("learner"), "sampler": asked.get("sampler")}
        return arena.probe(str(asked.get("race")), question)

    @answer
    def lab_export(asked: Answer) -> Answer:
        name, data = _exported(arena.history(str(asked.get("race"))), asked.get("format"), asked.get("learner"))
        return {"name": name, "b64": base64.b64encode(data).decode()}

    @answer
    def source(asked: Answer) -> Answer:
        return {"text": family_source(str(asked.get("path")))}

    return [lab_facts, lab_target, lab_start, lab_poll, lab_tell, lab_probe, lab_cost, lab_export, source]


def entry(target: Target) -> Answer:
    """A target as the page shows it, with the record that makes it again."""
    points = target.sample(POINTS, np.random.default_rng(SEED))
    told: Answer = {"name": target.name, "title": target.title, "line": target.line, "info": target.info}
    told |= {"known": target.known, "entropy": target.entropy, "record": target.record()}
    told |= {"modes": None if target.modes is None else len(target.modes), "points": _packed(packed_points(points))}
    if target.known:
        told["logp"] = _packed(packed_map(target.log_prob(cells(SIDE))))
    return told


@lru_cache(maxsize=1)
def _ready() -> list[Answer]:
    return [entry(target) for target in targets().values()]


def _target(asked: Answer) -> Answer:
    """The entry of the one target that was sent; of a table without chosen columns, its columns.

    Raises:
        Refused: it is none, or there is something wrong with it.
    """
    if "csv" in asked:
        data = _file(asked["csv"], MAX_TABLE, "table")
        columns = asked.get("columns")
        if columns is None:
            found = columns_of(data)
            return {"columns": list(found.names), "rows": found.rows}
        if not isinstance(columns, list) or len(columns) != 2 or not all(isinstance(name, str) for name in columns):
            raise Refused("Choose two columns, by their names.")
        table, said = from_csv(data, columns)
        return {"target": {**entry(table), "info": said}}
    if "picture" in asked:
        picture = from_picture(_file(asked["picture"], MAX_PICTURE, "picture"), dark=asked.get("dark") is True)
        return {"target": entry(picture)}
    record = asked.get("record", {key: asked[key] for key in ("name", "drawn", "formula") if key in asked})
    return {"target": entry(target_from(record))}


def _file(text: Any, most: int, what: str) -> bytes:
    if not isinstance(text, str) or len(text) > most * 4 // 3 + 100:
        raise Refused(f"A {what} of at most {most // 10**6} MB is taken.")
    try:
        return base64.b64decode(text.partition(",")[2] or text, validate=True)
    except ValueError:  # not base64, or letters beyond ASCII
        raise Refused(f"That {what} did not arrive whole: send it again.") from None


def _exported(history: Answer, format: Any, learner: Any) -> tuple[str, bytes]:
    """A file's name and its bytes: a film, a table, arrays, or the script that reproduces one panel."""
    spec = history["spec"]
    target = target_from(spec["target"])
    if format == "script":
        if not isinstance(learner, str) or learner not in history["frames"]:
            raise Refused(f"Name one learner of the race: {', '.join(spec['learners'])}.")
        text = script(spec, learner, history["frames"][learner]["step"])
        return f"{learner}.py", text.encode()
    titles = {name: learners()[name].title for name in spec["learners"]}
    frames = {name: [*history["kept"].get(name, []), frame] for name, frame in history["frames"].items()}
    race = Finished(spec, entry(target), titles, frames, history["numbers"])
    name = re.sub(r"[^a-z0-9]+", "-", target.title.lower()).strip("-") or "race"
    return f"{name}.{format}", export(race, str(format))


def _packed(data: bytes) -> Answer:
    return {"b64": base64.b64encode(data).decode()}
