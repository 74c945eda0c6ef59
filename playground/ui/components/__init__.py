"""The elements of a page: each a small file of Python, JavaScript and style beside each other, none with tensors."""

from __future__ import annotations

from typing import Any

import gradio as gr

from playground.ui.theme import text


def element(name: str, markup: str, place: str = "", **options: Any) -> gr.HTML:
    """A custom element: ``markup`` at first, brought to life by ``name.js``.

    Args:
        name: of the files beside this one; its id on the page is ``pg-name``.
        markup: what is seen before the script has run.
        place: what tells it from others of its name on one page.
        options: further arguments of ``gr.HTML``.
    """
    return gr.HTML(
        html_template=markup,
        js_on_load=text("components", f"{name}.js"),
        apply_default_css=False,
        elem_id=f"pg-{name}{place}",
        **options,
    )
