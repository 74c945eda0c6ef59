"""What can be done with the chosen model; what it cannot do is grey and says why."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

MARKUP = """
<div class="pg-activities" role="group" aria-label="what to do"></div>
<p class="pg-fine pg-activity-help" aria-live="polite">&nbsp;</p>
"""


def activities() -> gr.HTML:
    """The element."""
    return element("activities", MARKUP)
