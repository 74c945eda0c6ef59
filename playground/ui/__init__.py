"""The pages in the browser: layout, controls and drawing. Nothing here knows of tensors or imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import playground.ui.stubs  # noqa: F401 - before anything imports Gradio
from playground.backends import Backend
from playground.lab.arena import Arena
from playground.ui import laboratory
from playground.ui.pages import lab, play
from playground.ui.pages.latent import latent
from playground.ui.pages.scores import scores as all_scores
from playground.ui.pages.sketch import sketch
from playground.ui.theme import launch_options

if TYPE_CHECKING:
    from gradio import Blocks

__all__ = ["build", "launch_options"]


def build(backend: Backend, functions: list[Callable[[Any], dict[str, Any]]] | None = None) -> Blocks:
    """All pages: Play, Latent, Sketch and the Scores over ``backend``, and the Laboratory.

    Args:
        backend: where the models are.
        functions: what the Laboratory may ask of the server; by default those over an arena of its own, whose workers
            start when the page is first opened.
    """
    page = play.build(backend)
    with page.route("Laboratory", "lab", show_in_navbar=False):
        lab.laboratory(laboratory.functions(Arena()) if functions is None else functions)
    with page.route("Latent", "latent", show_in_navbar=False):
        latent(backend)
    with page.route("Sketch", "sketch", show_in_navbar=False):
        sketch(backend)
    with page.route("Scores", "scores", show_in_navbar=False):
        all_scores(backend)
    return page
