"""``python -m playground.data mnist``: fetch a data set, and say where it came from and how much of it there is."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import argparse
import sys
import time
from typing import get_args

from playground.data import DataMissing, Split, datasets


def main(arguments: list[str] | None = None) -> int:
    """Fetch and report; 1 if the data cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m playground.data", description="Fetch a data set and report on it.")
    parser.add_argument("name", choices=sorted(datasets()), help="the data set")
    data = datasets()[parser.parse_args(arguments).name]
    print(f"{data.title}: {data.line}. Licence: {data.licence}.")
    try:
        for split in get_args(Split):
            begun = time.perf_counter()
            x, y = data.load(split)
            seconds = time.perf_counter() - begun
            classes = len(set(y.tolist()))
            print(f"{split:>6}: {len(x):,} pictures of {classes} classes, from {data.where(split)} ({seconds:.1f} s)")
    except DataMissing as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
