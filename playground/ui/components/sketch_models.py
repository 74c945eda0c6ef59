"""Which models answer, and what all of them are asked alike."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="sk-models" aria-label="who answers">
  <div class="pg-chips" data-chips role="group" aria-label="models"></div>
  <details class="sk-others" data-others hidden><summary></summary><ul></ul></details>
  <div class="sk-knobs" data-knobs></div>
</section>
"""


def sketch_models() -> gr.HTML:
    """The element."""
    return element("sketch_models", MARKUP)
