"""MNIST with one fixed binarisation (Larochelle and Murray 2011): the likelihood benchmark of the VAE papers."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import numpy as np

from playground.data import DataMissing, Dataset, Split, mnist
from playground.data.sources import arrays, keep, only_file

FILE = "binarized_mnist.npz"
_lock = Lock()


def read(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Larochelle's 50,000, 10,000 and 10,000 pictures, each pixel 0 or 255.

    The labels were recovered afterwards, by likelihood, and about 0.4 % of them are those of a look-alike.
    The test split is sorted by digit.
    """
    with _lock:
        path = _path()
        return keep(path, split, lambda: _decode(path, split))


def _path() -> Path:
    hub = "it is not on the Hub; MNIST itself is, by `python -m playground.data mnist`"
    return only_file(FILE, "Binarized MNIST is", hub)


def _decode(path: Path, split: Split) -> tuple[np.ndarray, np.ndarray]:
    bits, labels = arrays(path, split, f"{split}_label")  # (n, 98), (n,)
    if bits.shape != (len(labels), 98) or bits.dtype != np.uint8:
        raise DataMissing(f"{path} does not hold Binarized MNIST ({bits.dtype} {bits.shape}); replace the file.")
    x = np.unpackbits(bits, axis=1).reshape(-1, 1, 28, 28)  # (n, 1, 28, 28)
    return x * np.uint8(255), labels.astype(np.int64)


def fixture() -> tuple[np.ndarray, np.ndarray]:
    """MNIST's stand-ins, cut at half: (358, 1, 28, 28)."""
    x, labels = mnist.fixture()
    return (x > 127) * np.uint8(255), labels


dataset = Dataset(
    name="binarized-mnist",
    title="Binarized MNIST",
    line="70,000 handwritten digits, 28x28 black and white, in Larochelle's fixed binarisation",
    shape=(1, 28, 28),
    labels=tuple("0123456789"),
    licence="as MNIST: no licence file; usually given as CC BY-SA 3.0",
    read=read,
    where=lambda split: str(_path()),
    fixture=fixture,
    fixture_note="Binarized MNIST is not on this machine: these are scikit-learn's 8x8 digits, enlarged, cut at half.",
)
