"""The pages in the browser: layout, controls and drawing. Nothing here knows of tensors or imports torch."""

import playground.ui.stubs  # noqa: F401 - before anything imports Gradio
from playground.ui.pages.play import build
from playground.ui.theme import launch_options

__all__ = ["build", "launch_options"]
