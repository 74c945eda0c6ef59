"""The upload of the Space, run as a command against a stand-in for the Hub."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hub import Hub

SCRIPT = Path(__file__).parent.parent / "scripts" / "upload_space.py"
TOKEN = "hf_not_to_be_printed"
README = "---\ntitle: Playground\nsdk: gradio\nsdk_version: 6.31.0\napp_file: app.py\n---\n\n# Playground\n"
REQUIREMENTS = """# What it needs.
torch==2.13.0
torchmetrics==1.9.0
gradio==6.31.0
gradio-client==2.7.2
numpy==2.4.6; python_version >= "3.11"
"""
WEIGHTS = b"\x08\0\0\0\0\0\0\0{}" + bytes(range(256)) * 60  # binary and larger than the stand-in takes inline

GOES = {
    "app.py": b"print('app')\n",
    "LICENSE": b"Apache\n",
    "CHANGELOG.md": b"# Changelog\n",
    "Spaces.md": b"# Spaces\n",
    "README.md": README.encode(),
    "playground/__init__.py": b"",
    "playground/data/mnist.py": b"dataset = 1\n",
    "playground/ui/canvas.js": b"// canvas\n",
    "pretrained/tiny/card.json": b"{}\n",
    "pretrained/tiny/model.safetensors": WEIGHTS,
    "docs/picture.png": b"\x89PNG\r\n\x1a\n\0\0picture",
}
STAYS = {
    ".git/config": b"[core]\n",
    ".env": b"SECRET=1\n",
    "data/mnist.npz": b"PK\x03\x04",
    "runs/tiny/checkpoint.safetensors": WEIGHTS,
    "tests/test_it.py": b"",
    "scripts/play.py": b"",
    "pyproject.toml": b"[project]\n",
    "playground/__pycache__/__init__.cpython-311.pyc": b"\0",
    "playground/old.pyc": b"\0",
    "pretrained/tiny/.model.safetensors.part": b"half",
}


@pytest.fixture
def project(tmp_path):
    """A project in small, with the script in it."""
    for name, data in {**GOES, **STAYS, "requirements.txt": REQUIREMENTS.encode()}.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    shutil.copy(SCRIPT, tmp_path / "project" / "scripts")
    return tmp_path / "project"


@pytest.fixture
def hub():
    with Hub() as server:
        yield server


def run(project, *arguments, hub=None, token=TOKEN):
    """The command's exit code and what it printed; without a hub, any request fails."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))},
        "HF_HOME": str(project / "runs" / "home"),
        "HF_ENDPOINT": hub.url if hub else "http://127.0.0.1:9",
        "HF_HUB_DISABLE_XET": "1",  # the stand-in speaks LFS
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        **({"HF_TOKEN": token} if token else {}),
    }
    command = [sys.executable, str(project / "scripts" / "upload_space.py"), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert TOKEN not in said
    assert "Traceback" not in said
    return done.returncode, said


@pytest.fixture
def refused(project, monkeypatch, capsys):
    """The same command in this process, quicker, for what is refused before anything is asked: code and words."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["upload_space.py", *arguments])
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(project / "scripts" / "upload_space.py"), run_name="__main__")
        return left.value.code if isinstance(left.value.code, str) else capsys.readouterr().err

    return call


def listing(said):
    """The files and sizes that a dry run printed."""
    return {line.split()[1]: int(line.split()[0].replace(",", "")) for line in said.splitlines()[:-1]}


def test_a_new_space(project, hub):
    code, said = run(project, "ada/play", "--hardware", "zero-a10g", "--private", hub=hub)
    assert code == 0, said
    assert hub.created == [
        {
            "name": "play",
            "organization": "ada",
            "visibility": "private",
            "type": "space",
            "sdk": "gradio",
            "hardware": "zero-a10g",
        }
    ]
    space = hub.repos["spaces/ada/play"]
    wanted = {name: data for name, data in space.items() if name not in (".gitattributes", "requirements.txt")}
    assert wanted == GOES
    assert list(hub.objects.values()).count(WEIGHTS) == 1  # as a large file, not inline
    assert len(hub.commits) == 1
    assert space["README.md"].startswith(b"---\ntitle:")
    assert set(hub.tokens) >= {f"Bearer {TOKEN}"}
    assert f"{hub.url}/spaces/ada/play" in said


def test_its_requirements(project, hub):
    assert run(project, "ada/play", hub=hub)[0] == 0
    lines = hub.repos["spaces/ada/play"]["requirements.txt"].decode().splitlines()
    assert lines == [
        "torch==2.11.0",
        "spaces",
        "torchmetrics==1.9.0",
        "gradio-client==2.7.2",
        'numpy==2.4.6; python_version >= "3.11"',
    ]
    assert run(project, "ada/play", "--torch", "2.10.0", hub=hub)[0] == 0
    assert hub.repos["spaces/ada/play"]["requirements.txt"].startswith(b"torch==2.10.0\n")


def test_an_existing_space_becomes_the_project(project, hub):
    old = {".gitattributes": b"*.png filter=lfs\n", "playground/activities/gone.py": b"", "app.py": b"old"}
    hub.repos["spaces/ada/play"] = dict(old)
    code, said = run(project, "ada/play", "--hardware", "cpu-basic", hub=hub)
    assert code == 0, said
    assert hub.created == []
    assert hub.hardware == {"ada/play": "cpu-basic"}
    (repo, _, written, deleted) = hub.commits[0]
    assert repo == "spaces/ada/play" and deleted == ["playground/activities/gone.py"]
    assert set(written) == {*GOES, "requirements.txt"}
    assert hub.repos["spaces/ada/play"][".gitattributes"] == old[".gitattributes"]
    assert hub.repos["spaces/ada/play"]["app.py"] == GOES["app.py"]


def test_a_dry_run_asks_nobody(project, hub):
    code, said = run(project, "ada/play", "--dry-run", hub=hub, token=None)
    assert code == 0 and hub.requests == []
    assert set(listing(said)) == {*GOES, "requirements.txt"}
    assert listing(said)["pretrained/tiny/model.safetensors"] == len(WEIGHTS)
    assert "12 files" in said and "nothing was sent" in said


@pytest.mark.parametrize("name", ["play", "ada/play/more", "ada/", "https://ada/play", "ada/pl ay", "-ada/play"])
def test_a_malformed_name(refused, name):
    assert "write USER/NAME" in refused("--dry-run", "--", name)


def test_no_token(project, hub):
    code, said = run(project, "ada/play", hub=hub, token=None)
    assert code == 1 and "hf auth login" in said and "HF_TOKEN" in said
    assert hub.requests == []


@pytest.mark.parametrize(
    ("readme", "says"),
    [
        ("# Playground\n", "front matter"),
        ("---\ntitle: Playground\nsdk: gradio\n---\n", "sdk_version, app_file"),
        (README.replace("sdk: gradio", "sdk: static"), "no Gradio app"),
        (README.replace("app.py", "main.py"), "no Gradio app"),
        (README.replace("6.31.0", "6.30.0"), "make them agree"),
        (None, "front matter"),
    ],
    ids=["none", "short", "static", "other app", "other gradio", "no readme"],
)
def test_front_matter_is_checked_first(project, refused, readme, says):
    if readme is None:
        (project / "README.md").unlink()
    else:
        (project / "README.md").write_text(readme)
    said = refused("ada/play", "--dry-run")
    assert says in said and "README.md" in said


def test_half_a_project(project, refused):
    shutil.rmtree(project / "docs")
    assert "docs cannot be found" in refused("ada/play", "--dry-run")


def test_torch_must_be_pinned(project, refused):
    (project / "requirements.txt").write_text("gradio==6.31.0\n")
    assert "pins no torch" in refused("ada/play", "--dry-run")


def test_hardware_that_does_not_exist(refused):
    assert "zero-a10g" in refused("ada/play", "--hardware", "moon", "--dry-run")


def test_the_hub_refuses(project, hub):
    hub.refuse = 403
    code, said = run(project, "ada/play", hub=hub)
    assert code == 1 and "403" in said and "not brought up to date" in said


def test_nobody_answers(project):
    code, said = run(project, "ada/play")
    assert code == 1 and "refused" in said


def test_this_project_is_ready():
    """Its front matter and pins agree, nothing private goes, and what the README links to does."""
    code, said = run(SCRIPT.parent.parent, "ada/play", "--dry-run", token=None)
    assert code == 0, said
    listed = listing(said)
    tops = {name.split("/")[0] for name in GOES} | {"requirements.txt"}
    assert {name.split("/")[0] for name in listed} <= tops
    assert not [name for name in listed if name.endswith((".npz", ".parquet", ".pyc"))]
    readme = (SCRIPT.parent.parent / "README.md").read_text(encoding="utf-8")
    assert {target.split("/")[0] for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", readme)} <= tops
