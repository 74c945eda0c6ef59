"""The seed, the knobs of the chosen activity and model, and the button that starts it."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<form class="pg-knobs" aria-label="settings">
  <div class="pg-action">
    <button type="submit" class="pg-go" data-go disabled>Generate</button>
    <div class="pg-seed"></div>
  </div>
  <div class="pg-knob-list" data-knobs></div>
</form>
"""


def knobs() -> gr.HTML:
    """The element."""
    return element("knobs", MARKUP)
