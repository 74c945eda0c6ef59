"""Charts that answer questions: quality against time, likelihood, steps and guidance; precision against recall."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

NAMES = ("time", "likelihood", "precision", "steps", "guidance")
CARD = """
<figure class="sc-card" data-chart="{name}">
  <figcaption><h3 data-title></h3><p data-look></p></figcaption>
  <div class="pg-plot" data-plot role="img"></div>
  <p class="sc-empty" data-empty hidden></p>
  <button type="button" class="pg-link sc-save" data-save hidden>Save as PNG</button>
</figure>
"""
MARKUP = """
<section class="sc-charts" aria-label="charts">
  <header class="sc-head"><h2>Questions</h2><p class="sc-line" data-which></p></header>
  <div class="sc-bar">
    <div class="pg-chips" data-pixels role="group" aria-label="pixels compared"></div>
    <div class="pg-chips" data-qualities role="group" aria-label="measure of quality"></div>
  </div>
  <p class="pg-fine" role="alert" data-problem></p>
  <div class="sc-grid">{cards}</div>
</section>
"""


def scores_charts() -> gr.HTML:
    """The element."""
    return element("scores_charts", MARKUP.format(cards="".join(CARD.format(name=name) for name in NAMES)))
