"""Gradio is imported without its editor stubs being written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_no_stub_is_written_and_components_still_have_their_events() -> None:
    """In a process of its own, for Gradio is imported once."""
    code = (
        "import playground.ui.stubs, pathlib\n"
        "reads = []\n"
        "real = pathlib.Path.read_text\n"
        "pathlib.Path.read_text = lambda self, *a, **k: (reads.append(self.name), real(self, *a, **k))[1]\n"
        "import gradio as gr\n"
        "assert 'button.py' not in reads, 'the writer reads the source of each component'\n"
        "with gr.Blocks() as page:\n"
        "    gr.Button('Go').click(lambda: None)\n"
        "assert len(page.fns) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
