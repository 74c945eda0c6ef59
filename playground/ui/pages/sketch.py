"""The Sketch page: draw, and every family that can answers beside the others, on the same strokes and seed."""

from __future__ import annotations

import gradio as gr

from playground.backends import Backend
from playground.ui.components.masthead import masthead
from playground.ui.components.sketch_bar import sketch_bar
from playground.ui.components.sketch_canvas import sketch_canvas
from playground.ui.components.sketch_gallery import sketch_gallery
from playground.ui.components.sketch_models import sketch_models
from playground.ui.components.sketch_panels import sketch_panels
from playground.ui.components.wire import wire
from playground.ui.functions import functions
from playground.ui.latest import Latest

SLOTS = 6  # models that answer at a time, as in shared/sketch.js


def sketch(backend: Backend) -> None:
    """Adds the page's elements, over ``backend``, in the order in which a phone shows them."""
    latest = Latest()
    masthead("sketch")
    with gr.Column(elem_id="pg-sketch"):
        sketch_bar()
        sketch_canvas()
        sketch_gallery()
        sketch_panels()
        sketch_models()
    for slot in range(
        SLOTS
    ):  # last: the others are there to draw what they bring; the first one asks the questions too
        wire(backend, "sketch_wire", [] if slot else [*functions(backend), *latest.functions()], slot, latest)
