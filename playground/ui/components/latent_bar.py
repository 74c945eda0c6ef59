"""Which model's latent space, how the plane lies in it, and which class is asked for."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lt-bar" aria-label="the plane">
  <header class="lt-head"><h2>Latent space</h2>
    <p class="lt-line">Every point is a code, every code a picture. Drag, and see what the model makes of it.</p>
  </header>
  <div class="lt-choices" data-choices><p class="pg-waiting">Looking for models…</p></div>
</section>
"""


def latent_bar() -> gr.HTML:
    """The element."""
    return element("latent_bar", MARKUP)
