"""The race bar: what is learnt, by whom and with how much; play, pause, step, a timeline; how the panels look."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lab-bar" aria-label="the race">
  <div class="lab-setup" data-setup></div>
  <div class="lab-who" data-who hidden></div>
  <div class="lab-race" data-race></div>
</section>
"""


def lab_bar() -> gr.HTML:
    """The element."""
    return element("lab_bar", MARKUP)
