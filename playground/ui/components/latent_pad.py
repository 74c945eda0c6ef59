"""The pad: a plane of codes under the finger, and the picture that follows it."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lt-desk" aria-label="the pad">
  <div class="lt-side">
    <figure class="lt-picture"><canvas data-picture role="img" aria-label="the picture at this place"></canvas></figure>
    <p class="lt-place" data-place aria-live="off"></p>
    <p class="lt-exact" data-exact role="status"></p>
    <div class="lt-tools" data-tools></div>
  </div>
  <div class="lt-plane">
    <canvas data-plane tabindex="0" role="application" aria-roledescription="pad"
      aria-label="a plane of codes: drag, or use the arrow keys"></canvas>
    <p class="lt-axis lt-x" data-axis-x></p><p class="lt-axis lt-y" data-axis-y></p>
    <div class="lt-progress" data-progress hidden><div class="pg-bar"><i></i></div><p><span></span></p></div>
    <p class="lt-text" data-text role="status" hidden></p>
  </div>
  <div class="lt-words"><p class="pg-fine" data-note></p><ul class="lt-legend" data-legend></ul></div>
</section>
"""


def latent_pad() -> gr.HTML:
    """The element."""
    return element("latent_pad", MARKUP)
