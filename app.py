"""The one command: ``python app.py`` opens the playground in a browser."""

from __future__ import annotations

import argparse
import os
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # no request leaves this machine
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")  # else every event costs a table of all events

from playground import backends
from playground.lab.arena import Arena
from playground.ui import build, laboratory, launch_options
from playground.ui.later import Later


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default=None, help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=None, help="port to listen on (default: the first free from 7860)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    return parser.parse_args()


def has_screen() -> bool:
    """Whether somebody started this by hand on a machine with a display."""
    shown = sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return sys.stdin.isatty() and shown


def main() -> None:
    """Serve the pages; the models are looked up while the first page loads."""
    asked = arguments()
    backends.prepare()
    backend = Later()
    arena = Arena()
    page = build(backend, laboratory.functions(arena))
    page.queue(max_size=64)
    page.launch(
        server_name=asked.host,
        server_port=asked.port,
        inbrowser=not asked.no_browser and has_screen(),
        prevent_thread_lock=True,
        **launch_options(),
    )
    backend.start(then=arena.warm)
    page.block_thread()


if __name__ == "__main__":
    main()
