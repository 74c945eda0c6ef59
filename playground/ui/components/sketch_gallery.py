"""Drawings to begin with: vector strokes from the files in ``starts``, one click puts them on the paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

import playground
from playground.ui.components import element

STARTS = Path(__file__).parent.parent / "starts"
OUTLINES = Path(playground.__file__).parent / "data"  # drawn by hand for the models that begin with an outline
THIN = 12  # of an outline, in 256ths of the paper's side
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
    found = [start for file in sorted(STARTS.glob("*.json")) for start in json.loads(file.read_text(encoding="utf-8"))]
    for file in sorted(OUTLINES.glob("*.json")):
        sheet = json.loads(file.read_text(encoding="utf-8"))
        suits = {"modes": ["translate"], "data": [sheet["data"]], "width": THIN}
        for k, drawn in enumerate(sheet["sketches"], 1):
            name = f"{file.stem.replace('_', '-')}-{k}"
            found.append({"name": name, "title": drawn["name"], **suits, "strokes": drawn["strokes"]})
    return found


def sketch_gallery() -> gr.HTML:
    """The element."""
    return element("sketch_gallery", MARKUP, value={"starts": starts()})
