"""Sends requests to another playground: a Space, a machine with a GPU, a colleague's laptop."""

from __future__ import annotations

import base64
import logging
import os
import threading
import time
from collections.abc import Generator
from typing import Any

import httpx

from playground.backends import Backend, Request
from playground.knobs import Refused
from playground.views import Refusal, View, from_json

log = logging.getLogger(__name__)
FRESH = 30.0  # seconds for which a description is taken as still true
POLL = 0.005  # seconds between two looks for further views
TIMEOUT = httpx.Timeout(10.0, read=60.0)  # a server that sends nothing for a minute, not even a sign of life, is gone


class Remote(Backend):
    """Another playground.

    Args:
        address: its URL, or the name of a Space, ``owner/name``.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Any = None
        self._lock = threading.Lock()
        self._known: tuple[float, dict[str, Any]] | None = None

    def describe(self) -> dict[str, Any]:
        if self._known is None or time.monotonic() - self._known[0] > FRESH:
            try:
                answer = self._connect().predict(api_name="/describe")
            except Exception as error:
                log.warning("%s cannot be described", self.address, exc_info=True)
                raise Refused(self._lost(error)) from None
            self._known = time.monotonic(), {**answer, "device": f"{answer['device']}, at {self.address}"}
        return self._known[1]

    def sheet(self, model: str) -> bytes:
        try:
            return base64.b64decode(self._connect().predict(model, api_name="/sheet"))
        except Exception as error:  # a missing ornament must not take the page down
            log.warning("no sample sheet of %s: %s", model, self._lost(error), exc_info=True)
            return b""

    def run(self, request: Request) -> Generator[View]:
        job: Any = None
        try:
            job = self._connect().submit(request.to_json(), api_name="/run")
            seen = 0
            while True:
                over = job.done()  # looked at first, so that nothing that came before it is missed
                arrived = job.outputs()
                for record in arrived[seen:]:
                    yield _view(record)
                seen = len(arrived)
                if over:
                    job.result()  # raises what went wrong
                    return
                time.sleep(POLL)
        except Exception as error:
            log.warning("%s: %s of %s failed", self.address, request.activity, request.model, exc_info=True)
            yield Refusal(text=self._lost(error))
        finally:
            if job is not None and not job.done():
                job.cancel()

    def _connect(self) -> Any:
        """The one client, connected anew after a connection was lost."""
        with self._lock:
            if self._client is None:
                os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
                from gradio_client import Client

                url = "://" in self.address
                self._client = Client(
                    self.address,
                    token=False if url else None,  # a token stored on this machine is for the Hub, not for any server
                    verbose=False,
                    download_files=False,
                    ssl_verify=not self.address.startswith("http://"),  # building TLS contexts costs 0.1 s a call
                    httpx_kwargs={"timeout": TIMEOUT},
                    analytics_enabled=False,
                )
            return self._client

    def _lost(self, error: Exception) -> str:
        """The sentence to show, and a fresh start for the next request where the connection is gone."""
        from gradio_client.exceptions import AppError
        from gradio_client.utils import QueueError

        there = f"The playground at {self.address}"
        if isinstance(error, Refused):
            return str(error)
        if isinstance(error, QueueError):
            return f"{there} is busy; try again in a moment."
        if isinstance(error, AppError):
            return f"{there} could not do that; its own page may say why."
        with self._lock:
            self._client = None
        return f"{there} does not answer as it should; check the address and that it is running, then try again."


def _view(record: Any) -> View:
    """A view as it came.

    Raises:
        Refused: it is none that this version knows.
    """
    try:
        return from_json(record)
    except ValueError as error:
        raise Refused(f"The other playground is of another version than this one: {error}.") from None
