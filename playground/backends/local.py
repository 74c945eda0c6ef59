"""Runs requests on this machine: on its GPU if it has one, else on its processor."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import uuid
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from playground import catalog
from playground.activities import Activity, activities
from playground.backends import Backend, Request
from playground.backends.batching import Batched
from playground.backends.cache import Cache
from playground.backends.shelf import Shelf, shelf
from playground.capabilities import Model, Samples
from playground.catalog import Unusable
from playground.data import DataMissing
from playground.knobs import Others, Refused, check
from playground.rng import Rng
from playground.views import Progress, Refusal, View

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A request that has been checked.

    Args:
        shelf: where its models stand.
        model: the model's name.
        activity: what to do.
        values: every knob's value, checked.
        seed: the visitor's seed.
    """

    shelf: Shelf
    model: str
    activity: Activity
    values: dict[str, Any]
    seed: int

    @property
    def key(self) -> str:
        """Equal for requests whose results are equal: a digest of all that goes in, the weights included."""
        digest = hashlib.sha256(self.shelf.entries[self.model].card.sha256.encode())
        for name, value in sorted(self.values.items()):
            plain = value if isinstance(value, np.ndarray) else np.frombuffer(json.dumps(value).encode(), np.uint8)
            digest.update(f"{name} {plain.shape} ".encode() + plain.tobytes())
        return f"{self.model} {self.activity.name} {self.seed} {digest.hexdigest()}"


class Local(Backend):
    """This machine.

    A model is loaded once, at its first request, and shared by all visitors.

    Args:
        device: a torch device; by default ``PLAYGROUND_DEVICE``, or the best there is.
        cache_bytes: how much of earlier results to keep.
    """

    def __init__(self, device: str | None = None, cache_bytes: int = 64_000_000) -> None:
        self.device = torch.device(device or os.environ.get("PLAYGROUND_DEVICE") or best_device())
        self.cache = Cache(cache_bytes)
        self._models: dict[str, Model] = {}
        self._loading = threading.Lock()

    def describe(self) -> dict[str, Any]:
        return {**shelf().describe(), "device": in_words(self.device)}

    def sheet(self, model: str) -> bytes:
        path = catalog.root() / model / "samples.png"
        return path.read_bytes() if model in shelf().entries and path.is_file() else b""

    def run(self, request: Request) -> Generator[View]:
        try:
            job = prepare(request)
            kept = self.cache.get(job.key)
            if kept is not None:
                yield from kept
                return
            final: dict[str, View] = {}
            with closing(self._start(job)) as views:
                while (view := _next(views)) is not None:
                    if not isinstance(view, Progress):
                        final[view.key] = view
                    yield view
            self.cache.put(job.key, tuple(final.values()))
        except (Refused, Unusable, DataMissing) as error:
            yield Refusal(text=str(error))
        except Exception:
            number = uuid.uuid4().hex[:8]
            log.exception("request %s failed: %s, %s", number, request.model, request.activity)
            text = f"Something went wrong here (report {number} in the server's log); try another seed or model."
            yield Refusal(text=text)

    def model(self, name: str) -> Model:
        """The model called ``name``, on this machine's device; several visitors' samples are drawn together.

        Raises:
            Unusable: it cannot be opened.
        """
        with self._loading:
            if name not in self._models:
                model = catalog.load(name)
                if not (model.wants_float64 and self.device.type == "mps"):
                    model = model.to(self.device)
                if isinstance(model, Samples):
                    vars(model)["sample"] = Batched(type(model).sample.__get__(model))  # shadows the method
                self._models[name] = model
            return self._models[name]

    def warm_up(self, seed: int) -> None:
        there = shelf()
        first = there.default()
        if first is None:
            return
        for view in self.run(Request(first, "generate", {}, seed)):
            log.debug("warm-up of %s: %s", first, type(view).__name__)
        try:
            there.dataset(there.entries[first]).load("train")  # unpacked once: a click on a sample asks for neighbours
        except DataMissing as missing:
            log.info("%s", missing)

    def _start(self, job: Job) -> Generator[View]:
        """The activity's generator, given what its signature asks for."""
        entry = job.shelf.entries[job.model]
        wanted = job.activity.parameters
        values = dict(job.values)
        for spec in job.shelf.specs(job.model, job.activity):
            if isinstance(spec.knob, Others):
                named = values[spec.name]
                values[spec.name] = {job.shelf.entries[other].title: self.model(other) for other in named}
        model = self.model(job.model)
        given = {"rng": Rng(job.seed, 0, model.device), "data": job.shelf.dataset(entry), "title": entry.title}
        values |= {name: thing for name, thing in given.items() if name in wanted}
        return job.activity.run(model, **values)


def prepare(request: Request) -> Job:
    """Check everything about a request, before any weights are opened.

    Raises:
        Refused: with the sentence to show.
    """
    request = Request.from_json(vars(request))  # made here or sent, it is checked
    there = shelf()
    entry = there.entry(request.model)
    activity = activities().get(request.activity)
    if activity is None:
        raise Refused(f"There is nothing called {request.activity!r:.60} to do; there are {', '.join(activities())}.")
    reason = activity.why_not(entry.family)
    if reason:
        raise Refused(f"Not possible with {entry.title}: {reason}.")
    values = check(there.specs(request.model, activity), request.knobs)
    return Job(there, request.model, activity, values, request.seed)


def best_device() -> str:
    """``cuda``, ``mps`` or ``cpu``: the first that is there."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def in_words(device: torch.device) -> str:
    """A device as people call it."""
    if device.type == "cuda":
        return f"GPU: {torch.cuda.get_device_name(device)}"
    return "GPU: Apple (MPS)" if device.type == "mps" else f"CPU, {_count(torch.get_num_threads(), 'thread')}"


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}" + ("" if n == 1 else "s")


@torch.no_grad()
def _next(views: Generator[View]) -> View | None:
    """The next view: gradients are off while the activity works, and only then."""
    return next(views, None)
