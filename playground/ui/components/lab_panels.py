"""The grid of panels: the truth first, then every learner of the race."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lab-panels" aria-label="the truth and what each model has learnt">
  <div class="lab-grid" data-grid><p class="pg-waiting">Setting up the laboratory…</p></div>
</section>
"""


def lab_panels() -> gr.HTML:
    """The element."""
    return element("lab_panels", MARKUP)
