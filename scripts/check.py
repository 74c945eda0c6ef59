"""Set up once and run every check: ``python3 scripts/check.py``; continuous integration runs the same.

    python3 scripts/check.py --fast      without the slow and the browser tests
    python3 scripts/check.py --here      with the Python that runs this, as it is, instead of .venv
    python3 scripts/check.py ARGUMENTS   anything else is handed to pytest

Tests that need real data (PLAYGROUND_DATA), trained models or Chromium are skipped where there are none, and say so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from environment import ROOT, prepare

# Two processes of one thread each: most of a test is Python. A file's tests stay together, with what they share.
SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile")
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def main() -> None:
    """Run format, lint, types and tests, all of them even if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--here", action="store_true")
    options, rest = parser.parse_known_args()
    python = sys.executable if options.here else str(prepare("requirements-dev.txt"))
    chosen = ["-m", "not slow and not browser"] if options.fast else []
    steps = {
        "format": ["ruff", "format", "--check", "--quiet", "."],
        "lint": ["ruff", "check", "--output-format=concise", "--quiet", "."],
        "types": ["mypy"],
        "tests": ["pytest", *SIDE_BY_SIDE, *chosen, *rest],
    }
    failed = []
    for name, arguments in steps.items():
        begun = time.monotonic()
        code = subprocess.call(
            [python, "-m", *arguments], cwd=ROOT, env={**os.environ, **ONE_THREAD, "PYTHONUNBUFFERED": "1"}
        )
        if name != "tests":  # whose own last line says it better
            print(f"{name}: {'FAILED' if code else 'ok'} ({time.monotonic() - begun:.0f} s)", flush=True)
        if code:
            failed.append(name)
    if failed:
        sys.exit(f"not passed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
