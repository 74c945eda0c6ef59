"""The top line: the name of the place, its pages, where the work is done, keys, ink or light, day or night."""

from __future__ import annotations

import gradio as gr

from playground.ui.components import element

PAGES = {
    "play": ("Play", "./"),
    "latent": ("Latent", "latent"),
    "sketch": ("Sketch", "sketch"),
    "lab": ("Laboratory", "lab"),
    "scores": ("Scores", "scores"),
}
MARKUP = """
<header class="pg-masthead" data-page="{here}">
  <span class="pg-mark" aria-hidden="true"><i></i><i></i><i></i><i></i><i></i><i></i><i></i><i></i><i></i></span>
  <h1>Deep generative playground</h1>
  <nav class="pg-pages" aria-label="pages">{links}</nav>
  <span class="pg-device" data-device></span>
  <span class="pg-tools"></span>
</header>
"""


def masthead(here: str = "play") -> gr.HTML:
    """The element.

    Args:
        here: the page it stands on.
    """
    current = {here: ' aria-current="page"'}
    links = "".join(
        f'<a href="{address}" data-to="{name}"{current.get(name, "")}>{title}</a>'
        for name, (title, address) in PAGES.items()
    )
    return element("masthead", MARKUP.format(here=here, links=links))
