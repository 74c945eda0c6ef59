"""Sends requests to another playground: a Space, a machine with a GPU, a colleague's laptop."""

from __future__ import annotations

import base64
import logging
import os
import threading
import time
from collections.abc import Generator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

import httpx

from playground.backends import Backend, Request
from playground.knobs import Refused
from playground.views import Refusal, View, from_json

log = logging.getLogger(__name__)
FRESH = 30.0  # seconds for which a description is taken as still true
TRIES = 3  # of a request whose stream was lost
POLL = 0.005  # seconds between two looks for further views
TIMEOUT = httpx.Timeout(10.0, read=60.0)  # a server that sends nothing for a minute, not even a sign of life, is gone


class Remote(Backend):
    """Another playground.

    Each request has a client library connection to itself, kept for the next one. The library at times loses the stream
    of a request that follows another closely, and calls that cancelled; since a request can be asked again with the
    same result, it is.

    Args:
        address: its URL, or the name of a Space, ``owner/name``.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._idle: list[Any] = []
        self._lock = threading.Lock()
        self._known: tuple[float, dict[str, Any]] | None = None

    def describe(self) -> dict[str, Any]:
        if self._known is None or time.monotonic() - self._known[0] > FRESH:
            try:
                answer = self._ask("/describe")
            except Exception as error:
                log.warning("%s cannot be described", self.address, exc_info=True)
                raise Refused(self._lost(error)) from None
            self._known = time.monotonic(), {**answer, "device": f"{answer['device']}, at {self.address}"}
        return self._known[1]

    def sheet(self, model: str) -> bytes:
        try:
            return base64.b64decode(self._ask("/sheet", model))
        except Exception as error:  # a missing ornament must not take the page down
            log.warning("no sample sheet of %s: %s", model, self._lost(error), exc_info=True)
            return b""

    def run(self, request: Request) -> Generator[View]:
        for attempt in range(TRIES):
            try:
                with self._client() as client:
                    yield from _views(client, request)
                return
            except CancelledError as error:
                log.info("%s: the stream of a request was lost, attempt %d", self.address, attempt)
                if attempt == TRIES - 1:
                    yield Refusal(text=self._lost(error))
            except Exception as error:
                log.warning("%s: %s of %s failed", self.address, request.activity, request.model, exc_info=True)
                yield Refusal(text=self._lost(error))
                return

    def _ask(self, endpoint: str, *values: Any) -> Any:
        """A single answer."""
        for attempt in range(TRIES):
            try:
                with self._client() as client:
                    return client.predict(*values, api_name=endpoint)
            except CancelledError:
                if attempt == TRIES - 1:
                    raise
        return None

    @contextmanager
    def _client(self) -> Generator[Any]:
        """A connection of one's own; it is kept for others if nothing went wrong with it."""
        with self._lock:
            client = self._idle.pop() if self._idle else None
        client = client or self._connect()
        try:
            yield client
        except BaseException:  # a visitor who left included
            client.close()
            raise
        with self._lock:
            self._idle.append(client)

    def _connect(self) -> Any:
        os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
        from gradio_client import Client

        url = "://" in self.address
        return Client(
            self.address,
            token=False if url else None,  # a token stored on this machine is for the Hub, not for any server
            verbose=False,
            download_files=False,
            ssl_verify=not self.address.startswith("http://"),  # building TLS contexts costs 0.1 s a call
            httpx_kwargs={"timeout": TIMEOUT},
            analytics_enabled=False,
        )

    def _lost(self, error: Exception) -> str:
        """The sentence to show; where the connection is gone, the kept ones are given up too."""
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
            self._idle.clear()
        return f"{there} does not answer as it should; check the address and that it is running, then try again."


def _views(client: Any, request: Request) -> Generator[View]:
    """The views of a request as they arrive; left early, it is cancelled there."""
    job = client.submit(request.to_json(), api_name="/run")
    try:
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
    finally:
        if not job.done():
            job.cancel()


def _view(record: Any) -> View:
    """A view as it came.

    Raises:
        Refused: it is none that this version knows.
    """
    try:
        return from_json(record)
    except ValueError as error:
        raise Refused(f"The other playground is of another version than this one: {error}.") from None
