"""The map: a model's representation of test pictures on a plane, and what its neighbours know of the class."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

HINT = (
    "a map of test pictures: point at one to see it, click to decode it; with the keyboard, arrows go to the next "
    "point in that direction and Enter decodes it"
)
MARKUP = f"""
<section class="lm-desk" aria-label="the map">
  <div class="lm-bar" data-bar></div>
  <div class="lm-chart">
    <div class="pg-plot" data-plot tabindex="0" role="application" aria-roledescription="map" aria-label="{HINT}"></div>
    <div class="lm-tip" data-tip hidden><canvas></canvas><span></span></div>
    <p class="lt-text" data-text role="status" hidden></p>
    <div data-bar-running></div>
    <p class="pg-fine" data-note></p>
  </div>
  <div class="lm-side">
    <p class="lm-hint" data-hint>Point at a picture; click it to see what its code keeps.</p>
    <div class="lt-own-three" data-three></div>
    <p class="lt-exact" data-off role="status"></p>
    <button type="button" class="pg-link pg-flush" data-there hidden></button>
    <div data-table></div>
  </div>
</section>
"""


def latent_map() -> gr.HTML:
    """The element."""
    return element("latent_map", MARKUP)
