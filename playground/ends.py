"""Codes that a visitor names in a few letters: a test picture's, a draw's, a class's mean, one's own picture's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Decodes, Encodes, Samples, why_not
from playground.data import Dataset
from playground.knobs import ANY, Refused
from playground.pictures import as_data, to_data
from playground.planes import coded
from playground.rng import Rng

TRIES = 1  # the stream that chooses a test picture


@dataclass(frozen=True)
class End:
    """A code and what it is of.

    Args:
        code: (1, *latent).
        x: the picture it is the code of, (1, *shape) in [0, 1], or None where there is none.
        words: what it is, such as ``a test picture of 3``.
    """

    code: Tensor
    x: Tensor | None
    words: str


def end(model: Decodes, data: Dataset, name: str, own: np.ndarray | None, title: str) -> End:
    """The code that ``name`` stands for (``knobs.CodeOf``).

    Args:
        model: whose code.
        data: its data set.
        name: as the knob checked it.
        own: the visitor's picture (height, width, 3) uint8, for ``yours``.
        title: the model's, for sentences.

    Raises:
        Refused: there is no such class, no picture, or nothing codes pictures.
    """
    kind, *rest = name.split("-")
    if kind == "sample":
        return _drawn(model, int(rest[0]), title)
    if not isinstance(model, Encodes):
        reason = why_not(type(model), Encodes)  # type: ignore[type-abstract]
        raise Refused(f"{title} has codes of its own draws only: {reason}. Choose a sample.")
    if kind == "yours":
        if own is None:
            raise Refused("Draw or send a picture first.")
        x = to_data(as_data(own, data)[None], model.device)
        return End(model.encode(x), x, "your picture")
    if kind == "mean":
        return _mean(model, data, rest[0])
    levels, classes, note = data.examples()
    which = np.arange(len(levels)) if rest[0] == ANY else np.flatnonzero(classes == _class(data, rest[0]))
    if not len(which):
        raise Refused(f"There is no test picture of {data.labels[int(rest[0])]} here; choose another class.")
    draw = Rng(int(rest[1]), 1 + TRIES).uniform(len(which))[TRIES]
    index = int(which[int(draw.argmax())])
    x = to_data(levels[index : index + 1], model.device)
    what = "a picture that stands in for a test picture" if note else "a test picture"
    return End(model.encode(x), x, f"{what} of {data.labels[int(classes[index])]}")


def same(model: Decodes, data: Dataset, name: str, first: End, title: str) -> End:
    """What another model makes of an end: the code of the same picture, where it has codes of pictures.

    Raises:
        Refused: it has none.
    """
    kind = name.partition("-")[0]
    if kind == "mean" or first.x is None or not isinstance(model, Encodes):
        return end(model, data, name, None, title)
    return End(model.encode(first.x.to(model.device)), first.x, first.words)


def _drawn(model: Decodes, seed: int, title: str) -> End:
    rng = Rng(seed, 1, model.device)
    if model.normal_codes:
        code = rng.normal(*model.latent)
        return End(code, model.decode(code), "its own draw")
    if isinstance(model, Samples) and isinstance(model, Encodes):
        x = model.sample(rng)
        return End(model.encode(x), x, "its own draw")
    raise Refused(f"{title} draws nothing of its own. Choose a test picture.")


def _mean(model: Encodes, data: Dataset, which: str) -> End:
    codes, classes = coded(model, data)
    if which == ANY:
        return End(codes.mean(0, keepdim=True), None, f"the mean of {len(codes)} test pictures' codes")
    part = codes[torch.from_numpy(classes == _class(data, which)).to(codes.device)]
    if not len(part):
        raise Refused(f"None of the test pictures coded in time is of {data.labels[int(which)]}; choose another class.")
    return End(part.mean(0, keepdim=True), None, f"the mean of {len(part)} codes of {data.labels[int(which)]}")


def _class(data: Dataset, which: str) -> int:
    if int(which) >= len(data.labels):
        raise Refused(f"{data.title} has classes 0 to {len(data.labels) - 1}; {which} is none of them.")
    return int(which)
