"""The pages in the browser: layout, controls and drawing. Nothing here knows of tensors or imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import playground.ui.stubs  # noqa: F401 - before anything imports Gradio
import gradio as gr

from playground.backends import Backend
from playground.ui.pages import lab, play
from playground.ui.theme import launch_options

__all__ = ["build", "launch_options"]


def build(backend: Backend, functions: list[Callable[[Any], dict[str, Any]]] | None = None) -> gr.Blocks:
    """Both pages: Play over ``backend``, and the Laboratory.

    Args:
        backend: where the models are.
        functions: what the Laboratory may ask of the server.
    """
    page = play.build(backend)
    if functions is not None:
        with page.route("Laboratory", "lab", show_in_navbar=False):
            lab.laboratory(functions)
    return page
