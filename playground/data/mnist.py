"""MNIST (LeCun, Cortes and Burges 1998): handwritten digits, 28x28 grey."""

from __future__ import annotations

import numpy as np

from playground.data import Dataset, Split
from playground.data.sources import read_split


def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """50,000 training, 10,000 validation (the last of the official training set) and 10,000 test pictures."""
    return read_split(split, "mnist.npz", "ylecun/mnist", valid=10_000)


def fixture() -> tuple[np.ndarray, np.ndarray]:
    """Stand-ins."""
    raise NotImplementedError


dataset = Dataset(
    name="mnist",
    title="MNIST",
    line="70,000 handwritten digits, 28x28 grey",
    shape=(1, 28, 28),
    labels=tuple("0123456789"),
    licence="no licence file; usually given as CC BY-SA 3.0",
    read=read,
    fixture=fixture,
    fixture_note="",
)
