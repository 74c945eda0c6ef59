"""The wire: the one element that talks to the server. It shows nothing; all others only draw what it brought."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from playground.backends import Backend
from playground.ui import api
from playground.ui.components import element
from playground.ui.functions import functions
from playground.ui.latest import Latest


def wire(
    backend: Backend,
    name: str = "wire",
    asked: list[Callable[[Any], dict[str, Any]]] | None = None,
    slot: int = 0,
    latest: Latest | None = None,
) -> gr.HTML:
    """The element, with its two events: ``run`` streams views, ``stop`` ends that.

    Args:
        backend: where the requests run.
        name: of its script.
        asked: what the page may ask of the server besides; by default what Play may.
        slot: which of several on one page, since a wire runs one request at a time.
        latest: with it a new run ends the one before.
    """

    def run(event: gr.EventData) -> Iterator[dict[str, Any]]:
        messages = stream(backend, event.run, event.request)
        yield from messages if latest is None else latest.during(str(event.wire), int(event.run), messages)

    questions = functions(backend) if asked is None else asked
    place = f"-{slot}" if slot else ""
    begin = {"run": 0, "slot": slot}
    made = element(name, "<div></div>", place, value=begin, server_functions=questions, visible="hidden")
    running = made.run(
        run,
        None,
        made,
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=api.AT_ONCE,
        concurrency_id="models",
        api_visibility="private",
    )
    running.failure(None, None, None, js=f"() => window.playground.lost({slot})")
    made.stop(None, None, None, cancels=[running])
    return made


def stream(backend: Backend, run: Any, record: Any) -> Generator[dict[str, Any]]:
    """Everything shown so far, again after every view: the page may miss a message without missing a view.

    Gradio sends only what has changed since the message before.

    Args:
        backend: where it runs.
        run: the page's own number for this run; answers to older runs are thrown away there.
        record: a request as it arrived.
    """
    begun = time.perf_counter()
    shown: dict[str, dict[str, Any]] = {}
    seq = 0
    with closing(api.stream(backend, record)) as views:
        for seq, view in enumerate(views, 1):
            shown.pop("progress", None)
            shown[view["key"]] = {**view, "at": seq}
            yield {"run": run, "seq": seq, "views": list(shown.values()), "done": False}
    shown.pop("progress", None)
    seconds = time.perf_counter() - begun
    yield {"run": run, "seq": seq + 1, "views": list(shown.values()), "done": True, "seconds": seconds}
