"""The top line: the name of the place, where the work is done, keys, ink or light, day or night."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<header class="pg-masthead">
  <span class="pg-mark" aria-hidden="true"><i></i><i></i><i></i><i></i><i></i><i></i><i></i><i></i><i></i></span>
  <h1>Deep generative playground</h1>
  <span class="pg-device" data-device></span>
  <span class="pg-tools"></span>
</header>
"""


def masthead() -> gr.HTML:
    """The element."""
    return element("masthead", MARKUP)
