"""Data sets: one file each, each defining ``dataset``.

Where the numbers come from, in order: the folder named by ``PLAYGROUND_DATA``, then a cached download from the Hugging
Face Hub, then one sentence naming both ways. ``playground.data.sources`` knows how; a data set's file knows what.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

import numpy as np

Split = Literal["train", "valid", "test"]


class DataMissing(LookupError):
    """A data set is neither on this machine nor reachable; the text says both ways to get it."""


@dataclass(frozen=True)
class Dataset:
    """A data set of labelled pictures.

    Attributes:
        medium: what a datum is: pictures, or drawings made of strokes.
        top: the stored value that means one.

    Args:
        name: the file's name with hyphens, as cards call it.
        title: as people call it.
        line: one line saying what it is.
        shape: one datum; a picture is (channels, height, width).
        labels: the names of the classes.
        licence: as its makers state it.
        read: gives a split as (pictures (n, *shape) uint8, labels (n,) int64), the same arrays every time and to every
            thread; raises DataMissing.
        where: says where a split comes from: a file, or the library it is part of; raises DataMissing.
        fixture: stand-in pictures that are always there, in the same form, said to be so on the page.
        fixture_note: what those are; "" where they are the data set itself.
    """

    name: str
    title: str
    line: str
    shape: tuple[int, ...]
    labels: tuple[str, ...]
    licence: str
    read: Callable[[Split], tuple[np.ndarray, np.ndarray]]
    where: Callable[[Split], str]
    fixture: Callable[[], tuple[np.ndarray, np.ndarray]]
    fixture_note: str = ""
    medium: ClassVar[str] = "pictures"
    top: ClassVar[float] = 255.0

    def load(self, split: Split) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (n, *shape) uint8, or drawings float32, and labels (n,) int64 of ``train``, ``valid`` or ``test``.

        Decoded once, whoever asks, and kept: do not write into them. The validation split is cut from the official
        training set and is not in ``train``.

        Raises:
            DataMissing: with a sentence naming the ways to get the data.
        """
        return self.read(split)

    def examples(self) -> tuple[np.ndarray, np.ndarray, str]:
        """The test split if it can be had, else the fixture, and a note saying so ("" for the test split)."""
        try:
            return *self.load("test"), ""
        except DataMissing:
            return *self.fixture(), self.fixture_note


@dataclass(frozen=True)
class Sketches(Dataset):
    """A data set of drawings as a pen drew them, (points, 5) float32 each: see ``playground.data.strokes``.

    Lengths are in the standard deviations of the training drawings' steps, so that models of all sets look alike.

    Args:
        frame: the side of the page that a drawing stands on.
        tolerance: how far simplified lines may be from the drawn ones (Ramer-Douglas-Peucker), of a visitor too.
    """

    frame: float = 1.0
    tolerance: float = 0.0
    medium: ClassVar[str] = "drawings"
    top: ClassVar[float] = 1.0


@cache
def datasets() -> dict[str, Dataset]:
    """Every data set in this folder, by name."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return {m.dataset.name: m.dataset for m in modules if "dataset" in vars(m)}
