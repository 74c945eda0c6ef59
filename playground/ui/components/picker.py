"""The shelf: choose a data set, then a model; models stand by family, each with a line saying what it is."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<nav class="pg-picker" aria-label="data sets and models">
  <div class="pg-chips" data-datasets role="group" aria-label="data set"></div>
  <p class="pg-fine" data-dataset-line></p>
  <button type="button" class="pg-current" aria-expanded="false"></button>
  <div class="pg-shelf" data-models><p class="pg-waiting">Reading the shelf…</p></div>
</nav>
"""


def picker() -> gr.HTML:
    """The element."""
    return element("picker", MARKUP)
