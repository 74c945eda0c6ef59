"""Yours: draw or send a picture, and see where the model puts it and what its code keeps."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lt-own" aria-label="your own picture">
  <header class="lt-head"><h2>Yours</h2>
    <p class="lt-line" data-why>Draw: the diamond on the plane is where the model puts it.</p></header>
  <div class="lt-own-desk" data-desk>
    <div data-draw></div>
    <div class="lt-own-found">
      <div class="lt-own-search" data-search hidden></div>
      <div class="lt-own-three" data-three></div><p class="lt-exact" data-off role="status"></p>
      <div class="lt-own-starts" data-starts></div><p class="pg-fine" data-note></p>
    </div>
  </div>
</section>
"""


def latent_own() -> gr.HTML:
    """The element."""
    return element("latent_own", MARKUP)
