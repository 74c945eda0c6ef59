"""What is to be learnt: a gallery of distributions, and the visitor's own, drawn, read from a file or written down."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lab-targets" aria-label="the distribution to learn">
  <div class="lab-gallery" data-gallery role="group" aria-label="distributions"></div>
  <div class="lab-target-row">
    <p class="lab-target-line" data-target-line></p>
    <div class="lab-own-tabs" data-own role="group" aria-label="your own distribution"></div>
  </div>
  <div class="lab-own-body" data-own-body hidden>
    <div data-own-pane></div>
    <div class="lab-own-answer" data-own-answer aria-live="polite" hidden></div>
  </div>
</section>
"""


def lab_targets() -> gr.HTML:
    """The element."""
    return element("lab_targets", MARKUP)
