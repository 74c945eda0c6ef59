"""What a training run leaves beside its weights: a sample sheet, its log, and where it was trained."""

from __future__ import annotations

import csv
import io
import itertools
import platform
import subprocess
from pathlib import Path

import torch
from torch import Tensor

from playground.capabilities import Samples, Translates
from playground.pictures import to_pixels
from playground.rng import Rng


def sample_sheet(model: Samples, seed: int = 0, rows: int = 8) -> bytes:
    """A PNG of rows x 8 samples, twice enlarged; a conditional model draws class after class down the columns."""
    with torch.no_grad():
        return tiled(model.sample(Rng(seed, 8 * rows, model.device)))


def translation_sheet(model: Translates, x: Tensor, seed: int = 0, rows: int = 8) -> bytes:
    """A PNG of eight columns: the outline of each of eight pictures (8, *shape), drawings from it, and the picture."""
    again = rows - 2
    with torch.no_grad():
        sketch = model.outline(x)
        for state in model.translate(sketch.repeat(again, 1, 1, 1), Rng(seed, 8 * again, model.device)):  # noqa: B007
            pass
    return tiled(torch.cat([sketch.expand(-1, *model.shape), state.x, x]))


def tiled(x: Tensor) -> bytes:
    """A PNG of pictures (8 rows, channels, height, width), eight in a row, twice enlarged."""
    from PIL import Image

    pixels = to_pixels(x)
    rows, (h, w, c) = len(pixels) // 8, pixels.shape[1:]
    tiles = pixels.reshape(rows, 8, h, w, c).transpose(0, 2, 1, 3, 4).reshape(rows * h, 8 * w, c)
    image = Image.fromarray(tiles.squeeze(-1) if c == 1 else tiles)
    buffer = io.BytesIO()
    image.resize((image.width * 2, image.height * 2), Image.Resampling.NEAREST).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def log_csv(rows: list[dict[str, float]]) -> bytes:
    """The log as CSV, at most some hundred lines."""
    names = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: f"{v:.6g}" for k, v in row.items()} for row in rows)
    return buffer.getvalue().encode()


def commit() -> str:
    """The commit of the code that runs, or "" outside a checkout."""
    here = Path(__file__).parent
    done = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=here, capture_output=True, text=True)
    return done.stdout.strip()


def device_name(device: str) -> str:
    """What trained it, for the card: the GPU's name, or the CPU with its number of threads."""
    if torch.device(device).type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"CPU {platform.machine()}, {torch.get_num_threads()} threads"
