"""What is done with the sketch, on which data, with which seed; and the link to all of it."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="sk-bar" aria-label="what to do">
  <header class="sk-head"><h2>Sketch</h2>
    <p class="lt-line">Draw, and each model makes its own thing of it, on the same strokes and the same seed.</p>
  </header>
  <div class="sk-tabs" data-modes role="group" aria-label="what to do">
    <p class="pg-waiting">Looking for models…</p>
  </div>
  <p class="pg-fine sk-help" data-help aria-live="polite">&nbsp;</p>
  <div class="sk-choices" data-choices></div>
</section>
"""


def sketch_bar() -> gr.HTML:
    """The element."""
    return element("sketch_bar", MARKUP)
