"""The page's sections: one is in sight at a time, and which one is in the address."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """<div class="lt-tabs" role="tablist" aria-label="what to do with the latent space" data-tabs></div>"""


def latent_tabs() -> gr.HTML:
    """The element."""
    return element("latent_tabs", MARKUP)
