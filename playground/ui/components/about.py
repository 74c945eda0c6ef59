"""About this family: what a newcomer asks, and what was measured."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element


def about() -> gr.HTML:
    """The element."""
    return element("about", '<section class="pg-about" aria-label="about this family"></section>')
