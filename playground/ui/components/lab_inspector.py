"""The inspector: the chosen panel, large, with its layers, a start point to drag, its losses, settings and code."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="pg-lab-inspector" aria-label="the chosen panel">
  <div class="pg-lab-hint" data-empty>
    <p><strong>Look inside a model.</strong> Choose a panel to see it large: the field that moves its samples,
      its latent grid, one start point and the whole way it takes, its losses, and the code that is running.</p>
  </div>
  <div data-inside hidden>
    <header><div><h2 data-title></h2><p class="pg-lab-kind" data-kind></p></div><div data-steps></div></header>
    <p class="pg-lab-line" data-line></p>
    <div class="pg-lab-row"><div class="pg-chips" role="group" aria-label="the ground" data-grounds></div>
      <div class="pg-chips" role="group" aria-label="layers over it" data-layers></div></div>
    <div class="pg-inspect-plane" data-plane tabindex="0" role="group"
         aria-label="the plane from -4.5 to 4.5: arrow keys move the probe">
      <canvas data-base></canvas><canvas data-over aria-hidden="true"></canvas>
      <button type="button" class="pg-lab-start" data-start hidden></button>
      <p class="pg-lab-wait" data-wait>Press play: it has learnt nothing yet.</p>
    </div>
    <div class="pg-inspect-time" data-times hidden>
      <span class="pg-fine">noise</span>
      <input class="pg-range" type="range" min="0" max="1" step="0.025" value="0.5" data-time
        aria-label="time, from noise to data">
      <span class="pg-fine">data</span><output class="pg-number" data-moment></output>
    </div>
    <p class="pg-fine" data-longest hidden></p>
    <p class="pg-fine" data-legend></p>
    <p class="pg-fine" role="alert" data-problem></p>
    <p class="pg-fine" data-past hidden>Field, grid and path are of the snapshot that you look back at.</p>
    <p class="pg-fine" data-invite hidden>Choose another panel to look inside a model: the field that moves its samples,
      its latent grid, one start point and the whole way it takes.</p>
    <ul class="pg-lab-reasons" data-cannot></ul>
    <dl class="pg-lab-figures" data-figures></dl>
    <div data-losses hidden><h3>Loss against its own seconds</h3><canvas class="pg-lab-curve" data-curve></canvas>
      <p class="pg-lab-players" data-players></p></div>
    <section class="pg-lab-turns" aria-label="slow motion" data-turns hidden></section>
    <details class="pg-lab-own" data-own><summary>Settings</summary><p class="pg-fine">A change builds
      this model anew: it begins again.</p><div data-settings></div></details>
    <div data-code></div>
  </div>
</section>
"""


def lab_inspector() -> gr.HTML:
    """The element."""
    return element("lab_inspector", MARKUP)
