"""A backend that comes up in the background, so that the first page does not wait for the models."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import playground
from playground import backends
from playground.backends import Backend, Request
from playground.views import View

log = logging.getLogger(__name__)

FIRST_SEED = 17  # the page's own, in shared/store.js
CODE = Path(playground.__file__).parent


class Later(Backend):
    """``pick()``, in a thread of its own; whoever asks before it is ready waits.

    The thread is started after the server answers: side by side they take turns and both are late. Until then the shelf
    of the last start is shown, if nothing has changed since.
    """

    def __init__(self) -> None:
        self._backend: Future[Backend] = Future()

    def start(self, then: Callable[[], None] = lambda: None) -> None:
        """Begin to come up; ``then`` is called when all is ready and the first click will be quick."""
        threading.Thread(target=self._come_up, args=(then,), name="backend", daemon=True).start()

    def ready(self) -> Backend:
        """The backend itself, as soon as it is up."""
        return self._backend.result()

    def _come_up(self, then: Callable[[], None]) -> None:
        try:
            backend = backends.pick()
            shelf = backend.describe()
        except Exception as error:
            log.exception("the backend did not come up")
            self._backend.set_exception(error)
            return
        self._backend.set_result(backend)
        remember(shelf)
        # The first sample of a process pays for threads and caches; so the page's first click is run here beforehand.
        backend.warm_up(FIRST_SEED)
        then()

    def describe(self) -> dict[str, Any]:
        shelf = None if self._backend.done() else remembered()
        return self.ready().describe() if shelf is None else {**shelf, "remembered": True}

    def run(self, request: Request) -> Generator[View]:
        return self.ready().run(request)

    def sheet(self, model: str) -> bytes:
        return self.ready().sheet(model)


def remember(shelf: dict[str, Any]) -> None:
    """Keep a shelf for the next start; without a place to keep it the next start only takes longer."""
    place = kept()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        for old in place.parent.glob("shelf-*.json"):
            old.unlink()
        place.write_text(json.dumps(shelf), encoding="utf-8")
    except OSError as error:
        log.info("the shelf is not remembered: %s", error)


def remembered() -> dict[str, Any] | None:
    """The shelf of the last start, if the code and the cards are as they were then."""
    try:
        shelf = json.loads(kept().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return shelf if isinstance(shelf, dict) else None


def kept() -> Path:
    """Where the shelf of this code, these cards and this backend is kept."""
    cards = Path(os.environ.get("PLAYGROUND_PRETRAINED") or CODE.parent / "pretrained")
    files = [*sorted(CODE.rglob("*.py")), *sorted(cards.glob("*/card.json"))]
    stamp = [f"{file} {file.stat().st_mtime_ns} {file.stat().st_size}" for file in files]
    stamp += [os.environ.get(name, "") for name in ("PLAYGROUND_REMOTE", "PLAYGROUND_DEVICE")]
    digest = hashlib.sha256("\n".join(stamp).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deep-generative-playground"
    return folder / f"shelf-{digest}.json"
