"""Measure now: how good a model is, on this machine, with n chosen and the interval as it shrinks."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="sc-now" aria-label="measure now">
  <header class="sc-head"><h2>Measure now</h2>
    <p class="sc-line">Do not take our word for it: new samples are drawn here and set against test pictures,
      batch by batch, and the interval shrinks as you watch.</p></header>
  <div class="sc-ask" data-ask></div>
  <p class="sc-why" data-why></p>
  <div class="sc-result" data-result aria-live="polite"></div>
</section>
"""


def scores_now() -> gr.HTML:
    """The element."""
    return element("scores_now", MARKUP)
