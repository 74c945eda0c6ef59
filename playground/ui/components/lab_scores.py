"""The scores: a live table of every learner's numbers with their kinds, a chart against seconds, what to take home."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lab-scores" aria-label="scores">
  <div class="pg-scroll" data-table tabindex="0" role="region" aria-label="table of scores"></div>
  <p class="pg-fine" data-note></p>
  <figure class="lab-quality">
    <figcaption><span>Quality against seconds of training</span>
      <span class="pg-chips" data-measures role="group" aria-label="what the chart shows"></span></figcaption>
    <div data-quality></div>
    <div class="lab-legend" data-legend></div>
    <p class="pg-fine" data-without></p>
  </figure>
  <div class="lab-exports">
    <div class="pg-chips" data-exports role="group" aria-label="download"></div>
    <div class="lab-script" data-script></div>
  </div>
</section>
"""


def lab_scores() -> gr.HTML:
    """The element."""
    return element("lab_scores", MARKUP)
