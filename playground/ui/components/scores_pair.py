"""Two models side by side: their sample sheets, their figures, and the same pictures through both."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="sc-pair" aria-label="two models side by side">
  <header class="sc-head"><h2>Two models</h2>
    <p class="sc-line">Their samples, their figures, and what each says of the very same pictures.</p></header>
  <div class="sc-sheets">
    <div data-side="a"></div>
    <div data-side="b"></div>
  </div>
  <div class="pg-scroll" data-figures tabindex="0" role="region" aria-label="figures of both models"></div>
  <div class="sc-ask" data-ask></div>
  <p class="sc-why" data-why></p>
  <div class="sc-result" data-result aria-live="polite"></div>
</section>
"""


def scores_pair() -> gr.HTML:
    """The element."""
    return element("scores_pair", MARKUP)
