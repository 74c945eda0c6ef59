"""The programming interface: one endpoint per activity, streaming the views of a request as JSON.

client = gradio_client.Client("http://127.0.0.1:7860")
for view in client.submit("mnist-vae", 17, {"n": 4}, api_name="/generate"): ...
"""

from __future__ import annotations

import ast
import base64
import importlib.util
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import playground
from playground.backends import Backend, Request
from playground.export import FORMATS, export
from playground.knobs import MAX_BYTES, Refused
from playground.views import Progress, Refusal, View

AT_ONCE = 8  # requests at a time: more would only share the same cores, the rest wait in the queue
MAX_BODY = 2 * MAX_BYTES  # of one HTTP request: a picture in base64, and room to spare
if importlib.util.find_spec("matplotlib") is None:
    # Gradio looks for it around every event; searching all folders in vain took a sixth of the server's time
    sys.modules["matplotlib"] = None  # type: ignore[assignment]
ACTIVITIES = Path(playground.__file__).parent / "activities"

Json = dict[str, Any]


def add_endpoints(backend: Backend) -> None:
    """Add every endpoint to the present ``gr.Blocks``: one per activity, ``run``, ``describe`` and ``sheet``."""
    working = {"concurrency_limit": AT_ONCE, "concurrency_id": "models"}
    for name, (summary, knobs) in helps().items():
        gr.api(_activity(backend, name, summary, knobs), api_name=name, **working)

    def run(request: Json) -> Iterator[Json]:
        """Run a request, {"model": name, "activity": name, "knobs": {name: value}, "seed": number}. Streams views:
        each replaces the earlier one of its "key"; a refusal is the last, {"view": "Refusal", "text": why}.
        """
        yield from stream(backend, request)

    def describe() -> Json:
        """All models, what each can do or why it cannot, every knob with its limits and default, and all data sets."""
        try:
            return backend.describe()
        except Refused as refusal:
            raise gr.Error(str(refusal)) from None

    def sheet(model: str) -> str:
        """A model's sample sheet, 64 pictures in a PNG as base64 text, or "" where there is none."""
        return base64.b64encode(backend.sheet(model)).decode()

    gr.api(_typed(run, request=dict), api_name="run", **working)
    gr.api(_typed(describe), api_name="describe", concurrency_limit=AT_ONCE, concurrency_id="facts")
    gr.api(_typed(sheet, str, model=str), api_name="sheet", concurrency_limit=AT_ONCE, concurrency_id="facts")


def stream(backend: Backend, record: Any) -> Generator[Json]:
    """The views of whatever was sent, as JSON; what is no request is answered with a refusal."""
    try:
        request = Request.from_json(record)
    except Refused as refusal:
        yield Refusal(text=str(refusal)).to_json()
        return
    with closing(backend.run(request)) as views:  # when the visitor has left, the work stops
        for view in views:
            yield view.to_json()


def finished(backend: Backend, request: Request) -> tuple[View, ...]:
    """What is left on the page when a request is done: the last view of each key, without progress.

    Raises:
        Refused: the request was refused.
    """
    last: dict[str, View] = {}
    for view in backend.run(request):
        if isinstance(view, Refusal):
            raise Refused(view.text)
        if not isinstance(view, Progress):
            last[view.key] = view
    return tuple(last.values())


def export_bytes(backend: Backend, request: Request, format: str) -> tuple[str, bytes]:
    """A request's result as a file: its name and its bytes.

    Args:
        backend: answers from its cache if it has just shown the result.
        request: what was asked for.
        format: png, gif or npz.

    Raises:
        Refused: the request was refused, or its result has no such form.
    """
    if format not in FORMATS:
        raise Refused(f"A result can be saved as {', '.join(FORMATS)}; not as {format!r:.20}.")
    data = export(finished(backend, request), request.to_json(), format)
    return f"{request.model}-{request.activity}-{request.seed}.{format}", data


def helps() -> dict[str, tuple[str, str]]:
    """Each activity's summary and a line on its knobs, read from its file: importing it would import torch."""
    found = {}
    for path in sorted(ACTIVITIES.glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == path.stem:
                own = " and the model's own" if node.args.kwarg else ""
                names = [a.arg for a in node.args.kwonlyargs if isinstance(a.annotation, ast.Subscript)]
                summary = (ast.get_docstring(node) or "").partition("\n")[0]
                found[path.stem] = summary, f"{', '.join(names)}{own}; limits and defaults are in /describe"
    return found


def app_kwargs() -> dict[str, Any]:
    """What ``launch(app_kwargs=...)`` needs so that no request can fill the memory."""
    return {"middleware": [Middleware(BodyLimit)]}


class BodyLimit:
    """Refuses HTTP requests with larger bodies than any honest one has; Gradio itself takes any size.

    Args:
        app: what stands behind it.
        most: bytes.
    """

    def __init__(self, app: ASGIApp, most: int = MAX_BODY) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sentence = f"That request is too large; at most {self.most // 10**6} MB are taken."
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if not stated.isdigit() or int(stated) > self.most:
            await JSONResponse({"detail": sentence}, 413)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise HTTPException(413, sentence)
            return message

        await self.app(scope, counted, send)


def _activity(backend: Backend, name: str, summary: str, knobs: str) -> Callable[..., Iterator[Json]]:
    def endpoint(model: str, seed: int = 0, knobs: Json = {}) -> Iterator[Json]:  # noqa: B006 - never written to
        yield from stream(backend, {"model": model, "activity": name, "knobs": knobs, "seed": seed})

    endpoint.__name__ = name
    endpoint.__doc__ = (
        f"{summary} Takes a model's name (from /describe), a seed from 0 to 2147483647 and an object of knobs "
        f"({knobs}). Streams views as JSON; a later view with the same key replaces the earlier one."
    )
    return _typed(endpoint, model=str, seed=int, knobs=dict)


def _typed(function: Callable[..., Any], returns: type = dict, **types: type) -> Callable[..., Any]:
    """``function`` with annotations that Gradio can read: types, not their names."""
    function.__annotations__ = {**types, "return": returns}
    return function
