"""Walk: from one picture to another by three ways at once, and what each does to the picture and to log p."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lw-walk" aria-label="walk between two codes">
  <div class="lw-ends" data-ends></div>
  <div data-progress></div>
  <div data-blocks></div>
  <div class="lw-tools" data-tools></div>
  <div class="lw-charts" data-charts></div>
</section>
"""


def latent_walk() -> gr.HTML:
    """The element."""
    return element("latent_walk", MARKUP)
