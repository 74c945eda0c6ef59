"""What the page asks the server besides running activities: one plain object in, one plain object out, never an error.

Gradio swallows what such a function raises, so each answers ``{"ok": false, "error": sentence}`` itself.
"""

from __future__ import annotations

import base64
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import playground
from playground.backends import Backend, Request
from playground.knobs import Refused
from playground.ui.api import export_bytes
from playground.ui.columns import COLUMNS
from playground.ui.later import Later

log = logging.getLogger(__name__)

Answer = dict[str, Any]
FAMILIES = Path(playground.__file__).parent / "families"


def answer(function: Callable[[dict[str, Any]], Answer]) -> Callable[[Any], Answer]:
    """``function`` as the page can call it: whatever goes wrong becomes a sentence."""

    @functools.wraps(function)
    def safe(asked: Any) -> Answer:
        try:
            return {"ok": True, **function(asked if isinstance(asked, dict) else {})}
        except Refused as refusal:
            return {"ok": False, "error": str(refusal)}
        except Exception:  # the last line of defence: the visitor gets a sentence, the log gets the traceback
            log.exception("%s failed", function.__name__)
            return {"ok": False, "error": "Something went wrong on the server; its log says what. Try again."}

    return safe


def functions(backend: Backend) -> list[Callable[[Any], Answer]]:
    """The functions of one page."""

    @answer
    def describe(asked: dict[str, Any]) -> Answer:
        now = backend.ready() if asked.get("fresh") and isinstance(backend, Later) else backend
        return {"shelf": {**now.describe(), "columns": [column.to_json() for column in COLUMNS if column.keys]}}

    @answer
    def sheet(asked: dict[str, Any]) -> Answer:
        return {"png": base64.b64encode(backend.sheet(str(asked.get("model")))).decode()}

    @answer
    def source(asked: dict[str, Any]) -> Answer:
        return {"text": family_source(str(asked.get("path")))}

    @answer
    def views(asked: dict[str, Any]) -> Answer:
        return {"views": [view.to_json() for view in backend.run(Request.from_json(asked.get("request")))]}

    @answer
    def export(asked: dict[str, Any]) -> Answer:
        name, data = export_bytes(backend, Request.from_json(asked.get("request")), str(asked.get("format")))
        return {"name": name, "b64": base64.b64encode(data).decode()}

    return [describe, sheet, source, views, export]


def family_source(path: str) -> str:
    """The text of a family's file.

    Raises:
        Refused: ``path`` is not one of them.
    """
    file = FAMILIES / Path(path).name
    if file.suffix != ".py" or not file.is_file():
        raise Refused("That is not a family's file.")
    return file.read_text(encoding="utf-8")
