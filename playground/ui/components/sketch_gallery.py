"""Drawings to begin with: vector strokes from the files in ``starts``, one click puts them on the paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from playground.ui.components import element

STARTS = Path(__file__).parent.parent / "starts"
MARKUP = """
<section class="sk-gallery" aria-label="drawings to begin with">
  <p class="pg-fine" data-note>Begin with one of these</p>
  <div class="sk-starts" data-starts></div>
</section>
"""


def starts() -> list[dict[str, Any]]:
    """Every drawing of the gallery: name, title, the modes and data sets it suits, width and strokes.

    Strokes are lists of [x, y] pairs from 0 to 1, y downwards; width is in 256ths of the paper's side.
    """
    files = sorted(STARTS.glob("*.json"))
    return [start for file in files for start in json.loads(file.read_text(encoding="utf-8"))]


def sketch_gallery() -> gr.HTML:
    """The element."""
    return element("sketch_gallery", MARKUP, value={"starts": starts()})
