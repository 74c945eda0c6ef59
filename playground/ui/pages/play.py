"""The Play page: choose a data set, a model, something to do; see it done."""

from __future__ import annotations

import gradio as gr

from playground.backends import Backend
from playground.ui.api import add_endpoints
from playground.ui.components.about import about
from playground.ui.components.activities import activities
from playground.ui.components.knobs import knobs
from playground.ui.components.masthead import masthead
from playground.ui.components.picker import picker
from playground.ui.components.stage import stage
from playground.ui.components.wire import wire


def build(backend: Backend) -> gr.Blocks:
    """The page over ``backend``; elements in the order in which a phone shows them."""
    with gr.Blocks(title="Deep generative playground", fill_width=True, analytics_enabled=False) as page:
        masthead()
        with gr.Row(elem_id="pg-desk"):
            picker()
            activities()
            stage()
            knobs()
            about()
        wire(backend)  # last: when it is up, everything else is there to draw what it brings
        add_endpoints(backend)
    return page
