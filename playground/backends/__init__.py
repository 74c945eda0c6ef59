"""Where an activity runs: one method, ``run(Request) -> Generator``, and one description of what can be run."""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from playground.knobs import Refused
from playground.views import View

MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class Request:
    """What a visitor asks for: names and plain values, nothing that needs tensors.

    Args:
        model: a model's name.
        activity: an activity's name.
        knobs: a value for each knob that is not left at its default.
        seed: 0 to ``MAX_SEED``.
    """

    model: str
    activity: str
    knobs: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "knobs": dict(self.knobs)}

    @staticmethod
    def from_json(record: Any) -> Request:
        """The request that ``to_json`` wrote, or one that arrived from anywhere.

        Raises:
            Refused: with the sentence to show.
        """
        if not isinstance(record, dict) or not {"model", "activity"} <= set(record):
            raise Refused("A request needs a model and an activity.")
        odd = set(record) - {"model", "activity", "knobs", "seed"}
        if odd:
            raise Refused(f"A request has no {sorted(odd)[0]!r}; it has model, activity, knobs and seed.")
        model, activity = record["model"], record["activity"]
        values, seed = record.get("knobs") or {}, record.get("seed", 0)
        if not isinstance(model, str) or not isinstance(activity, str) or not isinstance(values, Mapping):
            raise Refused("A request's model and activity are names, its knobs an object of names and values.")
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
            raise Refused(f"seed must be a whole number from 0 to {MAX_SEED}; it was {seed!r:.40}.")
        return Request(model, activity, values, seed)


class Backend(ABC):
    """Runs requests somewhere: on this machine, or in another playground."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Everything a page or a caller needs to know to make requests, as plain JSON values.

        ``models``: a list, grouped by family, each with name, title (its short name, unlike any other's on its data),
        line, family, family_title, data, labels, licence, parameters, trained, metrics, published, about (fields of
        ``About``), source (the family's file), expected_seconds (what 16 samples cost where measured, or null),
        latent (how many numbers its code has, where that was chosen, or null), ``fits`` (activity name to null, or to
        the reason why not) and ``knobs`` (activity name to the list of knob specs of a fitting activity, the family's
        own last and marked ``own``). ``activities``: a list, each with name,
        title and help. ``datasets``: a list, each with name, title, line, labels, shape and licence. ``broken``: model
        name to why it cannot be opened.
        ``default``: the model to begin with, or null. ``device``: where requests run, in words.

        Raises:
            Refused: it cannot be had, with the sentence to show.
        """

    @abstractmethod
    def run(self, request: Request) -> Generator[View]:
        """The views of a request, as they come; a refusal or a failure is the last view, a ``Refusal``.

        Closing the iterator stops the work at its next step.
        """

    def warm_up(self, seed: int) -> None:
        """Make the first requests quick; for a thread in the background, once the first page is served.

        ``seed`` is the one that a newcomer's first click will send.
        """

    def sheet(self, model: str) -> bytes:
        """The PNG of a model's sample sheet, or b"" where there is none."""
        return b""


def prepare() -> None:
    """Import now what ``pick`` will need, while nothing else wants the interpreter; side by side both are late."""
    if not os.environ.get("PLAYGROUND_REMOTE"):
        importlib.import_module("playground.backends.local")


def pick() -> Backend:
    """The backend that the environment asks for: ``PLAYGROUND_REMOTE`` (a URL or a Space), else this machine."""
    address = os.environ.get("PLAYGROUND_REMOTE")
    if address:
        from playground.backends.remote import Remote

        return Remote(address)
    from playground.backends.local import Local

    return Local()
