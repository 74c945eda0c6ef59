"""A backend without tensors, for the tests of the page: a few models that can, cannot, take their time, and fail."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Generator
from typing import Any

import numpy as np
from PIL import Image

from playground.backends import Backend, Request
from playground.knobs import Choice, Label, Others, Picture, Refused, Slider, Spec, Toggle, check
from playground.views import Film, Images, Progress, Refusal, Table, Text, View

ABOUT = {
    key: f"The {key} of it."
    for key in ("intuition", "pros", "cons", "training", "latent", "sampling", "density", "paper")
}
LABELS = ("any", "0", "1", "2")
MODELS = ("alpha", "alpha-large", "beta", "gamma")  # two of one family, one that can little, one on other data
SPECS: dict[str, tuple[Spec, ...]] = {
    "generate": (
        Spec("n", Slider(1, 64, help="how many pictures"), 16),
        Spec("temperature", Slider(0.1, 1.5, 0.05, help="how wild"), 1.0),
        Spec("label", Label(options=LABELS), "any"),
        Spec("noise", Toggle("with noise"), False),
        Spec("way", Choice("long", "short", help="which way"), "long"),
    ),
    "watch": (Spec("n", Slider(1, 16, help="how many pictures"), 4),),
    "compare": (Spec("others", Others(most=3, options=MODELS[1:3], help="beside it"), ()),),
    "reconstruct": (Spec("picture", Picture("your own"), None),),
    "neighbours": (Spec("k", Slider(1, 24, help="how many"), 8), Spec("picture", Picture("your own"), None)),
    "wait": (Spec("seconds", Slider(1, 60, help="how long"), 30),),
    "fail": (),
}


def model(name: str) -> dict[str, Any]:
    """One model as ``describe`` tells it."""
    cannot = {"watch": "it draws in one pass", "reconstruct": "it has no encoder"} if name == "beta" else {}
    fits = {activity: cannot.get(activity) for activity in SPECS}
    family = name.partition("-")[0]
    return {
        "name": name,
        "title": f"Family {family}" + (" · large" if name.endswith("large") else ""),
        "line": f"a model called {family}",
        "family": "vae",
        "family_title": f"Family {family}",
        "data": "stripes" if name == "gamma" else "dots",
        "labels": list(LABELS[1:]),
        "licence": "Apache-2.0",
        "parameters": 1234567,
        "trained": {"device": "CPU", "seconds": 61, "steps": 1000},
        "metrics": {
            "nll": {"value": 1.25, "stderr": 0.01, "n": 100, "kind": "exact", "split": "test", "protocol": "in words"}
        },
        "published": [{"metric": "nll", "value": 1.0, "source": "somebody 2020"}],
        "about": {"title": f"Family {family}", "line": f"a model called {family}", "arxiv": "1234.56789", **ABOUT},
        "source": "playground/families/vae.py",
        "fits": fits,
        "knobs": {a: [s.to_json() for s in specs] for a, specs in SPECS.items() if fits[a] is None},
    }


class Fake(Backend):
    """Draws squares whose greys come from the seed.

    Attributes:
        working: how many runs are going on; a cancelled one has stopped when it is back at zero.
    """

    def __init__(self) -> None:
        self.working = 0
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        dots = {
            "name": "dots",
            "title": "Dots",
            "line": "made of dots",
            "labels": [],
            "shape": [1, 8, 8],
            "licence": "",
        }
        return {
            "models": [model(name) for name in MODELS],
            "activities": [
                {"name": a, "title": a.capitalize(), "help": f"What {a} does.", "page": "play"} for a in SPECS
            ],
            "datasets": [dots, {**dots, "name": "stripes", "title": "Stripes", "shape": [3, 8, 8]}],
            "broken": {"delta": "delta: card.json cannot be read."},
            "default": "alpha",
            "device": "a fake",
        }

    def run(self, request: Request) -> Generator[View]:
        with self._lock:
            self.working += 1
        try:
            knobs = check(SPECS[request.activity], request.knobs)
            yield from draw(request, knobs)
        except Refused as refusal:
            yield Refusal(text=str(refusal))
        finally:
            with self._lock:
                self.working -= 1

    def sheet(self, model: str) -> bytes:
        file = io.BytesIO()
        Image.fromarray(pixels(request_of(model), 1)[0, :, :, 0]).save(file, "PNG")
        return file.getvalue()


def request_of(model: str) -> Request:
    """Any request of a model."""
    return Request(model, "generate")


def pixels(request: Request, n: int, *leading: int) -> np.ndarray:
    """Pictures (*leading, n, 8, 8, channels) that depend on model and seed."""
    rng = np.random.default_rng([request.seed, len(request.model)])
    return rng.integers(0, 256, (*leading, n, 8, 8, 3 if request.model == "gamma" else 1), dtype=np.uint8)


def draw(request: Request, knobs: dict[str, Any]) -> Generator[View]:
    """The views of one run."""
    n = knobs.get("n", 4)
    if request.activity == "wait":
        yield Images(pixels=pixels(request, 4), caption="on the way")
        for i in range(20 * int(knobs["seconds"])):
            yield Progress(done=i, total=20 * int(knobs["seconds"]), text="waiting")
            time.sleep(0.05)
        yield Text(text="waited")
    elif request.activity == "fail":
        yield Images(pixels=pixels(request, 4))
        raise RuntimeError("this failure is part of a test")
    elif request.activity == "watch":
        yield Film(pixels=pixels(request, n, 12), steps=tuple(f"t = {i}" for i in range(12)), seconds=0.1)
    elif request.activity == "compare":
        names = (request.model, *knobs["others"])
        captions = tuple(f"{i}" for i in range(4 * len(names)))
        yield Images(pixels=pixels(request, 4 * len(names)), columns=4, group=names, captions=captions)
        yield Table(key="figures", columns=("model", "seconds"), rows=tuple((name, 0.5) for name in names))
    elif request.activity == "neighbours":
        yield Images(key="picture", pixels=pixels(request, 1))
        yield Images(key="neighbours", pixels=pixels(request, 8), captions=("0",) * 8, columns=8, title="Nearest")
    elif request.seed == 666:
        raise Refused("The seed 666 is refused here; choose another.")
    else:
        given = knobs.get("picture")
        caption = "" if given is None else f"yours is {given.shape[1]} x {given.shape[0]}"
        yield Images(pixels=pixels(request, n), caption=caption, seconds=0.1)
