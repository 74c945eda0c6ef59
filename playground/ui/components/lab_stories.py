"""Ready-made stories: one press sets a race up, starts it, and says where to look."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<section class="lab-stories" aria-label="stories">
  <div class="lab-story-row" data-stories role="group" aria-label="stories"></div>
  <div class="lab-story" data-story hidden>
    <div class="lab-story-words">
      <p class="lab-story-look" data-look></p>
      <p class="lab-story-say" data-say aria-live="polite"></p>
    </div>
    <span data-story-tools></span>
    <figure class="lab-cost" data-cost-figure hidden>
      <figcaption data-cost-title></figcaption>
      <div data-cost-chart></div>
      <p class="pg-fine" data-cost-note></p>
    </figure>
  </div>
</section>
"""


def lab_stories() -> gr.HTML:
    """The element."""
    return element("lab_stories", MARKUP)
