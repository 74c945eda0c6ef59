"""The table of all models: filter, sort, point at a number to see how it was measured, take it away."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="sc-board" aria-label="the table of scores">
  <header class="sc-head"><h2>Scores</h2>
    <p class="sc-line">Every model on the shelf, measured from its stored weights by the code that ships. Point at a
      number, or tap it, to see how it was measured.</p></header>
  <div class="sc-bar">
    <div class="pg-chips" data-data role="group" aria-label="data set"></div>
    <select class="pg-select sc-family" data-family aria-label="family"></select>
    <div class="pg-chips" data-exports role="group" aria-label="download the table"></div>
  </div>
  <div class="sc-tabs pg-chips" data-groups role="group" aria-label="columns"></div>
  <div class="pg-scroll sc-scroll" data-table role="region" aria-label="table of scores">
    <p class="pg-waiting">Reading the cards…</p></div>
  <p class="pg-fine" data-note></p>
  <div class="sc-tip" role="tooltip" id="sc-tip" hidden></div>
</section>
"""


def scores_table() -> gr.HTML:
    """The element."""
    return element("scores_table", MARKUP)
