"""A new family is one file, one recipe and one weights folder; a new thing to do is one file. No other edit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

RECIPE = '''"""Toy digits: a second on anything."""

from functools import partial

from playground.families.toy import Toy
from playground.recipes import Recipe

recipe = Recipe(name="digits-toy", model=partial(Toy, shape=(1, 8, 8), classes=10), data="digits", steps=20)
'''

ACTIVITY = '''"""Turn samples upside down."""

from collections.abc import Iterator
from typing import Annotated

from playground.capabilities import Samples
from playground.knobs import Toggle
from playground.pictures import to_pixels
from playground.rng import Rng
from playground.views import Images, View

ORDER = 200


def upside_down(
    model: Samples, rng: Rng, *, title: str, on: Annotated[bool, Toggle(help="turn them")] = True
) -> Iterator[View]:
    """Turn new pictures upside down."""
    x = model.sample(rng.take(4))
    yield Images(pixels=to_pixels(x.flip(2) if on else x), title=title, caption="Upside down.")
'''

ASK = """
import json, sys
import gradio as gr
from gradio_client import Client
from playground.backends.local import Local
from playground.ui.api import add_endpoints

with gr.Blocks() as page:
    add_endpoints(Local("cpu"))
_, url, _ = page.queue().launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, run_history=False)
client = Client(url, ssl_verify=False, verbose=False)
told = client.predict(api_name="/describe")
run = list(client.submit("digits-toy", 5, {"on": False}, api_name="/upside_down"))
old = list(client.submit("digits-toy", 5, {"n": 4}, api_name="/generate"))
print(json.dumps({"told": told, "run": run, "old": old}))
page.close(verbose=False)
"""


def python(tree: Path, *arguments: str, fails: bool = False) -> str:
    """Run Python in the copied tree, and nowhere else."""
    foreign = ("PLAYGROUND_PRETRAINED", "PLAYGROUND_REMOTE", "PYTHONPATH")
    environment = {k: v for k, v in os.environ.items() if k not in foreign}
    environment |= {"GRADIO_ANALYTICS_ENABLED": "False", "PLAYGROUND_DEVICE": "cpu"}
    done = subprocess.run([sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True)
    assert (done.returncode != 0) is fails, done.stderr[-3000:]
    return done.stdout if not fails else done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with an empty shelf, its README in order."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("playground", "scripts"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    for name in ("app.py", "README.md"):
        shutil.copy(ROOT / name, tree / name)
    (tree / "pretrained").mkdir()
    python(tree, "scripts/readme_table.py", "--write")
    python(tree, "scripts/readme_table.py", "--check")
    return tree


@pytest.mark.slow
def test_one_file_each_and_nothing_else(tree: Path) -> None:
    shutil.copy(Path(__file__).with_name("toy.py"), tree / "playground" / "families" / "toy.py")
    (tree / "playground" / "recipes" / "digits_toy.py").write_text(RECIPE)
    (tree / "playground" / "activities" / "upside_down.py").write_text(ACTIVITY)
    python(tree, "-m", "playground.train", "digits-toy")
    assert (tree / "pretrained" / "digits-toy" / "card.json").is_file()

    answers = json.loads(python(tree, "-c", ASK).splitlines()[-1])
    told = answers["told"]
    (model,) = told["models"]  # it is found ...
    assert model["name"] == told["default"] == "digits-toy" and model["data"] == "digits"
    assert model["title"] == "Toy Gaussian" and model["about"]["intuition"]
    assert "upside_down" in [a["name"] for a in told["activities"]]
    assert model["fits"]["upside_down"] is None and model["knobs"]["upside_down"][0]["knob"] == "Toggle"
    assert all(model["fits"][a["name"]] is None for a in told["activities"] if a["page"] != "sketch")
    assert answers["run"][-1]["pixels"] == answers["old"][-1]["pixels"]  # ... and runs

    said = python(tree, "scripts/readme_table.py", "--check", fails=True)
    assert "--write" in said  # the check names the next command
    python(tree, "scripts/readme_table.py", "--write")
    python(tree, "scripts/readme_table.py", "--check")
    readme = (tree / "README.md").read_text(encoding="utf-8")
    assert "Toy Gaussian" in readme and "upside_down" in readme and "digits-toy" in readme
