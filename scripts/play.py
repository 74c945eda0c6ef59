"""Set up once and open the playground: ``python3 scripts/play.py``.

The first start makes ``.venv`` and needs the network for the packages. Later starts go straight to the app, offline.

    python3 scripts/play.py --setup      only set up, for instance on the evening before a talk
    python3 scripts/play.py ARGUMENTS    anything else is handed to app.py
"""

from __future__ import annotations

import os
import subprocess
import sys

from environment import ROOT, prepare


def main() -> None:
    """Set up if need be, then become the app."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ("-h", "--help"):
        sys.exit(__doc__)
    python = str(prepare("requirements.txt"))
    if arguments == ["--setup"]:
        print("Ready: python3 scripts/play.py opens the playground, with or without a network.")
        return
    command = [python, str(ROOT / "app.py"), *arguments]
    if os.name == "nt":  # there execv would give the prompt back while the app runs
        sys.exit(subprocess.call(command))
    os.execv(python, command)


if __name__ == "__main__":
    main()
