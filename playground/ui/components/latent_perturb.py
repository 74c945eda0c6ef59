"""Perturb: one number of a code at a time, directions that mean something, arithmetic of codes."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lw-perturb" aria-label="perturb a code">
  <div class="lw-ends" data-base></div>
  <div class="lw-part" data-part="rows"><h3>One number at a time</h3>
    <p class="lt-line">Each row turns one number of the code and leaves the rest. Drag along a row.</p>
    <div data-progress="rows"></div>
    <div class="lw-bars" data-bars></div><p class="pg-fine" data-said="rows"></p>
    <div class="lw-desk"><div data-strips="rows"></div>
      <figure class="lw-large" data-large="rows"></figure></div>
    <div class="lw-tools" data-tools="rows"></div>
  </div>
  <div class="lw-part" data-part="directions"><h3>Directions that mean something</h3>
    <p class="lt-line">What codes of such pictures have in common, added to this one's or taken away.</p>
    <div class="lt-choices" data-classes></div>
    <div data-progress="directions"></div>
    <div class="lw-desk"><div data-strips="directions"></div>
      <figure class="lw-large" data-large="directions"></figure></div>
    <p class="pg-fine" data-said="directions"></p>
    <div class="lw-tools" data-tools="directions"></div>
  </div>
  <div class="lw-part" data-part="sum"><h3>Arithmetic</h3>
    <p class="lt-line">A − B + C: what B and C have in common goes, what C has more of is added to A.</p>
    <div class="lw-sum" data-sum></div>
    <div data-progress="sum"></div>
    <div class="lw-results" data-results></div><p class="pg-fine" data-said="sum"></p>
  </div>
</section>
"""


def latent_perturb() -> gr.HTML:
    """The element."""
    return element("latent_perturb", MARKUP)
