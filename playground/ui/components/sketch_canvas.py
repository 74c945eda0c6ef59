"""The paper: a real canvas with pen, eraser and mask brush, and beside it what a model sees of it."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

HINT = (
    "Paper. Draw with a mouse, finger or pen. With the keyboard: arrows move, Space puts the pen down or lifts it, "
    "Control Z takes a stroke back."
)
MARKUP = f"""
<section class="sk-paper" aria-label="paper">
  <div class="pg-chips" data-sheets role="group" aria-label="which drawing" hidden></div>
  <div class="sk-sheet" data-sheet>
    <canvas class="sk-ink" data-ink tabindex="0" role="application" aria-label="{HINT}"></canvas>
    <canvas class="sk-mask" data-mask aria-hidden="true"></canvas>
    <div class="sk-hidden" data-hidden aria-hidden="true"></div>
    <div class="sk-cursor" data-cursor aria-hidden="true" hidden></div>
    <p class="sk-hint" data-hint hidden>Draw here</p>
  </div>
  <div class="sk-tools" data-tools></div>
  <div data-colours></div>
  <div class="sk-brush">
    <div data-brush></div>
    <figure class="sk-ghost"><canvas data-ghost aria-label="what the model sees"></canvas>
      <figcaption data-ghost-text>as the model sees it</figcaption></figure>
  </div>
</section>
"""


def sketch_canvas() -> gr.HTML:
    """The element."""
    return element("sketch_canvas", MARKUP)
