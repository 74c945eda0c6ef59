"""How the pages look, and the options every launch shares."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware

from playground.ui.api import app_kwargs
from playground.ui.charting import routes
from playground.ui.early import Early

HERE = Path(__file__).parent
SHARED = (
    "dom",
    "board",
    "controls",
    "store",
    "pixels",
    "views",
    "strokes",
    "film",
    "plot",
    "picture",
    "dialog",
    "lab_paint",
    "lab",
    "lab_race",
    "scores",
    "latent",
    "paper",
    "sketch_link",
    "sketch",
)  # in this order


def text(*parts: str) -> str:
    """The text of a file beside this one."""
    return HERE.joinpath(*parts).read_text(encoding="utf-8")


def head() -> str:
    """One style sheet and the scripts that all elements share, written into the page: nothing to fetch."""
    sheets = [text("shared", "base.css")]
    sheets += [path.read_text(encoding="utf-8") for path in sorted((HERE / "components").glob("*.css"))]
    nested = (
        f"body:is(body, #pg) {{ {''.join(sheets)} }}"  # as strong as an id: stronger than Gradio's reset of buttons
    )
    further = sorted(path.stem for path in (HERE / "shared").glob("*_*.js") if path.stem not in SHARED)
    scripts = [f"<script>{text('shared', name + '.js')}</script>" for name in (*SHARED, *further)]
    return f"<style>{text('shared', 'page.css')}{nested}</style>{''.join(scripts)}"


def launch_options() -> dict[str, Any]:
    """Keyword arguments of ``Blocks.launch`` for the app and for the tests alike."""
    own = app_kwargs()
    early = Middleware(Early, text("shared", "calm.js"))
    os.environ.setdefault("GRADIO_TEMP_DIR", str(Path(tempfile.gettempdir()) / "playground"))
    return {
        "head": head(),
        "run_history": False,  # it rewrites the last hundred results in the browser at every event
        "enable_monitoring": False,
        "show_error": False,
        "max_file_size": "5mb",
        "state_session_capacity": 300,
        "strict_cors": True,
        "footer_links": ["api"],
        "ssr_mode": False,
        "pwa": False,
        "app_kwargs": {**own, "middleware": [*own["middleware"], early], "routes": routes()},
    }
