"""The stage: what the model drew, or how far it has come, or why it could not."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="pg-stage" aria-label="result" aria-live="polite">
  <div class="pg-progress" hidden>
    <div class="pg-bar"><i></i></div>
    <p><span></span><button type="button" class="pg-link" data-cancel hidden>Cancel</button></p>
  </div>
  <div class="pg-empty"></div>
  <div class="pg-views" data-views></div>
  <footer class="pg-result" hidden><span class="pg-cost" data-cost></span><span class="pg-downloads"></span></footer>
</section>
"""


def stage() -> gr.HTML:
    """The element."""
    return element("stage", MARKUP)
