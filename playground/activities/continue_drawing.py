"""Go on with a drawing, stroke by stroke."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch

from playground.capabilities import Continues
from playground.data import Sketches
from playground.data.strokes import to_strokes
from playground.drawings import Strokes as Lines
from playground.drawings import placed, plain, taken
from playground.knobs import Slider, Strokes
from playground.rng import Rng
from playground.views import Drawings, Table, View

ORDER = 240
PAGE = "sketch"
TAKES = ("drawings",)
ROOM = 0.8  # of a model's points, the most that a visitor's part may take


def continue_drawing(
    model: Continues,
    rng: Rng,
    *,
    data: Sketches,
    title: str,
    strokes: Annotated[Lines, Strokes(help="what you have drawn so far")] = (),
    n: Annotated[int, Slider(1, 9, help="how many ways to go on")] = 6,
    **own: Any,
) -> Iterator[View]:
    """Begin a drawing, and see how the model's pen goes on with it; draw nothing, and it begins by itself."""
    started = time.perf_counter()
    begun = np.zeros((0, 5), np.float32)
    if strokes:
        begun = taken(strokes, data, int(ROOM * model.shape[0]))
    drawings = model.continue_drawing(torch.tensor(begun, device=rng.device), rng.take(n), **own)
    nats = model.point_log_prob(drawings).cpu().numpy()
    known = [_by_stroke(d, p) for d, p in zip(drawings.cpu().numpy(), nats, strict=True)]
    lines = [placed(d, data, strokes) for d in drawings.cpu().numpy()]
    yield Drawings(
        drawings=tuple(plain(each) for each in lines),
        given=(sum(map(len, strokes)),) * n,
        captions=tuple(_said([v for v, _ in each[len(strokes) :]]) for each in known),
        title=title,
        caption=_caption(len(strokes)),
        seconds=time.perf_counter() - started,
    )
    if strokes:
        x = torch.nn.functional.pad(torch.tensor(begun, device=rng.device), (0, 0, 0, 1))
        yield _yours(begun, model.point_log_prob(x[None])[0, :-1].cpu().numpy())


def _by_stroke(drawing: np.ndarray, nats: np.ndarray) -> list[tuple[float, int]]:
    """Log-probability in nats and number of points of each stroke of (points, 5), whose points have ``nats``."""
    sizes = np.array([len(line) for line in to_strokes(drawing)])
    sizes[0] -= 1  # where the pen is first put down is certain
    cuts = np.cumsum(sizes)
    return [(float(nats[end - size : end].sum()), int(size)) for size, end in zip(sizes, cuts, strict=True)]


def _said(nats: list[float]) -> str:
    return f"log p {np.mean(nats):.1f} a stroke" if nats else "nothing to add"


def _caption(strokes: int) -> str:
    unit = "log p: the model's own strokes, mean nats a stroke; lengths in standard deviations of the data's steps."
    return (
        f"Your {strokes} stroke{'s' if strokes > 1 else ''}, gone on with. {unit}" if strokes else f"New ones. {unit}"
    )


def _yours(begun: np.ndarray, nats: np.ndarray) -> Table:
    """How probable each of the visitor's strokes was, given those before it."""
    rows = _by_stroke(begun, nats)
    return Table(
        key="yours",
        columns=("your stroke", "points", "log p (nats)", "a point"),
        rows=tuple((k, n, round(v, 2), round(v / n, 2)) for k, (v, n) in enumerate(rows, 1)),
        caption=f"{sum(v for v, _ in rows) / len(rows):.2f} nats a stroke: higher is what the model would have drawn.",
    )
