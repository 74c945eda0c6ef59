"""The pages in the browser: layout, controls and drawing. Nothing here knows of tensors or imports torch."""

from playground.ui.pages.play import build
from playground.ui.theme import launch_options

__all__ = ["build", "launch_options"]
