"""A backend that comes up in the background, so that the first page does not wait for torch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any

from playground import backends
from playground.backends import Backend, Request
from playground.views import View

log = logging.getLogger(__name__)

FIRST_SEED = 17  # the page's own, in shared/store.js


class Later(Backend):
    """``pick()``, in a thread of its own; whoever asks before it is ready waits.

    The thread is started after the server answers: torch and Gradio imported side by side take turns and both are late.
    """

    def __init__(self) -> None:
        self._backend: Future[Backend] = Future()

    def start(self) -> None:
        """Begin to come up."""
        threading.Thread(target=self._come_up, name="backend", daemon=True).start()

    def _come_up(self) -> None:
        try:
            backend = backends.pick()
            shelf = backend.describe()
        except Exception as error:  # handed to every caller by the future, and shown on the page
            log.exception("the backend did not come up")
            self._backend.set_exception(error)
            return
        self._backend.set_result(backend)
        # The first sample of a process pays for threads and caches; so the page's first click is run here beforehand.
        for view in backend.run(Request(shelf["default"], "generate", {}, FIRST_SEED)) if shelf["default"] else ():
            log.debug("warm-up: %s", type(view).__name__)

    def describe(self) -> dict[str, Any]:
        return self._backend.result().describe()

    def run(self, request: Request) -> Generator[View]:
        return self._backend.result().run(request)

    def sheet(self, model: str) -> bytes:
        return self._backend.result().sheet(model)
