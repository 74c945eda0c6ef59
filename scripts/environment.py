"""The project's own virtual environment, ``.venv``: made once, brought up to date only when the requirements change.

Plain standard library and no import of the project, so that it runs on a bare Python, on Linux, macOS and Windows.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed.json"
OLDEST, NEWEST = (3, 10), (3, 13)


def prepare(name: str) -> Path:
    """The environment's Python, with the packages of the requirements file ``name`` installed.

    An up-to-date environment costs a few milliseconds and no network. One whose making was interrupted is finished.

    Raises:
        SystemExit: with one sentence saying what is missing and what to do.
    """
    wanted = digests()
    if PYTHON.exists() and installed().get(name) == wanted[name]:
        return PYTHON
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(
            f"This is Python {sys.version_info[0]}.{sys.version_info[1]}; the playground needs "
            f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}: run the same command with one of those."
        )
    print(f"Setting up {VENV.name} for {name}: once, some minutes, most of them for PyTorch.", flush=True)
    own_pip = importlib.util.find_spec("ensurepip") is not None  # Debian splits it off into python3-venv
    if not own_pip and importlib.util.find_spec("pip") is None:
        sys.exit("This Python has no pip: install python3-venv (Debian, Ubuntu) or pip, and run the command again.")
    if not PYTHON.exists():
        venv.create(VENV, clear=True, symlinks=os.name != "nt", with_pip=own_pip)
    pip = [str(PYTHON), "-m", "pip"] if own_pip else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    install = [*pip, "install", "--disable-pip-version-check", *quiet]
    torch = next(line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch=="))
    for step in ([torch], ["-r", str(ROOT / name)]):  # torch first: what depends on it then takes the one that is there
        if subprocess.call([*install, *step]):
            sys.exit("The packages could not be installed (see above): check the network and run the command again.")
    done = [file for file in wanted if file == name or file == "requirements.txt"]
    STAMP.write_text(json.dumps({**installed(), **{file: wanted[file] for file in done}}))
    return PYTHON


def digests() -> dict[str, str]:
    """The checksum of each requirements file, over those it includes too."""
    base = (ROOT / "requirements.txt").read_bytes()
    dev = base + (ROOT / "requirements-dev.txt").read_bytes()
    return {
        "requirements.txt": hashlib.sha256(base).hexdigest(),
        "requirements-dev.txt": hashlib.sha256(dev).hexdigest(),
    }


def installed() -> dict[str, str]:
    """The checksums of what was installed last, as ``prepare`` noted them; empty before that."""
    return dict(json.loads(STAMP.read_text())) if STAMP.exists() else {}
