"""A backend without tensors for the Sketch page: models that answer at once, in steps, with a refusal, with a pen."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any

import fake
import numpy as np

from playground.backends import Backend, Request
from playground.knobs import Canvas, Choice, Knob, Refused, Slider, Spec, check
from playground.views import Images, Progress, Refusal, Text, View

STEPS = 20
HIDE = ("lower half", "upper half", "left half", "right half", "brushed")
COMPLETE = (
    Spec("canvas", Canvas("yours"), None),
    Spec("hidden", Canvas("what is to be made up"), None),
    Spec("hide", Choice(*HIDE, help="which part is made up"), "lower half"),
    Spec("n", Slider(1, 9, help="how many endings"), 9),
)
OWN = Spec("wildness", Slider(0, 2, 0.1, help="of its own"), 1.0)


class Strokes(Knob):
    """As the page sends them; what a real one refuses is another test's business."""

    def check(self, name: str, value: Any) -> Any:
        return value


SPECS: dict[str, tuple[Spec, ...]] = {
    "complete": COMPLETE,
    "edit": (COMPLETE[0], Spec("strength", Slider(0, 1, 0.05, help="how free"), 0.5)),
    "morph": (Spec("first", Strokes(), []), Spec("second", Strokes(), [])),
    "transport": (COMPLETE[0],),
}
CAN = {
    "quick": ("dots", ("complete", "edit")),
    "steps": ("dots", ("complete",)),
    "refuses": ("dots", ("complete",)),
    "pen": ("dots", ("morph",)),
    "colour": ("stripes", ("complete",)),
}


def model(name: str) -> dict[str, Any]:
    """One model as ``describe`` tells it."""
    data, can = CAN[name]
    specs = {a: [{**s.to_json(), "own": False} for s in SPECS[a]] for a in can}
    if name == "quick":
        specs["complete"].append({**OWN.to_json(), "own": True})
    fits = {a: None if a in can else f"{name} has no hand for it" for a in SPECS}
    told = {"name": name, "title": name.capitalize(), "data": data, "family": name, "fits": fits, "knobs": specs}
    return {**fake.model("alpha"), **told, "expected_seconds": 0.1}


class FakeSketch(Backend):
    """Shows what it was sent.

    Attributes:
        asked: every request that came, in order.
        working: how many runs go on now.
    """

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.working = 0
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        told = fake.Fake().describe()
        shapes = {"dots": [1, 28, 28], "stripes": [3, 32, 32]}
        return {
            **told,
            "models": [model(name) for name in CAN],
            "activities": [{"name": a, "title": a, "help": f"What {a} does.", "page": "sketch"} for a in SPECS],
            "datasets": [{**d, "shape": shapes[d["name"]]} for d in told["datasets"]],
            "default": "quick",
        }

    def run(self, request: Request) -> Generator[View]:
        with self._lock:
            self.asked.append(request)
            self.working += 1
        try:
            specs = SPECS[request.activity] + ((OWN,) if request.model == "quick" else ())
            yield from answers(request, check(specs, request.knobs))
        except Refused as refusal:
            yield Refusal(text=str(refusal))
        finally:
            with self._lock:
                self.working -= 1


def answers(request: Request, knobs: dict[str, Any]) -> Generator[View]:
    """The views of one run: the picture that came, as often as asked for."""
    if request.model == "refuses":
        raise Refused("This model refuses everything; take another.")
    if request.model == "pen":
        yield Text(text=f"{len(knobs['first'])} and {len(knobs['second'])} strokes")
        return
    given = knobs["canvas"]
    assert given is not None, "the page asked about a blank paper"
    picture = given if request.model == "colour" else given[:, :, :1]
    pictures = np.repeat(picture[None], knobs.get("n", 1), 0)
    for step in range(STEPS if request.model == "steps" else 0):
        yield Progress(done=step, total=STEPS, text=f"step {step}")
        yield Images(pixels=pictures // 2, caption=f"step {step}")
        time.sleep(0.05)
    yield Images(pixels=pictures, captions=("log p −1.0",) * len(pictures), seconds=0.01)
