"""A shelf of toy models in a temporary folder, for the tests of everything that stands on a shelf.

``playground.families`` gets a second folder for as long as a test needs it: families are found only in that package.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import numpy as np
import torch
from PIL import Image

import playground.families
from playground import catalog
from playground.backends import Backend
from playground.capabilities import Model
from playground.catalog import Card


def put(model: Model, name: str, data: str = "mnist", **init: object) -> Path:
    """Save a model on the present shelf."""
    return catalog.save(
        model,
        Card(
            name=name,
            family=type(model).__module__.rsplit(".", 1)[1],
            model=type(model).__name__,
            init=init,
            data=data,
            labels=model.labels,
            recipe=name.replace("-", "_"),
            seed=0,
            commit="",
            parameters=sum(p.numel() for p in model.parameters()),
            trained={"device": "CPU", "seconds": 0, "steps": 0},
            licence="Apache-2.0",
        ),
    )


@contextmanager
def toy_shelf(folder: Path) -> Iterator[Path]:
    """A shelf with toy-plain, toy-classes and toy-blob, on MNIST, in ``folder``; everything is put back afterwards."""
    families = folder / "families"
    families.mkdir()
    shutil.copy(Path(__file__).with_name("toy.py"), families / "toy.py")
    shelf = folder / "pretrained"
    path = [*playground.families.__path__, str(families)]
    with (
        mock.patch.dict("os.environ", PLAYGROUND_PRETRAINED=str(shelf)),
        mock.patch.object(playground.families, "__path__", path),
    ):
        catalog.families.cache_clear()
        catalog.load.cache_clear()
        from playground.families.toy import Blob, Toy  # type: ignore[import-not-found]

        with torch.random.fork_rng():
            torch.manual_seed(0)
            put(Toy(), "toy-plain")
            put(Toy(classes=10), "toy-classes", classes=10)
            put(Blob(), "toy-blob")
        yield shelf
    catalog.families.cache_clear()
    catalog.load.cache_clear()


def sent(pixels: np.ndarray) -> str:
    """A picture (height, width, 3) uint8 as a page sends it."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@contextmanager
def serving(backend: Backend) -> Iterator[str]:
    """The URL of a real server on this machine that has nothing but the programming interface."""
    import gradio as gr

    from playground.ui import api

    with gr.Blocks(analytics_enabled=False) as page:
        api.add_endpoints(backend)
    page.queue(max_size=64)
    _, url, _ = page.launch(
        server_name="127.0.0.1",
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        run_history=False,
        app_kwargs=api.app_kwargs(),
    )
    try:
        yield url
    finally:
        page.close(verbose=False)


def free_port() -> int:
    """A port that nobody listens on: Gradio's own search leaves a socket open at each that is taken."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ask(url: str, endpoint: str, *values: Any) -> list[Any]:
    """Everything that an endpoint streams, over the bare HTTP protocol."""
    where = f"{url}gradio_api/call/{endpoint}"
    event = httpx.post(where, json={"data": values}, timeout=60).raise_for_status().json()["event_id"]
    lines = httpx.get(f"{where}/{event}", timeout=60).raise_for_status().text.splitlines()
    events = [(kind[7:], json.loads(data[6:])) for kind, data in zip(lines[::3], lines[1::3], strict=True)]
    assert events[-1][0] == "complete", events[-1]
    streamed = [data[0] for kind, data in events if kind == "generating"]
    return streamed or events[-1][1]
