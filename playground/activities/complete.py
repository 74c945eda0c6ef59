"""Complete a picture of which a part is hidden."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from playground.activities.generate import previewed
from playground.capabilities import Completes, Density, LogProb
from playground.data import Dataset
from playground.knobs import Canvas, Choice, Refused, Slider
from playground.pictures import as_canvas, chosen, to_data, to_pixels
from playground.rng import Rng
from playground.views import Images, Progress, View

ORDER = 210
PAGE = "sketch"
HALVES = ("lower half", "upper half", "left half", "right half")


def complete(
    model: Completes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    canvas: Annotated[np.ndarray | None, Canvas(help="your own picture; without one, a test picture")] = None,
    hidden: Annotated[np.ndarray | None, Canvas(help="brushed: bright where the picture is to be made up")] = None,
    hide: Annotated[str, Choice(*HALVES, "brushed", help="which part is made up")] = "lower half",
    n: Annotated[int, Slider(1, 9, help="how many endings")] = 9,
    **own: Any,
) -> Iterator[View]:
    """Hide a part of a picture and see how the model would have gone on."""
    started = time.perf_counter()
    levels, whose = given(canvas, data, rng)
    known = known_part(hide, hidden, data)
    x = to_data(levels[None], rng.device)
    keep = torch.as_tensor(known, device=rng.device).expand_as(x)
    yield Images(key="given", pixels=marked(x, keep), title="Given", caption=f"{whose} The shaded part is made up.")
    several = x.expand(n, *x.shape[1:]), keep.expand(n, *x.shape[1:])
    made = yield from previewed(model.complete(*several, rng.take(n), **own), title)
    pixels, seconds = to_pixels(made), time.perf_counter() - started
    yield Images(pixels=pixels, title=title, caption=model.completing, seconds=seconds)
    if isinstance(model, Density):
        yield Progress(done=1, total=1, text="how probable each ending is")
        truth = x if canvas is None else x[:0]
        weighed = model.log_prob(torch.cat([made, truth]), rng.take(n + len(truth)))
        captions, words = weights_in_words(weighed, n)
        yield Images(
            pixels=pixels, captions=captions, title=title, caption=f"{model.completing} {words}", seconds=seconds
        )


def given(canvas: np.ndarray | None, data: Dataset, rng: Rng) -> tuple[np.ndarray, str]:
    """The picture to work on, (channels, height, width) uint8, and whose it is, a sentence."""
    if canvas is not None:
        return as_canvas(canvas, data), "Your picture."
    levels, names, note = chosen(data, rng, 1)
    return levels[0], f"A test picture, {names[0]}, that the seed chooses.{note}"


def known_part(hide: str, hidden: np.ndarray | None, data: Dataset) -> np.ndarray:
    """Which pixels stay, (1, height, width) bool.

    Raises:
        Refused: nothing is hidden.
    """
    _, height, width = data.shape
    known = np.ones((1, height, width), bool)
    halves = {
        "lower half": np.s_[:, height // 2 :],
        "upper half": np.s_[:, : height // 2],
        "left half": np.s_[:, :, : width // 2],
        "right half": np.s_[:, :, width // 2 :],
    }
    if hide in halves:
        known[halves[hide]] = False
    elif hidden is not None:
        known = as_canvas(hidden, data).max(0, keepdims=True) < 128
    if known.all():
        raise Refused("Nothing is hidden: brush over the part of the picture that is to be made up, or choose a half.")
    return known


def marked(x: Tensor, known: Tensor) -> np.ndarray:
    """What is given, (1, height, width, 3) uint8: pictures (1, *shape), the unknown part a flat bluish shade."""
    seen = to_pixels(x).repeat(3 if x.shape[1] == 1 else 1, axis=3)
    hidden = ~known[0].all(0).cpu().numpy()
    seen[0][hidden] = (58, 66, 92)
    return seen


def weights_in_words(weighed: LogProb, n: int) -> tuple[tuple[str, ...], str]:
    """A caption for each of ``n`` endings, and a sentence on what the numbers are, with the truth's if it follows."""
    sign = {"exact": "", "lower bound": "≥ ", "estimate": "≈ ", "unnormalised": ""}[weighed.kind]
    name = "-E" if weighed.kind == "unnormalised" else "log p"
    values = [f"{name} {sign}{v:.1f}".replace("-", "−") for v in weighed.nats.tolist()]
    kind = {
        "exact": "exact",
        "lower bound": "a lower bound",
        "estimate": "an estimate",
        "unnormalised": "without its constant, so that only differences mean something",
    }[weighed.kind]
    words = f"Log-probability of each whole picture in nats ({weighed.measure}): {kind}."
    if len(values) > n:
        words += f" The truth: {values[n]}."
    return tuple(values[:n]), words
