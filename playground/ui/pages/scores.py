"""The Scores page: every model in one table, charts that answer questions, two models side by side, measure now."""

from __future__ import annotations

import gradio as gr

from playground.backends import Backend
from playground.ui.board import functions
from playground.ui.components.masthead import masthead
from playground.ui.components.scores_charts import scores_charts
from playground.ui.components.scores_now import scores_now
from playground.ui.components.scores_pair import scores_pair
from playground.ui.components.scores_table import scores_table
from playground.ui.components.wire import wire


def scores(backend: Backend) -> None:
    """Adds the page's elements, over ``backend``, in the order in which a phone shows them."""
    masthead("scores")
    with gr.Column(elem_id="pg-scores"):
        scores_table()
        scores_charts()
        scores_pair()
        scores_now()
    wire(backend, "scores_wire", functions(backend))  # last: the others are there to draw what it brings
