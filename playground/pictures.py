"""Between tensors and the pictures people see and send."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from playground.data import Dataset, datasets
from playground.drawings import rendered
from playground.knobs import Refused
from playground.rng import Rng


def to_pixels(x: Tensor) -> np.ndarray:
    """Pictures (n, channels, height, width) in [0, 1] as uint8 (n, height, width, channels); the rest is clipped.

    Drawings (n, points, 5) are drawn.
    """
    if x.ndim == 3:
        return rendered(x)
    levels = x.detach().nan_to_num(0.0).clamp(0, 1).mul(255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).cpu().numpy()


def to_data(levels: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Pictures (n, channels, height, width) uint8 as floats in [0, 1]; drawings (n, points, 5) as they are."""
    x = torch.tensor(levels, device=device)
    return x.float() / 255 if x.dtype == torch.uint8 else x


def as_data(picture: np.ndarray, data: Dataset) -> np.ndarray:
    """A visitor's picture (height, width, 3) uint8 in the form of the data set's, (channels, height, width) uint8.

    A picture that already has the data's size is taken as it is. Any other is reduced to it: in data sets of bright
    things on black, the thing is found, made bright, scaled and centred as theirs are (for MNIST: the longer side 20
    of 28 pixels, the centre of mass in the middle; LeCun et al. 1998); in others the middle square is taken.

    Raises:
        Refused: nothing stands out from the background.
    """
    channels, height, width = data.shape
    if picture.shape[:2] == (height, width):
        fitted = picture
    else:
        room = usual_room(data.name)
        fitted = _middle(picture, height, width) if room is None else _thing(picture, height, width, room)
    return _in_channels(fitted, channels)


def as_canvas(picture: np.ndarray, data: Dataset) -> np.ndarray:
    """A canvas (height, width, 3) uint8 in the data set's form, (channels, height, width) uint8, nothing moved.

    The middle square is taken and averaged down; ink stays where it is, unlike ``as_data``.
    """
    channels, height, width = data.shape
    fitted = picture if picture.shape[:2] == (height, width) else _middle(picture, height, width)
    return _in_channels(fitted, channels)


def _in_channels(picture: np.ndarray, channels: int) -> np.ndarray:
    """(height, width, 3) uint8 as (channels, height, width): grey, or in colour."""
    if channels == 1:
        return np.asarray(Image.fromarray(picture).convert("L"))[None]
    return picture.transpose(2, 0, 1)


@lru_cache(maxsize=32)
def usual_room(name: str) -> float | None:
    """The share of the frame that a data set's things fill with their longer side; None if they are not on black."""
    levels = datasets()[name].examples()[0][:300].max(1)  # (n, height, width)
    edge = np.concatenate([levels[:, 0], levels[:, -1], levels[:, :, 0], levels[:, :, -1]], 1)
    if np.median(edge) > 12 or edge.mean() > 64:
        return None
    ink = levels > 40
    rows, columns = ink.any(2).sum(1), ink.any(1).sum(1)
    return float(np.median(np.maximum(rows, columns)) / max(levels.shape[1:]))


def _middle(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The largest centred cut of the frame's proportions, reduced to it: (height, width, 3) uint8."""
    h, w = picture.shape[:2]
    scale = min(h / height, w / width)
    dy, dx = (h - scale * height) / 2, (w - scale * width) / 2
    box = (dx, dy, w - dx, h - dy)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX, box=box))


def _thing(picture: np.ndarray, height: int, width: int, room: float) -> np.ndarray:
    """What stands out from the background, bright on black, scaled and centred: (height, width, 3) uint8."""
    values = picture.astype(np.float32)
    edge = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])  # (pixels, 3)
    paper = np.median(edge, 0)
    if paper.mean() > 127:
        values, edge, paper = 255 - values, 255 - edge, 255 - paper
    bright = np.clip(values - paper, 0, None)
    noise = float(np.quantile(np.clip(edge - paper, 0, None).max(1), 0.9))  # shadows on the paper, grain
    bright = np.clip(bright - noise, 0, None)
    top = float(np.quantile(bright.max(2)[bright.max(2) > 0], 0.9)) if (bright > 0).any() else 0.0
    ink = bright.max(2) > 0.25 * top
    if top < 20 or ink.mean() < 1e-4:
        raise Refused("Nothing stands out in that picture; use dark strokes on light paper, or light on dark.")
    ys, xs = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    cut = np.clip(bright[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1] / top, 0, 1)
    scale = room * max(height, width) / max(cut.shape[:2])
    size = (max(1, min(width, round(cut.shape[1] * scale))), max(1, min(height, round(cut.shape[0] * scale))))
    small = np.asarray(Image.fromarray((255 * cut).astype(np.uint8)).resize(size, Image.Resampling.BOX))
    return _centred(small, height, width)


def _centred(small: np.ndarray, height: int, width: int) -> np.ndarray:
    """``small`` on a black frame, its centre of mass as near the middle as it fits: (height, width, 3) uint8."""
    h, w = small.shape[:2]
    mass = small.astype(np.float64).sum(2) + 1e-9
    y = float((mass.sum(1) * np.arange(h)).sum() / mass.sum())
    x = float((mass.sum(0) * np.arange(w)).sum() / mass.sum())
    top = int(np.clip(round((height - 1) / 2 - y), 0, height - h))
    left = int(np.clip(round((width - 1) / 2 - x), 0, width - w))
    frame = np.zeros((height, width, 3), np.uint8)
    frame[top : top + h, left : left + w] = small
    return frame


def chosen(data: Dataset, rng: Rng, n: int) -> tuple[np.ndarray, tuple[str, ...], str]:
    """``n`` test pictures that the seed chooses, (n, channels, height, width) uint8, their classes, and a note to show.

    The note begins with a space; it is empty unless the pictures are stand-ins.
    """
    levels, classes, note = data.examples()
    draw = Rng(rng.seed, 1).uniform(len(levels))[0]  # on the CPU: the same pictures on every device
    index = draw.argsort()[:n].numpy()
    return levels[index], tuple(data.labels[int(c)] for c in classes[index]), f" {note}" if note else ""
