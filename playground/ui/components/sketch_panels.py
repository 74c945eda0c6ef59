"""The answers: a panel for each model, filled while it works."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="sk-answers" aria-label="answers">
  <p class="sk-empty" data-empty hidden>The paper is blank. Draw on it, drop a picture there, or begin with a drawing
    of the gallery.</p>
  <div class="sk-panels" data-panels></div>
</section>
"""


def sketch_panels() -> gr.HTML:
    """The element."""
    return element("sketch_panels", MARKUP)
