"""The Latent page: a plane through a model's latent space, under the finger."""

from __future__ import annotations

import gradio as gr

from playground.backends import Backend
from playground.ui.components.latent_bar import latent_bar
from playground.ui.components.latent_own import latent_own
from playground.ui.components.latent_pad import latent_pad
from playground.ui.components.latent_tabs import latent_tabs
from playground.ui.components.masthead import masthead
from playground.ui.components.wire import wire
from playground.ui.trails import functions


def latent(backend: Backend) -> None:
    """Adds the page's elements, over ``backend``, in the order in which a phone shows them."""
    masthead("latent")
    with gr.Column(elem_id="pg-latent"):
        latent_bar()
        latent_tabs()
        latent_pad()
        latent_own()
    wire(backend, "latent_wire", functions(backend))  # last: the others are there to draw what it brings
