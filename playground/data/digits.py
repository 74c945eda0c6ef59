"""Digits (Alpaydin and Kaynak 1998, the test set of "Optical recognition of handwritten digits"): 8x8 grey.

They come with scikit-learn, so they are always there.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from playground.data import Dataset, Split


@cache
def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Of every ten digits of a class, in scikit-learn's order, one is for validation and two are for testing.

    1,254 training, 185 validation and 358 test pictures; the classes are equally divided.
    """
    x, y, parts = _all()
    rows = parts == ("train", "valid", "test").index(split)
    return x[rows], y[rows]


@cache
def _all() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (1797, 1, 8, 8) uint8, labels (1797,) int64 and the number of each one's split (1797,)."""
    from sklearn.datasets import load_digits  # a second or two

    bunch = load_digits()
    x = np.rint(bunch.images * (255 / 16)).astype(np.uint8)  # 0..16 ink dots of a 4x4 block
    y = bunch.target.astype(np.int64)
    nth = np.empty_like(y)
    for label in range(10):
        nth[y == label] = np.arange((y == label).sum())
    parts = np.array([1, 0, 0, 2, 0, 0, 0, 2, 0, 0])[nth % 10]
    return x[:, None], y, parts


dataset = Dataset(
    name="digits",
    title="Digits",
    line="1,797 handwritten digits, 8x8 grey, always there",
    shape=(1, 8, 8),
    labels=tuple("0123456789"),
    licence="CC BY 4.0 (UCI Machine Learning Repository)",
    read=read,
    where=lambda split: "scikit-learn",
    fixture=lambda: read("test"),
)
