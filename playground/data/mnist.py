"""MNIST (LeCun, Cortes and Burges 1998): handwritten digits, 28x28 grey."""

from __future__ import annotations

import numpy as np
from PIL import Image

from playground.data import Dataset, digits
from playground.data.sources import Grey28

source = Grey28("mnist", "MNIST", file="mnist.npz", repo="ylecun/mnist", folder="mnist")


def fixture() -> tuple[np.ndarray, np.ndarray]:
    """The test split of scikit-learn's digits, enlarged to (358, 1, 28, 28): 20x20 in a frame of 4, as MNIST's are."""
    small, labels = digits.read("test")
    large = np.stack([_enlarge(picture) for picture in small[:, 0]])
    return large[:, None], labels


def _enlarge(picture: np.ndarray) -> np.ndarray:
    """(8, 8) to (28, 28) uint8; the contrast is stretched, so that strokes are white and ends sharp."""
    inner = np.asarray(Image.fromarray(picture).resize((20, 20), Image.Resampling.BICUBIC), dtype=np.float32)
    return np.pad(np.clip((inner - 90) * 2.2, 0, 255).astype(np.uint8), 4)


dataset = Dataset(
    name="mnist",
    title="MNIST",
    line="70,000 handwritten digits, 28x28 grey",
    shape=(1, 28, 28),
    labels=tuple("0123456789"),
    licence="no licence file; usually given as CC BY-SA 3.0",
    read=source.read,
    where=source.where,
    fixture=fixture,
    fixture_note="MNIST is not on this machine: these are scikit-learn's 8x8 digits, enlarged.",
)
