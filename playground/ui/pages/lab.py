"""The Laboratory: every family learns one distribution of the plane at the same time, beside the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from playground.ui.components import element
from playground.ui.components.lab_bar import lab_bar
from playground.ui.components.lab_inspector import lab_inspector
from playground.ui.components.lab_panels import lab_panels
from playground.ui.components.lab_probe import lab_probe
from playground.ui.components.lab_scores import lab_scores
from playground.ui.components.lab_stories import lab_stories
from playground.ui.components.lab_targets import lab_targets
from playground.ui.components.masthead import masthead


def laboratory(functions: list[Callable[[Any], dict[str, Any]]]) -> None:
    """Adds the page's elements to the page that is being built, in the order in which a phone shows them.

    Args:
        functions: what the page may ask of the server, by name: ``lab_facts``, ``lab_start``, ``lab_poll`` and so on.
    """
    masthead("lab")
    with gr.Column(elem_id="pg-lab"):
        lab_stories()
        lab_bar()
        lab_targets()
        lab_panels()
        lab_inspector()
        lab_probe()
        lab_scores()
    # last: when it is up, everything else is there to draw what it brings
    element("lab_wire", "<div></div>", server_functions=functions, visible="hidden")
