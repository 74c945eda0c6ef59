"""The probe: one point of the plane, and what every model says of it, beside the truth."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="pg-lab-probe" aria-label="one point under every model" data-lab-probe>
  <header>
    <h2>One point, every model</h2>
    <div class="pg-lab-where" data-where></div>
    <div class="pg-lab-probe-tools" data-tools></div>
  </header>
  <p class="pg-lab-hint" data-empty>Click or tap anywhere on a panel: the log-density of that point under every model,
    with its kind and its error, beside the true one. By keyboard: the arrow keys on a panel, or type x and y.</p>
  <p class="pg-fine" role="alert" data-problem></p>
  <div class="pg-scroll" data-answer hidden>
    <table class="pg-table">
      <thead><tr><th scope="col">Model</th><th scope="col">log p <small>nats</small></th><th scope="col">Kind</th>
        <th scope="col">Minus the truth</th></tr></thead>
      <tbody></tbody>
    </table>
  </div>
  <p class="pg-fine" data-note aria-live="polite"></p>
</section>
"""


def lab_probe() -> gr.HTML:
    """The element."""
    return element("lab_probe", MARKUP)
